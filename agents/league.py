"""Past policies to play against, each with a rating that the games keep up.

Ratings are Elo's (1978), moved after each game by `RATE` times the surprise, those of both players. Opponents are drawn
as in prioritised fictitious self-play (Vinyals et al., "Grandmaster level in StarCraft II using multi-agent
reinforcement learning", 2019), the likelier the more probably they win; here by their ratings, not by counts of games.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from palestra.agents.elo import expected_score
from palestra.agents.saving import generator_state, restore_generator
from palestra.networks.saving import tensors_of

RATE = 8.0  # Elo that a game won against all expectation is worth


@dataclass
class Member:
    """A past policy."""

    weights: dict[str, Tensor]
    elo: float
    joined: int  # updates that it had learnt from


class League:
    """A learner and its past policies; the first one's rating is 0 when it joins.

    Once there are `size`, one but the newest is drawn to leave for each that joins, so that old ones become rare
    slowly.
    """

    def __init__(self, size: int, seed: int) -> None:
        self.elo, self.size, self.members = 0.0, size, list[Member]()
        self.opponent = 0
        self._rng = np.random.Generator(np.random.PCG64(seed))

    def join(self, weights: dict[str, Tensor], updates: int) -> None:
        """Takes the learner in as it is, with its rating."""
        if len(self.members) >= self.size:
            self.members.pop(int(self._rng.integers(max(1, len(self.members) - 1))))
        self.members.append(Member(weights, self.elo, updates))

    def draw(self) -> Member:
        """Draws the next opponent."""
        odds = np.array([1.0 - expected_score(self.elo - member.elo) for member in self.members])
        self.opponent = int(self._rng.choice(len(odds), p=odds / odds.sum()))
        return self.members[self.opponent]

    def note(self, score: float) -> None:
        """Takes a game against the opponent into account: 1 won, 0.5 drawn, 0 lost."""
        member = self.members[self.opponent]
        change = RATE * (score - expected_score(self.elo - member.elo))
        self.elo, member.elo = self.elo + change, member.elo - change

    def state(self) -> dict[str, Any]:
        """Returns all that there is."""
        return {
            "elo": self.elo,
            "opponent": self.opponent,
            "rng": generator_state(self._rng),
            "weights": {str(k): member.weights for k, member in enumerate(self.members)},
            "elos": [member.elo for member in self.members],
            "joined": [member.joined for member in self.members],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave."""
        self.elo, self.opponent = float(state["elo"]), int(state["opponent"])
        restore_generator(self._rng, state["rng"])
        rows = zip(state["elos"], state["joined"], strict=True)
        self.members = [
            Member(tensors_of(state["weights"][str(k)]), float(elo), int(joined))
            for k, (elo, joined) in enumerate(rows)
        ]
