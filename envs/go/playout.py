"""Uniform playouts: both players choose among all legal moves that fill no eye of their own, until none is left.

Superko is not looked at, so that three times as many moves as points end a playout; simple ko is. The result is the
area's, all stones being alive: no point that is still empty is larger than an eye, but for seki.
"""

from numba import njit

from palestra.envs.go.board import breathes, is_eye, place
from palestra.envs.go.state import (
    ACTION,
    BLACK,
    COLOR,
    COUNT,
    EMPTIES,
    EMPTY,
    EMPTY_POINT,
    KO,
    KOMI_2,
    PASSES,
    PLAYER,
    POINTS,
    RECORD,
    SIZE,
    STRIDE,
    WHITE,
    at,
)
from palestra.envs.rng import randint


@njit(cache=True, inline="always")
def draw_point(state, color, rng):  # type: ignore[no-untyped-def]
    """Draws one of the points where a colour may play without filling an eye, each as likely; 0 if there is none.

    Points that will not do are moved behind the others in the list of empty points.
    """
    left = state[EMPTIES]
    while left > 0:
        k = randint(rng, left)
        p = state[at(POINTS + RECORD * k + EMPTY_POINT)]
        if not is_eye(state, p, color) and p != state[KO] and breathes(state, p, color):
            return p
        left -= 1
        other = state[at(POINTS + RECORD * left + EMPTY_POINT)]
        state[at(POINTS + RECORD * left + EMPTY_POINT)] = p
        state[at(p + COUNT)] = left
        state[at(POINTS + RECORD * k + EMPTY_POINT)] = other
        state[at(other + COUNT)] = k
    return 0


@njit(cache=True)
def lead_2(state):  # type: ignore[no-untyped-def]
    """Returns twice Black's lead by area where each empty point belongs to whom all its neighbours belong."""
    n, stride, lead = state[SIZE], state[STRIDE], 0
    for row in range(n):
        p = POINTS + stride * (row + 1) + RECORD
        for _ in range(n):
            color = state[at(p + COLOR)]
            if color == EMPTY:
                beside = state[at(p - RECORD + COLOR)] & state[at(p + RECORD + COLOR)]
                color = beside & state[at(p - stride + COLOR)] & state[at(p + stride + COLOR)]
            if color == BLACK:
                lead += 1
            elif color == WHITE:
                lead -= 1
            p += RECORD
    return 2 * lead - state[KOMI_2]


@njit(cache=True)
def playout(state, trace, rng, data):  # type: ignore[no-untyped-def]
    """Plays to the end in place and returns Black's result; `trace` gets the number of moves, then the moves."""
    num_points = state[SIZE] * state[SIZE]
    color, passes, moves = state[PLAYER] + BLACK, state[PASSES], 0
    longest = min(3 * num_points, len(trace) - 1)
    while passes < 2 and moves < longest:
        p = draw_point(state, color, rng)
        moves += 1
        if p:
            place(state, p, color)
            trace[at(moves)] = state[at(p + ACTION)]
            passes = 0
        else:
            state[KO] = 0
            trace[at(moves)] = num_points
            passes += 1
        color = 3 - color
    trace[0] = moves
    lead = lead_2(state)
    return 1.0 if lead > 0 else -1.0 if lead < 0 else 0.0
