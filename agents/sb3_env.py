"""A batch of our environments as stable-baselines3 wants to see it."""

from collections.abc import Iterable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from palestra.agents.agent import Array, Metrics, action_mask
from palestra.agents.train import last_sight
from palestra.envs.spec import EnvSpec


def masked_space(obs_space: gym.Space[Any], action_space: gym.Space[Any]) -> gym.spaces.Dict:
    """Returns the space of observations with Ω beside them, where actions are discrete."""
    spaces = {"obs": obs_space}
    if isinstance(action_space, Discrete):
        spaces["mask"] = Box(0, 1, (int(action_space.n),), np.int8)
    return gym.spaces.Dict(spaces)


def with_mask(obs: Array, mask: NDArray[np.bool_] | None, action_space: gym.Space[Any]) -> dict[str, Array]:
    """Puts Ω `[B, A]` beside observations `[B, ...]`; everything is allowed where there is none."""
    if not isinstance(action_space, Discrete):
        return {"obs": obs}
    if mask is None:
        mask = np.ones((len(obs), int(action_space.n)), np.bool_)
    return {"obs": obs, "mask": mask.astype(np.int8)}


class SpacesOnly(VecEnv):
    """Stands for an environment where the library only looks at the spaces."""

    def __init__(self, obs_space: gym.Space[Any], action_space: gym.Space[Any], num_envs: int = 1) -> None:
        self.render_mode = None
        super().__init__(num_envs, masked_space(obs_space, action_space), action_space)

    def reset(self) -> Any:
        """Is never called."""
        raise RuntimeError("this environment is not to be played")

    def step_async(self, actions: Array) -> None:
        """Is never called."""
        self.reset()

    def step_wait(self) -> Any:
        """Is never called."""
        self.reset()

    def close(self) -> None:
        """Holds nothing."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Returns `None` for each environment: the library asks for the render mode."""
        return [None] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Ignores the attribute."""

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """Calls nothing."""
        return [None] * self.num_envs

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        """Says that nothing is wrapped."""
        return [False] * self.num_envs


class SB3VecEnv(SpacesOnly):
    """Plays a batch of environments: Ω in the observation, rewards clipped for the learner, scores kept raw."""

    def __init__(self, env: EnvSpec, seed: int) -> None:
        self._envs = env.make_vec()
        self._clip = env.reward_clip
        super().__init__(self._envs.single_observation_space, self._envs.single_action_space, self._envs.num_envs)
        self._first_seed: int | None = seed
        self._actions: Array = np.empty(0)
        self._returns, self._lengths = np.zeros(self.num_envs), np.zeros(self.num_envs, np.int64)
        self._finished: list[tuple[float, int]] = []

    def reset(self) -> dict[str, Array]:
        """Starts all episodes."""
        obs, info = self._envs.reset(seed=self._first_seed)
        self._first_seed = None
        return with_mask(obs, action_mask(info), self.action_space)

    def step_async(self, actions: Array) -> None:
        """Takes the actions of the next step."""
        self._actions = actions

    def step_wait(self) -> tuple[dict[str, Array], NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """Steps; `infos` carry what the library reads at an episode's end."""
        obs, reward, terminated, truncated, info = self._envs.step(self._actions)
        ended = terminated | truncated
        self._count(reward, ended)
        fatal = terminated | info.get("life_loss", False)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        if ended.any():
            seen = with_mask(*last_sight(obs, info, ended), self.action_space)
            for i in np.flatnonzero(ended):
                infos[i]["terminal_observation"] = {key: value[i] for key, value in seen.items()}
                infos[i]["TimeLimit.truncated"] = bool(truncated[i] and not terminated[i])
        clipped = np.clip(reward, -self._clip, self._clip).astype(np.float32)
        return with_mask(obs, action_mask(info), self.action_space), clipped, fatal | truncated, infos

    def finished_episodes(self) -> Metrics:
        """Returns the raw returns and the lengths of the episodes that ended since it was last asked."""
        finished, self._finished = self._finished, []
        if not finished:
            return {}
        returns, lengths = zip(*finished, strict=True)
        return {"rollout/ep_rew_mean": np.array(returns), "rollout/ep_len_mean": np.array(lengths)}

    def close(self) -> None:
        """Closes the environments."""
        self._envs.close()

    def _count(self, reward: Iterable[float], ended: NDArray[np.bool_]) -> None:
        self._returns += np.asarray(reward)
        self._lengths += 1
        for i in np.flatnonzero(ended):
            self._finished.append((float(self._returns[i]), int(self._lengths[i])))
        self._returns[ended], self._lengths[ended] = 0.0, 0
