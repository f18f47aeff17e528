"""Compiled loops over many games of Go, `states` `[B, W]`, for `envs/go/vector.py`; they do not hold Python's lock."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from palestra.envs.go.board import is_eye, is_legal, open_point
from palestra.envs.go.env import face, illegal, may_play, open_game, turn
from palestra.envs.go.play import legal, play
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import ACTION, BLACK, EMPTIES, EMPTY_POINT, OVER, PLAYER, POINTS, RECORD, SIZE, USED
from palestra.envs.rng import randint


@njit(cache=True, nogil=True)
def draw_legal(state, rng):  # type: ignore[no-untyped-def]
    """Draws one of the legal moves of a game that is not over, a pass among them, each as likely."""
    while True:
        k = randint(rng, state[EMPTIES] + 1)
        if k == state[EMPTIES]:
            return state[SIZE] * state[SIZE]
        p = state[POINTS + RECORD * k + EMPTY_POINT]
        if open_point(state, p) or is_legal(state, p, state[PLAYER] + BLACK):
            return state[p + ACTION]


@njit(cache=True, nogil=True)
def draw_all(states, rngs, actions):  # type: ignore[no-untyped-def]
    """Draws a legal move in each game."""
    for i in range(len(states)):
        actions[i] = draw_legal(states[i], rngs[i])


@njit(cache=True, nogil=True)
def first_illegal(states, actions):  # type: ignore[no-untyped-def]
    """Returns the first row whose action is not legal, or -1."""
    for i in range(len(states)):
        if not may_play(states[i], actions[i]):
            return i
    return -1


@njit(cache=True, nogil=True)
def begin(state, start):  # type: ignore[no-untyped-def]
    """Puts a game back to its start; what lies behind the words in use need not be copied."""
    used = start[USED]
    state[:used] = start[:used]


@njit(cache=True, nogil=True)
def step_all(states, start, actions, again, data, reward, over):  # type: ignore[no-untyped-def]
    """Makes legal moves; writes Black's results and which games ended, and begins those anew if `again`."""
    rng = np.empty(0, np.uint64)
    for i in range(len(states)):
        state = states[i]
        reward[i] = play(state, actions[i], rng, data)
        over[i] = state[OVER] != 0
        if again and over[i]:
            begin(state, start)


@njit(cache=True, nogil=True)
def run_all(states, start, rngs, moves, data):  # type: ignore[no-untyped-def]
    """Draws and makes so many moves in each game, all games by turns; returns how many games ended."""
    ended = 0
    for _ in range(moves):
        for i in range(len(states)):
            state = states[i]
            play(state, draw_legal(state, rngs[i]), rngs[i], data)
            if state[OVER]:
                ended += 1
                begin(state, start)
    return ended


@njit(cache=True, nogil=True)
def legal_all(states, masks, data):  # type: ignore[no-untyped-def]
    """Writes Ω of each game into `masks` `[B, A]`."""
    for i in range(len(states)):
        legal(states[i], masks[i], data)


@njit(cache=True, nogil=True)
def sensible_all(states, masks):  # type: ignore[no-untyped-def]
    """Writes into `masks` `[B, A]` the legal moves that fill no eye of the player's own; the pass where there is none.

    None is sensible in a game that is over.
    """
    masks[:] = False
    for i in range(len(states)):
        state, any_left = states[i], False
        if state[OVER]:
            continue
        color = state[PLAYER] + BLACK
        for k in range(state[EMPTIES]):
            p = state[POINTS + RECORD * k + EMPTY_POINT]
            if (open_point(state, p) or is_legal(state, p, color)) and not is_eye(state, p, color):
                masks[i, state[p + ACTION]] = any_left = True
        masks[i, state[SIZE] * state[SIZE]] = not any_left


@njit(cache=True, nogil=True)
def observe_all(observe, states, obs, data):  # type: ignore[no-untyped-def]
    """Writes the planes of each game into `obs` `[B, C * N * N]`; `observe` as in `envs.game.Functions`."""
    for i in range(len(states)):
        observe(states[i], obs[i], data)


@njit(cache=True, nogil=True)
def turn_all(states, actions, seats, rngs, data, result):  # type: ignore[no-untyped-def]
    """Makes the agents' legal moves and the answers to them; writes the agents' results."""
    for i in range(len(states)):
        result[i] = turn(states[i], actions[i], seats[i], rngs[i], data)


@njit(cache=True, nogil=True)
def open_rows(states, rows, start, seats, rngs, data):  # type: ignore[no-untyped-def]
    """Begins the games of some rows."""
    for i in rows:
        begin(states[i], start)
        open_game(states[i], seats[i], rngs[i], data)


@njit(cache=True, nogil=True)
def face_all(states, seats):  # type: ignore[no-untyped-def]
    """Turns each position to a player; see `face`."""
    for i in range(len(states)):
        face(states[i], seats[i])


def checked_actions(rules: Rules, states: NDArray[np.int64], actions: Any) -> NDArray[np.int64]:
    """Returns the actions as `[B]` int64.

    Raises:
        ValueError: they are no integers `[B]`, or one is not legal in its game.
    """
    given = np.asarray(actions)
    if given.shape != (len(states),) or given.dtype.kind not in "iu":
        raise ValueError(f"actions must be {len(states)} integers, but are {list(given.shape)} of {given.dtype}")
    given = np.ascontiguousarray(given, np.int64)
    i = int(first_illegal(states, given))
    if i >= 0:
        raise illegal(rules, states[i], given[i], f"in game {i} ")
    return given
