import numpy as np
import pytest

from palestra.envs.game import HEADER, PLAYER, USED
from palestra.envs.go.rules import SCORING, SUPERKO, Rules, handicap_points
from palestra.envs.go.state import (
    BLACK,
    COUNTING,
    KOMI_2,
    MAX_PLIES,
    POINTS,
    POSITIONS,
    REPETITION,
    SIZE,
    SUICIDE,
    WHITE_TO_MOVE,
    ZOBRIST,
    board_words,
    new_state,
)
from tests.envs.go.checks import board_of, check_board, past_boards

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("size", [2, 3, 9, 25])
def test_a_new_state_is_an_empty_board(size: int) -> None:
    state = new_state(Rules(size=size))
    check_board(state)
    assert board_of(state) == (0,) * size**2
    assert state.dtype == np.int64
    assert (state[SIZE], state[PLAYER], state[POSITIONS]) == (size, 0, 1)
    assert HEADER < POSITIONS < POINTS
    assert state[USED] < len(state)


def test_the_rules_are_in_the_state() -> None:
    rules = Rules(9, -6.5, "situational", True, "territory", max_moves=17)
    state = new_state(rules)
    assert (state[KOMI_2], state[SUICIDE], state[MAX_PLIES]) == (-13, 1, 17)
    assert SUPERKO[state[REPETITION]] == "situational"
    assert SCORING[state[COUNTING]] == "territory"


@pytest.mark.parametrize(("bonus", "given"), [("none", 0), ("n-1", 3), ("n", 4)])
def test_handicap_stones_stand_and_white_is_to_move(bonus: str, given: int) -> None:
    rules = Rules(9, 0.5, handicap=4, handicap_bonus=bonus)  # type: ignore[arg-type]
    state = new_state(rules)
    check_board(state)
    stones = {row * 9 + column for row, column in handicap_points(9, 4)}
    assert board_of(state) == tuple(BLACK if p in stones else 0 for p in range(81))
    assert past_boards(state)[0] == board_of(state)
    assert state[PLAYER] == 1
    assert state[KOMI_2] == 1 + 2 * given
    assert state[POSITIONS] == 1


def test_the_keys_of_the_hash_differ() -> None:
    keys = [*ZOBRIST.tolist(), WHITE_TO_MOVE]
    assert len(set(keys)) == len(keys) == 2 * (26 * 27 + 1) + 1
    assert 0 not in keys


@pytest.mark.parametrize(("size", "words"), [(2, 1), (8, 1), (9, 2), (19, 6), (25, 10)])
def test_a_board_of_bits_holds_every_point(size: int, words: int) -> None:
    assert board_words(size) == words
