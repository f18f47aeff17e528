"""Area and territory on boards counted by hand; random positions are compared in `test_play.py`."""

import numpy as np
import pytest

from palestra.envs.go.position import from_rows
from palestra.envs.go.rules import Rules
from palestra.envs.go.scoring import owners, score_2
from palestra.envs.go.state import COUNTING, LOST_BLACK, LOST_WHITE, TERRITORY
from tests import naive_go
from tests.envs.go.checks import board_of, random_state

pytestmark = pytest.mark.kernel

HALVES = [  # Black 5 stones and 5 points, White 5 stones and 5 points, 5 points between them
    ". X . O .",
    ". X . O .",
    ". X . O .",
    ". X . O .",
    ". X . O .",
]


def lead(rows: list[str], **rules: object) -> float:
    """Returns Black's lead on a drawing."""
    return from_rows(rows, Rules(**{"size": len(rows), "komi": 0.0, **rules})).score()  # type: ignore[arg-type]


def test_area_counts_stones_and_what_they_alone_surround() -> None:
    position = from_rows(HALVES, Rules(size=5))
    assert position.owners().tolist() == [[1, 1, 0, 2, 2]] * 5
    assert lead(HALVES) == 0
    assert lead(HALVES, komi=-3.5) == 3.5
    more = [*HALVES[:4], ". X X O ."]
    assert lead(more) == 1
    assert lead([". . X", ". . .", ". . ."]) == 9
    assert lead(["O . X", ". . .", ". . ."]) == 0
    assert lead([". . .", ". . .", ". . ."]) == 0  # an empty board is nobody's


def test_a_point_that_touches_both_is_nobodys_but_the_same_region_elsewhere_counts() -> None:
    rows = [". X O .", "X X O O", ". . . .", ". . . ."]
    assert from_rows(rows, Rules(size=4)).owners().tolist() == [[1, 1, 2, 2], [1, 1, 2, 2], [0] * 4, [0] * 4]


def test_territory_counts_points_and_prisoners() -> None:
    more = [*HALVES[:4], ". X X O ."]
    assert lead(more, scoring="territory") == 0  # a stone more is no point more
    position = from_rows([". O X", "O X .", ". . ."], Rules(size=3, komi=0.5, scoring="territory"))
    position.play(0)  # takes B3, whose point is Black's now; all else that is empty touches A2 too
    assert position.captured == (1, 0)
    assert position.score() == 1 + 1 - 0.5


@pytest.mark.parametrize("suicide", [False, True])
def test_stones_lost_by_suicide_are_prisoners(suicide: bool) -> None:
    rules = Rules(4, 0, superko="simple", suicide=suicide, scoring="territory")
    position = from_rows(["X . O .", "O O O .", ". . . .", ". . . ."], rules)
    assert position.score() == -10  # of 11 empty points B4 touches both colours
    if suicide:
        position.play(1)
        assert position.captured == (0, 2)
        assert position.score() == -12 - 2
    else:
        assert position.forbidden(1, 1) == "it would be suicide"


@pytest.mark.parametrize("size", [2, 3, 5, 9])
def test_random_positions_equal_the_twin(size: int) -> None:
    for seed in range(10):
        state = random_state(Rules(size, 6.5, "simple"), size + 3 * seed, seed)
        owner = np.full(size**2, -7)
        owners(state, owner)
        wanted = naive_go.owners(board_of(state), size)
        assert owner.tolist() == wanted
        assert score_2(state) == 2 * (wanted.count(1) - wanted.count(2)) - 13


def test_area_is_territory_with_the_stones_that_were_played() -> None:
    """A stone that was played stands or is a prisoner, so the counts differ by how many each colour has played."""
    for seed in range(20):
        rules = Rules(5, 0, "simple", suicide=seed % 2 == 0, max_moves=500)
        state = random_state(rules, 10 + 2 * seed, seed)
        area, state[COUNTING] = score_2(state) / 2, TERRITORY
        board = board_of(state)
        black, white = board.count(1) + state[LOST_BLACK], board.count(2) + state[LOST_WHITE]
        assert score_2(state) / 2 == area - black + white
