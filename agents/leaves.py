"""Leaves of a search on their way to a network and back, in batches of which several may be evaluated side by side."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from palestra.agents.tree import Tree
from palestra.agents.tree_batch import Batch, checked, collect, deliver, new_batch
from palestra.agents.tree_policy import Settings
from palestra.agents.tree_search import Walk, World
from palestra.envs.game import Game

Evaluator = Callable[[NDArray[np.float32], NDArray[np.int64]], tuple[NDArray[np.float32], NDArray[np.float32]]]
"""`(obs [B, *obs_shape], states [B, W]) -> (logits [B, A], values [B])` of the player to move, in [-1, 1]."""


class Leaves:
    """Batches of leaves, delivered in the order in which they were collected, so that a seed gives the same search.

    With one thread a batch is evaluated when it is delivered. With several that many are evaluated at once, by an
    evaluator that must bear it, and one more is collected meanwhile.
    """

    def __init__(self, game: Game, evaluator: Evaluator, size: int, threads: int) -> None:
        self._shape, self._evaluator, self._size = game.obs_shape, evaluator, size
        sizes = (size, len(game.start), game.num_actions, game.max_plies, int(np.prod(game.obs_shape)))
        self._free = [new_batch(*sizes) for _ in range(threads + (threads > 1))]
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._waiting: deque[tuple[Batch, int, Callable[[], Any]]] = deque()

    @property
    def room(self) -> bool:
        """Whether another batch can be collected."""
        return bool(self._free)

    @property
    def waiting(self) -> bool:
        """Whether there are leaves that wait for their values."""
        return bool(self._waiting)

    def collect(self, tree: Tree, walk: Walk, settings: Settings, world: World, forced: NDArray[np.int64]) -> int:
        """Collects a batch, sends it off, and returns the simulations that were run; see `tree_batch.collect`."""
        batch = self._free[-1]
        rows, ran = collect(tree, walk, settings, world, batch, forced)
        if rows:
            leaves = batch.obs[:rows].reshape(rows, *self._shape), batch.state[:rows]
            evaluate = partial(self._evaluator, *leaves)
            result = self._pool.submit(evaluate).result if self._pool else evaluate
            self._waiting.append((self._free.pop(), rows, result))
        return int(ran)

    def deliver(self, tree: Tree, walk: Walk, settings: Settings) -> None:
        """Waits for the batch that was sent off first, and backs its values up.

        Raises:
            ValueError: the evaluator returned what cannot be used; its own errors are passed on.
        """
        batch, rows, result = self._waiting.popleft()
        self._free.append(batch)
        logits, values = result()
        deliver(tree, walk, settings, batch, *checked(logits, values, batch.mask[:rows]))

    def clear(self) -> None:
        """Forgets all batches, whose tree is lost; those under way are waited for, as their memory is used again."""
        while self._waiting:
            batch, _, result = self._waiting.popleft()
            self._free.append(batch)
            if self._pool is not None:
                with suppress(Exception):  # the first error is on its way already
                    result()
