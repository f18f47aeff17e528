"""Finite Markov decision processes as sparse arrays, and their play as a Gymnasium environment.

An MDP is (S, A, P, R, γ) with Ω, the allowed actions (Puterman, "Markov Decision Processes", 1994, section 2.1, who
writes A_s for Ω). Each pair of state and action has at most K outcomes, so that a grid of a million states fits in
memory.
"""

from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from numba import njit
from numpy.typing import NDArray

from palestra.envs.rng import State, categorical, seed_state

TOLERANCE = 1e-9  # how far from one probabilities may sum


@dataclass(frozen=True, eq=False)
class MDP:
    """A finite MDP of S states and A actions with at most K outcomes a pair, checked when it is made.

    A transition that is `terminated` ends the episode: nothing is gained after it, whatever its `next_state`. Unused
    outcomes have probability 0 and any valid `next_state`.

    Raises:
        ValueError: a shape, index, probability or reward is wrong; the sentence names the first place.
    """

    next_state: NDArray[np.int32]  # [S, A, K]
    probability: NDArray[np.float64]  # [S, A, K], sums to one over K
    reward: NDArray[np.float64]  # [S, A, K], finite
    terminated: NDArray[np.bool_]  # [S, A, K]
    start: NDArray[np.float64]  # [S], distribution of the first state
    allowed: NDArray[np.bool_]  # [S, A], Ω
    discount: float  # γ in [0, 1]

    def __post_init__(self) -> None:
        for name, dtype in _DTYPES.items():
            given = np.asarray(getattr(self, name))
            if name == "next_state":
                _check_next_state(given)
            object.__setattr__(self, name, np.ascontiguousarray(given, dtype))
        _check_shapes(self)
        _check_numbers(self)

    @property
    def num_states(self) -> int:
        """S."""
        return int(self.next_state.shape[0])

    @property
    def num_actions(self) -> int:
        """A."""
        return int(self.next_state.shape[1])

    def with_discount(self, discount: float) -> "MDP":
        """Returns the same process under another γ; the arrays are shared."""
        return MDP(self.next_state, self.probability, self.reward, self.terminated, self.start, self.allowed, discount)

    @classmethod
    def from_env(cls, env: gym.Env[Any, Any], discount: float = 0.99) -> "MDP":
        """Reads the model that an environment exposes.

        That is `env.unwrapped.mdp(discount)` of our own environments, or the table `P[state][action]` of
        `(probability, next_state, reward, terminated)` and `initial_state_distrib` of Gymnasium's. Ω comes from the
        environment's `action_mask(state)` where it has one. Time limits are no part of the model.

        Raises:
            ValueError: the environment exposes no model, or one that does not describe it.
        """
        bare: Any = env.unwrapped
        if hasattr(bare, "mdp"):
            mdp: MDP = bare.mdp(discount)
            return mdp
        name = bare.spec.id if bare.spec else type(bare).__name__
        if not has_model(env):
            raise ValueError(
                f"{name} exposes no full model: `P` and `initial_state_distrib`, or `mdp(discount)`, are wanted"
            )
        return _from_table(bare, discount)


_DTYPES = {
    "next_state": np.int32,
    "probability": np.float64,
    "reward": np.float64,
    "terminated": np.bool_,
    "start": np.float64,
    "allowed": np.bool_,
}


def has_model(env: gym.Env[Any, Any]) -> bool:
    """Says whether `MDP.from_env` can read the environment's model.

    Taxi with `fickle_passenger=True` has a table that leaves the passenger's change of mind out: it counts as unknown.
    """
    bare: Any = env.unwrapped
    table = hasattr(bare, "P") and hasattr(bare, "initial_state_distrib")
    return hasattr(bare, "mdp") or (table and not getattr(bare, "fickle_passenger", False))


def _check_next_state(given: NDArray[Any]) -> None:
    if given.ndim != 3 or not given.size:
        raise ValueError(f"next_state must have shape [S, A, K] with none of them zero, but has {list(given.shape)}")
    if given.dtype.kind not in "iu":
        raise ValueError(f"next_state must hold integers, but its dtype is {given.dtype}")
    if given.min() < 0 or given.max() >= len(given):
        place = np.argwhere((given < 0) | (given >= len(given)))[0].tolist()
        raise ValueError(f"next_state{place} is {given[tuple(place)]}, but states are numbered 0 to {len(given) - 1}")


def _check_shapes(mdp: MDP) -> None:
    shape = mdp.next_state.shape
    wanted = {"probability": shape, "reward": shape, "terminated": shape, "start": shape[:1], "allowed": shape[:2]}
    for name, want in wanted.items():
        given = getattr(mdp, name).shape
        if given != want:
            raise ValueError(f"{name} must have shape {list(want)} like next_state, but has {list(given)}")


def _check_numbers(mdp: MDP) -> None:
    if not 0.0 <= mdp.discount <= 1.0:
        raise ValueError(f"the discount must lie between 0 and 1, but is {mdp.discount}")
    for name in ("probability", "start"):
        array = getattr(mdp, name)
        if not (array >= 0.0).all():  # also false for NaN
            place = np.argwhere(~(array >= 0.0))[0].tolist()
            raise ValueError(f"{name}{place} is {array[tuple(place)]}, but a probability is wanted")
    if not np.isfinite(mdp.reward).all():
        place = np.argwhere(~np.isfinite(mdp.reward))[0].tolist()
        raise ValueError(f"reward{place} is {mdp.reward[tuple(place)]}, but rewards must be finite")
    total = mdp.probability.sum(axis=2)
    if (np.abs(total - 1.0) > TOLERANCE).any():
        s, a = np.argwhere(np.abs(total - 1.0) > TOLERANCE)[0].tolist()
        raise ValueError(f"the probabilities of state {s}, action {a} sum to {total[s, a]:.9g}, but must sum to 1")
    if not mdp.allowed.any(axis=1).all():
        raise ValueError(
            f"state {int(np.argmin(mdp.allowed.any(axis=1)))} allows no action, but at least one is wanted"
        )
    if abs(mdp.start.sum() - 1.0) > TOLERANCE:
        raise ValueError(f"the start distribution sums to {mdp.start.sum():.9g}, but must sum to 1")


def _from_table(bare: Any, discount: float) -> MDP:
    table = bare.P
    num_states, num_actions = len(table), len(table[0])
    num_outcomes = max(len(table[s][a]) for s in range(num_states) for a in range(num_actions))
    shape = (num_states, num_actions, num_outcomes)
    next_state = np.zeros(shape, np.int32)
    probability, reward = np.zeros(shape), np.zeros(shape)
    terminated = np.zeros(shape, np.bool_)
    for s in range(num_states):
        for a in range(num_actions):
            for k, (p, s_next, r, done) in enumerate(table[s][a]):
                next_state[s, a, k], probability[s, a, k] = s_next, p
                reward[s, a, k], terminated[s, a, k] = r, done
    allowed = np.ones(shape[:2], np.bool_)
    if hasattr(bare, "action_mask"):
        allowed = np.array([bare.action_mask(s) for s in range(num_states)], np.bool_)
    return MDP(next_state, probability, reward, terminated, bare.initial_state_distrib, allowed, discount)


@njit(cache=True)
def sample_transition(next_state, probability, reward, terminated, s, a, rng):  # type: ignore[no-untyped-def]
    """Draws one outcome of state `s` and action `a`; arrays `[S, A, K]`, `rng` as in `envs/rng.py`.

    Returns the next state, the reward and whether the episode ended.
    """
    k = categorical(rng, probability[s, a])
    return next_state[s, a, k], reward[s, a, k], terminated[s, a, k]


class MDPEnv(gym.Env[np.int64, np.int64]):
    """Plays an `MDP` as a Gymnasium environment: observations are state numbers, `info["action_mask"]` `[A]` is Ω."""

    metadata = {"render_modes": []}  # noqa: RUF012  (Gymnasium's name)

    def __init__(self, mdp: MDP, render_mode: str | None = None) -> None:
        self._mdp = mdp
        self.render_mode = render_mode
        self.observation_space = gym.spaces.Discrete(mdp.num_states)
        self.action_space = gym.spaces.Discrete(mdp.num_actions)
        self._rng: State | None = None
        self._state = 0

    def mdp(self, discount: float = 0.99) -> MDP:
        """Returns the process that is played, under the given γ."""
        return self._mdp.with_discount(discount)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.int64, dict[str, Any]]:
        """Draws the first state from `start`."""
        super().reset(seed=seed)
        if seed is not None or self._rng is None:
            self._rng = seed_state(int(self.np_random.integers(2**63)))
        self._state = int(categorical(self._rng, self._mdp.start))
        return np.int64(self._state), self._info()

    def step(self, action: np.int64) -> tuple[np.int64, float, bool, bool, dict[str, Any]]:
        """Draws an outcome; an action outside Ω is an error.

        Raises:
            ValueError: the action is not allowed in the present state.
        """
        m = self._mdp
        if self._rng is None:
            raise gym.error.ResetNeeded("an MDP must be reset before its first step")
        if not 0 <= action < m.num_actions or not m.allowed[self._state, action]:
            allowed = np.flatnonzero(m.allowed[self._state]).tolist()
            raise ValueError(f"action {action} is not allowed in state {self._state}, which allows {allowed}")
        self._state, reward, terminated = sample_transition(
            m.next_state, m.probability, m.reward, m.terminated, self._state, int(action), self._rng
        )
        return np.int64(self._state), float(reward), bool(terminated), False, self._info()

    def _info(self) -> dict[str, Any]:
        return {"action_mask": self._mdp.allowed[self._state].astype(np.int8)}
