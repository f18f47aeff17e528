"""The 3x3 patterns of MoGo as a table: which empty points are worth a move for the shape around them.

Gelly, Wang, Munos and Teytaud, "Modification of UCT with patterns in Monte-Carlo Go" (2006), section 3.2: hane, cuts
and moves at the edge. Each is written as its nine points from the view of the player X: `X O .` as on a diagram, `?`
anything on or off the board, `x` no stone of X, `o` none of O, `#` off the board. Rotations and reflections are added.
"""

from itertools import product

import numpy as np
from numba import njit
from numpy.typing import NDArray

from palestra.envs.go.state import BLACK, BORDER, COLOR, EMPTY, RECORD, STRIDE, WHITE, at

SHAPES = (
    "XOX ... ???",  # hane around two
    "XO. ... ?.?",  # hane that does not cut
    "XO? X.. x.?",  # hane that bends
    ".O. X.. ...",  # attachment from the diagonal
    "XO? O.o ?o?",  # cut that nothing protects
    "XO? O.X ???",  # cut into a peep
    "?X? O.O ooo",  # pushing in between
    "OX? o.O ???",  # cut of a knight's move
    "X.? O.? ###",  # chase along the edge
    "OX? X.O ###",  # stop a cut at the edge
    "?X? x.O ###",  # stop a connection at the edge
    "?XO x.x ###",  # descent
    "?OX X.O ###",  # cut at the edge
)
KINDS: dict[str, tuple[int, ...]] = {"X": (BLACK,), "O": (WHITE,), ".": (EMPTY,), "#": (BORDER,)}
KINDS |= {"?": (EMPTY, BLACK, WHITE, BORDER), "x": (EMPTY, WHITE, BORDER), "o": (EMPTY, BLACK, BORDER)}
AROUND = (0, 1, 2, 5, 8, 7, 6, 3)  # of the nine points, clockwise from the top left


def _codes(shape: str) -> set[int]:
    """Returns the codes of all surroundings that a shape stands for, Black to move."""
    square = np.array(list(shape.replace(" ", ""))).reshape(3, 3)
    codes = set()
    for turns, mirrored in product(range(4), (False, True)):
        turned = np.rot90(square, turns)
        flat = (turned.T if mirrored else turned).ravel()
        for colors in product(*(KINDS[flat[i]] for i in AROUND)):
            codes.add(sum(color << (2 * i) for i, color in enumerate(colors)))
    return codes


def _table() -> NDArray[np.int64]:
    """Returns a bit for each of 2^16 surroundings and each player to move: `[2 * 1024]` words, Black's first."""
    swapped = np.array([EMPTY, WHITE, BLACK, BORDER])
    table = np.zeros((2, 1 << 16), np.bool_)
    for shape in SHAPES:
        for code in _codes(shape):
            table[0, code] = True
            table[1, sum(int(swapped[(code >> (2 * i)) & 3]) << (2 * i) for i in range(8))] = True
    return np.packbits(table, axis=1, bitorder="little").view(np.int64).ravel()


TABLE = _table()


@njit(cache=True)
def surroundings(state, p):  # type: ignore[no-untyped-def]
    """Returns the eight points around a point as a number, two bits each, clockwise from the top left."""
    stride = state[STRIDE]
    above, below = p - stride + COLOR, p + stride + COLOR
    code = state[at(above - RECORD)] | state[at(above)] << 2 | state[at(above + RECORD)] << 4
    code |= state[at(p + RECORD + COLOR)] << 6 | state[at(below + RECORD)] << 8 | state[at(below)] << 10
    return code | state[at(below - RECORD)] << 12 | state[at(p - RECORD + COLOR)] << 14


@njit(cache=True)
def matches(state, p, color):  # type: ignore[no-untyped-def]
    """Says whether an empty point has one of the shapes for the player of a colour."""
    code = surroundings(state, p)
    return (TABLE[at((color - BLACK) * 1024 + (code >> 6))] >> (code & 63)) & 1 != 0
