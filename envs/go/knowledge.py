"""What a search believes of moves before it has tried them, as virtual results.

The kinds of belief are those of Fuego and Pachi (Gelly and Silver 2011, section 5, for the idea): an even start,
captures and rescues, self-atari, shapes, nearness to the last move, and the edge of an empty part of the board.
Moves into one's own eyes are struck out.
"""

import numpy as np
from numba import njit

from palestra.envs.go.board import is_eye, neighbour, only_liberty, packed
from palestra.envs.go.patterns import matches
from palestra.envs.go.state import (
    ACTION,
    BLACK,
    BORDER,
    COLOR,
    COUNT,
    EMPTIES,
    EMPTY,
    EMPTY_POINT,
    HEAD,
    LAST,
    PASSES,
    PLAYER,
    POINTS,
    RECORD,
    SIZE,
)
from palestra.envs.go.tactics import is_self_atari

EVEN = 10.0  # virtual results, half of them won
CAPTURE_ONE, CAPTURE_MORE, RESCUE = 15.0, 30.0, 15.0
SELF_ATARI, SHAPE = 10.0, 10.0
NEAR = np.array([0.0, 24.0, 22.0, 8.0])  # at a distance of so many points from the last move, chains being one point
EDGE, THIRD_LINE = 10.0, 10.0  # for points with no stone within two points


@njit(cache=True)
def _distances(state, distance):  # type: ignore[no-untyped-def]
    """Writes how far points are from the last move, up to 3, into `distance` `[N * N]`; chains are one point."""
    distance[:] = 0
    if state[LAST] == 0:
        return
    num_points = len(distance)
    queue, steps = np.empty(num_points, np.int64), np.full(num_points, -1)
    queue[0] = state[LAST]
    steps[state[state[LAST] + ACTION]] = 0
    begin, end = 0, 1
    for step in range(4):
        i = begin
        while i < end:  # chains of this step grow the queue while it is read
            for k in range(4):
                q = neighbour(state, queue[i], k)
                same = state[q + COLOR] != EMPTY and state[q + HEAD] == state[queue[i] + HEAD]
                if state[q + COLOR] != BORDER and same and steps[state[q + ACTION]] < 0:
                    steps[state[q + ACTION]] = step
                    queue[end] = q
                    end += 1
            i += 1
        last, i = end, begin
        while i < last and step < 3:
            for k in range(4):
                q = neighbour(state, queue[i], k)
                if state[q + COLOR] != BORDER and steps[state[q + ACTION]] < 0:
                    steps[state[q + ACTION]] = step + 1
                    queue[end] = q
                    end += 1
            i += 1
        begin = last
    for action in range(num_points):
        distance[action] = max(steps[action], 0)


@njit(cache=True)
def _is_lonely(state, p):  # type: ignore[no-untyped-def]
    """Says whether no stone lies within two points, diagonals among them, of an empty point."""
    for i in range(4):
        q = neighbour(state, p, i)
        if state[q + COLOR] == BORDER:
            continue
        if state[q + COLOR] != EMPTY:
            return False
        for k in range(4):
            r = neighbour(state, q, k)
            if state[r + COLOR] != EMPTY and state[r + COLOR] != BORDER:
                return False
    return True


@njit(cache=True)
def _believe(prior, action, results, sign):  # type: ignore[no-untyped-def]
    prior[0, action] += sign * results
    prior[1, action] += results


@njit(cache=True)
def _tactics(state, p, color, prior):  # type: ignore[no-untyped-def]
    """Adds what chains with one liberty say of a move; says whether there were any to take or save."""
    action, liberty, hot = state[p + ACTION], packed(p), False
    for i in range(4):
        q = neighbour(state, p, i)
        there = state[q + COLOR]
        if there in (EMPTY, BORDER) or not only_liberty(state, q, liberty):
            continue
        if there != color:
            hot = True
            _believe(prior, action, CAPTURE_ONE if state[state[q + HEAD] + COUNT] == 1 else CAPTURE_MORE, 1.0)
        elif not is_self_atari(state, p, color):
            hot = True
            _believe(prior, action, RESCUE, 1.0)
    return hot


@njit(cache=True)
def priors(state, mask, prior, data):  # type: ignore[no-untyped-def]
    """Adds virtual results to `prior` `[2, N * N + 1]` and strikes moves into own eyes from `mask`."""
    n, color = state[SIZE], state[PLAYER] + BLACK
    num_points, left = n * n, 0
    distance = np.empty(num_points, np.int64)
    _distances(state, distance)
    for k in range(state[EMPTIES]):
        p = state[POINTS + RECORD * k + EMPTY_POINT]
        action = state[p + ACTION]
        if not mask[action]:
            continue
        if is_eye(state, p, color):
            mask[action] = False
            continue
        left += 1
        prior[1, action] += EVEN
        if not _tactics(state, p, color, prior) and is_self_atari(state, p, color):
            _believe(prior, action, SELF_ATARI, -1.0)
        if matches(state, p, color):
            _believe(prior, action, SHAPE, 1.0)
        _believe(prior, action, NEAR[distance[action]], 1.0)
        row, column = action // n, action % n
        line = min(min(row, n - 1 - row), min(column, n - 1 - column))
        if line < 3 and _is_lonely(state, p):
            _believe(prior, action, THIRD_LINE if line == 2 else EDGE, 1.0 if line == 2 else -1.0)
    _believe(prior, num_points, EVEN, 1.0)  # where it ends the game one look tells what it is worth
    if left and state[PASSES] == 0:
        mask[num_points] = False
    return left
