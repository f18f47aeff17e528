"""Stones, chains, captures and legality on the state of `envs/go/state.py`.

Pseudo-liberties at chain heads are Lew's and Pawlewicz's way (libego; OpenSpiel and pgx follow it). Ours differ in that
one word holds them all. Superko looks at the past only where the point has held a stone before, or the move is suicide:
a stone where none ever was makes a position that never was.
"""

import numpy as np
from numba import njit

from palestra.envs.go.state import (
    ACTION,
    BLACK,
    BORDER,
    COLOR,
    COUNT,
    EMPTIES,
    EMPTY,
    EMPTY_POINT,
    HASH,
    HEAD,
    HISTORY,
    KO,
    LIBERTIES,
    LOST_BLACK,
    NEXT,
    PLACED,
    POINTS,
    POSITIONS,
    RECORD,
    REPETITION,
    SIMPLE,
    SITUATIONAL,
    SIZE,
    STRIDE,
    SUICIDE,
    WHITE_TO_MOVE,
    ZOBRIST,
    at,
)

COUNTER = (1 << 12) - 1  # the bits of a word of liberties that count them


@njit(cache=True, inline="always")
def packed(p):  # type: ignore[no-untyped-def]
    """Returns one liberty at a point as a word."""
    i = (p - POINTS) >> 3
    return 1 + (i << 12) + ((i * i) << 33)


@njit(cache=True, inline="always")
def point_of(state, action):  # type: ignore[no-untyped-def]
    """Returns the point of an action that is no pass."""
    n = state[SIZE]
    return POINTS + (action // n + 1) * state[STRIDE] + (action % n + 1) * RECORD


@njit(cache=True)
def neighbour(state, p, i):  # type: ignore[no-untyped-def]
    """Returns the i-th of a point's four neighbours: left, right, above, below."""
    if i < 2:
        return p - RECORD + 2 * RECORD * i
    return p + state[STRIDE] * (2 * i - 5)


@njit(cache=True)
def only_liberty(state, q, liberty):  # type: ignore[no-untyped-def]
    """Says whether the chain of stone q has no liberty but one, given as a word."""
    word = state[at(state[at(q + HEAD)] + LIBERTIES)]
    return word == (word & COUNTER) * liberty


@njit(cache=True)
def _gives_way(state, q, color, liberty):  # type: ignore[no-untyped-def]
    """Says whether a neighbour makes a move possible: empty, a friend with another liberty, an enemy without."""
    there = state[at(q + COLOR)]
    if there in (EMPTY, BORDER):
        return there == EMPTY
    return (there == color) != only_liberty(state, q, liberty)


@njit(cache=True, inline="always")  # who calls what is not inlined counts references, a third of a playout's time
def breathes(state, p, color):  # type: ignore[no-untyped-def]
    """Says whether a stone on an empty point would have a liberty, so that the move is no suicide."""
    stride, liberty = state[STRIDE], packed(p)
    return (
        _gives_way(state, p - RECORD, color, liberty)
        or _gives_way(state, p + RECORD, color, liberty)
        or _gives_way(state, p - stride, color, liberty)
        or _gives_way(state, p + stride, color, liberty)
    )


@njit(cache=True)
def is_eye(state, p, color):  # type: ignore[no-untyped-def]
    """Says whether an empty point is an eye of a colour: all neighbours its own, and not too many corners lost.

    An enemy on one of the four diagonals is harmless in the middle of the board, not at its edge.
    """
    stride = state[STRIDE]
    left, right = state[at(p - RECORD + COLOR)], state[at(p + RECORD + COLOR)]
    above, below = state[at(p - stride + COLOR)], state[at(p + stride + COLOR)]
    if not (left & right & above & below) & color:
        return False
    enemy = 3 - color
    lost = np.int64(left == BORDER or right == BORDER or above == BORDER or below == BORDER)
    lost += np.int64(state[at(p - stride - RECORD + COLOR)] == enemy)
    lost += np.int64(state[at(p - stride + RECORD + COLOR)] == enemy)
    lost += np.int64(state[at(p + stride - RECORD + COLOR)] == enemy)
    lost += np.int64(state[at(p + stride + RECORD + COLOR)] == enemy)
    return lost < 2


@njit(cache=True)
def _touch(state, q, liberty):  # type: ignore[no-untyped-def]
    """Takes a liberty from the chain at q, if there is one, and returns q as a liberty, if it is empty."""
    state[at(state[at(q + HEAD)] + LIBERTIES)] -= liberty
    if state[at(q + COLOR)] == EMPTY:
        return packed(q)
    return 0


@njit(cache=True)
def _join(state, a, b):  # type: ignore[no-untyped-def]
    """Makes one chain of two, given by their heads, and returns its head: the larger one's."""
    if state[at(a + COUNT)] < state[at(b + COUNT)]:
        a, b = b, a
    state[at(a + COUNT)] += state[at(b + COUNT)]
    state[at(a + LIBERTIES)] += state[at(b + LIBERTIES)]
    q = b
    while True:
        state[at(q + HEAD)] = a
        q = state[at(q + NEXT)]
        if q == b:
            break
    after = state[at(a + NEXT)]
    state[at(a + NEXT)] = state[at(b + NEXT)]
    state[at(b + NEXT)] = after
    return a


@njit(cache=True)
def _link(state, q, head, color):  # type: ignore[no-untyped-def]
    """Joins the chain at q to a chain of that colour beside it, and returns the head."""
    if state[at(q + COLOR)] == color and state[at(q + HEAD)] != head:
        return _join(state, state[at(q + HEAD)], head)
    return head


@njit(cache=True)
def _remove(state, head):  # type: ignore[no-untyped-def]
    """Takes a chain off the board and returns its size."""
    stride, size, empties = state[STRIDE], state[at(head + COUNT)], state[EMPTIES]
    state[at(LOST_BLACK + state[at(head + COLOR)] - BLACK)] += size
    q = head
    while True:
        after, liberty = state[at(q + NEXT)], packed(q)
        state[at(q + COLOR)] = EMPTY
        state[at(q + HEAD)] = POINTS
        state[at(q + COUNT)] = empties
        state[at(POINTS + RECORD * empties + EMPTY_POINT)] = q
        empties += 1
        state[at(state[at(q - RECORD + HEAD)] + LIBERTIES)] += liberty
        state[at(state[at(q + RECORD + HEAD)] + LIBERTIES)] += liberty
        state[at(state[at(q - stride + HEAD)] + LIBERTIES)] += liberty
        state[at(state[at(q + stride + HEAD)] + LIBERTIES)] += liberty
        q = after
        if q == head:
            break
    state[EMPTIES] = empties
    return size


@njit(cache=True)
def _capture(state, q, enemy):  # type: ignore[no-untyped-def]
    """Takes the enemy's chain at q if it has no liberty left, and returns its size; a ko may be at q."""
    if state[at(q + COLOR)] == enemy and state[at(state[at(q + HEAD)] + LIBERTIES)] == 0:
        state[KO] = q
        return _remove(state, state[at(q + HEAD)])
    return 0


@njit(cache=True)
def place(state, p, color):  # type: ignore[no-untyped-def]
    """Puts a stone on an empty point, takes off what has no liberty then, and returns how many enemies that were.

    Sets the point that simple ko forbids. Hash, history and whose turn it is stay as they are: playouts need none.
    """
    stride, liberty = state[STRIDE], packed(p)
    empties = state[EMPTIES] - 1
    last, k = state[at(POINTS + RECORD * empties + EMPTY_POINT)], state[at(p + COUNT)]
    state[EMPTIES] = empties
    state[at(POINTS + RECORD * k + EMPTY_POINT)] = last
    state[at(last + COUNT)] = k
    state[at(p + LIBERTIES)] = (
        _touch(state, p - RECORD, liberty)
        + _touch(state, p + RECORD, liberty)
        + _touch(state, p - stride, liberty)
        + _touch(state, p + stride, liberty)
    )
    state[POINTS + LIBERTIES] = 0  # of the border, where what touches no chain goes
    state[at(p + COLOR)], state[at(p + HEAD)], state[at(p + NEXT)], state[at(p + COUNT)] = color, p, p, 1
    head = _link(state, p - RECORD, p, color)
    head = _link(state, p + RECORD, head, color)
    head = _link(state, p - stride, head, color)
    head = _link(state, p + stride, head, color)
    enemy = BORDER - color
    captured = (
        _capture(state, p - RECORD, enemy)
        + _capture(state, p + RECORD, enemy)
        + _capture(state, p - stride, enemy)
        + _capture(state, p + stride, enemy)
    )
    if captured == 0 and state[at(head + LIBERTIES)] == 0:
        _remove(state, head)
    alone = state[at(head + COUNT)] == 1 and state[at(head + LIBERTIES)] & COUNTER == 1
    state[KO] = state[KO] if captured == 1 and alone else 0
    return captured


@njit(cache=True)
def _toggle(state, board, p, color):  # type: ignore[no-untyped-def]
    """Puts a stone into a board of bits or takes it out; board 0 is none."""
    if board:
        n = state[SIZE]
        words = (n * n + 63) >> 6
        action = state[at(p + ACTION)]
        state[at(board + (color - BLACK) * words + (action >> 6))] ^= 1 << (action & 63)


@njit(cache=True)
def _lift(state, head, color, board):  # type: ignore[no-untyped-def]
    """Returns the key of a chain, the XOR of its stones' keys, and toggles it in a board of bits."""
    key, q = 0, head
    while True:
        key ^= ZOBRIST[at(2 * ((q - POINTS) >> 3) + color - BLACK)]
        _toggle(state, board, q, color)
        q = state[at(q + NEXT)]
        if q == head:
            return key


@njit(cache=True)
def _lift_choked(state, p, color, board):  # type: ignore[no-untyped-def]
    """Lifts the chains of a colour around an empty point that have no other liberty; returns key and number."""
    liberty, key, lifted = packed(p), 0, 0
    for i in range(4):
        q = neighbour(state, p, i)
        if state[at(q + COLOR)] == color and only_liberty(state, q, liberty):
            seen = False
            for j in range(i):
                r = neighbour(state, p, j)
                seen = seen or (state[at(r + COLOR)] == color and state[at(r + HEAD)] == state[at(q + HEAD)])
            if not seen:
                key ^= _lift(state, state[at(q + HEAD)], color, board)
                lifted += 1
    return key, lifted


@njit(cache=True)
def change(state, p, color, board):  # type: ignore[no-untyped-def]
    """Returns by what the hash changes if a colour plays on an empty point, and toggles the stones in `board`."""
    key, captures = _lift_choked(state, p, 3 - color, board)
    if captures == 0 and not breathes(state, p, color):
        return _lift_choked(state, p, color, board)[0]
    _toggle(state, board, p, color)
    return key ^ ZOBRIST[at(2 * ((p - POINTS) >> 3) + color - BLACK)]


@njit(cache=True)
def repeats(state, p, color):  # type: ignore[no-untyped-def]
    """Says whether superko forbids a move that is otherwise legal."""
    if state[REPETITION] == SIMPLE or (state[at(p + PLACED)] == 0 and breathes(state, p, color)):
        return False
    target = state[HASH] ^ change(state, p, color, 0)
    if state[REPETITION] == SITUATIONAL and color == BLACK:
        target ^= WHITE_TO_MOVE
    i = state[HISTORY] + state[POSITIONS] - 1
    while i >= state[HISTORY] and state[at(i)] != target:
        i -= 1
    return i >= state[HISTORY]


@njit(cache=True, inline="always")
def open_point(state, p):  # type: ignore[no-untyped-def]
    """Says whether a point beside an empty one was never played on: any colour may play there under all rules."""
    beside = state[at(p - RECORD + COLOR)] * state[at(p + RECORD + COLOR)]
    beside *= state[at(p - state[STRIDE] + COLOR)] * state[at(p + state[STRIDE] + COLOR)]
    return beside == EMPTY and state[at(p + PLACED)] == 0


@njit(cache=True)
def is_legal(state, p, color):  # type: ignore[no-untyped-def]
    """Says whether a colour may play on an empty point under the rules of the state."""
    if open_point(state, p):
        return True
    may = state[KO] != p and (state[SUICIDE] != 0 or breathes(state, p, color))
    return may and not repeats(state, p, color)
