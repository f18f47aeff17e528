"""Which stones are dead once the players have passed, from how uniform playouts end."""

import numpy as np
from numba import njit

from palestra.envs.game import OVER, PLAYER, State
from palestra.envs.go.benson import ALIVE, pass_alive
from palestra.envs.go.board import breathes, is_eye, point_of
from palestra.envs.go.playout import playout
from palestra.envs.go.scoring import score_2
from palestra.envs.go.state import (
    ACTION,
    BLACK,
    COLOR,
    COUNT,
    EMPTIES,
    EMPTY,
    EMPTY_POINT,
    HEAD,
    HISTORY,
    KO,
    LOST_BLACK,
    PASSES,
    POINTS,
    RECORD,
    SIZE,
    STRIDE,
    WHITE,
    at,
)
from palestra.envs.rng import seed_state

PLAYOUTS = 400  # a point's share then has a standard error of 0.025 at most
DEAD = 0.5  # how often a dead chain's points end as the opponent's
_SEED = seed_state(0)


@njit(cache=True)
def ownership(state, out, rng, n):  # type: ignore[no-untyped-def]
    """Writes into `out` `[N * N] float64` the mean owner of each point at the end of n uniform playouts.

    1 is Black's, -1 White's, 0 nobody's. Black begins every other playout, with a fresh right to take any ko.
    """
    num_points = state[SIZE] * state[SIZE]
    words, stride = state[HISTORY], state[STRIDE]
    trial, trace, no_data = np.empty(words, np.int64), np.empty(3 * num_points + 1, np.int64), np.empty(0)
    out[:] = 0
    for k in range(n):
        trial[:] = state[:words]
        trial[PLAYER], trial[OVER], trial[PASSES], trial[KO] = k % 2, 0, 0, 0
        playout(trial, trace, rng, no_data)
        for action in range(num_points):
            p = point_of(trial, action)
            color = trial[at(p + COLOR)]
            if color == EMPTY:
                color = trial[at(p - RECORD + COLOR)] & trial[at(p + RECORD + COLOR)]
                color &= trial[at(p - stride + COLOR)] & trial[at(p + stride + COLOR)]
            if color == BLACK:
                out[action] += 1 / n
            elif color == WHITE:
                out[action] -= 1 / n


@njit(cache=True)
def _is_settled(state):  # type: ignore[no-untyped-def]
    """Says whether a playout would leave the board as it is: no colour has a move that fills no eye of its own."""
    for k in range(state[EMPTIES]):
        p = state[at(POINTS + RECORD * k + EMPTY_POINT)]
        for color in (BLACK, WHITE):
            if not is_eye(state, p, color) and breathes(state, p, color):
                return False
    return True


@njit(cache=True)
def find_dead(state, dead, rng, num_playouts, threshold):  # type: ignore[no-untyped-def]
    """Writes into `dead` `[N * N] bool` the stones of chains that end as the opponent's in a share of the playouts.

    Chains that Benson's theorem calls alive are never among them.
    """
    dead[:] = False
    if _is_settled(state):
        return
    num_points = state[SIZE] * state[SIZE]
    mean, alive, lost = np.empty(num_points), np.empty(num_points, np.int64), np.zeros(num_points)
    ownership(state, mean, rng, num_playouts)
    for action in range(num_points):
        p = point_of(state, action)
        if state[p + COLOR] != EMPTY:
            lost[state[state[p + HEAD] + ACTION]] += 0.5 - mean[action] * (1.5 - state[p + COLOR])
    for color in (BLACK, WHITE):
        pass_alive(state, color, alive)
        for action in range(num_points):
            p = point_of(state, action)
            if state[p + COLOR] == color and alive[action] != ALIVE:
                head = state[p + HEAD]
                dead[action] = lost[state[head + ACTION]] >= threshold * state[head + COUNT]


@njit(cache=True)
def take_off(state, dead):  # type: ignore[no-untyped-def]
    """Takes stones off as prisoners so that the board can be counted, not played on: chains stay as they were."""
    for action in range(len(dead)):
        if dead[action]:
            p = point_of(state, action)
            state[LOST_BLACK + state[p + COLOR] - BLACK] += 1
            state[p + COLOR] = EMPTY


@njit(cache=True)
def agreed_lead_2(state):  # type: ignore[no-untyped-def]
    """Returns twice Black's lead with the stones that `dead_stones` lists taken off."""
    counted, dead = state.copy(), np.empty(state[SIZE] * state[SIZE], np.bool_)
    find_dead(state, dead, _SEED.copy(), PLAYOUTS, DEAD)
    take_off(counted, dead)
    return score_2(counted)


def dead_stones(state: State, seed: int = 0, playouts: int = PLAYOUTS, threshold: float = DEAD) -> list[int]:
    """Lists the points, as actions, of chains that end as the opponent's in a share `threshold` of the playouts.

    Chains that Benson's theorem calls alive are never among them. The same seed gives the same answer.

    Raises:
        ValueError: fewer than one playout is asked for.
    """
    if playouts < 1:
        raise ValueError(f"{playouts} playouts were asked for, but at least 1 is wanted")
    dead = np.empty(int(state[SIZE]) ** 2, np.bool_)
    find_dead(state, dead, seed_state(seed), playouts, threshold)
    return [int(action) for action in np.flatnonzero(dead)]
