"""How a game of Go ends: who will have each point, which stones are dead, and the score."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from palestra.cli.counting import lead_without, owners_without
from palestra.cli.gtp.table import Table, neighbours
from palestra.envs.game import State
from palestra.envs.go.dead import dead_stones, ownership
from palestra.envs.go.state import BLACK, EMPTY, KOMI_2, SIZE, WHITE
from palestra.envs.rng import seed_state

PLAYOUTS = 200  # their share of a point has a standard error of 0.035 at most
STATUSES = ("alive", "dead", "seki", "black_territory", "white_territory")


class Prediction(NamedTuple):
    """What playouts say of the end."""

    lead: float
    """Mean lead of a player in points by area, komi counted."""
    deviation: float
    """Its standard deviation between playouts, from those of pairs begun by Black and by White."""
    ownership: NDArray[np.float64]
    """`[N, N]`, from -1, the opponent's, to 1, the player's."""


def predict(state: State, color: int, playouts: int = PLAYOUTS) -> Prediction:
    """Returns what uniform playouts, half of them begun by each player, say for a colour; the same each time."""
    size, pairs = int(state[SIZE]), playouts // 2
    owner, rng = np.empty((pairs, size * size)), seed_state(size)
    for pair in range(pairs):
        ownership(state, owner[pair], rng, 2)
    side, leads = 1 if color == BLACK else -1, owner.sum(1) - state[KOMI_2] / 2
    mean = owner.mean(0).reshape(size, size)
    return Prediction(side * float(leads.mean()), math.sqrt(2) * float(leads.std()), side * mean)


def final_lead(table: Table) -> float:
    """Returns Black's lead at the end, dead stones taken off if the rules have it so."""
    return lead_without(table.state, dead_stones(table.state) if table.rules.agreement else ())


def status_list(table: Table, status: str) -> str:
    """Returns the stones of a status, a line a chain; or the points of a colour's territory.

    In seki are live chains that border, together with those they share territory with, on none of their own.

    Raises:
        KeyError: there is no such status.
    """
    if status not in STATUSES:
        raise KeyError(status)
    dead = set(dead_stones(table.state))
    owner, board = owners_without(table.state, dead), table.position.board.ravel()
    if status.endswith("territory"):
        color = BLACK if status.startswith("black") else WHITE
        return table.names(a for a in np.flatnonzero(owner == color).tolist() if board[a] == EMPTY or a in dead)
    lists: dict[str, list[str]] = {"alive": [], "dead": [], "seki": []}
    for color, stones in table.chains():
        own = any(owner[a] == color != board[a] for a in _beside(table, stones))
        which = "dead" if stones[0] in dead else "alive" if own else "seki"
        lists[which].append(table.names(stones))
    return "\n".join(lists[status])


def _beside(table: Table, stones: list[int]) -> set[int]:
    return {near for stone in stones for near in neighbours(table.size, stone)}
