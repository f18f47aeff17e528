"""Games of Go between two policy networks, a whole batch at once: what policy gradients learn from."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from palestra.agents.agent import Array
from palestra.envs.go.vector import GoBatch

Policy = Callable[[NDArray[np.float32]], Array]
"""Maps planes `[B, C, N, N]` to logits `[B, A]`."""


class Played(NamedTuple):
    """M moves of the learner in G games: what it saw, might do and did, and what came of it."""

    obs: NDArray[np.uint8]  # [M, C, N, N], planes of zeros and ones
    mask: NDArray[np.bool_]  # [M, A], the moves that were drawn from
    action: NDArray[np.int64]  # [M]
    game: NDArray[np.int64]  # [M]
    result: NDArray[np.float64]  # [G], 1 the learner won, -1 it lost, 0 neither
    length: NDArray[np.int64]  # [G], moves of both


def play_batch(batch: GoBatch, learner: Policy, opponent: Policy, rng: np.random.Generator) -> Played:
    """Plays the games of a batch to their ends; in the first half of them the learner is Black.

    Both draw their moves by their probabilities. Neither fills an eye of its own; a player passes when nothing else is
    left.
    """
    games, black = np.arange(batch.num_games), learner_is_black(batch.num_games)
    result, length = np.zeros(batch.num_games), np.zeros(batch.num_games, np.int64)
    rows: list[tuple[Array, ...]] = []
    while batch.num_games:
        obs, mask = batch.observe(), batch.sensible()
        mine = black[games] == (batch.player == 0)
        logits = np.empty(mask.shape)
        for who, policy in ((mine, learner), (~mine, opponent)):
            if who.any():
                logits[who] = policy(obs[who])
        action = np.where(mask, logits + rng.gumbel(size=mask.shape), -np.inf).argmax(axis=1)
        rows.append((obs[mine].astype(np.uint8), mask[mine], action[mine], games[mine]))
        reward, over = batch.step(action, reset=False)
        length[games] += 1
        result[games[over]] = np.where(black[games[over]], reward[over], -reward[over])
        if over.any():
            batch.keep(~over)
            games = games[~over]
    seen, masks, actions, whose = (np.concatenate(part) for part in zip(*rows, strict=True))
    return Played(seen, masks, actions, whose, result, length)


def learner_is_black(num_games: int) -> NDArray[np.bool_]:
    """Says in which games of a batch `[G]` the learner is Black."""
    return np.arange(num_games) < (num_games + 1) // 2
