"""What an engine keeps between commands: files within bounds, clocks, and a player that hears of every move."""

import math
from pathlib import Path

import pytest

from palestra.cli.gtp import session as module
from palestra.cli.gtp.args import CommandError
from palestra.cli.gtp.clock import TimeLeft, TimeSettings
from palestra.cli.gtp.session import fail_unless_open, read_regular, write_text
from palestra.cli.gtp.table import Table
from palestra.envs.go.rules import rules_named
from tests.cli.gtp.doubles import new_engine


def test_files_that_are_no_game_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.sgf"
    write_text(str(file), "(;ü)")
    assert read_regular(str(file)) == "(;ü)".encode()
    with pytest.raises(ValueError, match="not a regular file"):
        read_regular(str(tmp_path))
    with pytest.raises(FileNotFoundError):
        read_regular(str(tmp_path / "absent"))
    monkeypatch.setattr(module, "LARGEST_FILE", 5)
    assert len(read_regular(str(file))) == 5
    file.write_bytes(b"123456")
    with pytest.raises(ValueError, match="more than 5 bytes"):
        read_regular(str(file))


def test_the_brain_hears_of_moves_and_of_new_rules() -> None:
    engine = new_engine(5, searches=True)
    search = engine.brain.search
    engine.play(3, 2)  # White begins
    assert search.advanced == [3]  # type: ignore[attr-defined]
    assert engine.table.moves == [(2, 3)]
    engine.changed()
    assert engine.brain.search is search
    engine.table.clear(rules_named("japanese", size=5))
    engine.changed()
    assert engine.brain.search is not search


def test_seconds_of_a_move_count_ones_own_moves_only() -> None:
    engine = new_engine(9)
    assert math.isinf(engine.seconds(1))
    engine.settings = TimeSettings("absolute", 100)
    engine.play(0, 1)
    assert engine.seconds(1) > engine.seconds(2)  # Black has one move less to come
    engine.left[1] = TimeLeft(1)
    assert engine.seconds(1) < engine.seconds(2)
    engine.comment = "A9"
    engine.new_game()
    assert (engine.left, engine.comment) == ({}, "")


def test_time_inside_is_counted() -> None:
    engine = new_engine(5)
    with engine.timed():
        sum(range(300_000))
    spent = engine.thinking
    assert spent > 0
    sum(range(300_000))
    assert engine.thinking == spent


def test_a_game_that_its_cap_has_ended_is_not_thought_about() -> None:
    engine = new_engine(3)
    engine.table = Table(rules_named("chinese", size=3, max_moves=2))
    for action in (9, 9):
        fail_unless_open(engine)
        engine.play(action, 1)
    with pytest.raises(CommandError, match="the game is over by the cap of 2 moves"):
        fail_unless_open(engine)
