"""How a game of Go ends: who will have each point, which stones are dead, and the score."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from palestra.cli.gtp.table import Table, neighbours
from palestra.envs.game import OVER, Game, State
from palestra.envs.go.game import go_game
from palestra.envs.go.position import Position
from palestra.envs.go.scoring import owners
from palestra.envs.go.state import BLACK, EMPTY, KOMI_2, PASSES, PLAYER, SIZE, WHITE
from palestra.envs.rng import seed_state

PLAYOUTS = 200  # their share of a point has a standard error of 0.035 at most
DEAD = 0.4  # ownership, in [-1, 1], by the opponent from which a chain counts as dead
STATUSES = ("alive", "dead", "seki", "black_territory", "white_territory")


class Prediction(NamedTuple):
    """What playouts say of the end."""

    lead: float
    """Mean lead of a player in points by area, komi counted."""
    deviation: float
    """Its standard deviation between playouts."""
    ownership: NDArray[np.float64]
    """`[N, N]`, from -1, the opponent's, to 1, the player's."""


def predict(table: Table, color: int, playouts: int = PLAYOUTS) -> Prediction:
    """Returns what playouts, half of them begun by each player, say for a colour; the same each time."""
    game = go_game(table.position.rules)
    starts = []
    for player in range(2):
        state = table.state.copy()
        state[PLAYER], state[OVER], state[PASSES] = player, 0, 0
        starts.append(state)
    return predict_from(game, starts, color, playouts)


def predict_from(game: Game, starts: Sequence[State], color: int, playouts: int) -> Prediction:
    """Returns what playouts from some states, taken in turns, say for a colour; the same each time."""
    size = int(starts[0][SIZE])
    trace, owner, rng = np.zeros(1 + game.max_plies, np.int64), np.empty(size * size, np.int64), seed_state(size)
    total, leads = np.zeros(size * size), np.empty(playouts)
    for i in range(playouts):
        state = starts[i % len(starts)].copy()
        game.playout(state, trace, rng, game.data)
        owners(state, owner)
        sign = (owner == BLACK).astype(float) - (owner == WHITE)
        total += sign
        leads[i] = sign.sum() - state[KOMI_2] / 2
    side = 1 if color == BLACK else -1
    return Prediction(side * float(leads.mean()), float(leads.std()), side * (total / playouts).reshape(size, size))


def dead_points(table: Table) -> set[int]:
    """Returns the stones of chains that belong to the opponent at the end of most playouts."""
    if not table.position.board.any():
        return set()
    ownership = predict(table, BLACK).ownership.ravel()
    dead: set[int] = set()
    for color, stones in table.chains():
        theirs = ownership[stones].mean() * (-1 if color == BLACK else 1)
        if theirs > DEAD:
            dead.update(stones)
    return dead


def cleared(table: Table, dead: set[int]) -> Position:
    """Returns the position without dead stones."""
    position = Position(table.position.rules)
    alive = [[a for a in table.stones(color) if a not in dead] for color in (BLACK, WHITE)]
    position.setup(alive[0], alive[1])
    return position


def final_lead(table: Table) -> float:
    """Returns Black's lead at the end, dead stones taken off if the rules have it so; prisoners count by territory."""
    dead = dead_points(table) if table.dead_removed else set[int]()
    lead = cleared(table, dead).score()
    if table.rules.scoring == "area":
        return lead
    black, white = table.position.captured
    board = table.position.board.ravel()
    lost = sum(int(board[a] == BLACK) for a in dead)
    return lead + black - white + len(dead) - 2 * lost


def score_text(lead: float) -> str:
    """Writes Black's lead as GTP does."""
    return "0" if lead == 0 else f"{'B' if lead > 0 else 'W'}+{abs(lead):g}"


def status_list(table: Table, status: str) -> str:
    """Returns the stones of a status, a line a chain; or the points of a colour's territory.

    In seki are live chains that border, together with those they share territory with, on none of their own.

    Raises:
        KeyError: there is no such status.
    """
    if status not in STATUSES:
        raise KeyError(status)
    dead = dead_points(table)
    owner = cleared(table, dead).owners().ravel()
    if status.endswith("territory"):
        color = BLACK if status.startswith("black") else WHITE
        board = table.position.board.ravel()
        return table.names(a for a in np.flatnonzero(owner == color).tolist() if board[a] == EMPTY or a in dead)
    lists: dict[str, list[str]] = {"alive": [], "dead": [], "seki": []}
    for color, stones in table.chains():
        own = any(owner[a] == color and (table.position.board.flat[a] != color) for a in _beside(table, stones))
        which = "dead" if stones[0] in dead else "alive" if own else "seki"
        lists[which].append(table.names(stones))
    return "\n".join(lists[status])


def _beside(table: Table, stones: list[int]) -> set[int]:
    return {near for stone in stones for near in neighbours(table.size, stone)}
