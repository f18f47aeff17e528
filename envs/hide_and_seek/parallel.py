"""Hide-and-seek as a PettingZoo `ParallelEnv`; it plays what `HideAndSeekBatch` plays."""

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pettingzoo import ParallelEnv

from palestra.envs.hide_and_seek.batch import HideAndSeekBatch
from palestra.envs.hide_and_seek.rendering import SIDE, picture
from palestra.envs.hide_and_seek.scenario import Scenario
from palestra.envs.hide_and_seek.statistics import statistics_of

RENDER_MODES = ("rgb_array",)
Observation = dict[str, NDArray[Any]]


class HideAndSeekEnv(ParallelEnv):  # type: ignore[misc]
    """A world whose agents are hider_0, hider_1, …, seeker_0, ….

    An observation is a dictionary of float32 and of masks, int8: "me" `[12]`, "others" `[A - 1, 9]`, "things"
    `[K, 12]`, boxes before ramps, "ranges" `[R]`; "seen" `[A - 1 + K]` says which of the others and of the things the
    agent sees, "there" `[K]` which things there are. The columns are named in `observe.py`. Actions are integers: force
    along x and y and torque, from full backward over none to full forward, hold, lock. All agents are terminated when
    the time is up; `infos[agent]["statistics"]` then says what happened.

    Raises:
        ValueError: there is no such scenario or render mode, or not room for all that it holds.
    """

    metadata = {  # noqa: RUF012  (PettingZoo's name)
        "name": "hide_and_seek_v0",
        "render_modes": list(RENDER_MODES),
        "render_fps": 13,
    }

    def __init__(
        self, scenario: str | Scenario = "quadrant", *, render_mode: str | None = None, side: int = SIDE
    ) -> None:
        if render_mode not in (None, *RENDER_MODES):
            raise ValueError(f"render_mode is {render_mode!r}, but rgb_array or None is wanted")
        self.batch, self.render_mode, self.side = HideAndSeekBatch(scenario, 1), render_mode, side
        self.scenario = self.batch.scenario
        self.possible_agents = [f"hider_{i}" for i in range(self.scenario.hiders)]
        self.possible_agents += [f"seeker_{i}" for i in range(self.scenario.seekers)]
        self.agents: list[str] = []
        values, masks = self.batch.sight[:4], (self.batch.sight.seen, self.batch.there)
        boxes: dict[str, Any] = dict(
            zip(("me", "others", "things", "ranges"), (_values(array[0, 0].shape) for array in values), strict=True)
        )
        boxes |= {"seen": _mask(masks[0][0, 0].shape), "there": _mask(masks[1][0].shape)}
        self._observations, self._actions = (
            spaces.Dict(boxes),
            spaces.MultiDiscrete([self.scenario.buckets] * 3 + [2, 2]),
        )
        self.state_space = _values(self.state().shape)

    def observation_space(self, agent: str) -> spaces.Dict:
        """Returns the space of an agent's observations, the same for all."""
        return self._observations

    def action_space(self, agent: str) -> spaces.MultiDiscrete:
        """Returns the space of an agent's actions, the same for all."""
        return self._actions

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        """Begins an episode; with a seed the one that belongs to it, otherwise the next."""
        self.agents = list(self.possible_agents)
        self.batch.reset(seed)
        return self._seen(), {agent: {} for agent in self.agents}

    def step(
        self, actions: dict[str, NDArray[np.int64]]
    ) -> tuple[dict[str, Observation], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Moves all agents at once.

        Raises:
            ValueError: an agent's action is missing or out of range; nothing has moved.
        """
        missing = [agent for agent in self.agents if agent not in actions]
        if missing or not self.agents:
            raise ValueError(
                f"the action of {missing[0]} is missing" if missing else "reset must be called before step"
            )
        _, rewards, ends = self.batch.step(np.array([[actions[agent] for agent in self.agents]]), reset=False)
        over, agents = bool(ends[0]), self.agents
        infos: dict[str, dict[str, Any]] = {agent: {} for agent in agents}
        if over:
            infos = {agent: {"statistics": statistics_of(self.batch.ended, self.batch.rules)[0]} for agent in agents}
        seen = self._seen()
        self.agents = [] if over else agents
        return (
            seen, dict(zip(agents, rewards[0].tolist(), strict=True)), dict.fromkeys(agents, over),
            dict.fromkeys(agents, False), infos,
        )  # fmt: skip

    def state(self) -> NDArray[np.float32]:
        """Returns all that there is, whoever sees it: the agents, then the things as the first agent has them."""
        sight = self.batch.sight
        return np.concatenate([sight.me[0].ravel(), sight.things[0, 0].ravel(), self.batch.there[0].astype(np.float32)])

    def render(self) -> NDArray[np.uint8] | None:
        """Returns a picture `[side, side, 3]` from above."""
        if self.render_mode is None:
            return None
        return picture(
            self.batch.bodies[0], self.scenario.floor, cone=float(self.batch.rules["cone"][0]), size=self.side
        )

    def close(self) -> None:
        """Has nothing to close."""

    def _seen(self) -> dict[str, Observation]:
        sight, there = self.batch.sight, self.batch.there[0].astype(np.int8)
        return {
            agent: {
                "me": sight.me[0, i].copy(), "others": sight.others[0, i].copy(), "things": sight.things[0, i].copy(),
                "ranges": sight.ranges[0, i].copy(), "seen": sight.seen[0, i].astype(np.int8), "there": there,
            }
            for i, agent in enumerate(self.agents)
        }  # fmt: skip


def _values(shape: tuple[int, ...]) -> spaces.Box:
    return spaces.Box(-np.inf, np.inf, shape, np.float32)


def _mask(shape: tuple[int, ...]) -> spaces.Box:
    return spaces.Box(0, 1, shape, np.int8)
