"""Which stones are dead once the players have passed, from how uniform playouts end."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from palestra.envs.game import OVER, PLAYER, State
from palestra.envs.go.benson import ALIVE, pass_alive
from palestra.envs.go.board import point_of
from palestra.envs.go.playout import playout
from palestra.envs.go.state import (
    ACTION,
    BLACK,
    COLOR,
    EMPTY,
    HEAD,
    HISTORY,
    KO,
    PASSES,
    RECORD,
    SIZE,
    STRIDE,
    WHITE,
    at,
)
from palestra.envs.rng import seed_state

PLAYOUTS = 400  # a point's share then has a standard error of 0.025 at most
DEAD = 0.5  # how often a dead chain's points end as the opponent's


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


def dead_stones(state: State, seed: int = 0, playouts: int = PLAYOUTS, threshold: float = DEAD) -> list[int]:
    """Lists the points, as actions, of chains that end as the opponent's in a share `threshold` of the playouts.

    Chains that Benson's theorem calls alive are never among them. The same seed gives the same answer.

    Raises:
        ValueError: fewer than one playout is asked for.
    """
    if playouts < 1:
        raise ValueError(f"{playouts} playouts were asked for, but at least 1 is wanted")
    num_points = int(state[SIZE]) ** 2
    mean, alive = np.empty(num_points), np.empty(num_points, np.int64)
    ownership(state, mean, seed_state(seed), playouts)
    dead: list[int] = []
    for color, side in ((BLACK, 1), (WHITE, -1)):
        pass_alive(state, color, alive)
        for chain in chains(state, color):
            theirs = (1 - side * mean[chain].mean()) / 2
            if theirs >= threshold and alive[chain[0]] != ALIVE:
                dead += chain.tolist()
    return sorted(dead)


def chains(state: State, color: int) -> list[NDArray[np.int64]]:
    """Lists the chains of a colour, each as the actions of its stones."""
    points = np.array([point_of(state, action) for action in range(int(state[SIZE]) ** 2)])
    stones = points[state[points + COLOR] == color]
    heads = state[stones + HEAD]
    return [state[stones[heads == head] + ACTION] for head in np.unique(heads)]
