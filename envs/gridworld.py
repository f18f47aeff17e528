"""Grid worlds as Gymnasium's `Env` and as a `VectorEnv` stepped in one kernel; their rules are in `envs/gridrules.py`.

With `observation="image"` the map is seen from above in place of the cell's number: see `envs/gridworld_pixels.py`.
Row i of a `GridWorldVectorEnv` seeded with s plays exactly what a `GridWorldEnv` seeded with s + i plays.
"""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from palestra.envs.gridmap import Cells
from palestra.envs.gridrules import Grid, first_outside, make_grid, start_cell, step_cell, step_kernel
from palestra.envs.gridworld_pictures import map_image, map_text
from palestra.envs.gridworld_pixels import sight
from palestra.envs.mdp import MDP
from palestra.envs.rng import State, seed_state

DYNA_MAZE = ".......#G/..#....#./S.#....#./..#....../.....#.../........."  # Sutton and Barto, Figure 8.2
RENDER_MODES = ("ansi", "rgb_array")

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class GridWorldEnv(gym.Env[Any, np.int64]):
    """One grid world; the options are `make_grid`'s, and `info["action_mask"]` `[A]` int8 is Ω."""

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": 8}  # noqa: RUF012  (Gymnasium's name)

    def __init__(
        self,
        map: str | Sequence[str] | Cells = DYNA_MAZE,
        *,
        observation: str = "state",
        render_mode: str | None = None,
        **options: Any,
    ) -> None:
        _check_render_mode(render_mode)
        self.grid = make_grid(map, **options)
        self.see = sight(observation, self.grid.cells)
        self.render_mode = render_mode
        self.observation_space = self.see.space
        self.action_space = gym.spaces.Discrete(self.grid.allowed.shape[1])
        self._rng: State | None = None
        self._state = 0

    def mdp(self, discount: float = 0.99) -> MDP:
        """Returns the model of this world."""
        return self.grid.mdp(discount)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Draws a start."""
        super().reset(seed=seed)
        if seed is not None or self._rng is None:
            self._rng = seed_state(int(self.np_random.integers(2**63)) if seed is None else seed)
        self._state = int(start_cell(self.grid.tables, self._rng))
        return self._obs(), self._info()

    def step(self, action: np.int64) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Moves.

        Raises:
            ValueError: the action is outside Ω.
        """
        if self._rng is None:
            raise gym.error.ResetNeeded("a grid world must be reset before its first step")
        if not 0 <= action < self.grid.allowed.shape[1] or not self.grid.allowed[self._state, action]:
            raise _outside(self.grid, self._state, action)
        state, reward, terminated = step_cell(self.grid.tables, self._state, int(action), self._rng)
        self._state = int(state)
        return self._obs(), float(reward), bool(terminated), False, self._info()

    def render(self) -> Any:
        """Returns the map with the agent on it: text (`ansi`) or a picture `[height, width, 3]` uint8 (`rgb_array`)."""
        return _render(self.grid.cells, self._state, self.render_mode)

    def _obs(self) -> Any:
        return self.see(np.array([self._state]))[0]

    def _info(self) -> dict[str, Any]:
        return {"action_mask": self.grid.allowed[self._state].copy()}


class GridWorldVectorEnv(gym.vector.VectorEnv[NDArray[Any], Ints, Any]):
    """A batch of N equal grid worlds that reset in the same step; infos are shaped as `SyncVectorEnv` shapes them."""

    metadata = {**GridWorldEnv.metadata, "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012

    def __init__(
        self,
        num_envs: int,
        map: str | Sequence[str] | Cells = DYNA_MAZE,
        *,
        observation: str = "state",
        max_episode_steps: int | None = None,
        render_mode: str | None = None,
        **options: Any,
    ) -> None:
        _check_render_mode(render_mode)
        if num_envs < 1:
            raise ValueError(f"num_envs is {num_envs}, but at least one world is wanted")
        self.grid = make_grid(map, **options)
        self.see = sight(observation, self.grid.cells)
        self.num_envs, self.render_mode = num_envs, render_mode
        self.single_observation_space = self.see.space
        self.single_action_space = gym.spaces.Discrete(self.grid.allowed.shape[1])
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._limit = max(max_episode_steps or 0, 0)
        self._rng: State | None = None  # [N, 4]
        self._state = np.zeros(num_envs, np.int64)
        self._elapsed = np.zeros(num_envs, np.int64)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """Draws all starts; world i is seeded with seed + i."""
        super().reset(seed=seed)
        if seed is not None or self._rng is None:
            first = int(self.np_random.integers(2**62)) if seed is None else seed
            self._rng = np.stack([seed_state(first + i) for i in range(self.num_envs)])
        self._state = np.array([start_cell(self.grid.tables, rng) for rng in self._rng], np.int64)
        self._elapsed[:] = 0
        return self.see(self._state), self._info()

    def step(self, actions: Ints) -> tuple[NDArray[Any], NDArray[np.float64], Bools, Bools, dict[str, Any]]:
        """Moves all worlds and resets those that ended.

        Raises:
            ValueError: the actions are no integers `[N]`, or one is outside Ω; then nothing has moved.
        """
        if self._rng is None:
            raise gym.error.ResetNeeded("grid worlds must be reset before their first step")
        action = self._checked(np.asarray(actions))
        seen, reward, terminated, truncated = step_kernel(
            self.grid.tables, self._limit, self._state, self._elapsed, self._rng, action
        )
        info = self._info()
        ended = terminated | truncated
        if ended.any():
            info |= self._final(seen, ended)
        return self.see(self._state), reward, terminated, truncated, info

    def render(self) -> tuple[Any, ...] | None:
        """Returns a text or picture a world, as `GridWorldEnv.render` does."""
        if self.render_mode is None:
            return None
        return tuple(_render(self.grid.cells, int(state), self.render_mode) for state in self._state)

    def _checked(self, actions: NDArray[Any]) -> Ints:
        if actions.shape != (self.num_envs,) or actions.dtype.kind not in "iu":
            raise ValueError(
                f"actions must be {self.num_envs} integers, but are {list(actions.shape)} of {actions.dtype}"
            )
        actions = np.ascontiguousarray(actions, np.int64)
        i = first_outside(self.grid.allowed, self._state, actions)
        if i >= 0:
            raise _outside(self.grid, int(self._state[i]), actions[i])
        return actions

    def _info(self) -> dict[str, Any]:
        return {"action_mask": self.grid.allowed[self._state], "_action_mask": np.ones(self.num_envs, np.bool_)}

    def _final(self, seen: Ints, ended: Bools) -> dict[str, Any]:
        final_obs = np.full(self.num_envs, None, dtype=object)
        for i, obs in zip(np.flatnonzero(ended), self.see(seen[ended]), strict=True):
            final_obs[i] = obs
        mask = np.where(ended[:, None], self.grid.allowed[seen], np.int8(0))
        return {
            "final_obs": final_obs,
            "_final_obs": ended,
            "final_info": {"action_mask": mask, "_action_mask": ended.copy()},
            "_final_info": ended.copy(),
        }


def _check_render_mode(render_mode: str | None) -> None:
    if render_mode not in (None, *RENDER_MODES):
        raise ValueError(f"render_mode is {render_mode!r}, but one of {', '.join(RENDER_MODES)} is wanted")


def _outside(grid: Grid, state: int, action: Any) -> ValueError:
    allowed = np.flatnonzero(grid.allowed[state]).tolist()
    return ValueError(f"action {action} is not allowed in state {state}, which allows {allowed}")


def _render(cells: Cells, state: int, render_mode: str | None) -> Any:
    if render_mode == "ansi":
        return map_text(cells, state)
    return map_image(cells, state) if render_mode == "rgb_array" else None
