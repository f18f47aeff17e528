"""What playouts and priors know of chains with one liberty, from the packed words alone."""

from numba import njit

from palestra.envs.go.board import COUNTER, breathes, neighbour, only_liberty, packed
from palestra.envs.go.state import BORDER, COLOR, EMPTY, HEAD, LIBERTIES, NEXT, POINTS, RECORD, at

SUMS = (1 << 21) - 1  # the bits of a word of liberties that add up where they lie


@njit(cache=True)
def single_liberty(word):  # type: ignore[no-untyped-def]
    """Returns the point of a chain's only liberty, given its word; 0 if it has more, or none."""
    count = word & COUNTER
    if count == 0:
        return 0
    p = POINTS + RECORD * (((word >> 12) & SUMS) // count)
    return p if word == count * packed(p) else 0


@njit(cache=True)
def atari_point(state, q):  # type: ignore[no-untyped-def]
    """Returns the only liberty of the chain of stone q, or 0."""
    return single_liberty(state[at(state[at(q + HEAD)] + LIBERTIES)])


@njit(cache=True)
def is_self_atari(state, p, color):  # type: ignore[no-untyped-def]
    """Says whether a stone on an empty point would have at most one liberty, and take nothing."""
    liberty, found = packed(p), 0
    for i in range(4):
        q = neighbour(state, p, i)
        there, other = state[at(q + COLOR)], 0
        if there == EMPTY:
            other = q
        elif there == color:
            word, head = state[at(state[at(q + HEAD)] + LIBERTIES)], state[at(q + HEAD)]
            for j in range(4):
                r = neighbour(state, p, j)
                if state[at(r + COLOR)] == color and state[at(r + HEAD)] == head:
                    word -= liberty
            other = single_liberty(word)
            if other == 0 and word != 0:
                return False
        elif there != BORDER and only_liberty(state, q, liberty):
            return False
        if other != 0 and found != 0 and other != found:
            return False
        found = found if other == 0 else other
    return True


@njit(cache=True)
def _rescue_by_capture(state, q, color):  # type: ignore[no-untyped-def]
    """Returns where to take an enemy chain in atari that touches the chain of stone q; 0 if there is none."""
    enemy, r = 3 - color, q
    while True:
        for i in range(4):
            beside = neighbour(state, r, i)
            if state[at(beside + COLOR)] == enemy:
                p = atari_point(state, beside)
                if p != 0 and breathes(state, p, color):
                    return p
        r = state[at(r + NEXT)]
        if r == q:
            return 0


@njit(cache=True)
def rescue(state, q, color):  # type: ignore[no-untyped-def]
    """Returns a move that saves the chain of stone q, which has one liberty; 0 if taking and running both fail."""
    taken = _rescue_by_capture(state, q, color)
    if taken != 0:
        return taken
    p = atari_point(state, q)
    if p != 0 and breathes(state, p, color) and not is_self_atari(state, p, color):
        return p
    return 0
