"""The transfer suite of Baker et al. (2020), section 6.2 and Appendix C, in the plane: what else players of
hide-and-seek may be good at.

One agent in a world of hide-and-seek, with other rooms and other rewards. It observes and acts as there, so that a
policy can be carried over. Rewards are theirs as far as they are known; where ours differ a class says so.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from numba import njit
from numpy.typing import NDArray

from palestra.envs.hide_and_seek.geometry import ray_box
from palestra.envs.hide_and_seek.hands import free, lock
from palestra.envs.hide_and_seek.rendering import SIDE
from palestra.envs.hide_and_seek.scenario import Scenario
from palestra.envs.hide_and_seek.state import ABSENT, HIDERS, INNER
from palestra.envs.teams import HideAndSeekTeams, Obs, OneWorld, Step

ALONE = Scenario(
    hiders=1, seekers=0, boxes=(1, 1), elongated=(0, 0), ramps=0, rooms="open", outer_walls=1.0, preparation=0.0
)
AT = 0.1  # metres within which something is where it should be
NEARER = 0.5  # reward of a metre that something has come nearer
SIDE_RAYS = 25  # rays that come from each side of the floor
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class TaskTeams(HideAndSeekTeams, ABC):
    """Worlds of one agent with a task; all begin and end together. `info["statistics"]` says who has `solved` it."""

    scenario: ClassVar[Scenario] = ALONE

    def __init__(
        self, num_envs: int = 1, *, render_mode: str | None = None, side: int = SIDE,
        max_episode_steps: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__(num_envs, self.scenario, render_mode=render_mode, side=side)
        self.team_names = ("agent",)
        self._rngs = [np.random.default_rng([i, 1]) for i in range(num_envs)]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Obs, dict[str, Any]]:
        """Begins an episode in all worlds; world i draws from seed + i."""
        if seed is not None:
            self._rngs = [np.random.default_rng([seed + i, 1]) for i in range(self.num_envs)]
        self.batch.reset(seed)
        self._begin()
        return self._obs(), {}

    def step(self, actions: Any) -> Step:
        """Moves all agents; `info["statistics"]` lists what came of the episodes that ended."""
        given = np.array(actions)
        self._prepare(given)
        self.batch.step(given, reset=False)
        rewards = self._rewards(np.asarray(actions))
        ended = self.batch.games["time"] >= self.scenario.horizon
        info: dict[str, Any] = {"rewards": rewards[:, None].copy()}
        if ended.any():
            info["statistics"] = [{"solved": float(solved)} for solved in self._solved(np.asarray(actions))]
            self.batch.reset()
            self._begin()
        return self._obs(), rewards, ended, np.zeros_like(ended), info

    def _begin(self) -> None:
        """Sets the task of new episodes."""

    def _prepare(self, actions: Ints) -> None:
        """Changes the worlds or the actions `[N, 1, 5]` before a step."""

    @abstractmethod
    def _rewards(self, actions: Ints) -> Floats:
        """Returns the rewards `[N]` of the step that was made."""

    @abstractmethod
    def _solved(self, actions: Ints) -> NDArray[np.bool_]:
        """Says in which worlds the task is done `[N]`, at the end of an episode."""

    def _drawn(self, draw: Callable[[np.random.Generator], Any]) -> NDArray[Any]:
        """Returns what each world draws, from its own generator."""
        return np.stack([draw(rng) for rng in self._rngs])

    def _agent(self) -> Floats:
        """Returns where the agents are `[N, 2]`."""
        return _places(self.batch.bodies, 0)

    def _box(self, which: int | Ints = 0) -> Floats:
        """Returns where a box of each world is `[N, 2]`."""
        return _places(self.batch.bodies, np.asarray(which) + 1)


class ObjectCounting(TaskTeams):
    """Six boxes leave to the left or right, out of sight, the nearest first, and the agent, who cannot move, must say
    how many went to the right: the first part of its last action. In the paper a network is taught the number; here it
    is a reward of 1 for the right one.
    """

    scenario = replace(ALONE, boxes=(6, 6), horizon=60, sight=40.0, lidar=0.5, ground=0.0, friction=0.0)
    lanes = 1.4 + 0.75 * np.arange(6)  # metres from the lower side
    speed = 1.5  # metres a second
    wait = 5  # steps between boxes

    def _begin(self) -> None:
        bodies, middle = self.batch.bodies, self.scenario.floor / 2
        self._right = self._drawn(lambda rng: rng.random(6)) < 0.5
        for name, place in (("x", middle), ("y", 0.3), ("angle", np.pi / 2), ("cos", 0.0), ("sin", 1.0)):
            bodies[name][:, 0] = place
        for name, places in (
            ("x", np.full(6, middle)),
            ("y", self.lanes),
            ("angle", np.zeros(6)),
            ("sin", np.zeros(6)),
        ):
            bodies[name][:, 1:7] = places
        bodies["cos"][:, 1:7] = 1.0
        for name in ("width", "height"):
            bodies[name][:, 1:7] = self.scenario.box / 2
        self.batch.look()

    def _prepare(self, actions: Ints) -> None:
        actions[:] = [(self.scenario.buckets - 1) // 2] * 3 + [0, 0]
        bodies, time = self.batch.bodies, self.batch.games["time"][:, None]
        end = np.where(self._right, self.scenario.floor - 0.4, 0.4)
        left = end - bodies["x"][:, 1:7]
        far = np.minimum(np.abs(left), self.speed * self.scenario.step) / self.scenario.step
        bodies["vx"][:, 1:7] = np.where(time >= self.wait * np.arange(6), np.sign(left) * far, 0.0)
        for name in ("vy", "spin"):
            bodies[name][:, 1:7] = 0.0

    def _rewards(self, actions: Ints) -> Floats:
        last = self.batch.games["time"] >= self.scenario.horizon
        return (last & self._solved(actions)).astype(np.float64)

    def _solved(self, actions: Ints) -> NDArray[np.bool_]:
        said: NDArray[np.bool_] = actions[:, 0, 0] == self._right.sum(axis=1)
        return said


class LockAndReturn(TaskTeams):
    """In six rooms, find the box, lock it, and come back to where the episode began: 5 for locking, -5 for unlocking,
    1 for each step back there, and half the metres that the agent has come nearer to its goal.
    """

    scenario = replace(ALONE, rooms="six", horizon=120)

    def _begin(self) -> None:
        self._start = self._agent().copy()
        self._locked = np.zeros(self.num_envs, np.bool_)
        self._left = self._distance(self._locked)

    def _distance(self, locked: NDArray[np.bool_]) -> Floats:
        return _far(self._agent(), np.where(locked[:, None], self._start, self._box()))

    def _rewards(self, actions: Ints) -> Floats:
        locked = self.batch.bodies["team"][:, 1] == HIDERS
        before = np.where(locked == self._locked, self._left, self._distance(locked))
        left = self._distance(locked)
        rewards = 5.0 * (locked.astype(np.float64) - self._locked) + NEARER * (before - left)
        self._locked, self._left = locked, left
        got: Floats = rewards + self._solved(actions)
        return got

    def _solved(self, actions: Ints) -> NDArray[np.bool_]:
        solved: NDArray[np.bool_] = self._locked & (_far(self._agent(), self._start) < AT)
        return solved


class SequentialLock(TaskTeams):
    """Four boxes, three of them in rooms without doors, must be locked in an order that nobody tells: a box that is not
    yet due opens at once, one that was stays locked. 5 for each, and half the metres nearer to the next.
    """

    scenario = replace(ALONE, rooms="cells", boxes=(4, 4), ramps=4, horizon=120, lock_ramps=False)

    def _begin(self) -> None:
        self._order = self._drawn(lambda rng: rng.permutation(4))
        self._done = np.zeros(self.num_envs, np.int64)
        self._left = self._distance()

    def _next(self) -> Ints:
        return np.take_along_axis(self._order, np.minimum(self._done, 3)[:, None], axis=1)[:, 0]

    def _distance(self) -> Floats:
        return np.where(self._done < 4, _far(self._agent(), self._box(self._next())), 0.0)

    def _rewards(self, actions: Ints) -> Floats:
        rewards = NEARER * (self._left - self._distance())
        due, rank = self._next(), np.argsort(self._order, axis=1)
        locked = self.batch.bodies["team"][:, 1:5] == HIDERS
        for n, k in np.argwhere(locked != (rank < self._done[:, None])):
            if locked[n, k] and k == due[n]:
                self._done[n] += 1
                rewards[n] += 5.0
            elif locked[n, k]:
                free(self.batch.bodies[n, 1 + k])
            else:
                lock(self.batch.bodies[n], 1, 1 + k, HIDERS)
        self._left = self._distance()
        self.batch.look()
        return rewards

    def _solved(self, actions: Ints) -> NDArray[np.bool_]:
        solved: NDArray[np.bool_] = self._done == 4
        return solved


class Blueprint(TaskTeams):
    """Boxes must be brought to one to four sites, which are further entities: "sites" `[1, 4, 4]` with x, y, cosine and
    sine, in halves of the floor from its middle. 3 for each step in which all sites have a box whose corners are within
    0.1 metres of the site's on average, and half the metres that sites and their nearest boxes have come closer; the
    paper takes a smooth minimum.
    """

    scenario = replace(ALONE, boxes=(8, 8), horizon=150)
    most = 4

    def __init__(self, num_envs: int = 1, **options: Any) -> None:
        super().__init__(num_envs, **options)
        things, shown = self.scenario.boxes[1], {"sites": spaces.Box(-np.inf, np.inf, (self.most, 4), np.float32)}
        one: Any = self.single_observation_space
        kinds: dict[str, spaces.Space[Any]] = {
            name: spaces.Box(box.low[0], box.high[0], dtype=box.dtype) for name, box in one.spaces.items()
        }
        for name in ("seen", "there"):
            kinds[name] = spaces.Box(0, 1, (things + self.most,), np.int8)
        parts: Any = self.single_action_space
        self._set_spaces(kinds | shown, parts.nvec[0].tolist())

    def _begin(self) -> None:
        self._count = self._drawn(lambda rng: rng.integers(1, self.most + 1))
        cells = self._drawn(lambda rng: rng.permutation(9)[: self.most])  # of three by three, so that sites are apart
        room, side = self.scenario.floor / 3, self.scenario.box * np.sqrt(2)
        at = np.stack([cells % 3, cells // 3], axis=2) * room + room / 2
        self._sites = at + (self._drawn(lambda rng: rng.random((self.most, 2))) - 0.5) * (room - side)  # [N, S, 2]
        self._angles = self._drawn(lambda rng: rng.random(self.most)) * 2 * np.pi
        self._left = self._apart()

    def _apart(self) -> Floats:
        """Returns how far each site and its nearest box are apart, corner by corner `[N, S]`, 0 of sites not there."""
        boxes = self.batch.bodies[:, 1 : 1 + self.scenario.boxes[1]]
        own = _corners(self._sites[..., 0], self._sites[..., 1], self._angles, self.scenario.box / 2)
        theirs = _corners(boxes["x"], boxes["y"], boxes["angle"], self.scenario.box / 2)
        far = np.stack(
            [_far(own[:, :, None], np.roll(theirs, turn, axis=2)[:, None]).mean(axis=3) for turn in range(4)]
        )
        nearest: Floats = far.min(axis=(0, 3))
        return np.where(self._there(), nearest, 0.0)

    def _there(self) -> NDArray[np.bool_]:
        there: NDArray[np.bool_] = np.arange(self.most) < self._count[:, None]
        return there

    def _rewards(self, actions: Ints) -> Floats:
        before, self._left = self._left, self._apart()
        nearer: Floats = (before - self._left).sum(axis=1)
        return NEARER * nearer + 3.0 * self._solved(actions)

    def _solved(self, actions: Ints) -> NDArray[np.bool_]:
        return np.asarray((self._left < AT).all(axis=1), np.bool_)

    def _marks(self) -> Any:
        corners = _corners(self._sites[..., 0], self._sites[..., 1], self._angles, self.scenario.box / 2)
        return [own[:count] for own, count in zip(corners, self._count, strict=True)]

    def _obs(self) -> Obs:
        obs, there = super()._obs(), self._there()
        scale = 2.0 / self.scenario.floor
        turned = np.stack([np.cos(self._angles), np.sin(self._angles)], axis=2)
        sites = np.concatenate([scale * self._sites - 1.0, turned], axis=2) * there[..., None]
        for name in ("seen", "there"):
            obs[name] = np.concatenate([obs[name], there[:, None].astype(np.int8)], axis=2)
        return obs | {"sites": sites[:, None].astype(np.float32)}


class ShelterConstruction(TaskTeams):
    """Boxes must be brought around a pillar: of 25 rays that come straight in from each side of the floor, each that
    hits it costs 0.001 a step. It counts as solved if none does.
    """

    scenario = replace(ALONE, rooms="pillar", boxes=(8, 8), elongated=(3, 3), horizon=240)

    def _rewards(self, actions: Ints) -> Floats:
        return np.asarray(-0.001 * self._hits(), np.float64)

    def _solved(self, actions: Ints) -> NDArray[np.bool_]:
        solved: NDArray[np.bool_] = self._hits() == 0
        return solved

    def _hits(self) -> Ints:
        hits = np.zeros(self.num_envs, np.int64)
        rays_that_hit(self.batch.bodies, self.batch.rules, self.batch.games, hits)
        return hits


@njit(cache=True)
def rays_that_hit(worlds, rules, games, hits):  # type: ignore[no-untyped-def]
    """Writes how many rays from the sides meet a wall inside before anything else, into `hits` `[N]`."""
    floor = rules[0].floor
    for n in range(len(worlds)):
        hits[n] = 0
        for side in range(4):
            for k in range(SIDE_RAYS):
                at, far = (k + 0.5) * floor / SIDE_RAYS, floor if side % 2 else 0.0
                x, y = (at, far) if side < 2 else (far, at)
                inward = floor - 2.0 * far
                dx, dy = (0.0, inward) if side < 2 else (inward, 0.0)
                nearest, kind = np.inf, ABSENT
                for j in range(rules[0].agents, games[n].bodies):
                    body = worlds[n, j]
                    if body.kind == ABSENT or (body.kind != INNER and j >= rules[0].agents + rules[0].boxes):
                        continue
                    t = ray_box(x, y, dx, dy, body)
                    if t < nearest:
                        nearest, kind = t, body.kind
                hits[n] += kind == INNER


object_counting = partial(OneWorld, ObjectCounting)
lock_and_return = partial(OneWorld, LockAndReturn)
sequential_lock = partial(OneWorld, SequentialLock)
blueprint = partial(OneWorld, Blueprint)
shelter_construction = partial(OneWorld, ShelterConstruction)


def _places(bodies: Any, which: Any) -> Floats:
    """Returns where a body of each world is `[N, 2]`."""
    rows = np.arange(len(bodies))
    return np.stack([bodies["x"][rows, which], bodies["y"][rows, which]], axis=1).astype(np.float64)


def _far(one: Floats, other: Floats) -> Floats:
    """Returns distances between points `[..., 2]`."""
    far: Floats = np.hypot(one[..., 0] - other[..., 0], one[..., 1] - other[..., 1])
    return far


def _corners(x: Floats, y: Floats, angle: Floats, half: float) -> Floats:
    """Returns the corners of squares, in turn: `[..., 4, 2]` of centres and angles `[...]`."""
    around = angle[..., None] + np.pi / 4 + np.arange(4) * np.pi / 2
    radius = half * np.sqrt(2)
    corners: Floats = np.stack(
        [x[..., None] + radius * np.cos(around), y[..., None] + radius * np.sin(around)], axis=-1
    )
    return corners
