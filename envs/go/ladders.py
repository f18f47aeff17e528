"""Ladders: chases in which every move of the hunter is atari, read to their end on copies of the board.

AlphaGo's features "ladder capture" and "ladder escape" (Silver et al., Nature 529, 2016, extended data table 2). The
paper does not define them; here the hunted chain may extend or take a chain beside it that is in atari, the hunter
plays on either of its two liberties, simple ko binds both, and three liberties are an escape. A reading ends after
1,000 moves: what has not been caught by then, as where a chase goes round a ko, counts as escaped.
"""

import numpy as np
from numba import njit

from palestra.envs.go.board import breathes, neighbour, place
from palestra.envs.go.liberties import last_liberty, liberties_after, list_liberties, met_before
from palestra.envs.go.state import BOARDS, BORDER, COLOR, EMPTY, KO, NEXT, at

MOST_MOVES = 1000
WAYS = 32  # out of atari that are looked at


@njit(cache=True)
def _ways_out(state, stone, ways):  # type: ignore[no-untyped-def]
    """Lists where the owner of a chain in atari may save it: liberties of enemies beside it in atari, last its own."""
    ways[0], count = last_liberty(state, stone), 1
    enemy, q = BORDER - state[at(stone + COLOR)], stone
    while count < len(ways):
        for i in range(4):
            r = neighbour(state, q, i)
            p = last_liberty(state, r) if state[at(r + COLOR)] == enemy else 0
            known = p == 0 or count == len(ways)
            for k in range(count):
                known = known or ways[at(k)] == p
            if not known:
                ways[at(count)] = p
                count += 1
        q = state[at(q + NEXT)]
        if q == stone:
            break
    ways[0], ways[count - 1] = ways[count - 1], ways[0]
    return count


@njit(cache=True)
def _twice(rows):  # type: ignore[no-untyped-def]
    """Returns an array `[2 K, W]` that begins with `rows` `[K, W]`."""
    longer = np.empty((2 * len(rows), rows.shape[1]), np.int64)
    longer[: len(rows)] = rows
    return longer


@njit(cache=True)
def _may(state, p, color):  # type: ignore[no-untyped-def]
    """Says whether a colour may play an empty point: no ko, no suicide."""
    return p != state[KO] and breathes(state, p, color)


@njit(cache=True)
def _fate(state, stone):  # type: ignore[no-untyped-def]
    """Returns 1 if a chain that has just moved is caught at once, -1 if it is free, 0 if the chase goes on."""
    found = np.empty(3, np.int64)
    return (0, 1, 0, -1)[list_liberties(state, stone, found)]


@njit(cache=True)
def _room(state, p):  # type: ignore[no-untyped-def]
    """Counts the empty points around a point."""
    room = 0
    for i in range(4):
        room += state[at(neighbour(state, p, i) + COLOR)] == EMPTY
    return room


@njit(cache=True)
def _options(state, stone, depth, moves):  # type: ignore[no-untyped-def]
    """Lists the moves of who is next and returns how many: the owner's at even depths, the hunter's at odd ones.

    The last is tried first: for the hunter that where the chain would have more room, or its own stone more liberties.
    """
    if depth % 2 == 0:
        return _ways_out(state, stone, moves)
    count, hunter = list_liberties(state, stone, moves[:2]), BORDER - state[at(stone + COLOR)]
    ahead = _room(state, moves[0]) - _room(state, moves[1])
    if ahead == 0:
        ahead = liberties_after(state, moves[0], hunter) - liberties_after(state, moves[1], hunter)
    if ahead > 0:
        moves[0], moves[1] = moves[1], moves[0]
    return count


@njit(cache=True)
def _caught(state, stone, only):  # type: ignore[no-untyped-def]
    """Says whether a chain in atari, its owner to move, is caught by whatever way out it takes, or by `only` that one.

    At even depths the owner looks for one way out, at odd ones the hunter for one way to catch.
    """
    words, owner, budget = state[BOARDS], state[at(stone + COLOR)], MOST_MOVES
    boards, moves, left = np.empty((8, words), np.int64), np.empty((8, WAYS), np.int64), np.zeros(8, np.int64)
    boards[0], depth = state[:words], 0
    left[0] = _options(boards[0], stone, 0, moves[0])
    if only:
        moves[0, 0], left[0] = only, 1
    while True:
        if left[depth] == 0:  # all the owner's moves fail, or all the hunter's
            fate = 1 if depth % 2 == 0 else -1
            depth -= 1
        else:
            left[depth] -= 1
            p, color = moves[depth, left[depth]], owner if depth % 2 == 0 else BORDER - owner
            if not _may(boards[depth], p, color):
                continue
            if depth + 1 == len(boards):
                boards, moves, left = _twice(boards), _twice(moves), np.concatenate((left, left))
            after, budget = boards[depth + 1], budget - 1
            after[:] = boards[depth]
            place(after, p, color)
            fate = -1 if budget == 0 else _fate(after, stone) if depth % 2 == 0 else 0
            if fate == 0:
                depth += 1
                left[depth] = _options(after, stone, depth, moves[depth])
                continue
        while depth >= 0 and (fate == 1) == (depth % 2 == 1):
            depth -= 1
        if depth < 0 or budget == 0:
            return fate == 1


@njit(cache=True)
def chase(state, p, stone):  # type: ignore[no-untyped-def]
    """Says whether the hunter's move on p, one of a chain's two liberties, catches the chain."""
    hunter = BORDER - state[at(stone + COLOR)]
    if not _may(state, p, hunter):
        return False
    chased = state[: state[BOARDS]].copy()
    place(chased, p, hunter)
    return _caught(chased, stone, 0)


@njit(cache=True)
def ladder_capture(state, p, color):  # type: ignore[no-untyped-def]
    """Says whether the player to move, by playing p, catches an enemy chain beside it that has two liberties."""
    found = np.empty(3, np.int64)
    for i in range(4):
        q = neighbour(state, p, i)
        if state[at(q + COLOR)] != BORDER - color or met_before(state, p, i):
            continue
        if list_liberties(state, q, found) == 2 and chase(state, p, q):
            return True
    return False


@njit(cache=True)
def _saves(state, p, stone):  # type: ignore[no-untyped-def]
    """Says whether p saves the chain of a stone, if that is in atari."""
    return last_liberty(state, stone) != 0 and not _caught(state, stone, p)


@njit(cache=True)
def ladder_escape(state, p, color):  # type: ignore[no-untyped-def]
    """Says whether the player to move, by playing p, saves an own chain in atari, by its liberty or by a capture."""
    for i in range(4):
        first = neighbour(state, p, i)
        there = state[at(first + COLOR)]
        if there in (EMPTY, BORDER) or met_before(state, p, i) or last_liberty(state, first) != p:
            continue
        if there == color and _saves(state, p, first):
            return True
        q = first
        while there != color:
            for j in range(4):
                r = neighbour(state, q, j)
                if state[at(r + COLOR)] == color and _saves(state, p, r):
                    return True
            q = state[at(q + NEXT)]
            if q == first:
                break
    return False
