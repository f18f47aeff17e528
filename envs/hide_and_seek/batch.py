"""Many worlds of hide-and-seek at once: arrays for those who train, and the core that every other view steps."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from palestra.envs.hide_and_seek.contacts import Scratch, new_scratch
from palestra.envs.hide_and_seek.observe import Sight, new_sight
from palestra.envs.hide_and_seek.scenario import Scenario, scenario_named
from palestra.envs.hide_and_seek.state import ABSENT, GAME, new_bodies
from palestra.envs.hide_and_seek.step import begin_worlds, look_at_worlds, step_worlds
from palestra.envs.rng import seed_state

SHARE = 16  # worlds of a thread, at least
TRIED = 10  # worlds that must have room for what is said to fit


class HideAndSeekBatch:
    """N worlds with A agents each, stepped in compiled loops by several threads; each world for itself, so that neither
    the number of worlds nor that of threads changes what happens in one.

    World i with seed s plays what a world alone with seed s + i plays. Arrays that `reset` and `step` return are
    written anew by the next step.

    Raises:
        ValueError: there are no worlds, no such scenario, or not room for all that it holds.
    """

    def __init__(
        self, scenario: str | Scenario = "quadrant", num_worlds: int = 1, *, threads: int | None = None
    ) -> None:
        if num_worlds < 1:
            raise ValueError(f"num_worlds is {num_worlds}, but at least one world is wanted")
        self.scenario, self.num_worlds = scenario_named(scenario), num_worlds
        n, agents, things = num_worlds, self.scenario.agents, self.scenario.boxes[1] + self.scenario.ramps
        self.rules, self.bodies = self.scenario.rules(), new_bodies(n, self.scenario.bodies)
        self.games, self.ended = (np.zeros(n, GAME).view(np.recarray) for _ in range(2))
        self.sight = new_sight(n, agents, things, self.scenario.rays)
        self._rewards, self._rngs = np.zeros((n, agents)), np.zeros((n, 4), np.uint64)
        turns = 2.0 * np.pi * np.arange(self.scenario.rays) / self.scenario.rays
        self._rays = np.stack([np.cos(turns), np.sin(turns)])
        cores = threads or len(os.sched_getaffinity(0))
        shares = max(1, min(cores, n // SHARE))
        self._edges = np.linspace(0, n, shares + 1).astype(np.int64)
        self._scratch: list[Scratch] = [new_scratch(self.scenario.bodies, agents + things) for _ in range(shares)]
        self._pool = ThreadPoolExecutor(shares - 1) if shares > 1 else None

    @property
    def there(self) -> NDArray[np.bool_]:
        """Which boxes and ramps there are `[N, K]`."""
        first, last = self.scenario.agents, self.scenario.agents + self.sight.things.shape[2]
        there: NDArray[np.bool_] = self.bodies["kind"][:, first:last] != ABSENT
        return there

    def reset(self, seed: int | None = None) -> Sight:
        """Begins an episode in all worlds; world i draws from seed + i, without a seed from where it is.

        Raises:
            ValueError: the scenario holds more than there is room for.
        """
        self.begin(seed)
        if not self.has_room:
            raise ValueError(_crowded(self.scenario))
        return self.sight

    def begin(self, seed: int | None = None) -> None:
        """Begins an episode in all worlds, whether there is room or not."""
        if seed is not None or not self._rngs.any():
            self._rngs[:] = [seed_state((seed or 0) + i) for i in range(self.num_worlds)]
        self._share(self._begin)

    def look(self) -> Sight:
        """Writes anew what is seen, after somebody else has changed the worlds."""
        look_at_worlds(self.bodies, self.games, self.rules, self._rays, self.sight, 0, self.num_worlds)
        return self.sight

    @property
    def has_room(self) -> bool:
        """Whether there was room for everything when the episodes began."""
        return bool(self.games["bodies"].all())

    def step(self, actions: Any, *, reset: bool = True) -> tuple[Sight, NDArray[np.float64], NDArray[np.bool_]]:
        """Moves all worlds by a step of actions `[N, A, 5]`: force along x and y, torque, hold, lock.

        Returns what is seen, rewards `[N, A]`, and which episodes ended `[N]`: their statistics are in `ended`, and
        their worlds have begun anew, or stay as they are without `reset`.

        Raises:
            ValueError: the actions are no integers of this shape, or out of range; nothing has moved.
        """
        given = self._checked(actions)
        self._share(lambda scratch, low, high: self._step(given, reset, scratch, low, high))
        return self.sight, self._rewards, self.ended["time"] > 0

    def _checked(self, actions: Any) -> NDArray[np.int64]:
        given, shape = np.asarray(actions), (self.num_worlds, self.scenario.agents, 5)
        if given.shape != shape or given.dtype.kind not in "iub":
            raise ValueError(f"actions must be integers {list(shape)}, but are {list(given.shape)} of {given.dtype}")
        most = np.array([self.scenario.buckets] * 3 + [2, 2])
        if ((given < 0) | (given >= most)).any():
            raise ValueError(f"actions lie from 0 to {(most - 1).tolist()}, but some lie outside")
        if not self.games["episode"].all():
            raise ValueError("worlds must be reset before their first step")
        return np.ascontiguousarray(given, np.int64)

    def _share(self, work: Callable[[Scratch, int, int], None]) -> None:
        """Shares the worlds out to threads, of which this one is the first."""
        own, *others = zip(self._scratch, self._edges[:-1].tolist(), self._edges[1:].tolist(), strict=True)
        given = [] if self._pool is None else [self._pool.submit(work, *part) for part in others]
        work(*own)
        for done in given:
            done.result()

    def _begin(self, scratch: Scratch, low: int, high: int) -> None:
        begin_worlds(self.bodies, self.games, self.rules, scratch, self._rngs, self._rays, self.sight, low, high)

    def _step(self, actions: NDArray[np.int64], again: bool, scratch: Scratch, low: int, high: int) -> None:
        step_worlds(
            self.bodies, self.games, self.rules, scratch, self._rngs, self._rays, self.sight,
            actions, self._rewards, self.ended, again, low, high,
        )  # fmt: skip


def _crowded(scenario: Scenario) -> str:
    """Says that there is not room for all of a scenario, and for what there is."""
    given = f"{scenario.boxes[1]} boxes, {scenario.ramps} ramps and {scenario.agents} agents do not fit"
    for boxes in range(scenario.boxes[1] - 1, -1, -1):
        fewer = HideAndSeekBatch(replace(scenario, boxes=(boxes, boxes)), TRIED)
        fewer.begin(0)
        if fewer.has_room:
            return f"{given} on a floor of {scenario.floor:g} by {scenario.floor:g} metres; at most {boxes} boxes do"
    return f"{given} on a floor of {scenario.floor:g} by {scenario.floor:g} metres, not even without boxes"
