"""Games of players as videos and in the terminal."""

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from palestra.agents.thoughts import Thoughts
from palestra.cli.game_pictures import GamePictures
from palestra.envs.go.game import go_game, parse_vertex
from palestra.envs.go.rules import Rules
from tests.conftest import CommandLine

# imageio's reader leaves its pipes to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def test_likely_moves_are_coloured_and_the_curve_shows_what_black_is_expected_to_win() -> None:
    start = go_game(Rules(5)).start
    policy = np.zeros(26)
    policy[parse_vertex(5, "C3")] = 1.0
    pictures = GamePictures("one", "other")
    plain = pictures.draw(start, Thoughts(), ["move 1: C3"]).astype(int)
    heated = pictures.draw(start, Thoughts(policy), ["move 1: C3"]).astype(int)
    assert heated.shape == (480, 840, 3)
    changed = np.argwhere((plain != heated).any(axis=2))
    centre, field = changed.mean(axis=0), 480 / 6.6
    assert centre == pytest.approx([240, 240], abs=field / 4)
    assert np.ptp(changed, axis=0).max() < 1.1 * field
    low, high = (drawn_curve("black", value) for value in (-0.8, 0.8))
    assert low > 310 > high  # 0 % is below, 100 % above
    assert drawn_curve("white", 0.8) > 310  # what White expects to win Black does not


def drawn_curve(player: str, value: float) -> float:
    """Returns the mean height of the points that a player's expectation is drawn at."""
    state = go_game(Rules(5)).start.copy()
    state[0] = player == "white"
    pictures = GamePictures("one", "other")
    before = pictures.draw(state, Thoughts(), ["x"]).astype(int)
    after = pictures.draw(state, Thoughts(None, value), ["x"]).astype(int)
    panel = (np.abs(before - after).sum(axis=2) > 0)[:, 480:]
    color = np.array((24, 64, 160) if player == "black" else (190, 40, 30))
    dots = panel & (np.abs(after[:, 480:] - color).sum(axis=2) == 0)
    dots[:200] = False  # the words above
    return float(np.argwhere(dots)[:, 0].mean())


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
