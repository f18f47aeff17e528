"""What a Go position is to the kernels: one array of int64 words.

A header, then a record of eight words for each point, then what only whole games need: the last eight boards as bits
and the hashes of all positions so far. A point is named by where its record begins, so that its neighbours are `p - 8`,
`p + 8`, `p - stride`, `p + stride`; a border of points surrounds the board, the right one being the left one of the
next row (libego and GNU Go have that border too). Colours have one bit each, and the border both: what surrounds a
point is one colour's if the bits of its neighbours have that one in common.

Chains are rings through `NEXT`, known by one of their stones, the head, which keeps their size and liberties. Liberties
are pseudo-liberties (a point counts once for each stone that it touches) with the sum and the sum of squares of where
they lie, packed into a word as `count + (sum << 12) + (squares << 33)`: adding a liberty is one addition, and all of
them lie at one point exactly if the word is `count` times that point's (Cauchy and Schwarz).
"""

import numpy as np

from palestra.envs.game import HEADER, OVER, PLAYER, PLY, USED, State
from palestra.envs.go.rules import SCORING, SUPERKO, Rules, handicap_points

__all__ = ["OVER", "PLAYER", "PLY", "USED", "State"]

(
    SIZE,  # lines of the board
    STRIDE,  # words from a point to the one below it
    EMPTIES,  # number of empty points
    KO,  # the point that the ko rule forbids, 0 if none
    PASSES,  # passes in a row
    HASH,  # Zobrist hash of the stones
    LAST,  # the last move's point, 0 for a pass or none
    LAST_BUT_ONE,  # the one before
    KOMI_2,  # twice what White gets
    REPETITION,  # index into rules.SUPERKO
    SUICIDE,  # whether it is allowed
    COUNTING,  # index into rules.SCORING
    MAX_PLIES,  # moves after which the game is cut off
    LOST_BLACK,  # black stones taken off so far
    LOST_WHITE,  # white ones
    BOARDS,  # where the last eight boards begin
    HISTORY,  # where the hashes begin
    POSITIONS,  # how many there are
) = range(HEADER, HEADER + 18)
POINTS = 32  # where the records begin
RECORD = 8
COLOR, HEAD, NEXT, LIBERTIES, COUNT, EMPTY_POINT, ACTION, PLACED = range(RECORD)
# COUNT: the chain's size at a head, the place among the empty points at one of them
# EMPTY_POINT: of record k the k-th empty point; ACTION: row * size + column; PLACED: 1 + ply of the last stone here
EMPTY, BLACK, WHITE, BORDER = 0, 1, 2, 3
NUM_BOARDS = 8

at = np.uintp  # an index that cannot be negative: Numba then does not look for one (1.6 times as many playouts)

SIMPLE, POSITIONAL, SITUATIONAL = range(3)
AREA, TERRITORY = range(2)

_KEYS = np.random.default_rng(2016).integers(-(2**63), 2**63, size=(26 * 27 + 1) * 2 + 1, dtype=np.int64)
ZOBRIST = _KEYS[:-1]  # of a stone: 2 * index of its record + (0 black, 1 white)
WHITE_TO_MOVE = int(_KEYS[-1])


def board_words(size: int) -> int:
    """Returns how many words hold a bit for each point."""
    return (size * size + 63) // 64


def new_state(rules: Rules) -> State:
    """Returns the position before the first move; handicap stones stand, and then White is to move."""
    n, stride = rules.size, rules.size + 1
    boards = POINTS + RECORD * (stride * (n + 2) + 1)
    history = boards + NUM_BOARDS * 2 * board_words(n)
    state = np.zeros(history + rules.longest + 1, np.int64)
    state[[SIZE, STRIDE, BOARDS, HISTORY, USED]] = n, RECORD * stride, boards, history, history + 1
    state[[KOMI_2, SUICIDE, MAX_PLIES]] = round(2 * rules.white_bonus), rules.suicide, rules.longest
    state[[REPETITION, COUNTING]] = SUPERKO.index(rules.superko), SCORING.index(rules.scoring)
    state[[EMPTIES, POSITIONS]] = n * n, 1
    records = state[POINTS:boards].reshape(-1, RECORD)
    records[:, COLOR], records[:, HEAD] = BORDER, POINTS
    order = np.arange(n * n)
    points = POINTS + RECORD * ((order // n + 1) * stride + order % n + 1)
    state[points + COLOR], state[points + ACTION], state[points + COUNT] = EMPTY, order, order
    records[order, EMPTY_POINT] = points
    if rules.handicap:
        from palestra.envs.go.play import set_up

        actions = np.array([row * n + column for row, column in handicap_points(n, rules.handicap)])
        state[PLAYER] = 1
        set_up(state, actions, np.full(len(actions), BLACK))
    return state
