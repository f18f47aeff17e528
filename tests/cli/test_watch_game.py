"""Games of players as videos and in the terminal."""

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from tests.conftest import CommandLine

# imageio's reader leaves its pipes to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def test_a_game_of_two_players_is_filmed(palestra: CommandLine) -> None:
    status, out, err = palestra(
        "watch", "mcts:simulations=20", "random", "--env", "go-5x5", "--steps", "6", "--out", "x.mp4"
    )
    assert (status, out) == (0, "x.mp4\n")
    assert "stopped after 6 moves" in err
    video = iio.imread("x.mp4")
    assert video.shape == (7, 480, 840, 3)
    assert np.ptp(video) > 50


def test_a_run_plays_itself_and_games_without_pictures_are_text(palestra: CommandLine) -> None:
    words = ("--agent.simulations", "4", "--agent.width", "4", "--agent.blocks", "1", "--agent.batch-games", "4")
    assert palestra("train", "alphazero", "--env", "tic-tac-toe", *words, "--steps", "4", "--name", "ttt")[0] == 0
    status, out, err = palestra("watch", "ttt", "--text")
    assert status == 0
    assert "move 1: " in out
    assert "expects to win" in out
    assert "the end" in out
    assert "who began gets" in err
    status, _, err = palestra("watch", "ttt")
    assert status == 2
    assert "tic-tac-toe draws no pictures, so there is nothing to film; --text draws in the terminal" in err
    assert palestra("train", "random", "--env", "palestra/Go-v0", "--env-kwargs", "size=5", "--name", "go")[0] == 0
    status, out, _ = palestra("watch", "go", "--steps", "3")
    assert (status, out) == (0, "runs/go/videos/game-seed-0.mp4\n")
    assert Path(out.strip()).exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("mcts", "random", "random", "--env", "go-5x5"), "a game has two players, but 3 are given"),
        (("mcts",), "--env is missing: what to play, as in --env go-9x9"),
        (("mcts", "--env", "go-5x5", "--out", "x.avi"), "--out x.avi must end in .mp4 or .gif"),
        (("mcts", "--env", "go-5x5", "--fps", "0"), "--steps must be at least 1 and --fps above 0"),
        (("mcts", "nobody", "--env", "go-5x5"), "there is no player 'nobody'"),
    ],
)
def test_what_cannot_be_watched_is_said(words: tuple[str, ...], message: str, palestra: CommandLine) -> None:
    status, out, err = palestra("watch", *words)
    assert (status, out) == (2, "")
    assert message in err
