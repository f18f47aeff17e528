"""Value iteration: apply the Bellman optimality operator until nothing changes.

Puterman, "Markov Decision Processes", 1994, section 6.3.3. By default in place (Gauss-Seidel),
which needs fewer sweeps. A step of training is one sweep. The values start from below (`agents/bellman.py:
initial_value`), and training ends early when the residual reaches the tolerance; under a discount γ < 1 the values are
then within tolerance · γ / (1 - γ) of the optimal ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from palestra.agents.agent import Array, Metrics
from palestra.agents.bellman import expected_model, initial_value, sweep
from palestra.agents.tabular import check_discount, default_discount, known_model, table_size
from palestra.envs.spec import EnvSpec


@dataclass(frozen=True)
class ValueIterationConfig:
    """Options of `ValueIteration`; a step is a sweep over all states."""

    gamma: float = 0.99
    """Discount γ; 1 where every state can be brought to an end."""
    tolerance: float = 1e-10
    """Residual (the greatest change of a value in a sweep) at which to stop."""
    in_place: bool = True
    """Sweep in place (Gauss-Seidel), backwards from the ends of episodes, instead of synchronously."""

    def __post_init__(self) -> None:
        check_discount(self.gamma)
        if not self.tolerance >= 0.0:
            raise ValueError(f"the tolerance must not be negative, but is {self.tolerance}")


class ValueIteration:
    """A planner that acts greedily by the values it has computed.

    Raises:
        ValueError: a space is not discrete.
    """

    Config = ValueIterationConfig
    default_steps: ClassVar[int] = 100_000

    def __init__(
        self, config: ValueIterationConfig, obs_space: gym.Space[Any], action_space: gym.Space[Any], seed: int
    ) -> None:
        num_states, _ = table_size("value-iteration", obs_space, action_space)
        self.config = config
        self.step = 0
        self.value: NDArray[np.float64] = np.zeros(num_states)
        self.policy: NDArray[np.int64] = np.zeros(num_states, np.int64)
        self.residual = np.inf
        self._obs_start, self._action_start = int(obs_space.start), int(action_space.start)  # type: ignore[attr-defined]

    @classmethod
    def defaults(cls, env: EnvSpec, steps: int) -> ValueIterationConfig:
        """Returns the options with a γ that suits the time limit."""
        return ValueIterationConfig(gamma=default_discount(env))

    def act(
        self, obs: Array, first: NDArray[np.bool_], mask: NDArray[np.bool_] | None = None, *, explore: bool = True
    ) -> Array:
        """Returns the greedy actions `[B]`; Ω is the model's own."""
        actions: Array = self.policy[np.asarray(obs) - self._obs_start] + self._action_start
        return actions

    def train(self, env: EnvSpec, steps: int) -> Iterator[tuple[int, Metrics]]:
        """Sweeps until the tolerance or `steps` sweeps are reached, yielding after each.

        Raises:
            ValueError: the environment exposes no model; or the discount is 1 and some state has no finite value.
        """
        if self.step >= steps or self.residual <= self.config.tolerance:
            return
        mdp = known_model("value-iteration", env, self.config.gamma)
        model = expected_model(mdp)
        if self.step == 0:
            self.value = initial_value(model, self.config.gamma)
        while self.step < steps and self.residual > self.config.tolerance:
            self.residual = sweep(model, mdp.discount, self.value, self.policy, in_place=self.config.in_place)
            self.step += 1
            yield (
                self.step,
                {
                    "plan/sweeps": float(self.step),
                    "plan/residual": self.residual,
                    "plan/value": float(mdp.start @ self.value),
                },
            )

    def state(self) -> dict[str, Any]:
        """Returns values, policy, residual and the number of sweeps."""
        return {
            "step": self.step,
            "residual": float(self.residual) if np.isfinite(self.residual) else -1.0,
            "value": self.value.copy(),
            "policy": self.policy.copy(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave."""
        self.step = int(state["step"])
        self.residual = float(state["residual"]) if state["residual"] >= 0.0 else np.inf
        self.value = np.array(state["value"], np.float64)
        self.policy = np.array(state["policy"], np.int64)
