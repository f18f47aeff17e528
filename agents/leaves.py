"""Leaves of a search on their way to a network and back, in batches of which several may be evaluated side by side."""

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from palestra.agents.root_plan import RootPlan
from palestra.agents.tree import Tree
from palestra.agents.tree_batch import Batch, checked, collect, deliver, new_batch
from palestra.agents.tree_policy import Settings
from palestra.agents.tree_search import Walk
from palestra.envs.game import Game

Floats = NDArray[np.float32]
Evaluator = Callable[[Floats, NDArray[np.int64]], tuple[Floats, Floats]]
"""`(obs [B, *obs_shape], states [B, W]) -> (logits [B, A], values [B])` of the player to move, in [-1, 1]."""
Steps = Generator[tuple[Floats, NDArray[np.int64]], tuple[Any, Any], int]
"""Yields what an evaluator takes, is sent what it returns, and returns the number of simulations."""


class Growth(NamedTuple):
    """A tree that grows, and how."""

    tree: Tree
    walk: Walk
    settings: Settings
    world: Any  # sealed
    plan: RootPlan

    @property
    def decided(self) -> bool:
        """Whether nothing is left to find out."""
        return bool(self.settings.solver and self.tree.proven[0])


def elsewhere(obs: Floats, states: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Stands for a network that is asked by whoever drives `Search.steps`."""
    raise ValueError("this search has no network of its own: drive its steps")


class Leaves:
    """Batches of leaves of one search.

    With one thread a batch is collected, evaluated and delivered before the next. With several, that many are evaluated
    at once, by an evaluator that must bear it, and one more is collected meanwhile; they are delivered in the order in
    which they were collected, so that a seed gives the same search.
    """

    def __init__(self, game: Game, evaluator: Evaluator, size: int, threads: int) -> None:
        self._shape, self._evaluator, self._size = game.obs_shape, evaluator, size
        sizes = (size, len(game.start), game.num_actions, game.max_plies, int(np.prod(game.obs_shape)))
        self._free = [new_batch(*sizes) for _ in range(threads + (threads > 1))]
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._waiting: deque[tuple[Batch, int, Future[tuple[Any, Any]]]] = deque()

    def run(self, growth: Growth, number: int, planned: int) -> int:
        """Runs simulations and returns how many; `planned` says how many Gumbel's rule shares out.

        Raises:
            ValueError: the evaluator returned what cannot be used; its own errors are passed on. The tree is lost, as
                leaves of it would wait for ever.
        """
        if self._pool is not None:
            try:
                return self._side_by_side(growth, number, self._pool)
            except BaseException:
                self._clear()
                raise
        steps = self.steps(growth, number, planned)
        try:
            request = next(steps)
            while True:
                request = steps.send(self._evaluator(*request))
        except StopIteration as end:
            return int(end.value)

    def steps(self, growth: Growth, number: int, planned: int) -> Steps:
        """Runs simulations by turns with whoever evaluates their leaves."""
        batch, done = self._free[0], 0
        while done < number and not growth.decided:
            rows, ran = self._collect(growth, batch, min(self._size, number - done), planned - done)
            done += ran
            if rows:
                logits, values = yield self._seen(batch, rows)
                _deliver(growth, batch, rows, logits, values)
        growth.plan.prepare(growth.tree, 1)
        return done

    def _side_by_side(self, growth: Growth, number: int, pool: ThreadPoolExecutor) -> int:
        done = 0
        while True:
            if self._free and done < number and not growth.decided:
                wanted = min(self._size, number - done)
                rows, ran = self._collect(growth, self._free[-1], wanted, number - done)
                done += ran
                if rows:
                    batch = self._free.pop()
                    self._waiting.append((batch, rows, pool.submit(self._evaluator, *self._seen(batch, rows))))
                if ran == wanted:
                    continue
            if not self._waiting:
                break
            batch, rows, answer = self._waiting.popleft()
            self._free.append(batch)
            _deliver(growth, batch, rows, *answer.result())
        growth.plan.prepare(growth.tree, 1)
        return done

    def _collect(self, growth: Growth, batch: Batch, wanted: int, left: int) -> tuple[int, int]:
        """Collects leaves; returns how many, and how many simulations were run, ends of the game among them."""
        tree, walk, settings, world, plan = growth
        forced = plan.take(tree, wanted, left)
        rows, ran = collect(tree, walk, settings, world, batch, forced)
        plan.untake(len(forced) - ran)
        return int(rows), int(ran)

    def _seen(self, batch: Batch, rows: int) -> tuple[Floats, NDArray[np.int64]]:
        return batch.obs[:rows].reshape(rows, *self._shape), batch.state[:rows]

    def _clear(self) -> None:
        """Forgets all batches; those under way are waited for, as their memory is used again."""
        while self._waiting:
            batch, _, answer = self._waiting.popleft()
            self._free.append(batch)
            with suppress(Exception):  # the first error is on its way already
                answer.result()


def _deliver(growth: Growth, batch: Batch, rows: int, logits: Any, values: Any) -> None:
    """Adds what the network says of leaves to the tree."""
    policy, values = checked(logits, values, batch.mask[:rows])
    deliver(growth.tree, growth.walk, growth.settings, batch, policy, values)
