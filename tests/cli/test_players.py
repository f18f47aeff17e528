"""Runs as players of matches, engines and games in the terminal."""

import io

import pytest

from palestra.cli.players import board_size, player_named
from palestra.envs.games import make_game
from tests.conftest import CommandLine


@pytest.fixture
def run(palestra: CommandLine) -> str:
    """Returns the name of a run of the random agent in Go."""
    options = ["--env", "palestra/Go-v0", "--env-kwargs", "size=5", "--steps", "20", "--name", "mine"]
    assert palestra("train", "random", *options)[0] == 0
    return "mine"


def test_a_run_plays_matches_in_one_process_or_two(run: str, palestra: CommandLine) -> None:
    for jobs in ("1", "2"):
        status, out, _ = palestra("match", run, "random", "--env", "go-5x5", "--games", "2", "--jobs", jobs)
        assert status == 0
        assert out.startswith("A: mine; B: random; go-5x5")
    status, _, err = palestra("match", "random", run, "--env", "go-9x9", "--games", "2")
    assert (status, "mine was trained on go-5x5 and plays nothing else, but go-9x9 is asked for" in err) == (2, True)


def test_a_run_is_an_engine_and_an_opponent(run: str, palestra: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert board_size(run) == 5
    assert board_size("mcts:simulations=9") is None
    status, _, err = palestra("gtp", run, "--size", "19")
    assert (status, "but go-19x19 is asked for" in err) == (2, True)
    assert palestra("gtp", run, "--size", "5", "--protocol", "json")[2].strip() == (
        "palestra: mine does not search, so there is nothing to analyse; mcts does"
    )
    assert player_named(run, make_game("go-5x5"), 0).name == "mine"
    monkeypatch.setattr("sys.stdin", io.StringIO("c3\nquit\n"))
    assert "mine plays" in palestra("play", "go", "--size", "5", "--against", run)[1]


def test_what_is_neither_a_player_nor_a_run(palestra: CommandLine) -> None:
    status, _, err = palestra("match", "nobody", "random", "--env", "go-5x5")
    assert (status, "there is no player 'nobody'" in err) == (2, True)
