"""Dead stones on boards where everybody agrees, and the mean owner beside playouts counted one by one."""

import numpy as np
import pytest

from palestra.envs.game import OVER, PLAYER
from palestra.envs.go.dead import dead_stones, ownership
from palestra.envs.go.game import parse_vertex
from palestra.envs.go.playout import playout
from palestra.envs.go.position import from_rows
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import EMPTY_POINT, KO, PASSES, POINTS
from palestra.envs.rng import seed_state
from tests.envs.go.checks import NO_DATA, board_of, random_state
from tests.envs.go.test_playout import settled

WALL = [  # Black has the left, White the right; one stone in each is dead
    ". . . X O . . . .",
    ". . . X O . . . .",
    ". O . X O . . . .",
    ". . . X O . . X .",
    ". . . X O . . . .",
    ". . . X O . . . .",
    ". . . X O . . . .",
    ". . . X O . . . .",
    ". . . X O . . . .",
]
NAKADE = [  # White's corner has one eye of three points, with Black's stone in its middle
    ". X . O X . .",
    "O O O O X . .",
    "X X X X X . .",
    ". . . . . . .",
    ". . . . . . .",
    ". . . . . . .",
    ". . . . . . .",
]
TWO_EYES = [
    ". O . O X . .",
    "O O O O X . .",
    "X X X X X . .",
    ". . . . . . .",
    ". . . . . . .",
    ". . . . . . .",
    ". . . . . . .",
]


def names(rows: list[str]) -> set[int]:
    """Returns the dead stones of a drawing."""
    return set(dead_stones(from_rows(rows, Rules(size=len(rows), superko="simple")).state))


def test_a_stone_in_the_others_land_is_dead() -> None:
    assert names(WALL) == {parse_vertex(9, "B7"), parse_vertex(9, "H6")}


def test_one_eye_is_dead_and_two_are_not() -> None:
    assert names(NAKADE) == {p for p, c in enumerate("".join(NAKADE).replace(" ", "")) if c == "O"}
    assert names(TWO_EYES) == set()


def test_what_benson_calls_alive_is_never_dead() -> None:
    state = from_rows(TWO_EYES, Rules(size=7)).state
    assert not set(dead_stones(state, threshold=0.0)) & {p for p, c in enumerate(board_of(state)) if c == 2}


@pytest.mark.kernel
def test_ownership_is_the_mean_of_playouts() -> None:
    for size, moves in ((2, 2), (3, 5), (4, 12)):
        state = random_state(Rules(size, superko="simple"), moves, seed=1)
        state[[OVER, PASSES]] = 1, 2
        state[KO] = state[POINTS + EMPTY_POINT]  # as after a ko; playouts begin afresh
        total, rng, n = np.zeros(size**2), seed_state(7), 9
        for k in range(n):
            trial = state.copy()
            trial[[PLAYER, OVER, PASSES, KO]] = k % 2, 0, 0, 0
            playout(trial, np.zeros(3 * size**2 + 1, np.int64), rng, NO_DATA)
            total += [(0, 1, -1)[c] for c in settled(board_of(trial), size)]
        mean = np.empty(size**2)
        ownership(state, mean, seed_state(7), n)
        np.testing.assert_allclose(mean, total / n, atol=1e-12)
        assert state[OVER] == 1


def test_the_same_seed_gives_the_same_answer_and_none_needs_a_playout() -> None:
    state = from_rows(WALL, Rules(size=9)).state
    assert dead_stones(state, 3, playouts=10) == dead_stones(state, 3, playouts=10)
    assert dead_stones(from_rows(["..", ".."], Rules(size=2)).state) == []
    with pytest.raises(ValueError, match="0 playouts were asked for, but at least 1"):
        dead_stones(state, playouts=0)
