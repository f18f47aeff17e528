"""What to play: an environment's id with its options, and how it is made, alone or as a batch."""

import difflib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from palestra.envs.games import GAMES, is_game
from palestra.envs.mdp import MDP, has_model

Env = gym.Env[Any, Any]
VectorEnv = gym.vector.VectorEnv[Any, Any, Any]


@dataclass(frozen=True)
class EnvSpec:
    """An environment to be made: id, options, number of copies and the seed of its randomness.

    The name of a game, as connect-four or go-9x9, stands for `palestra/Game-v0` with that game.

    Raises:
        ValueError: the id is unknown (the nearest one is offered), or there is less than one copy.
    """

    id: str
    num_envs: int = 1
    seed: int = 0
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    protocol: str = "v5"  # Atari only: see envs/atari.py

    def __post_init__(self) -> None:
        if self.num_envs < 1:
            raise ValueError(f"num_envs is {self.num_envs}, but at least one environment is wanted")
        if is_game(self.id):
            object.__setattr__(self, "kwargs", {"game": self.id, **self.kwargs})
            object.__setattr__(self, "id", "palestra/Game-v0")
        check_id(self.id)
        if self.is_atari:
            from palestra.envs.atari import protocol_named

            protocol_named(self.protocol)

    @property
    def is_atari(self) -> bool:
        """Whether the id is one of ale-py's games, played through its C++ vector environment."""
        return self.id.startswith("ALE/")

    @property
    def is_teams(self) -> bool:
        """Whether teams of agents act together, as a batch of `envs/teams.py`."""
        return str(gym.spec(registered(self.id)).vector_entry_point).startswith("palestra.envs.team")

    @property
    def frame_stack(self) -> int:
        """How many successive frames an observation stacks along its first axis; 1 where it does not."""
        if not self.is_atari:
            return 1
        from palestra.envs.atari import protocol_named

        return protocol_named(self.protocol).frame_stack

    @property
    def reward_clip(self) -> float:
        """The bound that learners put on each reward; infinite where there is none. Scores are never clipped."""
        if not self.is_atari:
            return np.inf
        from palestra.envs.atari import protocol_named

        return protocol_named(self.protocol).reward_clip

    @property
    def max_episode_steps(self) -> int:
        """Steps after which an episode is truncated; 0 where there is no limit."""
        given = self.kwargs.get("max_episode_steps", gym.spec(registered(self.id)).max_episode_steps)
        return int(given or 0)

    def seed_at(self, step: int) -> int:
        """Returns the seed of the environments for the segment of training that starts at `step`."""
        return int(np.random.SeedSequence([self.seed, step]).generate_state(1)[0] >> 2)

    def make(self, render_mode: str | None = None) -> Env:
        """Makes one environment; several discrete observations are folded into one."""
        if self.is_atari:
            from palestra.envs.atari import AtariEnv

            return AtariEnv(self.id, self.protocol, render_mode=render_mode, **self.kwargs)
        try:
            env = gym.make(self.id, render_mode=render_mode, **self.kwargs)
        except TypeError as error:
            raise ValueError(f"{self.id} does not take the options {dict(self.kwargs)}: {error}") from None
        return FoldedDiscrete(env) if foldable(env.observation_space) else env

    def make_vec(self, num_envs: int | None = None) -> VectorEnv:
        """Makes a batch that resets in the same step (`info["final_obs"]` holds an episode's true last sight)."""
        num_envs = num_envs or self.num_envs
        if self.is_atari:
            from palestra.envs.atari import AtariVectorEnv

            return AtariVectorEnv(self.id, num_envs, self.protocol, **self.kwargs)
        if gym.spec(registered(self.id)).vector_entry_point and self.id.startswith("palestra/"):
            try:
                return gym.make_vec(self.id, num_envs, vectorization_mode="vector_entry_point", **self.kwargs)
            except TypeError as error:
                raise ValueError(f"{self.id} does not take the options {dict(self.kwargs)}: {error}") from None
        return SyncVectorEnv([self.make] * num_envs, autoreset_mode=AutoresetMode.SAME_STEP)

    def mdp(self, discount: float) -> MDP | None:
        """Returns the environment's model under the discount, or None where it exposes none."""
        if self.is_atari:
            return None
        env = self.make()
        try:
            return MDP.from_env(env, discount) if has_model(env) else None
        finally:
            env.close()


def check_id(id: str) -> None:
    """Checks that an environment is registered; `module:id` imports the module first, which registers it.

    Raises:
        ValueError: it is not; the nearest id is offered.
    """
    if id.startswith("ALE/"):
        import ale_py

        gym.register_envs(ale_py)
    if ":" in id:
        importlib.import_module(id.split(":")[0])
    if registered(id) in gym.registry:
        return
    if not id.startswith("ALE/"):
        import ale_py

        gym.register_envs(ale_py)
    near = difflib.get_close_matches(id, [*gym.registry, *GAMES], n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else "`palestra envs` lists them"
    raise ValueError(f"there is no environment {id!r}; {hint}")


def registered(id: str) -> str:
    """Returns the id without the module that registers it."""
    return id.split(":")[-1]


def foldable(space: gym.Space[Any]) -> bool:
    """Says whether a space is a fixed-length tuple of numbers from finite sets, which one number can stand for."""
    if isinstance(space, gym.spaces.MultiDiscrete):
        return True
    return isinstance(space, gym.spaces.Tuple) and all(isinstance(s, gym.spaces.Discrete) for s in space)


class FoldedDiscrete(gym.ObservationWrapper[np.int64, Any, Any]):
    """Shows an observation of several discrete parts as one number, in row-major order."""

    def __init__(self, env: Env) -> None:
        super().__init__(env)
        space = env.observation_space
        if isinstance(space, gym.spaces.Tuple):
            self._start = np.array([s.start for s in space])
            self._shape = tuple(int(s.n) for s in space)
        elif isinstance(space, gym.spaces.MultiDiscrete):
            self._start, self._shape = space.start.ravel(), tuple(space.nvec.ravel().tolist())
        self.observation_space = gym.spaces.Discrete(int(np.prod(self._shape)))

    def observation(self, observation: Any) -> np.int64:
        """Folds the parts into one number."""
        return np.int64(np.ravel_multi_index(tuple(np.ravel(observation) - self._start), self._shape))
