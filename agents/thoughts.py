"""What a player thinks of the position in which it has just chosen a move, for those who watch."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from palestra.agents.root import Child
from palestra.envs.game import State


class Thoughts(NamedTuple):
    """What a player thinks, as far as it says so."""

    policy: NDArray[np.float64] | None = None  # [A], how likely it holds each move, of a search the shares of visits
    value: float | None = None  # what it expects to get, in [-1, 1]


def thoughts_of(player: Any, state: State) -> Thoughts:
    """Returns what a player thinks of the state in which it has chosen; nothing of those that say nothing."""
    said: Thoughts = player.thoughts(state) if hasattr(player, "thoughts") else Thoughts()
    return said


def from_children(children: list[Child], num_actions: int) -> Thoughts:
    """Returns what a search thinks: the shares of its visits, and what it expects of its best move."""
    if not children:
        return Thoughts()
    visits = np.zeros(num_actions)
    for child in children:
        visits[child.action] = child.visits
    return Thoughts(visits / max(visits.sum(), 1.0), children[0].value)


def from_logits(logits: NDArray[Any], mask: NDArray[np.bool_], value: float | None = None) -> Thoughts:
    """Returns what a network thinks: the probabilities of its logits `[A]` over the moves of `mask` `[A]`."""
    scores = np.where(mask, logits.astype(np.float64), -np.inf)
    weight = np.exp(scores - scores.max())
    return Thoughts(weight / weight.sum(), value)
