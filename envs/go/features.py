"""What networks see of a Go position: named sets of binary planes, each a compiled `observe` of `Game`.

All are seen by the player to move. In each set the planes `[C, N, N]` are, in this order:

alphago-zero (17; Silver et al., Nature 550, 2017, Methods, "Neural network architecture")
    0, 2 ... 14   own stones now, one move ago ... seven moves ago; before the first move nothing
    1, 3 ... 15   the opponent's
    16            ones if Black is to move

alphago (48; Silver et al., Nature 529, 2016, Extended Data Table 2)
    0, 1, 2       own stones, the opponent's, empty points
    3             ones
    4 ... 11      stones placed 1, 2 ... 7, 8 or more moves ago
    12 ... 19     stones of chains with 1, 2 ... 7, 8 or more liberties
    20 ... 27     moves that take 1, 2 ... 7, 8 or more stones
    28 ... 35     moves that leave an own chain of 1, 2 ... 7, 8 or more stones with one liberty, or with none (suicide)
    36 ... 43     moves after which the own chain has 1, 2 ... 7, 8 or more liberties
    44, 45        moves that catch in a ladder, moves that escape from one (`envs/go/ladders.py` says what that is)
    46            sensible moves: those that fill no eye of one's own
    47            zeros
    The planes from 20 on hold legal moves only. The paper does not say what of a count of zero; here no plane holds it.

alphago-value (49; the input of the value network there)
    0 ... 47      those of alphago
    48            ones if Black is to move

stones (4)
    0, 1          own stones, the opponent's
    2             empty points where the player to move may not play: ko, suicide, superko
    3             ones if Black is to move
"""

import difflib
from collections.abc import Callable
from typing import Any

from numba import njit

from palestra.envs.go.board import is_eye, is_legal, point_of
from palestra.envs.go.ladders import ladder_capture, ladder_escape
from palestra.envs.go.liberties import captures, liberties, liberties_after, size_after
from palestra.envs.go.state import (
    ACTION,
    BLACK,
    BOARDS,
    BORDER,
    COLOR,
    EMPTIES,
    EMPTY,
    EMPTY_POINT,
    HEAD,
    NEXT,
    NUM_BOARDS,
    PLACED,
    PLAYER,
    PLY,
    POINTS,
    RECORD,
    SIZE,
)

LEVELS = 8  # planes of a count, the last for all higher ones


@njit(cache=True)
def _unpack(state, first, obs, base):  # type: ignore[no-untyped-def]
    """Writes a board of bits, whose words begin at `first`, as the plane that begins at `base`."""
    num_points = state[SIZE] * state[SIZE]
    for begin in range(0, num_points, 64):
        word = state[first + (begin >> 6)]
        for bit in range(min(64, num_points - begin)):
            obs[base + begin + bit] = (word >> bit) & 1


@njit(cache=True)
def _fill(state, obs, plane, value):  # type: ignore[no-untyped-def]
    """Makes a whole plane zeros or ones."""
    num_points = state[SIZE] * state[SIZE]
    obs[plane * num_points : (plane + 1) * num_points] = value


@njit(cache=True)
def _stones(state, obs, own):  # type: ignore[no-untyped-def]
    """Writes the planes 0 and 1: the stones of a colour and of the other."""
    n = state[SIZE]
    for row in range(n):
        p = point_of(state, row * n)
        for action in range(row * n, (row + 1) * n):
            obs[action] = state[p + COLOR] == own
            obs[n * n + action] = state[p + COLOR] == BORDER - own
            p += RECORD


@njit(cache=True)
def alphago_zero(state, obs, data):  # type: ignore[no-untyped-def]
    """Writes the planes alphago-zero."""
    num_points = state[SIZE] * state[SIZE]
    words = (num_points + 63) >> 6
    for k in range(NUM_BOARDS):
        board = state[BOARDS] + 2 * words * ((state[PLY] - k) % NUM_BOARDS)
        _unpack(state, board + words * state[PLAYER], obs, 2 * k * num_points)
        _unpack(state, board + words * (1 - state[PLAYER]), obs, (2 * k + 1) * num_points)
    _fill(state, obs, 2 * NUM_BOARDS, 1 - state[PLAYER])
    return 0


@njit(cache=True)
def stones(state, obs, data):  # type: ignore[no-untyped-def]
    """Writes the planes stones."""
    num_points = state[SIZE] * state[SIZE]
    own = state[PLAYER] + BLACK
    _stones(state, obs, own)
    _fill(state, obs, 2, 0)
    for k in range(state[EMPTIES]):
        p = state[POINTS + RECORD * k + EMPTY_POINT]
        if not is_legal(state, p, own):
            obs[2 * num_points + state[p + ACTION]] = 1
    _fill(state, obs, 3, 1 - state[PLAYER])
    return 0


@njit(cache=True)
def _level(state, obs, plane, count, action):  # type: ignore[no-untyped-def]
    """Marks a point in one of the eight planes for 1, 2 ... 7, 8 or more; in none for 0."""
    if count > 0:
        obs[(plane + min(count, LEVELS) - 1) * state[SIZE] * state[SIZE] + action] = 1


@njit(cache=True)
def _chains(state, obs):  # type: ignore[no-untyped-def]
    """Writes the planes 4 to 19 of alphago, the ages of stones and the liberties of their chains."""
    for action in range(state[SIZE] * state[SIZE]):
        head = point_of(state, action)
        if state[head + COLOR] == EMPTY or state[head + HEAD] != head:
            continue
        count, p = liberties(state, head), head
        while True:
            _level(state, obs, 4, max(1, state[PLY] - state[p + PLACED] + 1), state[p + ACTION])
            _level(state, obs, 12, count, state[p + ACTION])
            p = state[p + NEXT]
            if p == head:
                break


@njit(cache=True)
def _moves(state, obs, own):  # type: ignore[no-untyped-def]
    """Writes the planes 2 and 20 to 46 of alphago: empty points, and what comes of playing there."""
    num_points = state[SIZE] * state[SIZE]
    for k in range(state[EMPTIES]):
        p = state[POINTS + RECORD * k + EMPTY_POINT]
        action = state[p + ACTION]
        obs[2 * num_points + action] = 1
        if not is_legal(state, p, own):
            continue
        free = liberties_after(state, p, own)
        _level(state, obs, 20, captures(state, p, own), action)
        _level(state, obs, 28, size_after(state, p, own) if free < 2 else 0, action)
        _level(state, obs, 36, free, action)
        obs[44 * num_points + action] = ladder_capture(state, p, own)
        obs[45 * num_points + action] = ladder_escape(state, p, own)
        obs[46 * num_points + action] = not is_eye(state, p, own)


@njit(cache=True)
def alphago(state, obs, data):  # type: ignore[no-untyped-def]
    """Writes the planes alphago."""
    own = state[PLAYER] + BLACK
    obs[: 48 * state[SIZE] * state[SIZE]] = 0
    _stones(state, obs, own)
    _fill(state, obs, 3, 1)
    _chains(state, obs)
    _moves(state, obs, own)
    return 0


@njit(cache=True)
def alphago_value(state, obs, data):  # type: ignore[no-untyped-def]
    """Writes the planes alphago-value."""
    alphago(state, obs, data)
    _fill(state, obs, 48, 1 - state[PLAYER])
    return 0


FEATURES: dict[str, tuple[int, Callable[..., Any]]] = {  # name -> (planes, function)
    "alphago-zero": (2 * NUM_BOARDS + 1, alphago_zero),
    "alphago": (48, alphago),
    "alphago-value": (49, alphago_value),
    "stones": (4, stones),
}


def feature_set(name: str, size: int) -> tuple[Callable[..., Any], tuple[int, int, int]]:
    """Returns the function of a set of planes, `Game.observe`, and its shape `(C, N, N)` on a board of `size`.

    Raises:
        ValueError: there is no such set; the nearest is offered.
    """
    if name not in FEATURES:
        near = difflib.get_close_matches(name, FEATURES, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(FEATURES)}"
        raise ValueError(f"there are no feature planes named {name!r}; {hint}")
    planes, function = FEATURES[name]
    return function, (planes, size, size)
