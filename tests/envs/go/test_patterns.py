from itertools import product

import numpy as np
import pytest

from palestra.envs.go.board import point_of
from palestra.envs.go.patterns import SHAPES, TABLE, matches, surroundings
from palestra.envs.go.position import from_rows
from palestra.envs.go.rules import Rules
from tests.envs.go.checks import board_of
from tests.envs.go.positions import random_positions

MEANING = {"X": "X", "O": "O", ".": ".", "#": "#", "?": ".XO#", "x": ".O#", "o": ".X#"}


def square_around(board: tuple[int, ...], size: int, action: int, color: int) -> str:
    """Writes the nine points around a point as the player of a colour sees them: X own, O other, # off the board."""
    row, column = divmod(action, size)
    cells = []
    for r, c in product((row - 1, row, row + 1), (column - 1, column, column + 1)):
        inside = 0 <= r < size and 0 <= c < size
        there = board[r * size + c] if inside else -1
        cells.append("#" if there < 0 else "." if there == 0 else "X" if there == color else "O")
    return "".join(cells)


def fits(square: str) -> bool:
    """Says whether one of the shapes, turned or reflected, stands for a square."""
    cells = np.array(list(square)).reshape(3, 3)
    looks = ["".join(np.rot90(m, k).ravel()) for m in (cells, cells.T) for k in range(4)]
    shapes = [shape.replace(" ", "") for shape in SHAPES]
    return any(all(look[i] in MEANING[shape[i]] for i in range(9) if i != 4) for look, shape in product(looks, shapes))


@pytest.mark.kernel
def test_a_point_matches_where_one_of_the_shapes_stands_for_it() -> None:
    rules, seen = Rules(size=5), {True: 0, False: 0}
    for state in random_positions(rules, seed=4, number=25):
        board = board_of(state)
        for action, there in enumerate(board):
            for color in (1, 2):
                if there == 0:
                    wanted = fits(square_around(board, 5, action, color))
                    assert matches(state, point_of(state, action), color) == wanted
                    seen[wanted] += 1
    assert min(seen.values()) > 50


def test_white_sees_the_shapes_with_colours_swapped() -> None:
    bits = np.unpackbits(TABLE.view(np.uint8), bitorder="little").reshape(2, -1)
    code = np.arange(1 << 16)
    swapped = sum(np.array([0, 2, 1, 3])[(code >> 2 * i) & 3] << 2 * i for i in range(8))
    assert np.array_equal(bits[1][swapped], bits[0])
    assert 0 < bits[0].sum() < 1 << 15


def test_surroundings_are_read_clockwise_from_the_top_left() -> None:
    state = from_rows(["XO.", "..X", "O.X"], Rules(size=3)).state
    codes = [int(surroundings(state, point_of(state, 4)) >> (2 * i)) & 3 for i in range(8)]
    assert codes == [1, 2, 0, 1, 1, 0, 2, 0]
