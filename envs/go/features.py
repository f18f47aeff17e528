"""What networks see of a Go position: named sets of binary planes, each a compiled `observe` of `Game`.

All are seen by the player to move. In each set the planes `[C, N, N]` are, in this order:

alphago-zero (17; Silver et al., Nature 550, 2017, Methods, "Neural network architecture")
    0, 2 ... 14   own stones now, one move ago ... seven moves ago; before the first move nothing
    1, 3 ... 15   the opponent's
    16            ones if Black is to move

stones (4)
    0, 1          own stones, the opponent's
    2             empty points where the player to move may not play: ko, suicide, superko
    3             ones if Black is to move
"""

import difflib
from collections.abc import Callable
from typing import Any

from numba import njit

from palestra.envs.go.board import is_legal, point_of
from palestra.envs.go.state import (
    ACTION,
    BLACK,
    BOARDS,
    BORDER,
    COLOR,
    EMPTIES,
    EMPTY_POINT,
    NUM_BOARDS,
    PLAYER,
    PLY,
    POINTS,
    RECORD,
    SIZE,
)


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


FEATURES: dict[str, tuple[int, Callable[..., Any]]] = {  # name -> (planes, function)
    "alphago-zero": (2 * NUM_BOARDS + 1, alphago_zero),
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
