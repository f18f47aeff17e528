"""Tic-tac-toe against its twin and the published counts of games and positions."""

import pytest
from numba import config

from palestra.envs.game import OVER, legal_mask
from palestra.envs.tic_tac_toe import tic_tac_toe
from tests.game_trees import assert_equals_twin, leaves, played, positions, score
from tests.naive_games import NaiveRow

GAME = tic_tac_toe()


@pytest.mark.kernel
def test_random_games_equal_the_twins() -> None:
    rewards = {assert_equals_twin(GAME, NaiveRow(3, 3, 3), seed) for seed in range(100)}
    assert rewards == {-1.0, 0.0, 1.0}


def test_all_games() -> None:
    # Schaefer, "MathRec Solutions (Tic-Tac-Toe)", 2002: 131,184 games won by X, 46,080 drawn, 77,904 won by O.
    assert leaves(GAME, 9) == (255_168, [131_184, 46_080, 77_904])


@pytest.mark.kernel
def test_all_positions() -> None:
    # 5,478 in all (Schaefer); by moves, OEIS A008907.
    counts = positions(GAME, 9)
    assert counts == [1, 9, 72, 252, 756, 1260, 1520, 1140, 390, 78]
    assert sum(counts) == 5478


@pytest.mark.kernel
def test_values() -> None:
    assert score(GAME, played(GAME, "b2 a1 c3" if config.DISABLE_JIT else "")) == 0  # perfect players draw
    assert score(GAME, played(GAME, "a1 b1 b2 c3")) == 2  # a3 threatens a2 and c1, and wins with the last stone but one
    assert score(GAME, played(GAME, "a1 b1 b2")) == -2


@pytest.mark.kernel
@pytest.mark.parametrize(
    "line", ["a1 b1 c1", "a2 b2 c2", "a3 b3 c3", "a1 a2 a3", "b1 b2 b3", "c1 c2 c3", "a1 b2 c3", "a3 b2 c1"]
)
def test_lines_win(line: str) -> None:
    first, second, third = line.split()
    other, another = [name for name in map(GAME.action_name, range(9)) if name not in line][:2]
    state = played(GAME, f"{first} {other} {second} {another} {third}")
    assert state[OVER]
    assert not legal_mask(GAME, state).any()
    assert GAME.describe(state).endswith("X wins")


def test_drawing() -> None:
    assert GAME.describe(played(GAME, "b2 a3")) == "   a b c\n3  O · · 3\n2  · X · 2\n1  · · · 1\n   a b c\nX to move"
    assert GAME.describe(played(GAME, "b2")).endswith("O to move")
    assert GAME.describe(played(GAME, "b1 c2 a2 b3 c3 a3 b2 a1 c1")).endswith("draw")
    assert GAME.describe(played(GAME, "a1 b1 a2 b2 c3 b3")).endswith("O wins")


def test_names() -> None:
    assert [GAME.action_name(action) for action in (0, 4, 8)] == ["a3", "b2", "c1"]
    assert GAME.parse_action("A1") == 6
