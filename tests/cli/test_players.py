"""Runs as players of matches, engines and games in the terminal."""

import io
from typing import Any

import pytest

from palestra.cli.players import board_size, game_of, player_named
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


def test_a_run_that_searches_takes_options_of_the_search(run: str, palestra: CommandLine) -> None:
    options = ["--agent.simulations", "2", "--agent.width", "4", "--agent.blocks", "1", "--agent.batch-games", "2"]
    assert palestra("train", "alphazero", "--env", "go-5x5", "--steps", "2", "--name", "az", *options)[0] == 0
    assert game_of("az:simulations=9") == "go-5x5"
    player: Any = player_named("az:simulations=9", make_game("go-5x5"), 0, seconds=2.0, timeout=1.0)
    assert (player.name, player.config.simulations, player.config.seconds) == ("az", 9, 2.0)
    for spec, message in (
        ("az:simulation=9", "az has no option 'simulation'; did you mean simulations?"),
        (f"{run}:simulations=9", "mine does not search when it plays, so that it has no option 'simulations=9'"),
    ):
        status, _, err = palestra("match", spec, "random", "--env", "go-5x5", "--games", "2")
        assert (status, message in err) == (2, True)


def test_what_is_neither_a_player_nor_a_run(palestra: CommandLine) -> None:
    status, _, err = palestra("match", "nobody", "random", "--env", "go-5x5")
    assert (status, "there is no player 'nobody'" in err) == (2, True)
