"""Several agents that act at once, in batches: hide-and-seek by its kernels, any PettingZoo `ParallelEnv` by copies.

A batch of N worlds with A agents is a Gymnasium `VectorEnv` whose observations are dictionaries of arrays
`[N, A, ...]`, whose actions are integers `[N, A, P]` of P parts, and whose reward is that of the first team, the mean
of its agents; all rewards `[N, A]` are `info["rewards"]`. Worlds that end begin anew in the same step.
"""

import importlib
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from palestra.envs.hide_and_seek.batch import HideAndSeekBatch
from palestra.envs.hide_and_seek.parallel import HideAndSeekEnv
from palestra.envs.hide_and_seek.rendering import SIDE, picture
from palestra.envs.hide_and_seek.scenario import Scenario
from palestra.envs.hide_and_seek.statistics import statistics_of

Obs = dict[str, NDArray[Any]]  # [N, A, ...]
Step = tuple[Obs, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]


class TeamsEnv(gym.vector.VectorEnv[Obs, Any, Any]):
    """What all batches of teams have."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 13, "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012
    agents: tuple[str, ...]  # their names
    teams: NDArray[np.int64]  # [A] number of each agent's team
    team_names: tuple[str, ...]

    def _set_spaces(self, obs: dict[str, spaces.Space[Any]], parts: list[int]) -> None:
        """Sets the spaces of worlds whose agents each observe `obs` and act by numbers below `parts`."""
        count = len(self.agents)
        worlds: dict[str, spaces.Space[Any]] = {name: batch_space(space, count) for name, space in obs.items()}
        self.single_observation_space = spaces.Dict(worlds)
        self.single_action_space = spaces.MultiDiscrete(np.tile(parts, (count, 1)))
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    def _first_team(self, rewards: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns what the first team got `[N]` of the rewards of all `[N, A]`."""
        mean: NDArray[np.float64] = rewards[:, self.teams == 0].mean(axis=1)
        return mean


class HideAndSeekTeams(TeamsEnv):
    """Worlds of hide-and-seek; see `envs/hide_and_seek/parallel.py` for what is observed. The first team hides.

    Raises:
        ValueError: there is no such scenario or render mode.
    """

    def __init__(
        self,
        num_envs: int = 1,
        scenario: str | Scenario = "quadrant",
        *,
        render_mode: str | None = None,
        side: int = SIDE,
        max_episode_steps: int | None = None,  # episodes end by themselves
    ) -> None:
        one = HideAndSeekEnv(scenario, render_mode=render_mode)
        self.batch, self.num_envs, self.render_mode = HideAndSeekBatch(scenario, num_envs), num_envs, render_mode
        self.agents, self.team_names, self._side = tuple(one.possible_agents), ("hider", "seeker"), side
        self.teams = np.array([int(name.startswith("seeker")) for name in self.agents])
        self._set_spaces(dict(one.observation_space("").spaces), one.action_space("").nvec.tolist())

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Obs, dict[str, Any]]:
        """Begins an episode in all worlds; world i draws from seed + i."""
        self.batch.reset(seed)
        return self._obs(), {}

    def step(self, actions: Any) -> Step:
        """Moves all agents of all worlds; `info["statistics"]` lists what happened in the episodes that ended."""
        _, rewards, ended = self.batch.step(actions)
        info: dict[str, Any] = {"rewards": rewards.copy()}
        if ended.any():
            info["statistics"] = statistics_of(self.batch.ended[ended], self.batch.rules)
        return self._obs(), self._first_team(rewards), ended, np.zeros_like(ended), info

    def render(self) -> tuple[NDArray[np.uint8], ...] | None:
        """Returns a picture of each world."""
        if self.render_mode is None:
            return None
        floor, cone = self.batch.scenario.floor, float(self.batch.rules["cone"][0])
        worlds = zip(self.batch.bodies, self._marks(), strict=True)
        return tuple(picture(bodies, floor, cone=cone, sites=sites, size=self._side) for bodies, sites in worlds)

    def _marks(self) -> Any:
        """Returns corners of places to mark in pictures, of each world."""
        return [()] * self.num_envs

    def _obs(self) -> Obs:
        sight = self.batch.sight
        obs = {name: value.copy() for name, value in sight._asdict().items()}
        obs["seen"] = obs["seen"].view(np.int8)
        there = np.repeat(self.batch.there[:, None], len(self.agents), axis=1)
        return obs | {"there": there.view(np.int8)}


class ParallelTeams(TeamsEnv):
    """Copies of the `parallel_env` of a module, as mpe2.simple_spread_v3, a PettingZoo `ParallelEnv`.

    Agents whose names begin alike are a team, as adversary_0 and adversary_1. They observe vectors "me", filled up with
    zeros to one length, with the number of the team after them, as ones and zeros, where there are several. One that is
    no longer there observes zeros and gets nothing. After `max_episode_steps` an episode is cut off.

    Raises:
        ValueError: there is no such module, or its agents observe or do something else.
    """

    def __init__(
        self, num_envs: int = 1, module: str = "", *, render_mode: str | None = None,
        max_episode_steps: int | None = None, **options: Any,
    ) -> None:  # fmt: skip
        try:
            make = importlib.import_module(module).parallel_env
        except (ImportError, ValueError, AttributeError) as error:
            raise ValueError(
                f"module is {module!r}, but one with a parallel_env is wanted, as mpe2.simple_spread_v3: {error}"
            ) from None
        self.envs = [make(render_mode=render_mode, **options) for _ in range(num_envs)]
        self.num_envs, self.render_mode = num_envs, render_mode
        self._limit, self._steps = max_episode_steps, np.zeros(num_envs, np.int64)
        self.agents = tuple(self.envs[0].possible_agents)
        self.team_names = tuple(dict.fromkeys(name.rpartition("_")[0] for name in self.agents))
        self.teams = np.array([self.team_names.index(name.rpartition("_")[0]) for name in self.agents])
        shapes = [self.envs[0].observation_space(agent).shape for agent in self.agents]
        actions = [self.envs[0].action_space(agent) for agent in self.agents]
        counts = {int(getattr(action, "n", 0)) for action in actions}
        if any(shape is None or len(shape) != 1 for shape in shapes) or len(counts) > 1 or 0 in counts:
            raise ValueError(
                f"vectors to see and the same discrete actions for all are wanted, but the agents of {module} see"
                f" {shapes} and do {actions}"
            )
        flags = len(self.team_names) if len(self.team_names) > 1 else 0
        self._flags = np.eye(len(self.team_names), dtype=np.float32)[self.teams][:, :flags]
        self._width = max(shape[0] for shape in shapes)
        box = spaces.Box(-np.inf, np.inf, (self._width + flags,), np.float32)
        self._set_spaces({"me": box}, [counts.pop()])

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Obs, dict[str, Any]]:
        """Begins an episode in all worlds; world i draws from seed + i."""
        seen = [env.reset(seed=None if seed is None else seed + i)[0] for i, env in enumerate(self.envs)]
        self._steps[:] = 0
        return {"me": np.stack([self._vectors(obs) for obs in seen])}, {}

    def step(self, actions: Any) -> Step:
        """Moves all agents of all worlds; `info["final"]` holds what was seen last in worlds that ended."""
        me = np.zeros((self.num_envs, len(self.agents), self._width + self._flags.shape[1]), np.float32)
        rewards, last = np.zeros(me.shape[:2]), me.copy()
        terminated, truncated = np.zeros(self.num_envs, np.bool_), np.zeros(self.num_envs, np.bool_)
        self._steps += 1
        for i, env in enumerate(self.envs):
            given = {agent: int(actions[i, self.agents.index(agent), 0]) for agent in env.agents}
            obs, reward, _, cuts, _ = env.step(given)
            rewards[i] = [reward.get(agent, 0.0) for agent in self.agents]
            me[i] = last[i] = self._vectors(obs)
            if not env.agents or self._steps[i] == self._limit:
                truncated[i] = bool(env.agents) or any(cuts.values())
                terminated[i], self._steps[i] = not truncated[i], 0
                me[i] = self._vectors(env.reset()[0])
        info: dict[str, Any] = {"rewards": rewards}
        if truncated.any():
            info["final"] = {"me": last}
        return {"me": me}, self._first_team(rewards), terminated, truncated, info

    def render(self) -> tuple[Any, ...] | None:
        """Returns a picture of each world."""
        return None if self.render_mode is None else tuple(env.render() for env in self.envs)

    def close_extras(self, **kwargs: Any) -> None:
        """Closes the copies."""
        for env in self.envs:
            env.close()

    def _vectors(self, obs: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
        out = np.zeros((len(self.agents), self._width), np.float32)
        for k, agent in enumerate(self.agents):
            if agent in obs:
                out[k, : len(obs[agent])] = obs[agent]
        return np.concatenate([out, self._flags], axis=1)


class OneWorld(gym.Env[Obs, Any]):
    """One world of a batch of teams, as a Gymnasium environment whose agents act together."""

    metadata = TeamsEnv.metadata

    def __init__(self, kind: Callable[..., TeamsEnv], **options: Any) -> None:
        self.batch = kind(1, **options)
        self.render_mode = self.batch.render_mode
        self.observation_space, self.action_space = self.batch.single_observation_space, self.batch.single_action_space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Obs, dict[str, Any]]:
        """Begins an episode."""
        super().reset(seed=seed)
        obs, info = self.batch.reset(seed=seed)
        return _first(obs), info

    def step(self, action: Any) -> tuple[Obs, float, bool, bool, dict[str, Any]]:
        """Moves all agents; after the end what is seen is the next episode's beginning."""
        obs, reward, terminated, truncated, info = self.batch.step(np.asarray(action)[None])
        return _first(obs), float(reward[0]), bool(terminated[0]), bool(truncated[0]), info

    def render(self) -> Any:
        """Returns a picture."""
        pictures = self.batch.render()
        return None if pictures is None else pictures[0]

    def close(self) -> None:
        """Closes the world."""
        self.batch.close()


def _first(obs: Obs) -> Obs:
    return {name: value[0] for name, value in obs.items()}


def hide_and_seek(**options: Any) -> OneWorld:
    """Makes a world of hide-and-seek."""
    return OneWorld(HideAndSeekTeams, **options)


def parallel(**options: Any) -> OneWorld:
    """Makes a world of a PettingZoo `ParallelEnv`."""
    return OneWorld(ParallelTeams, **options)
