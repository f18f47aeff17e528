"""Deep sea: a reward that only a plan finds, for what an agent's exploration is worth.

Osband et al., "Behaviour suite for reinforcement learning" (2020), Appendix A, after Osband et al., "Deep exploration
via randomized value functions" (2019), section 4. A diver begins at the top left of an N x N grid and sinks one row a
step, to the right or to the left (along the left side: straight down). Only N steps to the right reach the treasure,
worth 1; each step to the right costs 0.01 / N, so that whoever judges by what was paid so far turns to the left. Play
at random finds the treasure once in 2^N episodes. Which of the two actions is right differs from cell to cell.
"""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray

MOVE_COST = 0.01  # of N steps to the right
TREASURE = 1.0


class DeepSeaEnv(gym.Env[Any, Any]):
    """Deep sea with two actions, whose episodes end after `size` steps.

    With observation="state" the diver sees the number of its cell, row by row, and N^2 at the bottom; with "image" a
    picture `[1, N, N]` (uint8), 255 where it is and all 0 at the bottom. `mapping_seed` draws which action leads right.

    Raises:
        ValueError: the size is below 2, the seed is negative, or the observation is neither.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012  (Gymnasium's own)

    def __init__(
        self, size: int = 10, mapping_seed: int = 0, observation: str = "state", render_mode: str | None = None
    ) -> None:
        if size < 2:
            raise ValueError(f"the sea must be at least 2 deep, but size is {size}")
        if mapping_seed < 0:
            raise ValueError(f"mapping_seed is {mapping_seed}, but must not be negative")
        if observation not in ("state", "image"):
            raise ValueError(f"observation must be state or image, but is {observation!r}")
        self.size, self.render_mode = size, render_mode
        self.right: NDArray[np.int64] = np.random.default_rng(mapping_seed).integers(0, 2, (size, size))  # action
        self._image = observation == "image"
        self.action_space = Discrete(2)
        self.observation_space = Box(0, 255, (1, size, size), np.uint8) if self._image else Discrete(size * size + 1)
        self.initial_state_distrib = np.eye(size * size + 1)[0]
        self.P = {s: {a: [(1.0, *self._outcome(s, a))] for a in (0, 1)} for s in range(size * size + 1)}
        self._state = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begins at the top left."""
        super().reset(seed=seed)
        self._state = 0
        return self._observation(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Sinks by a row."""
        self._state, reward, terminated = self._outcome(self._state, int(action))
        return self._observation(), reward, terminated, False, {}

    def _outcome(self, state: int, action: int) -> tuple[int, float, bool]:
        """Returns the next state, the reward and whether the episode ends."""
        n = self.size
        if state == n * n:
            return state, 0.0, True
        row, column = divmod(state, n)
        right = bool(action == self.right[row, column])
        reward = (TREASURE if right and column == n - 1 else 0.0) - (MOVE_COST / n if right else 0.0)
        column = min(column + 1, n - 1) if right else max(column - 1, 0)
        return (n * n if row == n - 1 else (row + 1) * n + column), reward, row == n - 1

    def _observation(self) -> Any:
        if not self._image:
            return self._state
        picture = np.zeros(self.size**2 + 1, np.uint8)
        picture[self._state] = 255
        return picture[:-1].reshape(1, self.size, self.size)
