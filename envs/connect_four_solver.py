"""Who wins a position of connect four, and by which moves: an exact solver, for measuring those who learn the game.

Alpha-beta search for win, draw or loss with a table of positions: Pons, "Solving Connect 4: how to build a perfect AI"
(blog.gamesolver.org), parts 4 to 9, for the moves that are not looked at (those that lose at once) and their order
(those that make most threats first). Ours knows no distances to the end.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from palestra.envs.connect_four import BOTTOM, COLUMN, COLUMNS, ROWS, SQUARES, STONES, winning_squares
from palestra.envs.game import OVER, PLAYER, PLY, State

ORDER = (3, 2, 4, 1, 5, 0, 6)
TABLE = 1 << 23  # positions that are remembered


@njit(cache=True, inline="always")
def _count(bits):  # type: ignore[no-untyped-def]
    number = 0
    while bits:
        bits &= bits - 1
        number += 1
    return number


@njit(cache=True)
def _solve(mover, other, plies, alpha, beta, keys, values):  # type: ignore[no-untyped-def]
    """Returns 1, 0 or -1 for the mover, exact within the bounds; nobody has four, and the mover cannot win at once."""
    if plies >= COLUMNS * ROWS - 1:
        return 0
    free = ((mover | other) + BOTTOM) & SQUARES
    threats = winning_squares(other) & SQUARES
    moves, forced = free & ~(threats >> 1), free & threats
    if forced:
        if forced & (forced - 1):
            return -1
        moves &= forced
    if moves == 0:
        return -1
    key = mover + ((mover | other) + BOTTOM)
    place = ((key * 0x9E3779B97F4A7C) >> 20) & (TABLE - 1)
    if keys[place] == key:
        low, high = np.int64(values[place, 0]), np.int64(values[place, 1])
        if low == high or low >= beta:
            return low
        if high <= alpha:
            return high
        alpha, beta = max(alpha, low), min(beta, high)
    squares, worth, number = np.empty(7, np.int64), np.empty(7, np.int64), 0
    for column in ORDER:
        square = moves & (COLUMN << (7 * column))
        if square == 0:
            continue
        after = mover | square
        made = _count(winning_squares(after) & SQUARES & ~(after | other))
        k = number
        while k > 0 and worth[k - 1] < made:
            squares[k], worth[k] = squares[k - 1], worth[k - 1]
            k -= 1
        squares[k], worth[k] = square, made
        number += 1
    best = -1
    for k in range(number):
        value = -_solve(other, mover | squares[k], plies + 1, -beta, -max(alpha, best), keys, values)
        best = max(best, value)
        if best >= beta:
            break
    keys[place] = key
    values[place, 0] = best if best > alpha else -1
    values[place, 1] = best if best < beta else 1
    return best


class Solver:
    """Solves positions; what it has found out about some helps with others."""

    def __init__(self) -> None:
        self._keys, self._values = np.zeros(TABLE, np.int64), np.zeros((TABLE, 2), np.int8)

    def value(self, state: State) -> int:
        """Returns what the player to move gets by perfect play: 1 a win, 0 a draw, -1 a loss.

        Raises:
            ValueError: the game is over.
        """
        return int(self.moves(state)[1].max())

    def moves(self, state: State) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Returns the legal columns `[K]`, and what the player to move gets by each `[K]`.

        Raises:
            ValueError: the game is over.
        """
        if state[OVER]:
            raise ValueError("connect-four is over: there is nothing to solve")
        mover, other = int(state[STONES + state[PLAYER]]), int(state[STONES + 1 - state[PLAYER]])
        columns, values = [], []
        for column in range(COLUMNS):
            square = ((mover | other) + BOTTOM) & (0x3F << (7 * column))
            if square:
                columns.append(column)
                values.append(self._after(mover, other, square, int(state[PLY])))
        return np.array(columns), np.array(values)

    def _after(self, mover: int, other: int, square: int, plies: int) -> int:
        """Returns what a move brings to who makes it."""
        if winning_squares(mover) & square:
            return 1
        after = mover | square
        if plies + 1 == COLUMNS * ROWS:
            return 0
        if winning_squares(other) & ((after | other) + BOTTOM) & SQUARES:
            return -1
        return -int(_solve(other, after, plies + 1, -1, 1, self._keys, self._values))
