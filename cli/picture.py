"""Values and arrows of a policy in one of our grid worlds, beside random play: `palestra watch RUN --out x.png`."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from palestra.agents.agent import Agent
from palestra.agents.bellman import policy_value
from palestra.envs.mdp import MDP
from palestra.envs.spec import EnvSpec

TIED = 1e-6  # how much less than the best an action may be worth and still be drawn as one of the best


def draw(agent: Agent, env: EnvSpec, title: str, out: Path) -> None:
    """Draws values and arrows of uniform play and of the agent's greedy policy side by side.

    Raises:
        ValueError: the environment is none of our grid worlds, or a policy has no finite value at the agent's discount.
    """
    from palestra.envs.gridworld_pictures import draw_side_by_side, save_figure

    world: Any = env.make().unwrapped
    grid = getattr(world, "grid", None)
    mdp = env.mdp(getattr(agent.config, "gamma", 0.99))
    if grid is None or mdp is None:
        raise ValueError(f"{env.id} is no grid world of palestra/ with values to draw; --out x.mp4 makes a video")
    random = mdp.allowed / mdp.allowed.sum(axis=1, keepdims=True)
    states = np.arange(mdp.num_states)
    chosen = agent.act(world.see(states), np.ones(mdp.num_states, np.bool_), mdp.allowed, explore=False)
    value = policy_value(mdp, chosen)
    panels = {"random": (policy_value(mdp, random), random), title: (value, _tied(mdp, value, chosen))}
    save_figure(draw_side_by_side(grid.cells, panels), out)


def _tied(mdp: MDP, value: NDArray[np.float64], chosen: NDArray[Any]) -> NDArray[np.bool_]:
    """Marks the chosen actions, and those that are worth as much, `[S, A]`."""
    gained = mdp.reward + mdp.discount * np.where(mdp.terminated, 0.0, value[mdp.next_state])
    q = (mdp.probability * gained).sum(axis=2)
    states = np.arange(mdp.num_states)
    tied = mdp.allowed & (q >= q[states, chosen][:, None] - TIED)
    return np.asarray(tied & (q <= q[states, chosen][:, None] + TIED), np.bool_)
