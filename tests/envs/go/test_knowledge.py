import numpy as np
import pytest

from palestra.envs.go.board import is_eye, point_of
from palestra.envs.go.knowledge import CAPTURE_MORE, CAPTURE_ONE, EVEN, NEAR, RESCUE, SELF_ATARI, SHAPE, priors
from palestra.envs.go.play import legal
from palestra.envs.go.position import Position, from_rows
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import PASSES, PLAYER
from tests.envs.go.checks import NO_DATA
from tests.envs.go.positions import random_positions


def beliefs(position: Position) -> tuple[np.ndarray, np.ndarray]:
    """Returns Ω without what is struck, and the virtual results `[2, A]`."""
    mask, prior = np.zeros(position.pass_action + 1, np.bool_), np.zeros((2, position.pass_action + 1))
    legal(position.state, mask, NO_DATA)
    priors(position.state, mask, prior, NO_DATA)
    return mask, prior


@pytest.mark.kernel
def test_own_eyes_are_struck_and_a_move_is_always_left() -> None:
    mask, prior = np.zeros(26, np.bool_), np.zeros((2, 26))
    struck = 0
    for state in random_positions(Rules(size=5), seed=6, number=60):
        before = np.zeros(26, np.bool_)
        legal(state, before, NO_DATA)
        if not before.any():
            continue
        mask[:], prior[:] = before, 0
        priors(state, mask, prior, NO_DATA)
        eyes = {a for a in np.flatnonzero(before[:25]) if is_eye(state, point_of(state, a), state[PLAYER] + 1)}
        assert set(np.flatnonzero(before[:25] & ~mask[:25])) == eyes
        assert mask.any()
        assert mask[25] or not state[PASSES]
        assert np.all(np.abs(prior[0]) <= prior[1])
        struck += len(eyes)
    assert struck > 10


def test_taking_and_saving_are_believed_in_and_self_atari_is_not() -> None:
    rows = ["XO...", ".....", "..XOO", "...XX", "....."]
    mask, prior = beliefs(from_rows(rows, Rules(size=5)))
    assert mask[[2, 5]].all()
    taken = from_rows(["XO...", ".X...", ".....", ".....", "....."], Rules(size=5))
    assert beliefs(taken)[1][0, 2] >= CAPTURE_ONE
    assert prior[0, 5] >= RESCUE
    assert prior[1, 2] >= EVEN
    two = from_rows(["XOO..", ".XX..", ".....", ".....", "....."], Rules(size=5))
    assert beliefs(two)[1][0, 3] >= CAPTURE_MORE
    corner = from_rows([".O...", ".....", ".....", ".....", "....."], Rules(size=5))
    assert beliefs(corner)[1][0, 0] <= -SELF_ATARI + SHAPE


def test_moves_near_the_last_one_are_believed_in_and_chains_are_one_point() -> None:
    position = Position(Rules(size=9))
    for action in (40, 0, 41, 1, 42):  # a chain of three in the middle
        position.play(action)
    _, prior = beliefs(position)
    one, two = 43, 44  # from the last stone, and as far from the chain's other end
    assert prior[0, one] >= NEAR[1]
    assert prior[0, 39] >= NEAR[1]
    assert NEAR[2] <= prior[0, two] < prior[0, one] + SHAPE


def test_a_first_move_near_the_edge_is_doubted() -> None:
    _, prior = beliefs(Position(Rules(size=9)))
    first, second, third, middle = (prior[0, k * 9 + 4] for k in (0, 1, 2, 4))
    assert first < 0
    assert second < 0
    assert third > middle == 0
