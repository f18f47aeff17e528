"""Chains that no sequence of moves can take, even if their owner always passes.

Benson, "Life in the game of Go", Information Sciences 10 (1976), theorem 1: the largest set of a colour's chains of
which each has two vital regions that only chains of the set enclose. A region is a connected set of points that are not
the colour's, and vital to a chain if each of its empty points is a liberty of that chain. As in Benson's algorithm,
chains and regions are taken away until nothing changes.
"""

import numpy as np
from numba import njit

from palestra.envs.go.board import neighbour, point_of
from palestra.envs.go.state import ACTION, BORDER, COLOR, EMPTY, HEAD, SIZE, at

ALIVE, ENCLOSED = 1, 2


@njit(cache=True)
def _chain(state, q):  # type: ignore[no-untyped-def]
    """Returns the number of the chain of a stone: the action of its head."""
    return state[at(state[at(q + HEAD)] + ACTION)]


@njit(cache=True)
def _narrow(state, p, color, vital):  # type: ignore[no-untyped-def]
    """Keeps of the chains `vital` `[4]` those of which an empty point p is a liberty."""
    for k in range(4):
        kept = -1
        for i in range(4):
            q = neighbour(state, p, i)
            if state[at(q + COLOR)] == color and _chain(state, q) == vital[k]:
                kept = vital[k]
        vital[k] = kept


@njit(cache=True)
def _candidates(state, p, color, vital):  # type: ignore[no-untyped-def]
    """Writes into `vital` `[4]` the chains of which p is a liberty, each once, and -1 where there are fewer."""
    vital[:] = -1
    for i in range(4):
        q = neighbour(state, p, i)
        if state[at(q + COLOR)] == color:
            chain = _chain(state, q)
            if chain != vital[0] and chain != vital[1] and chain != vital[2]:
                vital[i] = chain


@njit(cache=True)
def _regions(state, color, region, vital):  # type: ignore[no-untyped-def]
    """Numbers the regions around a colour and returns how many there are.

    `region` `[N * N]` gets the number of each point, -1 at the colour's; `vital` `[N * N, 4]` the chains to which each
    region is vital.
    """
    num_points, count = state[SIZE] * state[SIZE], 0
    todo = np.empty(num_points, np.int64)
    region[:] = -1
    for action in range(num_points):
        todo[0], filled, done, first = point_of(state, action), 1, 0, True
        if region[action] >= 0 or state[at(todo[0] + COLOR)] in (color, BORDER):
            continue
        region[action] = count
        while done < filled:
            p = todo[done]
            done += 1
            if state[at(p + COLOR)] == EMPTY:
                if first:
                    _candidates(state, p, color, vital[count])
                    first = False
                _narrow(state, p, color, vital[count])
            for i in range(4):
                q = neighbour(state, p, i)
                if state[at(q + COLOR)] not in (color, BORDER) and region[at(state[at(q + ACTION)])] < 0:
                    region[at(state[at(q + ACTION)])] = count
                    todo[filled] = q
                    filled += 1
        count += 1
    return count


@njit(cache=True)
def _break_open(state, p, region, sound):  # type: ignore[no-untyped-def]
    """Takes away the regions beside a stone whose chain is given up, and says whether there was one."""
    broken = False
    for i in range(4):
        q = neighbour(state, p, i)
        if state[at(q + COLOR)] not in (state[at(p + COLOR)], BORDER):
            k = region[at(state[at(q + ACTION)])]
            broken = broken or sound[k]
            sound[k] = False
    return broken


@njit(cache=True)
def pass_alive(state, color, out):  # type: ignore[no-untyped-def]
    """Writes into `out` `[N * N] int64`: 1 a stone that is alive, 2 a point of a region vital to such, 0 any other."""
    num_points = state[SIZE] * state[SIZE]
    region, eyes = np.empty(num_points, np.int64), np.empty(num_points, np.int64)
    vital = np.empty((num_points, 4), np.int64)
    count = _regions(state, color, region, vital)
    sound, changed = np.ones(count, np.bool_), True
    while changed:
        eyes[:], changed = 0, False
        for k in range(count):
            for chain in vital[k]:
                if sound[k] and chain >= 0:
                    eyes[chain] += 1
        for action in range(num_points):
            p = point_of(state, action)
            if state[at(p + COLOR)] == color and eyes[_chain(state, p)] < 2:
                changed = _break_open(state, p, region, sound) or changed
    for action in range(num_points):
        p, k = point_of(state, action), region[action]
        out[action] = 0
        if state[at(p + COLOR)] == color:
            out[action] = ALIVE if eyes[_chain(state, p)] >= 2 else 0
        elif k >= 0 and sound[k] and max(vital[k]) >= 0:
            out[action] = ENCLOSED
