"""Uniformly random play over all kinds of actions."""

import gymnasium as gym
import numpy as np
import pytest

from palestra.agents.evaluation import evaluate
from palestra.agents.random import Random, RandomConfig
from palestra.envs.spec import EnvSpec

SPACES = [
    gym.spaces.Discrete(3, start=5),
    gym.spaces.Box(-1.0, 1.0, (2,), np.float32),
    gym.spaces.MultiDiscrete([2, 3]),
    gym.spaces.MultiBinary(4),
]


def agent_of(space: gym.Space[np.int64], seed: int = 0) -> Random:
    return Random(RandomConfig(), gym.spaces.Discrete(1), space, seed)


@pytest.mark.parametrize("space", SPACES, ids=lambda space: type(space).__name__)
def test_actions_fit_the_space_and_depend_on_the_seed_alone(space: gym.Space[np.int64]) -> None:
    first = np.ones(8, np.bool_)
    one, same, other = (agent_of(space, seed) for seed in (1, 1, 2))
    batches = [one.act(first, first) for _ in range(5)]
    assert all(action in space for batch in batches for action in batch)
    assert all((batch == same.act(first, first)).all() for batch in batches)
    assert any((batch != other.act(first, first)).any() for batch in batches)
    resumed = agent_of(space, 1)
    resumed.restore(one.state())
    assert (resumed.act(first, first) == one.act(first, first)).all()


def test_allowed_actions_are_equally_likely_and_others_never_taken() -> None:
    agent = agent_of(gym.spaces.Discrete(4))
    mask = np.tile(np.array([True, False, True, True]), (9000, 1))
    counts = np.bincount(agent.act(mask, mask[:, 0], mask), minlength=4)
    assert counts[1] == 0
    assert counts[[0, 2, 3]] == pytest.approx(3000, abs=5 * np.sqrt(9000 * 2 / 9))  # five standard deviations


def test_training_reports_episodes() -> None:
    env = EnvSpec("CartPole-v1", num_envs=2)
    agent = Random(RandomConfig(), gym.spaces.Discrete(1), gym.spaces.Discrete(2), 0)
    rows = list(agent.train(env, 200))
    assert agent.step == 200
    assert any("rollout/ep_rew_mean" in metrics for _, metrics in rows)


def test_frozen_lake_is_rarely_won_by_chance() -> None:
    env = EnvSpec("FrozenLake-v1", num_envs=8)
    agent = Random(Random.defaults(env, 1), gym.spaces.Discrete(16), gym.spaces.Discrete(4), 0)
    wins = evaluate(agent, env, 2000, seed=0).returns.mean()
    assert wins == pytest.approx(0.0139, abs=5 * np.sqrt(0.0139 / 2000))  # exactly .01393980 within 100 steps


def test_actions_of_several_parts_are_refused() -> None:
    with pytest.raises(ValueError, match="random takes actions that fit one array"):
        agent_of(gym.spaces.Dict({"a": gym.spaces.Discrete(2)}))
