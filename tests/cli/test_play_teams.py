"""`palestra play` of hide-and-seek: the page, a step, and nonsense."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from palestra.cli.play_teams import LiveGame, server_of
from palestra.envs.spec import EnvSpec
from tests.conftest import CommandLine

ENV = EnvSpec("palestra/HideAndSeek-v0")


@pytest.fixture
def address() -> Iterator[str]:
    """Where a game is served."""
    with server_of(LiveGame(ENV, "seeker_1", "run", seed=3), 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def post(address: str, body: bytes) -> Any:
    """Sends a step."""
    with urllib.request.urlopen(urllib.request.Request(f"{address}step", body), timeout=60) as answer:
        return json.load(answer)


def test_the_page_and_a_step(address: str) -> None:
    with urllib.request.urlopen(address, timeout=60) as answer:
        page = answer.read().decode()
    assert "const live = 3;" in page
    answer = post(address, b'{"turn": 1}')
    assert "setting" not in answer
    assert len(answer["frame"]["seen"]) == 4
    begun = post(address, b'{"again": true}')
    assert begun["setting"]["hiders"] == 2
    assert begun["frame"]["pose"] != answer["frame"]["pose"]


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[1]", b'{"x": "east"}', b" " * 20_000])
def test_nonsense_is_refused_and_the_game_goes_on(address: str, body: bytes) -> None:
    with pytest.raises(urllib.error.HTTPError) as failed:
        post(address, body)
    failed.value.close()
    assert failed.value.code == 400
    assert post(address, b"{}")["told"] == "reward 0"


def test_an_agent_does_what_its_player_says() -> None:
    game = LiveGame(ENV, "hider_0", "random")
    x = [game.step({"x": 1})["frame"]["pose"][0][0] for _ in range(4)]
    y = [game.step({"x": -1})["frame"]["pose"][0][0] for _ in range(8)]
    assert x[0] < x[-1]
    assert y[-1] < x[-1]
    for _ in range(80 - 12 - 1):
        answer = game.step({})
        assert "setting" not in answer
    answer = game.step({})
    assert "setting" in answer
    assert "the last episode gave you" in answer["told"]


def test_what_is_refused(palestra: CommandLine) -> None:
    for words, said in (
        (("palestra/HideAndSeek-v0", "--agent", "cow_0"), "there is no agent 'cow_0'; there are hider_0"),
        (("palestra/HideAndSeek-v0", "--against", "cow"), "cow"),
        (("palestra/HideAndSeek-v0", "--game-kwargs", "scenario=ful"), "did you mean full?"),
        (("palestra/HideAndSeek",), "HideAndSeek"),
        (("palestra/HideAndSeek-v0", "--komi", "7"), "--komi is for board games"),
        (("palestra/HideAndSeek-v0", "--port", "70000"), "--port is 70000, but a number from 0 to 65535"),
        (("connect-four", "--agent", "seeker_0"), "--agent is for palestra/HideAndSeek-v0, but connect-four"),
    ):
        status, _, err = palestra("play", *words)
        assert status == 2
        assert said in err
        assert "Traceback" not in err
