"""Games of Go between policy networks, a whole batch at once: what policy gradients and value networks learn from."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from palestra.agents.agent import Array
from palestra.envs.go.vector import GoBatch

Policy = Callable[[NDArray[np.float32]], Array]
"""Maps planes `[B, C, N, N]` to logits `[B, A]`."""


class Ply(NamedTuple):
    """A move in each of the B games that go on; the batch has made it, and still has the games that it ended."""

    game: NDArray[np.int64]  # [B], their numbers
    mine: NDArray[np.bool_]  # [B], whether the first policy made it
    obs: NDArray[np.float32]  # [B, C, N, N]
    mask: NDArray[np.bool_]  # [B, A], the moves that were drawn from
    action: NDArray[np.int64]  # [B]
    reward: NDArray[np.float64]  # [B], Black's
    over: NDArray[np.bool_]  # [B]


class Played(NamedTuple):
    """M moves of the learner in G games: what it saw, might do and did, and what came of it."""

    obs: NDArray[np.uint8]  # [M, C, N, N], planes of zeros and ones
    mask: NDArray[np.bool_]  # [M, A], the moves that were drawn from
    action: NDArray[np.int64]  # [M]
    game: NDArray[np.int64]  # [M]
    result: NDArray[np.float64]  # [G], 1 the learner won, -1 it lost, 0 neither
    length: NDArray[np.int64]  # [G], moves of both


def plies(batch: GoBatch, first: Policy, second: Policy, rng: np.random.Generator) -> Iterator[Ply]:
    """Plays the games of a batch to their ends, and yields move by move; `first` is Black in the first half of them.

    Both draw their moves by their probabilities. Neither fills an eye of its own; a player passes when nothing else is
    left.
    """
    games, black = np.arange(batch.num_games), learner_is_black(batch.num_games)
    while batch.num_games:
        obs, mask = batch.observe(), batch.sensible()
        mine = black[games] == (batch.player == 0)
        logits = _logits(obs, mine, first, second)
        action = np.where(mask, logits + rng.gumbel(size=mask.shape), -np.inf).argmax(axis=1)
        reward, over = batch.step(action, reset=False)
        yield Ply(games, mine, obs, mask, action, reward, over)
        if over.any():
            batch.keep(~over)
            games = games[~over]


def play_batch(batch: GoBatch, learner: Policy, opponent: Policy, rng: np.random.Generator) -> Played:
    """Plays the games of a batch as `plies` does, and returns what the learner did in them."""
    result, length = np.zeros(batch.num_games), np.zeros(batch.num_games, np.int64)
    black = learner_is_black(batch.num_games)
    rows: list[tuple[Array, ...]] = []
    for game, mine, obs, mask, action, reward, over in plies(batch, learner, opponent, rng):
        rows.append((obs[mine].astype(np.uint8), mask[mine], action[mine], game[mine]))
        length[game] += 1
        ended = game[over]
        result[ended] = np.where(black[ended], reward[over], -reward[over])
    seen, masks, actions, whose = (np.concatenate(part) for part in zip(*rows, strict=True))
    return Played(seen, masks, actions, whose, result, length)


def play_out(batch: GoBatch, policy: Policy, rng: np.random.Generator) -> list[tuple[list[int], Array]]:
    """Plays the games of a batch by one policy for both sides; returns the moves of each game and its last state."""
    games = [(list[int](), batch.states[i]) for i in range(batch.num_games)]
    for ply in plies(batch, policy, policy, rng):
        for row, (game, action) in enumerate(zip(ply.game.tolist(), ply.action.tolist(), strict=True)):
            games[game][0].append(action)
            if ply.over[row]:
                games[game] = games[game][0], batch.states[row].copy()
    return games


def learner_is_black(num_games: int) -> NDArray[np.bool_]:
    """Says in which games of a batch `[G]` the learner is Black."""
    return np.arange(num_games) < (num_games + 1) // 2


def _logits(obs: NDArray[np.float32], mine: NDArray[np.bool_], first: Policy, second: Policy) -> Array:
    if first is second or mine.all():
        return first(obs)
    if not mine.any():
        return second(obs)
    mine_logits, others = first(obs[mine]), second(obs[~mine])
    logits = np.empty((len(obs), mine_logits.shape[1]))
    logits[mine], logits[~mine] = mine_logits, others
    return logits
