"""Games of Go between two policy networks, a whole batch at once: what policy gradients learn from."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from palestra.agents.agent import Array
from palestra.envs.game import functions
from palestra.envs.go.batch import observe_all, sensible_all, step_all
from palestra.envs.go.features import feature_set
from palestra.envs.go.game import go_game
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import PLAYER, new_state

Policy = Callable[[NDArray[np.float32]], Array]
"""Maps planes `[B, C, N, N]` to logits `[B, A]`."""
NO_DATA = np.zeros(1)


class Played(NamedTuple):
    """M moves of the learner in G games: what it saw, might do and did, and what came of it."""

    obs: NDArray[np.uint8]  # [M, C, N, N], planes of zeros and ones
    mask: NDArray[np.bool_]  # [M, A], the moves that were drawn from
    action: NDArray[np.int64]  # [M]
    game: NDArray[np.int64]  # [M]
    result: NDArray[np.float64]  # [G], 1 the learner won, -1 it lost, 0 neither
    length: NDArray[np.int64]  # [G], moves of both


class Table:
    """Where games are played: the rules, and the planes that both policies see."""

    def __init__(self, rules: Rules, features: str) -> None:
        observe, self.shape = feature_set(features, rules.size)
        self._observe = functions(replace(go_game(rules), observe=observe)).observe
        self._start = new_state(rules)
        self.num_actions = rules.size**2 + 1

    def play(self, learner: Policy, opponent: Policy, num_games: int, rng: np.random.Generator) -> Played:
        """Plays games, in half of which the learner is Black; both draw their moves by their probabilities.

        Neither fills an eye of its own; a player passes when nothing else is left.
        """
        states = np.tile(self._start, (num_games, 1))
        games, black = np.arange(num_games), np.arange(num_games) < (num_games + 1) // 2
        result, length = np.zeros(num_games), np.zeros(num_games, np.int64)
        rows: list[tuple[Array, ...]] = []
        while len(games):
            obs, mask = self._look(states)
            mine = black[games] == (states[:, PLAYER] == 0)
            logits = np.empty(mask.shape)
            for who, policy in ((mine, learner), (~mine, opponent)):
                if who.any():
                    logits[who] = policy(obs[who])
            action = np.where(mask, logits + rng.gumbel(size=mask.shape), -np.inf).argmax(axis=1)
            rows.append((obs[mine].astype(np.uint8), mask[mine], action[mine], games[mine]))
            reward, over = np.empty(len(games)), np.empty(len(games), np.bool_)
            step_all(states, self._start, action, False, NO_DATA, reward, over)
            length[games] += 1
            result[games[over]] = np.where(black[games[over]], reward[over], -reward[over])
            if over.any():
                states, games = states[~over], games[~over]
        seen, masks, actions, whose = (np.concatenate(part) for part in zip(*rows, strict=True))
        return Played(seen, masks, actions, whose, result, length)

    def _look(self, states: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        obs = np.empty((len(states), *self.shape), np.float32)
        observe_all(self._observe, states, obs.reshape(len(states), -1), NO_DATA)
        mask = np.empty((len(states), self.num_actions), np.bool_)
        sensible_all(states, mask)
        return obs, mask
