"""Gomoku: five in a row on a board of any size.

Two players put a stone on an empty point in turn, and who first has five in a row, a column or a diagonal wins; a full
board without them is a draw. That is freestyle gomoku, in which six or more win as well; with `exact` they do not, as
in standard gomoku (gomocup.org, "Gomocup detailed information"). There is no rule on openings.

A row of the board is a word for each player, a bit a column. Action size r + c is row r from the top and column c;
points are named as in renju, a1 at the bottom left, and h8 is the middle of a board of 15x15.
"""

from functools import partial

import numpy as np
from numba import njit
from numpy.typing import NDArray

from palestra.envs.board_text import Squares, outcome
from palestra.envs.game import HEADER, OVER, PLAYER, PLY, USED, Game, State
from palestra.envs.rng import randint

LAST = HEADER  # the last move, -1 before the first
ROWS = HEADER + 1  # the rows of player 0's stones from the top, then those of player 1
SIZES = range(5, 26)
_NAMES = ("●", "○")


@njit(cache=True, inline="always")
def _stone(state, rows, size, row, column):  # type: ignore[no-untyped-def]
    """Says whether a stone of the player whose rows begin at `rows` is there; there is none off the board."""
    return 0 <= row < size and 0 <= column < size and (state[rows + row] >> column) & 1 != 0


@njit(cache=True, inline="always")
def _wins(state, rows, action, data):  # type: ignore[no-untyped-def]
    """Says whether the stone at `action` is in a row of five; `data` is the board's size and whether rules are exact.

    `rows` is the word of the state where the rows of its player begin.
    """
    size = np.int64(data[0])
    row, column = action // size, action % size
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        length = 1
        for sign in (-1, 1):
            y, x = row + sign * down, column + sign * right
            while _stone(state, rows, size, y, x):
                length += 1
                y, x = y + sign * down, x + sign * right
        if length == 5 or (length > 5 and data[1] == 0.0):
            return True
    return False


@njit(cache=True)
def _play(state, action, rng, data):  # type: ignore[no-untyped-def]
    size, player = np.int64(data[0]), state[PLAYER]
    rows = ROWS + player * size
    state[rows + action // size] |= 1 << action % size
    state[LAST] = action
    state[PLAYER] = 1 - player
    state[PLY] += 1
    won = _wins(state, rows, action, data)
    if won or state[PLY] == size * size:
        state[OVER] = 1
    return 1.0 - 2.0 * player if won else 0.0


@njit(cache=True)
def _legal(state, mask, data):  # type: ignore[no-untyped-def]
    size = np.int64(data[0])
    if state[OVER]:
        mask[:] = False
        return 0
    for row in range(size):
        taken = state[ROWS + row] | state[ROWS + size + row]
        for column in range(size):
            mask[row * size + column] = not (taken >> column) & 1
    return size * size - state[PLY]


@njit(cache=True)
def _playout(state, trace, rng, data):  # type: ignore[no-untyped-def]
    """Plays the empty points in random order, which is to play uniformly; `trace` holds those that are left."""
    size, count = np.int64(data[0]), 0
    for row in range(size):
        taken = state[ROWS + row] | state[ROWS + size + row]
        for column in range(size):
            if not (taken >> column) & 1:
                count += 1
                trace[count] = row * size + column
    reward, move = 0.0, 0
    while not state[OVER]:
        move += 1
        other = move + randint(rng, count + 1 - move)
        action = trace[other]
        trace[other], trace[move] = trace[move], action
        reward = _play(state, action, rng, data)
    trace[0] = move
    return reward


@njit(cache=True)
def _observe(state, obs, data):  # type: ignore[no-untyped-def]
    size = np.int64(data[0])
    own = ROWS + state[PLAYER] * size
    other = ROWS + (1 - state[PLAYER]) * size
    for row in range(size):
        for column in range(size):
            point = row * size + column
            obs[point] = (state[own + row] >> column) & 1
            obs[size * size + point] = (state[other + row] >> column) & 1
            obs[2 * size * size + point] = 1.0
    return 0


def _describe(state: State, squares: Squares, data: NDArray[np.float64]) -> str:
    size = squares.rows
    symbols = []
    for row in range(size):
        black, white = int(state[ROWS + row]), int(state[ROWS + size + row])
        symbols += ["●" if black >> i & 1 else "○" if white >> i & 1 else "·" for i in range(size)]
    last = int(state[LAST])
    turn = f"{_NAMES[state[PLAYER]]} to move"
    if state[OVER]:
        loser = int(state[PLAYER])
        won = _wins(state, ROWS + (1 - loser) * size, last, data)
        turn = outcome((2.0 * loser - 1.0) * won, _NAMES)
    return f"{squares.draw(symbols, last)}\n{turn}"


def gomoku(size: int = 15, exact: bool = False) -> Game:
    """Returns gomoku; planes `[3, size, size]` are the stones of the player to move, of the other one, and ones.

    Raises:
        ValueError: no such board is offered.
    """
    if size not in SIZES:
        raise ValueError(f"the size is {size!r}, but a board of gomoku has a side of {SIZES[0]} to {SIZES[-1]} points")
    squares, data = Squares(size, size), np.array([size, exact], np.float64)
    start = np.zeros(ROWS + 2 * size, np.int64)
    start[USED], start[LAST] = len(start), -1
    return Game(
        name=f"gomoku-{size}x{size}",
        start=start,
        num_actions=size * size,
        play=_play,
        legal=_legal,
        describe=partial(_describe, squares=squares, data=data),
        action_name=squares.name,
        parse_action=squares.parse,
        max_plies=size * size,
        playout=_playout,
        observe=_observe,
        obs_shape=(3, size, size),
        symmetry="square",
        data=data,
    )
