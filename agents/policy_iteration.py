"""Policy iteration: evaluate the policy, make it greedy, until it stays (Howard 1960).

Puterman, "Markov Decision Processes", 1994, section 6.4; under discount 1 section 7.3. Few states are evaluated
exactly, many by sparse in-place sweeps from the previous policy's values, so that a million states fit; under a
discount below 1 no finer than a part of the last residual (section 6.5, modified policy iteration), but to the full
tolerance in the end. Two differences: the first policy is one that surely ends the episode or rests
(`agents/settling.py`), and an action is changed only for a better one, never for a tie; under discount 1 all policies
then have finite values. A step of training is one evaluation and improvement.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from palestra.agents.agent import Array, Metrics
from palestra.agents.bellman import Model, evaluate, expected_model, improve, policy_model
from palestra.agents.settling import settling_policy
from palestra.agents.tabular import check_discount, default_discount, known_model, table_size
from palestra.envs.spec import EnvSpec

PART = 0.01  # of the last residual, to which the next policy is evaluated


@dataclass(frozen=True)
class PolicyIterationConfig:
    """Options of `PolicyIteration`; a step is an evaluation and an improvement."""

    gamma: float = 0.99
    """Discount γ; 1 where every state can be brought to an end."""
    tolerance: float = 1e-12
    """Residual at which the evaluation of a policy stops."""
    margin: float = 1e-10
    """How much better an action must be to replace the present one."""

    def __post_init__(self) -> None:
        check_discount(self.gamma)
        if not (self.tolerance >= 0.0 and self.margin >= 0.0):
            raise ValueError(
                f"the tolerance and the margin must not be negative, but are {self.tolerance}, {self.margin}"
            )


def first_policy(model: Model) -> NDArray[np.int64]:
    """Returns a policy `[S]` that settles where one does, and takes the first allowed action elsewhere."""
    policy = settling_policy(*model)
    return np.where(policy >= 0, policy, np.isfinite(model.reward).argmax(axis=1))


class PolicyIteration:
    """A planner that acts by the policy it has improved.

    Raises:
        ValueError: a space is not discrete.
    """

    Config = PolicyIterationConfig
    default_steps: ClassVar[int] = 1_000

    def __init__(
        self, config: PolicyIterationConfig, obs_space: gym.Space[Any], action_space: gym.Space[Any], seed: int
    ) -> None:
        num_states, _ = table_size("policy-iteration", obs_space, action_space)
        self.config = config
        self.step = 0
        self.value: NDArray[np.float64] = np.zeros(num_states)
        self.policy: NDArray[np.int64] = np.zeros(num_states, np.int64)
        self.stable = False
        self._precision = 1.0 if config.gamma < 1.0 else config.tolerance
        self._obs_start, self._action_start = int(obs_space.start), int(action_space.start)  # type: ignore[attr-defined]

    @classmethod
    def defaults(cls, env: EnvSpec, steps: int) -> PolicyIterationConfig:
        """Returns the options with a γ that suits the time limit."""
        return PolicyIterationConfig(gamma=default_discount(env))

    def act(
        self, obs: Array, first: NDArray[np.bool_], mask: NDArray[np.bool_] | None = None, *, explore: bool = True
    ) -> Array:
        """Returns the policy's actions `[B]`; Ω is the model's own."""
        actions: Array = self.policy[np.asarray(obs) - self._obs_start] + self._action_start
        return actions

    def train(self, env: EnvSpec, steps: int) -> Iterator[tuple[int, Metrics]]:
        """Evaluates and improves until the policy stays or `steps` are done, yielding after each.

        Raises:
            ValueError: the environment exposes no model; or the discount is 1 and the policy has no finite value.
        """
        if self.step >= steps or self.stable:
            return
        mdp = known_model("policy-iteration", env, self.config.gamma)
        model = expected_model(mdp)
        if self.step == 0:
            self.policy = first_policy(model)
        while self.step < steps and not self.stable:
            self.value = evaluate(policy_model(model, self.policy), mdp.discount, self._precision, self.value)
            changed, residual = improve(model, mdp.discount, self.value, self.policy, self.config.margin)
            self.stable = changed == 0 and self._precision <= self.config.tolerance
            self._precision = self.config.tolerance if changed == 0 else self._next_precision(residual)
            self.step += 1
            yield (
                self.step,
                {
                    "plan/changed": float(changed),
                    "plan/residual": residual,
                    "plan/value": float(mdp.start @ self.value),
                },
            )

    def _next_precision(self, residual: float) -> float:
        coarse = PART * residual if self.config.gamma < 1.0 else 0.0
        return max(min(coarse, self._precision), self.config.tolerance)

    def state(self) -> dict[str, Any]:
        """Returns policy, values, the number of improvements and whether the last one changed nothing."""
        return {
            "step": self.step,
            "stable": int(self.stable),
            "precision": float(self._precision),
            "value": self.value.copy(),
            "policy": self.policy.copy(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave."""
        self.step, self.stable = int(state["step"]), bool(state["stable"])
        self._precision = float(state["precision"])
        self.value = np.array(state["value"], np.float64)
        self.policy = np.array(state["policy"], np.int64)
