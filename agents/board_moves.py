"""Moves of policies that have not learnt to pass: they fill no eye of their own and pass if nothing else is left."""

import numpy as np
from numpy.typing import NDArray

from palestra.agents.agent import Array


def choose_moves(
    logits: Array, obs: Array, mask: NDArray[np.bool_] | None, rng: np.random.Generator | None
) -> NDArray[np.int64]:
    """Chooses actions `[B]` by logits `[B, N * N + 1]`, for planes `[B, C, N, N]` whose first two are stones.

    With a generator they are drawn by their probabilities, without one they are the likeliest.
    """
    scores = logits[:, :-1].astype(np.float64)
    sensible = ((obs[:, 0] + obs[:, 1] == 0) & ~own_eyes(obs)).reshape(len(obs), -1)
    scores = np.where(sensible if mask is None else mask[:, :-1] & sensible, scores, -np.inf)
    if rng is not None:
        scores = scores + rng.gumbel(size=scores.shape)
    none = np.isneginf(scores).all(axis=1)
    chosen: NDArray[np.int64] = np.where(none, scores.shape[1], scores.argmax(axis=1))
    return chosen


def own_eyes(obs: Array) -> NDArray[np.bool_]:
    """Says which points `[B, N, N]` are eyes of the player to move, from planes whose first two are stones.

    All neighbours are the player's, and of the points diagonally beside one at most is the opponent's, at the edge
    none, as in `envs/go/board.py: is_eye`.
    """
    own, other = (np.pad(obs[:, k], ((0, 0), (1, 1), (1, 1)), constant_values=fill) for k, fill in ((0, 1), (1, 0)))
    size = obs.shape[-1]

    def beside(plane: Array, down: int, right: int) -> Array:
        return plane[:, 1 + down : 1 + down + size, 1 + right : 1 + right + size]

    edge = np.ones((size, size), np.bool_)
    edge[1:-1, 1:-1] = False
    enclosed = np.all([beside(own, *way) > 0 for way in ((0, 1), (0, -1), (1, 0), (-1, 0))], axis=0)
    lost = edge + sum(beside(other, *way) for way in ((1, 1), (1, -1), (-1, 1), (-1, -1)))
    return enclosed & (lost < 2) & (obs[:, 0] + obs[:, 1] == 0)  # type: ignore[no-any-return]
