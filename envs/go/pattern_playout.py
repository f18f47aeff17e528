"""Playouts that answer the last move: capture, rescue, 3x3 patterns, and else a random move that is no self-atari.

The order is MoGo's (`patterns.py`). Simple ko holds, superko is not looked at.
"""

from numba import njit

from palestra.envs.go.board import breathes, neighbour, place
from palestra.envs.go.patterns import matches
from palestra.envs.go.playout import draw_point, lead_2
from palestra.envs.go.state import (
    ACTION,
    BLACK,
    COLOR,
    EMPTY,
    KO,
    LAST,
    LAST_BUT_ONE,
    PASSES,
    PLAYER,
    RECORD,
    SIZE,
    STRIDE,
    at,
)
from palestra.envs.go.tactics import atari_point, is_self_atari, rescue
from palestra.envs.rng import randint, uniform

CAPTURES = 0.9  # how often chains with one liberty beside the last move are looked at
SHAPES = 0.95  # how often patterns are
AVOIDS = 0.5  # how often a self-atari drawn at random is passed over, once


@njit(cache=True)
def atari_move(state, last, color, rng):  # type: ignore[no-untyped-def]
    """Draws a move that takes the chain just played or saves one beside it; 0 if there is none."""
    chosen, seen = 0, 0
    if state[at(last + COLOR)] == 3 - color:
        p = atari_point(state, last)
        if p != 0 and p != state[KO] and breathes(state, p, color):
            chosen, seen = p, 1
    for i in range(4):
        q = neighbour(state, last, i)
        if state[at(q + COLOR)] == color and atari_point(state, q) != 0:
            p = rescue(state, q, color)
            if p != 0 and p != state[KO]:
                seen += 1
                if randint(rng, seen) == 0:
                    chosen = p
    return chosen


@njit(cache=True)
def _offset(stride, i):  # type: ignore[no-untyped-def]
    """Returns the way to the i-th of the eight points around one."""
    i = i if i < 4 else i + 1
    return (i // 3 - 1) * stride + (i % 3 - 1) * RECORD


@njit(cache=True)
def pattern_move(state, last, color, rng):  # type: ignore[no-untyped-def]
    """Returns a move around the last one that has a shape, drawn among those there are; 0 if none."""
    stride, start = state[STRIDE], randint(rng, 8)
    for k in range(8):
        p = last + _offset(stride, (start + k) & 7)
        if state[at(p + COLOR)] != EMPTY or p == state[KO] or not matches(state, p, color):
            continue
        if breathes(state, p, color) and not is_self_atari(state, p, color):
            return p
    return 0


@njit(cache=True)
def guided_point(state, last, last_but_one, color, rng):  # type: ignore[no-untyped-def]
    """Draws the next move of a playout; 0 is a pass."""
    if last != 0:
        if uniform(rng) < CAPTURES:
            p = atari_move(state, last, color, rng)
            if p != 0:
                return p
        if uniform(rng) < SHAPES:
            p = pattern_move(state, last, color, rng)
            if p != 0:
                return p
            if last_but_one != 0:
                p = pattern_move(state, last_but_one, color, rng)
                if p != 0:
                    return p
    p = draw_point(state, color, rng)
    if p != 0 and is_self_atari(state, p, color) and uniform(rng) < AVOIDS:
        p = draw_point(state, color, rng)
    return p


@njit(cache=True)
def pattern_playout(state, trace, rng, data):  # type: ignore[no-untyped-def]
    """Plays to the end in place and returns Black's result; `trace` gets the number of moves, then the moves."""
    num_points = state[SIZE] * state[SIZE]
    color, passes, moves = state[PLAYER] + BLACK, state[PASSES], 0
    last, last_but_one = state[LAST], state[LAST_BUT_ONE]
    longest = min(3 * num_points, len(trace) - 1)
    while passes < 2 and moves < longest:
        p = guided_point(state, last, last_but_one, color, rng)
        moves += 1
        if p != 0:
            place(state, p, color)
            trace[at(moves)] = state[at(p + ACTION)]
            passes = 0
        else:
            state[KO] = 0
            trace[at(moves)] = num_points
            passes += 1
        last_but_one, last, color = last, p, 3 - color
    trace[0] = moves
    lead = lead_2(state)
    return 1.0 if lead > 0 else -1.0 if lead < 0 else 0.0
