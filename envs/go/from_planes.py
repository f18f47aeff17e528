"""From AlphaGo Zero's planes back to a position, for agents that look ahead though they are shown planes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from palestra.envs.go.board import point_of
from palestra.envs.go.position import Position
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import (
    BLACK,
    BOARDS,
    LAST,
    LAST_BUT_ONE,
    NUM_BOARDS,
    PLY,
    WHITE,
    State,
    board_words,
)


def position_of(planes: NDArray[Any], rules: Rules) -> State:
    """Returns a position with the planes alphago-zero `[17, N, N]`: its stones, whose turn it is, the boards before.

    The last two moves are known where they left a stone. Ko and repetition are not known: Ω says what is legal.

    Raises:
        ValueError: a chain has no liberty.
    """
    n = rules.size
    own, other = planes[0 : 2 * NUM_BOARDS : 2] > 0, planes[1 : 2 * NUM_BOARDS : 2] > 0  # [8, N, N] each
    to_move = BLACK if planes[2 * NUM_BOARDS].any() else WHITE
    black, white = (own, other) if to_move == BLACK else (other, own)
    position = Position(rules)
    position.setup(np.flatnonzero(black[0]).tolist(), np.flatnonzero(white[0]).tolist(), to_move)
    state = position.state
    words = board_words(n)
    for k in range(NUM_BOARDS):
        begin = state[BOARDS] + 2 * words * ((state[PLY] - k) % NUM_BOARDS)
        for board, first in ((black[k], begin), (white[k], begin + words)):
            bits = np.zeros(64 * words, np.uint8)
            bits[: n * n] = board.ravel()
            state[first : first + words] = np.packbits(bits, bitorder="little").view(np.int64)
    for word, made in ((LAST, other[0] & ~other[1]), (LAST_BUT_ONE, own[1] & ~own[2])):
        where = np.flatnonzero(made)
        state[word] = point_of(state, where[0]) if len(where) == 1 else 0
    return state
