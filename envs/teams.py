"""Several agents that act at once, in batches: hide-and-seek by its kernels, any PettingZoo `ParallelEnv` by copies.

A batch of N worlds with A agents is a Gymnasium `VectorEnv` whose observations are dictionaries of arrays
`[N, A, ...]`, whose actions are `[N, A, ...]`, and whose reward is that of the first team, the mean of its agents; all
rewards `[N, A]` are `info["rewards"]`. Worlds that end begin anew in the same step.
"""

import importlib
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from palestra.envs.hide_and_seek.batch import HideAndSeekBatch
from palestra.envs.hide_and_seek.parallel import HideAndSeekEnv
from palestra.envs.hide_and_seek.rendering import picture
from palestra.envs.hide_and_seek.statistics import statistics_of

HIDE_AND_SEEK = "hide-and-seek"
PARALLEL = "parallel:"  # before the module that has a `parallel_env`
Obs = dict[str, NDArray[Any]]  # [N, A, ...]


def is_teams(id: str) -> bool:
    """Says whether an id names agents that act at once."""
    return id == HIDE_AND_SEEK or id.startswith(PARALLEL)


def make_teams(id: str, num_worlds: int, **options: Any) -> "TeamsEnv":
    """Makes a batch of worlds: hide-and-seek, or parallel:MODULE, as parallel:mpe2.simple_spread_v3.

    Raises:
        ValueError: there is no such module or option.
    """
    if id == HIDE_AND_SEEK:
        return HideAndSeekTeams(num_worlds, **options)
    return ParallelTeams(id.removeprefix(PARALLEL), num_worlds, **options)


class TeamsEnv(gym.vector.VectorEnv[Obs, Any, Any]):
    """What all batches of teams have."""

    agents: tuple[str, ...]
    teams: NDArray[np.int64]  # [A] number of each agent's team
    team_names: tuple[str, ...]

    def rewards_of(self, rewards: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns what the first team got `[N]` of the rewards of all `[N, A]`."""
        mean: NDArray[np.float64] = rewards[:, self.teams == 0].mean(axis=1)
        return mean


class HideAndSeekTeams(TeamsEnv):
    """Worlds of hide-and-seek; see `envs/hide_and_seek/parallel.py` for what is observed.

    Raises:
        ValueError: there is no such scenario, or not room for all that it holds.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 13, "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012

    def __init__(self, num_worlds: int, scenario: str = "quadrant", *, render_mode: str | None = None) -> None:
        one = HideAndSeekEnv(scenario, render_mode=render_mode)
        self.batch, self.num_envs, self.render_mode = HideAndSeekBatch(scenario, num_worlds), num_worlds, render_mode
        self.agents, self.team_names = tuple(one.possible_agents), ("hider", "seeker")
        self.teams = np.array([0 if name.startswith("hider") else 1 for name in self.agents])
        self.single_observation_space = one.observation_space("")
        self.single_action_space = one.action_space("")

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Obs, dict[str, Any]]:
        """Begins an episode in all worlds; world i draws from seed + i."""
        self.batch.reset(seed)
        return self._obs(), {}

    def step(self, actions: Any) -> tuple[Obs, NDArray[np.float64], Any, Any, dict[str, Any]]:
        """Moves all agents of all worlds; `info["statistics"]` says what happened in the episodes that ended."""
        _, rewards, ended = self.batch.step(actions)
        info: dict[str, Any] = {"rewards": rewards.copy()}
        if ended.any():
            info["statistics"] = statistics_of(self.batch.ended[ended], self.batch.rules)
        return self._obs(), self.rewards_of(rewards), ended, np.zeros_like(ended), info

    def render(self) -> tuple[NDArray[np.uint8], ...] | None:
        """Returns a picture of each world."""
        if self.render_mode is None:
            return None
        floor, cone = self.batch.scenario.floor, float(self.batch.rules["cone"][0])
        return tuple(picture(bodies, floor, cone=cone) for bodies in self.batch.bodies)

    def _obs(self) -> Obs:
        sight = self.batch.sight
        there = np.repeat(self.batch.there[:, None], len(self.agents), axis=1)
        return {name: value.copy() for name, value in sight._asdict().items()} | {"there": there}


class ParallelTeams(TeamsEnv):
    """Copies of a PettingZoo `ParallelEnv`; agents whose names begin alike are a team, as adversary_0 and adversary_1.

    Observations must be vectors, actions discrete; shorter vectors are filled up with zeros, so that all agents share
    spaces. An agent that is no longer there observes zeros and is not rewarded.

    Raises:
        ValueError: there is no such module, or its agents observe or do something else.
    """

    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012  (Gymnasium's name)

    def __init__(self, module: str, num_worlds: int, *, render_mode: str | None = None, **options: Any) -> None:
        try:
            make = importlib.import_module(module).parallel_env
        except (ImportError, AttributeError) as error:
            raise ValueError(f"{module} has no parallel environment: {error}") from None
        self.envs = [make(render_mode=render_mode, **options) for _ in range(num_worlds)]
        self.num_envs, self.render_mode, self._seeds = num_worlds, render_mode, [0] * num_worlds
        self.agents = tuple(self.envs[0].possible_agents)
        self.team_names = tuple(dict.fromkeys(name.rpartition("_")[0] for name in self.agents))
        self.teams = np.array([self.team_names.index(name.rpartition("_")[0]) for name in self.agents])
        shapes = [self.envs[0].observation_space(agent).shape for agent in self.agents]
        actions = [self.envs[0].action_space(agent) for agent in self.agents]
        if any(len(shape) != 1 for shape in shapes) or len(set(map(str, actions))) > 1 or not hasattr(actions[0], "n"):
            raise ValueError(
                f"vectors to see and the same discrete actions for all are wanted, but the agents of {module} see"
                f" {shapes} and do {actions}"
            )
        self._width = max(shape[0] for shape in shapes)
        self.single_observation_space = spaces.Dict({"me": spaces.Box(-np.inf, np.inf, (self._width,), np.float32)})
        self.single_action_space = actions[0]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Obs, dict[str, Any]]:
        """Begins an episode in all worlds; world i draws from seed + i."""
        seen = [env.reset(seed=None if seed is None else seed + i)[0] for i, env in enumerate(self.envs)]
        return {"me": np.stack([self._vectors(obs) for obs in seen])}, {}

    def step(self, actions: Any) -> tuple[Obs, NDArray[np.float64], Any, Any, dict[str, Any]]:
        """Moves all agents of all worlds; `info["final"]` holds what was seen last in worlds that ended."""
        n, agents = self.num_envs, len(self.agents)
        me, rewards = np.zeros((n, agents, self._width), np.float32), np.zeros((n, agents))
        terminated, truncated = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
        final = {}
        for i, env in enumerate(self.envs):
            given = {agent: int(actions[i, self.agents.index(agent)]) for agent in env.agents}
            obs, reward, _, cuts, _ = env.step(given)
            rewards[i] = [reward.get(agent, 0.0) for agent in self.agents]
            if not env.agents:
                truncated[i], terminated[i] = any(cuts.values()), not any(cuts.values())
                final[i] = self._vectors(obs)
                obs = env.reset()[0]
            me[i] = self._vectors(obs)
        info: dict[str, Any] = {"rewards": rewards}
        if final:
            last = me.copy()
            for i, vectors in final.items():
                last[i] = vectors
            info["final"] = {"me": last}
        return {"me": me}, self.rewards_of(rewards), terminated, truncated, info

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
        return out
