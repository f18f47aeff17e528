"""True liberties, each point counted once, of chains as they are and as a move would leave them.

Points are where their records begin (`envs/go/state.py`). Nothing is changed, and no move is checked: p is empty.
"""

import numpy as np
from numba import njit

from palestra.envs.go.board import COUNTER, neighbour, only_liberty, packed
from palestra.envs.go.state import BOARDS, BORDER, COLOR, COUNT, EMPTY, HEAD, LIBERTIES, NEXT, POINTS, at


@njit(cache=True)
def _first_to_touch(state, stone, q):  # type: ignore[no-untyped-def]
    """Says whether a stone comes first among those of its chain beside q, so that q is counted once."""
    head = state[at(stone + HEAD)]
    for j in range(4):
        r = neighbour(state, q, j)
        if state[at(r + HEAD)] == head:
            return r == stone
    return False


@njit(cache=True)
def list_liberties(state, stone, found):  # type: ignore[no-untyped-def]
    """Writes liberties of a stone's chain into `found` `[K] int64` until it is full, and returns how many."""
    q, count, most = stone, 0, len(found)
    while count < most:
        for i in range(4):
            p = neighbour(state, q, i)
            if state[at(p + COLOR)] == EMPTY and count < most and _first_to_touch(state, q, p):
                found[at(count)] = p
                count += 1
        q = state[at(q + NEXT)]
        if q == stone:
            break
    return count


@njit(cache=True)
def liberties(state, stone):  # type: ignore[no-untyped-def]
    """Returns how many liberties the chain of a stone has."""
    q, count = stone, 0
    while True:
        for i in range(4):
            p = neighbour(state, q, i)
            if state[at(p + COLOR)] == EMPTY and _first_to_touch(state, q, p):
                count += 1
        q = state[at(q + NEXT)]
        if q == stone:
            return count


@njit(cache=True)
def last_liberty(state, stone):  # type: ignore[no-untyped-def]
    """Returns the only liberty of a stone's chain, 0 if it has several; costs no walk along the chain."""
    word = state[at(state[at(stone + HEAD)] + LIBERTIES)]
    p = POINTS + ((((word >> 12) & ((1 << 21) - 1)) // (word & COUNTER)) << 3)
    return p if word == (word & COUNTER) * packed(p) else 0


@njit(cache=True)
def met_before(state, p, i):  # type: ignore[no-untyped-def]
    """Says whether the chain at p's i-th neighbour is that of a neighbour before."""
    head, met = state[at(neighbour(state, p, i) + HEAD)], False
    for j in range(i):
        met = met or state[at(neighbour(state, p, j) + HEAD)] == head
    return met


@njit(cache=True)
def captures(state, p, color):  # type: ignore[no-untyped-def]
    """Returns how many enemies a colour would take by playing p."""
    liberty, taken = packed(p), 0
    for i in range(4):
        q = neighbour(state, p, i)
        if state[at(q + COLOR)] == BORDER - color and only_liberty(state, q, liberty) and not met_before(state, p, i):
            taken += state[at(state[at(q + HEAD)] + COUNT)]
    return taken


@njit(cache=True)
def size_after(state, p, color):  # type: ignore[no-untyped-def]
    """Returns how many stones the chain of a stone on p would have."""
    stones = 1
    for i in range(4):
        q = neighbour(state, p, i)
        if state[at(q + COLOR)] == color and not met_before(state, p, i):
            stones += state[at(state[at(q + HEAD)] + COUNT)]
    return stones


@njit(cache=True)
def _breath(state, p, color, stone, seen):  # type: ignore[no-untyped-def]
    """Counts the new liberties around a stone once p is played: empty points, and stones that p takes."""
    count = 0
    for i in range(4):
        q = neighbour(state, stone, i)
        there = state[at(q + COLOR)]
        free = (there == EMPTY and q != p) or (there == BORDER - color and only_liberty(state, q, packed(p)))
        k = (q - POINTS) >> 3
        if free and not seen[at(k)]:
            seen[at(k)] = True
            count += 1
    return count


@njit(cache=True)
def liberties_after(state, p, color):  # type: ignore[no-untyped-def]
    """Returns how many liberties the chain of a stone on p would have; 0 is suicide."""
    seen = np.zeros((state[BOARDS] - POINTS) >> 3, np.bool_)
    count = _breath(state, p, color, p, seen)
    for i in range(4):
        first = neighbour(state, p, i)
        if state[at(first + COLOR)] == color and not met_before(state, p, i):
            q = first
            while True:
                count += _breath(state, p, color, q, seen)
                q = state[at(q + NEXT)]
                if q == first:
                    break
    return count


@njit(cache=True)
def self_atari_size(state, p, color):  # type: ignore[no-untyped-def]
    """Returns the size of the chain that a stone on p would leave in atari, or take off as suicide, else 0."""
    return size_after(state, p, color) if liberties_after(state, p, color) < 2 else 0
