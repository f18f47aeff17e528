"""The page of a replay: what it shows is there, and it needs nothing else; a browser's own check is by hand."""

import re

from palestra.envs.hide_and_seek.batch import HideAndSeekBatch
from palestra.envs.hide_and_seek.replay import Replay
from palestra.envs.hide_and_seek.replay_page import PAGE
from palestra.envs.hide_and_seek.state import BOX, INNER, OUTER, RAMP


def test_the_page_has_a_place_for_its_data_and_one_for_its_player() -> None:
    assert PAGE.count("REPLAY") == PAGE.count("LIVE") == 1
    batch = HideAndSeekBatch("quadrant", 1)
    batch.reset(0)
    replay = Replay(batch)
    replay.add()
    for live, text in ((None, "null"), (2, "2")):
        page = replay.page(live)
        assert f"const live = {text};" in page
        assert "REPLAY" not in page
        assert "LIVE" not in page


def test_what_the_script_asks_for_is_there() -> None:
    ids = set(re.findall(r'id="(\w+)"', PAGE))
    assert set(re.findall(r'\$\("(\w+)"\)', PAGE)) <= ids
    assert len(ids) == len(re.findall(r'id="(\w+)"', PAGE))


def test_what_the_script_reads_is_what_a_replay_writes() -> None:
    batch = HideAndSeekBatch("quadrant", 1)
    batch.reset(0)
    replay = Replay(batch)
    replay.add()
    assert set(re.findall(r"replay\.(\w+)", PAGE)) - {"frames"} <= set(replay.setting)
    assert set(re.findall(r"frame\.(\w+)", PAGE)) <= set(replay.frames[0])


def test_kinds_have_the_numbers_of_the_state() -> None:
    assert f"const BOX = {BOX}, RAMP = {RAMP}, INNER = {INNER}, OUTER = {OUTER};" in PAGE


def test_it_needs_no_other_file_and_no_network() -> None:
    assert not re.search(r"https?:|src=|href=|@import|url\(", PAGE)
