"""How a search tree grows: what is counted, and the picture."""

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from palestra.agents.mcts import Config, Search
from palestra.cli.explain_search import depths_of, position_after, watched
from palestra.envs.games import make_game
from tests.conftest import CommandLine

# imageio's reader leaves its pipes to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
TIC_TAC_TOE = make_game("tic-tac-toe")


def test_every_look_has_its_simulations_and_the_depths_are_those_of_the_visited_nodes() -> None:
    search = Search(TIC_TAC_TOE, Config(solver=False, expand_after=1), 0)
    looks = watched(search, TIC_TAC_TOE.start, 300)
    assert looks[-1].simulations == 300
    for look in looks:
        assert sum(child.visits for child in look.children) == look.simulations
        assert look.depths[0] == 1
        assert look.depths[1] == sum(child.visits > 0 for child in look.children)
    tree = search.tree

    def count(node: int, depth: int, counts: list[int]) -> list[int]:
        """A plain walk down the tree."""
        counts += [0] * (depth + 1 - len(counts))
        counts[depth] += 1
        for child in range(tree.first[node], tree.first[node] + tree.num_children[node]):
            if tree.first[node] and tree.visits[child]:
                count(child, depth + 1, counts)
        return counts

    assert depths_of(tree).tolist() == count(0, 0, [])


def test_a_position_is_reached_by_moves_with_names() -> None:
    assert (position_after(TIC_TAC_TOE, "b2 a1")[:3] == [0, 0, 2]).all()
    for moves, message in (
        ("b2 b2", "move 2 of --moves: b2 is not a legal move"),
        ("z9", "move 1 of --moves: "),
        ("a1 b1 a2 b2 a3", "tic-tac-toe is over after --moves"),
    ):
        with pytest.raises(ValueError, match=message):
            position_after(TIC_TAC_TOE, moves)


def test_the_picture_is_drawn_of_players_and_of_runs_that_search(palestra: CommandLine) -> None:
    status, out, _ = palestra("explain", "mcts", "--env", "go-5x5", "--moves", "C3", "--simulations", "64")
    assert (status, out) == (0, "search.png\n")
    assert np.ptp(iio.imread("search.png")) > 100
    words = ("--agent.simulations", "4", "--agent.width", "4", "--agent.blocks", "1", "--agent.batch-games", "4")
    assert palestra("train", "alphazero", "--env", "tic-tac-toe", *words, "--steps", "4", "--name", "ttt")[0] == 0
    assert palestra("explain", "ttt", "--simulations", "20", "--out", "x.png")[:2] == (0, "x.png\n")
    status, out, _ = palestra("explain", "ttt", "--method", "saliency")
    assert status == 0
    assert Path(out.strip()).suffix == ".mp4"


def test_what_counts_for_a_move_is_shown_on_the_board(palestra: CommandLine) -> None:
    words = ("--agent.simulations", "2", "--agent.width", "4", "--agent.blocks", "1", "--agent.batch-games", "2")
    assert palestra("train", "alphazero", "--env", "go-5x5", *words, "--steps", "2", "--name", "go")[0] == 0
    status, out, _ = palestra(
        "explain", "go", "--method", "saliency", "--steps", "3", "--target", "C3", "--out", "x.mp4"
    )
    assert (status, out) == (0, "x.mp4\n")
    video = iio.imread("x.mp4")
    assert video.shape[1:] == (480, 840, 3)
    assert len(video) == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("mcts",), "--env is missing: which game is searched"),
        (("mcts", "--env", "go-5x5", "--simulations", "1"), "--simulations is 1, but at least 2"),
        (("mcts", "--env", "go-5x5", "--out", "x.mp4"), "--out x.mp4 must end in .png"),
        (("random", "--env", "go-5x5"), "random does not search, so that no tree grows"),
    ],
)
def test_what_cannot_be_explained_is_said(words: tuple[str, ...], message: str, palestra: CommandLine) -> None:
    status, out, err = palestra("explain", *words)
    assert (status, out) == (2, "")
    assert message in err
