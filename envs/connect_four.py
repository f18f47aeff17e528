"""Connect four: four in a row on a board of 7 columns and 6 rows into which stones fall from above.

Two players drop a stone into a column that is not full, in turn; who first has four in a row, a column or a diagonal
wins, and a full board without them is a draw. The first of two perfect players wins (Allis, "A Knowledge-Based Approach
of Connect-Four", 1988).

A player's stones are a word of 64 bits, seven bits a column from the bottom up, of which the last is always empty: no
line goes over an edge (Tromp, "John's Connect Four Playground", tromp.github.io/c4/c4.html). Action c is column c from
the left; columns are named 1 to 7.

Search knows decisive and anti-decisive moves: one that wins at once is made, or else one that keeps the other player
from winning at once (Teytaud and Teytaud, "On the huge benefit of decisive moves in Monte-Carlo tree search
algorithms", 2010); and it leaves columns in which a stone lets the other player win on top of it.
"""

import numpy as np
from numba import njit

from palestra.envs.board_text import outcome
from palestra.envs.game import HEADER, OVER, PLAYER, PLY, USED, Game, State, check_playouts
from palestra.envs.rng import randint

STONES = HEADER  # two words: the stones of player 0 and of player 1
_WORDS = HEADER + 2
COLUMNS, ROWS = 7, 6
COLUMN = 0x7F  # the bits of a column
_FULL = 0x20  # the topmost square of a column
BOTTOM = sum(1 << (7 * column) for column in range(COLUMNS))
SQUARES = 0x3F * BOTTOM
_NAMES = ("●", "○")


@njit(cache=True, inline="always")
def _has_four(stones):  # type: ignore[no-untyped-def]
    upright = stones & (stones >> 1)
    level = stones & (stones >> 7)
    falling = stones & (stones >> 6)
    rising = stones & (stones >> 8)
    straight = (upright & (upright >> 2)) | (level & (level >> 14))
    diagonal = (falling & (falling >> 12)) | (rising & (rising >> 16))
    return (straight | diagonal) != 0


@njit(cache=True, inline="always")
def _drop(taken, column):  # type: ignore[no-untyped-def]
    """Returns the bit of the lowest square of a column that is free, given all stones."""
    return (taken + (1 << (7 * column))) & (COLUMN << (7 * column))


@njit(cache=True)
def _play(state, action, rng, data):  # type: ignore[no-untyped-def]
    player = state[PLAYER]
    state[STONES + player] |= _drop(state[STONES] | state[STONES + 1], action)
    state[PLAYER] = 1 - player
    state[PLY] += 1
    won = _has_four(state[STONES + player])
    if won or state[PLY] == COLUMNS * ROWS:
        state[OVER] = 1
    return 1.0 - 2.0 * player if won else 0.0


@njit(cache=True)
def _legal(state, mask, data):  # type: ignore[no-untyped-def]
    count = 0
    taken = state[STONES] | state[STONES + 1]
    for column in range(COLUMNS):
        mask[column] = not state[OVER] and not (taken >> (7 * column)) & _FULL
        count += mask[column]
    return count


@njit(cache=True, inline="always")
def _fourths(stones, step):  # type: ignore[no-untyped-def]
    """Returns the squares that make four with three of the stones, in a direction with neighbours `step` bits apart."""
    below = (stones << step) & (stones << 2 * step)
    above = (stones >> step) & (stones >> 2 * step)
    return (below & ((stones << 3 * step) | (stones >> step))) | (above & ((stones << step) | (stones >> 3 * step)))


@njit(cache=True, inline="always")
def winning_squares(stones):  # type: ignore[no-untyped-def]
    """Returns the squares, taken ones and some off the board among them, on which a stone would make four."""
    return _fourths(stones, 1) | _fourths(stones, 6) | _fourths(stones, 7) | _fourths(stones, 8)


@njit(cache=True, inline="always")
def _decisive(mover, other):  # type: ignore[no-untyped-def]
    """Returns the free squares on which the mover wins at once, or else those where the other player would."""
    free = ((mover | other) + BOTTOM) & SQUARES
    wins = winning_squares(mover) & free
    return wins if wins else winning_squares(other) & free


@njit(cache=True)
def _playout(state, trace, rng, data):  # type: ignore[no-untyped-def]
    player, first, count = state[PLAYER], state[PLY], state[PLY]
    mover, other = state[STONES + player], state[STONES + 1 - player]
    won = False
    while not state[OVER]:
        taken, column = mover | other, randint(rng, COLUMNS)
        squares = _decisive(mover, other) if data[0] else 0
        while squares and not squares & (COLUMN << (7 * column)):
            column = (column + 1) % COLUMNS
        if (taken >> (7 * column)) & _FULL:
            continue
        mover, other = other, mover | _drop(taken, column)
        count += 1
        trace[count - first] = column
        player = 1 - player
        won = _has_four(other)
        if won or count == COLUMNS * ROWS:
            state[OVER] = 1
    trace[0] = count - first
    state[PLAYER], state[PLY] = player, count
    state[STONES + player], state[STONES + 1 - player] = mover, other
    return 2.0 * player - 1.0 if won else 0.0


@njit(cache=True)
def _strike(state, mask, prior, data):  # type: ignore[no-untyped-def]
    """Leaves the decisive moves in `mask`; if there are none, those after which the other player cannot win on top."""
    if data[0] == 0.0:
        return 0
    mover, other = state[STONES + state[PLAYER]], state[STONES + 1 - state[PLAYER]]
    squares = _decisive(mover, other)
    if squares == 0:
        squares = ((mover | other) + BOTTOM) & SQUARES & ~((winning_squares(other) & SQUARES) >> 1)
    for column in range(COLUMNS):
        mask[column] = mask[column] and (squares == 0 or squares & (COLUMN << (7 * column)) != 0)
    return 0


@njit(cache=True)
def _observe(state, obs, data):  # type: ignore[no-untyped-def]
    own, other = state[STONES + state[PLAYER]], state[STONES + 1 - state[PLAYER]]
    for row in range(ROWS):
        for column in range(COLUMNS):
            bit = 7 * column + ROWS - 1 - row
            obs[row * COLUMNS + column] = (own >> bit) & 1
            obs[(ROWS + row) * COLUMNS + column] = (other >> bit) & 1
            obs[(2 * ROWS + row) * COLUMNS + column] = 1.0
    return 0


def _describe(state: State) -> str:
    stones = int(state[STONES]), int(state[STONES + 1])
    lines = []
    for height in range(ROWS - 1, -1, -1):
        bits = [1 << (7 * column + height) for column in range(COLUMNS)]
        lines.append(" ".join("●" if stones[0] & bit else "○" if stones[1] & bit else "·" for bit in bits))
    lines.append(" ".join(_name(column) for column in range(COLUMNS)))
    reward = float(_has_four(stones[0])) - float(_has_four(stones[1]))
    lines.append(outcome(reward, _NAMES) if state[OVER] else f"{_NAMES[state[PLAYER]]} to move")
    return "\n".join(lines)


def _name(action: int) -> str:
    return str(action + 1)


def _parse(text: str) -> int:
    word = text.strip().lower()
    if len(word) != 1 or word not in "1234567abcdefg":
        raise ValueError(f"{text!r} is not a column: a number 1 to 7 or a letter a to g is wanted")
    return "1234567abcdefg".index(word) % COLUMNS


def connect_four(playouts: str = "decisive") -> Game:
    """Returns connect four; planes `[3, 6, 7]` are the stones of the player to move, of the other one, and ones.

    `playouts` is decisive (in the tree too) or uniform.

    Raises:
        ValueError: there are no such playouts.
    """
    knowing = check_playouts(playouts, "decisive", "uniform") == "decisive"
    start = np.zeros(_WORDS, np.int64)
    start[USED] = _WORDS
    return Game(
        name="connect-four",
        start=start,
        num_actions=COLUMNS,
        play=_play,
        legal=_legal,
        describe=_describe,
        action_name=_name,
        parse_action=_parse,
        max_plies=COLUMNS * ROWS,
        playout=_playout,
        priors=_strike,
        observe=_observe,
        obs_shape=(3, ROWS, COLUMNS),
        symmetry="mirror",
        data=np.array([float(knowing)]),
    )
