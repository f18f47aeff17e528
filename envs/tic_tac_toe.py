"""Tic-tac-toe: three in a row on a board of 3x3.

Two players put a stone on an empty square in turn, and who first has three in a row, a column or a diagonal wins; a
full board without them is a draw. There are 255,168 games and 5,478 positions (Schaefer, "MathRec Solutions
(Tic-Tac-Toe)", 2002); perfect players draw.

Action 3 r + c is row r from the top and column c; squares are named as in chess, a1 at the bottom left.
"""

import numpy as np
from numba import njit

from palestra.envs.board_text import Squares, outcome
from palestra.envs.game import HEADER, OVER, PLAYER, PLY, USED, Game, State

STONES = HEADER  # two words: the squares of player 0 and of player 1, a bit each
_WORDS = HEADER + 2
_LINES = (0o7, 0o70, 0o700, 0o111, 0o222, 0o444, 0o421, 0o124)  # an octal digit is a row
_BOARD = Squares(3, 3)
_NAMES = ("X", "O")


@njit(cache=True)
def _has_line(stones):  # type: ignore[no-untyped-def]
    found = False
    for line in _LINES:
        found |= stones & line == line
    return found


@njit(cache=True)
def _play(state, action, rng, data):  # type: ignore[no-untyped-def]
    player = state[PLAYER]
    state[STONES + player] |= 1 << action
    state[PLAYER] = 1 - player
    state[PLY] += 1
    won = _has_line(state[STONES + player])
    if won or state[PLY] == 9:
        state[OVER] = 1
    return 1.0 - 2.0 * player if won else 0.0


@njit(cache=True)
def _legal(state, mask, data):  # type: ignore[no-untyped-def]
    if state[OVER]:
        mask[:] = False
        return 0
    taken = state[STONES] | state[STONES + 1]
    for square in range(9):
        mask[square] = not (taken >> square) & 1
    return 9 - state[PLY]


@njit(cache=True)
def _observe(state, obs, data):  # type: ignore[no-untyped-def]
    own, other = state[STONES + state[PLAYER]], state[STONES + 1 - state[PLAYER]]
    for square in range(9):
        obs[square] = (own >> square) & 1
        obs[9 + square] = (other >> square) & 1
        obs[18 + square] = 1.0
    return 0


def _describe(state: State) -> str:
    stones = int(state[STONES]), int(state[STONES + 1])
    symbols = ["X" if stones[0] >> i & 1 else "O" if stones[1] >> i & 1 else "·" for i in range(9)]
    reward = float(_has_line(stones[0])) - float(_has_line(stones[1]))
    last = outcome(reward, _NAMES) if state[OVER] else f"{_NAMES[state[PLAYER]]} to move"
    return f"{_BOARD.draw(symbols)}\n{last}"


def tic_tac_toe() -> Game:
    """Returns tic-tac-toe; planes `[3, 3, 3]` are the squares of the player to move, of the other one, and ones."""
    start = np.zeros(_WORDS, np.int64)
    start[USED] = _WORDS
    return Game(
        name="tic-tac-toe",
        start=start,
        num_actions=9,
        play=_play,
        legal=_legal,
        describe=_describe,
        action_name=_BOARD.name,
        parse_action=_BOARD.parse,
        max_plies=9,
        observe=_observe,
        obs_shape=(3, 3, 3),
        symmetry="square",
    )
