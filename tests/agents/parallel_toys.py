"""A parallel environment whose best actions are plain: each agent sees a number and must do it."""

from typing import Any

import numpy as np
from gymnasium import spaces


class Echo:
    """Two agents, left_0 and left_1, who see one of three signs and get 1 each if both do theirs, for eight steps."""

    possible_agents = ("left_0", "left_1")

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self.agents: list[str] = []
        self._rng = np.random.default_rng(0)

    def observation_space(self, agent: str) -> spaces.Box:
        """Signs as ones and zeros."""
        return spaces.Box(0, 1, (3,), np.float32)

    def action_space(self, agent: str) -> spaces.Discrete[Any]:
        """One of three."""
        return spaces.Discrete(3)

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begins an episode."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self.agents, self._time = list(self.possible_agents), 0
        return self._seen(), {}

    def step(self, actions: dict[str, int]) -> tuple[Any, ...]:
        """Compares actions with signs."""
        right = [actions[agent] == self._signs[agent] for agent in self.agents]
        self._time += 1
        over = self._time == 8
        agents, reward = self.agents, float(np.mean(right))
        seen = self._seen()
        self.agents = [] if over else agents
        return seen, dict.fromkeys(agents, reward), dict.fromkeys(agents, False), dict.fromkeys(agents, over), {}

    def close(self) -> None:
        """Has nothing to close."""

    def _seen(self) -> dict[str, Any]:
        self._signs = {agent: int(self._rng.integers(3)) for agent in self.possible_agents}
        return {agent: np.eye(3, dtype=np.float32)[sign] for agent, sign in self._signs.items()}


def parallel_env(render_mode: str | None = None) -> Echo:
    """Makes the environment."""
    return Echo(render_mode)
