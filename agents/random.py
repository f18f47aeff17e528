"""Uniformly random play over the allowed actions: the floor to compare with."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from palestra.agents.agent import Array, Metrics, Transition
from palestra.agents.train import interact
from palestra.envs.spec import EnvSpec


@dataclass(frozen=True)
class RandomConfig:
    """Options of `Random`: there are none."""


class Random:
    """An agent that learns nothing; unbounded actions are drawn as Gymnasium's `Box.sample` draws them.

    Each batch of actions has a generator of its own, seeded by the agent's seed and the number of batches before it.

    Raises:
        ValueError: the actions have several parts of different kinds (Dict, Tuple, Graph ...).
    """

    Config = RandomConfig
    default_steps: ClassVar[int] = 10_000

    def __init__(
        self, config: RandomConfig, obs_space: gym.Space[Any], action_space: gym.Space[Any], seed: int
    ) -> None:
        if action_space.shape is None:
            raise ValueError(f"random takes actions that fit one array, but these are {action_space}")
        self.config = config
        self.step = 0
        self._space = copy.deepcopy(action_space)
        self._seed, self._num_batches = seed, 0

    @classmethod
    def defaults(cls, env: EnvSpec, steps: int) -> RandomConfig:
        """Returns the only options there are."""
        return RandomConfig()

    def act(
        self, obs: Array, first: NDArray[np.bool_], mask: NDArray[np.bool_] | None = None, *, explore: bool = True
    ) -> Array:
        """Draws actions `[B, ...]`; `mask` `[B, A]` is Ω of discrete ones."""
        rng = np.random.default_rng([self._seed, self._num_batches])
        self._num_batches += 1
        if isinstance(self._space, gym.spaces.Discrete):
            allowed = np.ones((len(first), int(self._space.n)), np.bool_) if mask is None else mask
            draw = np.where(allowed, rng.random(allowed.shape), -1.0)
            return np.asarray(draw.argmax(axis=1) + int(self._space.start))
        self._space.seed(int(rng.integers(2**31)))
        return np.stack([self._space.sample() for _ in first])

    def learn(self, transition: Transition) -> Metrics:
        """Learns nothing."""
        return {}

    def train(self, env: EnvSpec, steps: int) -> Iterator[tuple[int, Metrics]]:
        """Plays, so that returns and lengths of episodes are reported as other agents' are."""
        return interact(self, env, steps)

    def state(self) -> dict[str, Any]:
        """Returns how much has been played."""
        return {"step": self.step, "num_batches": self._num_batches}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave."""
        self.step, self._num_batches = int(state["step"]), int(state["num_batches"])
