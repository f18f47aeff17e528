"""Q-learning with tables: ε-greedy, off-policy temporal differences.

Watkins, "Learning from delayed rewards", 1989; Sutton and Barto, "Reinforcement Learning", 2nd edition, 2018, section
6.5. Learning rates may fall with the visits of a pair, N(s, a)^-ω (Even-Dar and Mansour, "Learning rates for
Q-learning", JMLR 5, 2003). Differences: Ω is honoured in exploring, acting and bootstrapping; time limits are
bootstrapped; of tied actions the first is greedy. Where the model is known, environment and agent run fused in one
compiled loop that draws the steps from the model's tables and uses the model for nothing else; it plays a single copy
of the environment.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from palestra.agents.agent import Array, Metrics, Transition
from palestra.agents.bellman import optimal_value, policy_value
from palestra.agents.q_kernels import (
    Exploration,
    choose,
    exploration_rate,
    learning_rates,
    make_sampler,
    make_table,
    play,
    update,
)
from palestra.agents.schedule import SCHEDULES, check_schedule
from palestra.agents.tabular import check_discount, default_discount, table_size
from palestra.agents.train import interact
from palestra.envs.mdp import MDP
from palestra.envs.rng import seed_state
from palestra.envs.spec import EnvSpec
from palestra.generative.bonus import Bonus, bonus_named, check_bonus

REGRET_TOLERANCE = 1e-9  # residual at which the evaluation of the greedy policy stops
LARGEST_REGRET = 50_000  # S A K of an MDP beyond which the exact optimum is not computed


@dataclass(frozen=True)
class QLearningConfig:
    """Options of `QLearning`; steps are steps of the environments, all copies together."""

    gamma: float = 0.99
    """Discount γ."""
    learning_rate: float = 0.002
    """Learning rate, or the least one if it decays."""
    learning_rate_decay: float = 0.5
    """The ω of the learning rate N(s, a)^-ω of the N-th visit; 0 keeps it constant."""
    initial_value: float = 0.0
    """Value of every pair at the beginning; a great one makes the agent try everything."""
    exploration_initial_eps: float = 1.0
    """Probability of a random action at the beginning."""
    exploration_final_eps: float = 0.05
    """Probability of a random action after `exploration_steps`."""
    exploration_steps: int = 500_000
    """Steps over which that probability falls."""
    exploration_schedule: str = "linear"
    """How it falls: linear or exponential."""
    fused: bool = True
    """Run environment and agent as one compiled loop where the model is known."""
    chunk: int = 100_000
    """Steps of the compiled loop between two reports."""
    bonus: str = "none"
    """What pays for unfamiliar states: none or count. The compiled loop has no bonuses."""
    bonus_scale: float = 0.05
    """Factor of that bonus, which is added to the reward that is learnt from."""

    def __post_init__(self) -> None:
        check_discount(self.gamma)
        check_schedule(
            "exploration",
            self.exploration_schedule,
            self.exploration_initial_eps,
            self.exploration_final_eps,
            self.exploration_steps,
        )
        if not 0.0 < self.learning_rate <= 1.0:
            raise ValueError(f"the learning rate must be above 0 and at most 1, but is {self.learning_rate}")
        if not 0.0 <= self.learning_rate_decay <= 1.0:
            raise ValueError(f"the learning rate's decay must lie between 0 and 1, but is {self.learning_rate_decay}")
        if not np.isfinite(self.initial_value):
            raise ValueError(f"the initial value must be finite, but is {self.initial_value}")
        if self.chunk < 1:
            raise ValueError(f"the chunk is {self.chunk} steps, but at least 1 is wanted")
        check_bonus(self.bonus, self.bonus_scale)
        if self.bonus not in ("none", "count"):
            raise ValueError(f"q-learning takes the bonus none or count, but was given {self.bonus}")


def regret(mdp: MDP, q: NDArray[np.float64], optimum: NDArray[np.float64] | None = None) -> float:
    """Returns V*(start) - V^π(start) of the policy that is greedy in `q` `[S, A]`; infinite where that never ends.

    `optimum` `[S]` spares computing V* again.
    """
    best = optimal_value(mdp)[0] if optimum is None else optimum
    policy = np.where(mdp.allowed, q, -np.inf).argmax(axis=1)
    try:
        value = policy_value(mdp, policy, REGRET_TOLERANCE)
    except ValueError:
        return float("inf")
    return max(float(mdp.start @ (best - value)), 0.0)


class QLearning:
    """A table of action values, learnt step by step.

    Raises:
        ValueError: a space is not discrete.
    """

    Config = QLearningConfig
    default_steps: ClassVar[int] = 1_000_000

    def __init__(
        self, config: QLearningConfig, obs_space: gym.Space[Any], action_space: gym.Space[Any], seed: int
    ) -> None:
        num_states, num_actions = table_size("q-learning", obs_space, action_space)
        self.config = config
        self.step = 0
        self._obs_start, self._action_start = int(obs_space.start), int(action_space.start)  # type: ignore[attr-defined]
        self._everything = np.ones((1, num_actions), np.bool_)
        self._table = make_table(
            np.full((num_states, num_actions), config.initial_value),
            np.zeros((num_states, num_actions), np.uint32),
            learning_rates(config.learning_rate, config.learning_rate_decay),
        )
        self._exploration = Exploration(
            SCHEDULES[config.exploration_schedule],
            config.exploration_initial_eps,
            config.exploration_final_eps,
            config.exploration_steps,
        )
        self._rng = seed_state(seed)
        self._bonus: Bonus | None = bonus_named(config.bonus, obs_space, seed) if config.bonus != "none" else None
        self._known: tuple[EnvSpec, MDP | None, NDArray[np.float64] | None] | None = None

    @property
    def q(self) -> NDArray[np.float64]:
        """The action values `[S, A]`."""
        return self._table.q

    @classmethod
    def defaults(cls, env: EnvSpec, steps: int) -> QLearningConfig:
        """Returns options that explore less and less over the first half, with γ fit for the time limit."""
        return QLearningConfig(
            gamma=default_discount(env), exploration_steps=steps // 2, chunk=min(max(steps // 200, 1_000), 250_000)
        )

    def act(
        self, obs: Array, first: NDArray[np.bool_], mask: NDArray[np.bool_] | None = None, *, explore: bool = True
    ) -> Array:
        """Chooses ε-greedy actions `[B]`, greedy ones if not to explore."""
        states = np.asarray(obs, np.int64) - self._obs_start
        allowed = self._allowed(mask, len(states))
        if explore:
            actions = np.zeros(len(states), np.int64)
            choose(self._table, self._exploration, self.step, states, allowed, self._rng, actions)
        else:
            actions = np.where(allowed, self.q[states], -np.inf).argmax(axis=1)
        return actions + self._action_start

    def learn(self, transition: Transition) -> Metrics:
        """Updates the values of B pairs, one after the other."""
        states, actions = transition.obs.astype(np.int64), transition.action.astype(np.int64)
        reward = transition.reward
        metrics = {"rollout/exploration_rate": exploration_rate(self._exploration, self.step)}
        if self._bonus is not None:
            paid = self._bonus.update(transition.next_obs)
            reward, metrics["train/bonus"] = reward + self.config.bonus_scale * paid, float(paid.mean())
        update(
            self._table,
            self.config.gamma,
            states - self._obs_start,
            actions - self._action_start,
            reward,
            transition.next_obs.astype(np.int64) - self._obs_start,
            transition.terminated,
            self._allowed(transition.next_mask, len(states)),
        )
        return metrics

    def train(self, env: EnvSpec, steps: int) -> Iterator[tuple[int, Metrics]]:
        """Learns until `steps`, and then reports the regret to the exact optimum where the model is known and small."""
        if self.step >= steps:
            return
        mdp, optimum = self._model(env)
        if mdp is not None and self.config.fused and self._bonus is None:
            yield from self._fused(mdp, env, steps)
        else:
            yield from interact(self, env, steps)
        if mdp is not None and optimum is not None:
            lost = regret(mdp, self.q, optimum)
            if np.isfinite(lost):
                yield self.step, {"eval/regret": lost}

    def state(self) -> dict[str, Any]:
        """Returns values, visits, the generator and the number of steps."""
        state = {
            "step": self.step,
            "q": self._table.q.copy(),
            "visits": self._table.visits.copy(),
            "rng": self._rng.copy(),
        }
        return state if self._bonus is None else state | {"bonus": self._bonus.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave."""
        self.step = int(state["step"])
        self._table.q[:] = state["q"]
        self._table.visits[:] = state["visits"]
        self._rng[:] = state["rng"]
        if self._bonus is not None:
            self._bonus.restore(state["bonus"])

    def _allowed(self, mask: NDArray[np.bool_] | None, num_rows: int) -> NDArray[np.bool_]:
        if mask is None:
            return np.broadcast_to(self._everything, (num_rows, self._everything.shape[1])).copy()
        return np.ascontiguousarray(mask, np.bool_)

    def _model(self, env: EnvSpec) -> tuple[MDP | None, NDArray[np.float64] | None]:
        """Returns the model, and its optimal values where it is small enough; both are kept for the next time."""
        if self._known is None or self._known[0] != env:
            mdp, optimum = env.mdp(self.config.gamma), None
            if mdp is not None and mdp.next_state.size <= LARGEST_REGRET:
                try:
                    optimum = optimal_value(mdp)[0]
                except ValueError:
                    optimum = None
            self._known = env, mdp, optimum
        return self._known[1:]

    def _fused(self, mdp: MDP, env: EnvSpec, steps: int) -> Iterator[tuple[int, Metrics]]:
        sampler = make_sampler(mdp)
        self._table.q[~mdp.allowed] = -np.inf
        table = self._table = make_table(self._table.q, self._table.visits, self._table.rate)
        env_rng = seed_state(env.seed_at(self.step))
        episode = (-1, 0, 0.0)
        while self.step < steps:
            end = min((self.step // self.config.chunk + 1) * self.config.chunk, steps)
            episode, returns, lengths = play(
                sampler,
                table,
                self._exploration,
                (self._rng, env_rng),
                episode,
                (self.step, end, env.max_episode_steps),
                self.config.gamma,
            )
            self.step = end
            metrics: dict[str, float | Array] = {
                "rollout/exploration_rate": exploration_rate(self._exploration, self.step)
            }
            if len(returns):
                metrics |= {"rollout/ep_rew_mean": returns, "rollout/ep_len_mean": lengths}
            yield self.step, metrics
