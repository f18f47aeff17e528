"""Who has which points, and the result, by area or by territory, with all stones on the board taken as alive."""

import numpy as np
from numba import njit

from palestra.envs.go.board import neighbour, point_of
from palestra.envs.go.state import (
    ACTION,
    AREA,
    BLACK,
    BORDER,
    COLOR,
    COUNTING,
    EMPTY,
    KOMI_2,
    LOST_BLACK,
    LOST_WHITE,
    SIZE,
    WHITE,
)


@njit(cache=True)
def owners(state, owner):  # type: ignore[no-untyped-def]
    """Writes into `owner` `[N * N] int64` whose each point is: its stone's colour, or that which alone surrounds it.

    0 is nobody's: an empty region that touches both colours, or none.
    """
    num_points = state[SIZE] * state[SIZE]
    region = np.empty(num_points, np.int64)
    owner[:] = -1
    for action in range(num_points):
        if owner[action] >= 0:
            continue
        p = point_of(state, action)
        if state[p + COLOR] != EMPTY:
            owner[action] = state[p + COLOR]
            continue
        region[0], filled, done, touched = p, 1, 0, 0
        owner[action] = EMPTY
        while done < filled:
            for i in range(4):
                q = neighbour(state, region[done], i)
                if state[q + COLOR] == EMPTY and owner[state[q + ACTION]] < 0:
                    owner[state[q + ACTION]] = EMPTY
                    region[filled] = q
                    filled += 1
                elif state[q + COLOR] != BORDER:
                    touched |= state[q + COLOR]
            done += 1
        for k in range(filled):
            owner[state[region[k] + ACTION]] = touched if touched != BORDER else EMPTY


@njit(cache=True)
def score_2(state):  # type: ignore[no-untyped-def]
    """Returns twice Black's lead, komi counted."""
    num_points = state[SIZE] * state[SIZE]
    owner = np.empty(num_points, np.int64)
    owners(state, owner)
    lead = 0
    for action in range(num_points):
        if state[COUNTING] == AREA or state[point_of(state, action) + COLOR] == EMPTY:
            lead += int(owner[action] == BLACK) - int(owner[action] == WHITE)
    if state[COUNTING] != AREA:
        lead += state[LOST_WHITE] - state[LOST_BLACK]
    return 2 * lead - state[KOMI_2]
