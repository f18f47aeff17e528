"""Gomoku against its twin, and fives everywhere on the board."""

import re

import numpy as np
import pytest
from numba import config

from palestra.envs.game import OVER, legal_mask
from palestra.envs.gomoku import ROWS, gomoku
from palestra.envs.rng import seed_state
from tests.game_trees import assert_equals_twin, assert_playout_is_a_game, assert_playouts_are_uniform, played
from tests.naive_games import NaiveRow

FEW = config.DISABLE_JIT
DRAWN = "b4 a1 b2 a5 a3 c1 d3 b5 e2 c2 b1 e5 d5 d1 c5 c3 a4 e4 e3 b3 a2 c4 d4 d2 e1"


@pytest.mark.kernel
@pytest.mark.parametrize("seed", range(3 if FEW else 20))
@pytest.mark.parametrize(("size", "exact"), [(5, False), (7, False), (7, True), (15, False)])
def test_random_games_equal_the_twins(size: int, exact: bool, seed: int) -> None:
    assert_equals_twin(gomoku(size, exact), NaiveRow(size, size, 5, exact=exact), seed)


def after(size: int, exact: bool, stones: set[tuple[int, int]], last: tuple[int, int]) -> float:
    """The reward of a last stone beside those of player 0 that are there."""
    game = gomoku(size, exact)
    state = game.start.copy()
    for row, column in stones - {last}:
        state[ROWS + row] |= 1 << column
    return float(game.play(state, last[0] * size + last[1], seed_state(0), game.data))


def rows_of(length: int, size: int) -> list[set[tuple[int, int]]]:
    """All rows of so many points in the four directions."""
    rows = [
        {(row + i * down, column + i * right) for i in range(length)}
        for down, right in ((0, 1), (1, 0), (1, 1), (1, -1))
        for row in range(size)
        for column in range(size)
    ]
    return [points for points in rows if all(0 <= row < size and 0 <= column < size for row, column in points)]


@pytest.mark.kernel
@pytest.mark.parametrize("size", [5, 9] if FEW else [5, 9, 25])
def test_fives_win_everywhere_and_fours_nowhere(size: int) -> None:
    fives = rows_of(5, size)
    assert len(fives) == 2 * size * (size - 4) + 2 * (size - 4) ** 2
    for five in fives[:: 1 if size < 25 else 7]:
        points = sorted(five)
        for last in points:
            assert after(size, False, five, last) == after(size, True, five, last) == 1.0
            shorter = five - {points[0] if last != points[0] else points[4]}
            assert after(size, False, shorter, last) == after(size, True, shorter, last) == 0.0


@pytest.mark.kernel
def test_overlines_win_unless_rules_are_exact() -> None:
    for length in (6, 7, 9):
        for line in rows_of(length, 9)[::5]:
            for last in sorted(line)[2:5]:
                assert after(9, False, line, last) == 1.0
                assert after(9, True, line, last) == 0.0


@pytest.mark.kernel
def test_exact_five_beside_an_overline_wins() -> None:
    stones = {(4, column) for column in range(6)} | {(row, 3) for row in range(1, 6)}
    assert after(9, True, stones, (4, 3)) == 1.0


@pytest.mark.kernel
@pytest.mark.parametrize("size", [6, 9])
def test_rows_do_not_go_round_an_edge(size: int) -> None:
    points = [divmod(i, size) for i in range(size * size)]
    for step in (1, size - 1, size + 1):  # neighbours in the numbering of the points
        for first in range(size * size - 4 * step):
            line = {points[first + i * step] for i in range(5)}
            if line in rows_of(5, size):
                continue
            assert all(after(size, False, line, last) == 0.0 for last in line)


@pytest.mark.kernel
@pytest.mark.parametrize("seed", range(10))
def test_playouts_are_games(seed: int) -> None:
    for game, moves in (
        (gomoku(9), "e5 e6"),
        (gomoku(9, exact=True), ""),
        (gomoku(5), DRAWN[: 3 * seed]),
        (gomoku(5), DRAWN),
    ):
        assert_playout_is_a_game(game, played(game, moves), seed)


@pytest.mark.kernel
@pytest.mark.parametrize("depth", [1, 2])
def test_playouts_are_uniform(depth: int) -> None:
    assert_playouts_are_uniform(gomoku(5), played(gomoku(5), DRAWN[:32]), 200 if FEW else 20_000, depth)


def test_the_end() -> None:
    game = gomoku()
    state = played(game, "h8 a1 h9 a2 h10 a3 h11 a4 h12")
    assert state[OVER]
    assert not legal_mask(game, state).any()
    assert game.describe(state).endswith("● wins")
    assert game.describe(played(game, "o15 a1 h9 a2 h10 a3 h11 a4 c1 a5")).endswith("○ wins")
    assert gomoku(5).describe(played(gomoku(5), DRAWN)).endswith("draw")


def test_drawing_shows_the_last_move() -> None:
    lines = gomoku().describe(played(gomoku(), "h8 i9")).splitlines()
    assert lines[0] == "    a b c d e f g h i j k l m n o"
    assert lines[7] == " 9  · · · · · · · ·(○)· · · · · · 9"
    assert lines[8] == " 8  · · · · · · · ● · · · · · · · 8"
    assert lines[-1] == "● to move"
    assert "(" not in gomoku().describe(gomoku().start)


def test_names_and_sizes() -> None:
    assert [gomoku(size).name for size in (5, 15)] == ["gomoku-5x5", "gomoku-15x15"]
    assert gomoku().parse_action("h8") == 7 * 15 + 7
    assert np.array_equal(gomoku().start[:4], [0, 0, 0, len(gomoku().start)])
    for size in (4, 26, 9.5, "9"):
        with pytest.raises(
            ValueError, match=re.escape(f"the size is {size!r}, but a board of gomoku has a side of 5 to 25")
        ):
            gomoku(size)  # type: ignore[arg-type]
