"""Small MDPs that several tests use."""

import gymnasium as gym
import numpy as np

from palestra.envs.mdp import MDP


def mdp_of(id: str, discount: float, **options: object) -> MDP:
    env = gym.make(id, **options)
    try:
        return MDP.from_env(env, discount)
    finally:
        env.close()


def random_mdp(seed: int, num_states: int = 5, num_actions: int = 3, discount: float = 0.9) -> MDP:
    """Draws an MDP with three outcomes a pair, zero probabilities, ends, and an Ω that is not everything."""
    rng = np.random.default_rng(seed)
    shape = (num_states, num_actions, 3)
    probability = rng.dirichlet([0.5] * 3, shape[:2]) * (rng.random(shape) < 0.7)
    probability[probability.sum(axis=2) == 0.0] = 1.0
    probability /= probability.sum(axis=2, keepdims=True)
    allowed = rng.random(shape[:2]) < 0.7
    allowed[np.arange(num_states), rng.integers(num_actions, size=num_states)] = True
    reward = rng.integers(-2, 3, shape).astype(float)
    start = rng.dirichlet([1.0] * num_states)
    return MDP(
        rng.integers(num_states, size=shape), probability, reward, rng.random(shape) < 0.1, start, allowed, discount
    )


def shortest_path(num_states: int = 4, discount: float = 1.0) -> MDP:
    """A line on which each step costs one: action 0 stays, action 1 goes right, and off the line it ends."""
    next_state = np.array([[[s], [min(s + 1, num_states - 1)]] for s in range(num_states)])
    ended = np.zeros((num_states, 2, 1), np.bool_)
    ended[-1, 1] = True
    start = np.eye(num_states)[0]
    ones = np.ones((num_states, 2, 1))
    return MDP(next_state, ones, -ones, ended, start, np.ones((num_states, 2), np.bool_), discount)


def gambler(p_heads: float) -> MDP:
    """Sutton and Barto, 2nd edition, Example 4.3; Ω is the stakes from 1 to min(s, 100 - s)."""
    states, stakes = np.arange(100), np.arange(51)
    allowed = (stakes >= 1) & (stakes <= np.minimum(states, 100 - states)[:, None])
    allowed[0, 0] = True
    outcome = np.stack([states[:, None] + stakes, states[:, None] - stakes], axis=2)
    won, ruined = outcome >= 100, outcome <= 0
    reward = (outcome == 100).astype(float)
    probability = np.broadcast_to([p_heads, 1.0 - p_heads], outcome.shape)
    next_state = np.where(won | ruined, 0, outcome)
    return MDP(next_state, probability, reward, won | ruined, np.eye(100)[50], allowed, 1.0)
