import dataclasses

import gymnasium as gym
import numpy as np
import pytest
import torch

from palestra.agents.evaluation import evaluate
from palestra.agents.sb3 import A2C, PPO, A2CConfig, PPOConfig
from palestra.envs.spec import EnvSpec

CARTPOLE = EnvSpec("CartPole-v1", num_envs=2)


def make(kind: type, env: EnvSpec, **options: object) -> PPO | A2C:
    space = env.make_vec(1)
    config = dataclasses.replace(kind.defaults(env, 1000), **options)
    return kind(config, space.single_observation_space, space.single_action_space, 0)


def test_outside_the_mask_there_is_no_probability() -> None:
    agent = make(PPO, EnvSpec("Taxi-v4"))
    mask = np.array([[1, 0, 0, 1, 0, 0], [0, 0, 1, 0, 0, 0]], np.int8)
    policy = agent._model.policy
    obs, _ = policy.obs_to_tensor({"obs": np.array([3, 7]), "mask": mask})
    probabilities = policy.get_distribution(obs).distribution.probs
    probabilities = probabilities.detach()
    assert (probabilities[mask == 0] == 0).all()
    assert torch.allclose(probabilities.sum(1), torch.ones(2))
    with torch.inference_mode():
        _, log_prob, entropy = policy.evaluate_actions(obs, torch.tensor([0, 2]))
    assert float(log_prob[1]) == pytest.approx(0.0, abs=1e-6)  # a single allowed action is certain
    assert entropy[0] <= np.log(2) + 1e-6  # of two allowed actions


def test_our_networks_are_the_features_extractor() -> None:
    from palestra.networks.cnn import NatureCNN
    from palestra.networks.mlp import MLP

    assert isinstance(make(PPO, CARTPOLE)._model.policy.features_extractor.network, MLP)
    assert isinstance(make(A2C, EnvSpec("ALE/Pong-v5"))._model.policy.features_extractor.network, NatureCNN)


def test_the_learning_rate_falls_to_zero() -> None:
    agent = make(PPO, CARTPOLE, learning_rate=1.0, learning_rate_steps=100)
    rates = []
    for agent.step in (0, 50, 100, 150):
        rates.append(agent._learning_rate(1.0))
    assert rates == [1.0, 0.5, 0.0, 0.0]


@pytest.mark.parametrize("kind", [PPO, A2C])
def test_continuous_actions_stay_in_bounds(kind: type) -> None:
    env = EnvSpec("Pendulum-v1")
    agent = make(kind, env, n_steps=16)
    list(agent.train(env, 32))
    action = agent.act(np.full((5, 3), 100.0, np.float32), np.ones(5, bool))
    assert action.shape == (5, 1)
    assert (np.abs(action) <= 2.0).all()


def test_pixels_are_learnt_from() -> None:
    env = EnvSpec("ALE/Pong-v5", num_envs=2)
    agent = make(PPO, env, n_steps=8, batch_size=8, n_epochs=1)
    rows = list(agent.train(env, 32))
    assert [step for step, _ in rows] == [16, 32]
    assert all(np.isfinite(row["train/loss"]) for _, row in rows)


def test_bad_options_and_spaces_are_said() -> None:
    box, few = gym.spaces.Box(-1, 1, (2,)), gym.spaces.Discrete(2)
    with pytest.raises(ValueError, match="n_steps must be positive, but is 0"):
        PPO(PPOConfig(n_steps=0), box, few, 0)
    with pytest.raises(ValueError, match="gae_lambda must lie between 0 and 1"):
        A2C(A2CConfig(gae_lambda=1.5), box, few, 0)
    with pytest.raises(ValueError, match="ppo takes vectors, uint8 images or discrete observations"):
        PPO(PPOConfig(), gym.spaces.Dict({"a": box}), few, 0)


@pytest.mark.slow
def test_ppo_balances_the_pole() -> None:
    # CartPole counts as solved from 475 on (Gymnasium's reward threshold)
    env = EnvSpec("CartPole-v1", seed=1)
    agent = make(PPO, env, learning_rate_steps=60_000)
    list(agent.train(env, 60_000))
    assert evaluate(agent, EnvSpec("CartPole-v1", num_envs=5), 20, seed=0).returns.mean() >= 475
