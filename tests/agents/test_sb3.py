import copy
import dataclasses
import shutil
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch

from palestra.agents.evaluation import evaluate
from palestra.agents.sb3 import A2C, PPO, A2CConfig, PPOConfig
from palestra.agents.sb3_env import with_mask
from palestra.agents.sb3_policy import encoders_of
from palestra.envs.spec import EnvSpec
from palestra.networks import create
from palestra.networks.pretrained import from_pretrained, save_pretrained
from palestra.networks.stages import stages_of

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


def image_spaces() -> tuple[gym.Space, gym.Space]:
    return gym.spaces.Box(0, 255, (3, 36, 40), np.uint8), gym.spaces.Discrete(3)


def saved_encoder(folder: Path) -> torch.nn.Module:
    torch.manual_seed(0)
    network = create("nature", in_channels=3, num_classes=7, image_size=(36, 40))
    save_pretrained(network, folder)
    return network


@pytest.mark.parametrize("kind", [PPO, A2C])
def test_a_saved_encoder_survives_the_librarys_initialisation_and_its_folder(tmp_path: Path, kind: type) -> None:
    saved = saved_encoder(tmp_path / "encoder")
    agent = kind(kind.Config(encoder=str(tmp_path / "encoder")), *image_spaces(), 0)
    shutil.rmtree(tmp_path / "encoder")
    for each in (agent, kind(agent.config, *image_spaces(), 0)):
        each.restore(agent.state())
        encoder = each._model.policy.features_extractor.network
        for name, value in encoder.state_dict().items():
            assert torch.equal(value, saved.state_dict()[name]), name


def test_actor_and_critic_each_begin_with_a_saved_encoder(tmp_path: Path) -> None:
    saved = create("mlp", in_channels=4, num_classes=9, hidden=(5,))
    save_pretrained(saved, tmp_path)
    agent = make(PPO, CARTPOLE, encoder=str(tmp_path))
    for network in encoders_of(agent._model.policy):
        assert torch.equal(network.features[0].weight, saved.features[0].weight)
    agent.save_pretrained(tmp_path / "actor")
    loaded = from_pretrained(tmp_path / "actor")
    assert torch.equal(loaded.features[0].weight, saved.features[0].weight)
    assert loaded.config["num_classes"] is None


@pytest.mark.parametrize("kind", [PPO, A2C])
def test_frozen_and_slow_encoders_stay_so_through_training(kind: type) -> None:
    few = {"n_steps": 16, "learning_rate_steps": 64} | ({"batch_size": 16} if kind is PPO else {})
    for options, share in (({"freeze": -1}, 0.0), ({"encoder_lr": 1e-7}, 0.01), ({}, 1.0)):
        agent = make(kind, CARTPOLE, **options, **few)
        before = [p.detach().clone() for p in agent._model.policy.parameters()]
        frozen = [not p.requires_grad for p in agent._model.policy.parameters()]
        list(agent.train(CARTPOLE, 32))
        policy = agent._model.policy
        inside = {id(p) for network in encoders_of(policy) for p in network.parameters()}
        moved = {True: 0.0, False: 0.0}
        for p, old in zip(policy.parameters(), before, strict=True):
            moved[id(p) in inside] = max(moved[id(p) in inside], float((p.detach() - old).abs().max()))
        assert moved[False] > 1e-4
        assert moved[True] <= share * moved[False] * 3
        assert (moved[True] == 0) == (share == 0.0) == any(frozen)
        held = {id(p) for group in policy.optimizer.param_groups for p in group["params"]}
        assert held == {id(p) for p in policy.parameters() if p.requires_grad}


def test_step_sizes_of_the_encoder_follow_the_schedule() -> None:
    agent = make(PPO, CARTPOLE, n_steps=16, batch_size=16, learning_rate=0.1, encoder_lr=0.001, learning_rate_steps=64)
    rates = []
    for _ in agent.train(CARTPOLE, 64):
        rates.append([group["lr"] for group in agent._model.policy.optimizer.param_groups])
    assert np.allclose(rates, [[0.1, 0.001], [0.05, 0.0005]])  # at the begin of each rollout of 32 steps


def test_training_with_a_slow_encoder_goes_on_from_a_saved_state_to_the_bit() -> None:
    options = {"n_steps": 16, "batch_size": 16, "encoder_lr": 1e-5, "freeze": 1, "learning_rate_steps": 1000}
    whole, resumed = make(PPO, CARTPOLE, **options), make(PPO, CARTPOLE, **options)
    list(whole.train(CARTPOLE, 32))
    resumed.restore(copy.deepcopy(whole.state()))
    for agent in (whole, resumed):
        list(agent.train(CARTPOLE, 64))
    for name, value in whole.state()["policy"].items():
        assert torch.equal(value, resumed.state()["policy"][name])


def test_frozen_normalisation_keeps_its_statistics() -> None:
    text = '{"network": "mlp", "hidden": [5, 6], "batch_norm": true}'
    counts = []
    for frozen in (0, 1, -1):
        agent = make(PPO, CARTPOLE, n_steps=16, batch_size=16, n_epochs=1, encoder=text, freeze=frozen)
        list(agent.train(CARTPOLE, 32))
        features = agent.network.encoder.features
        counts.append([int(features[i].num_batches_tracked) for i in (1, 4)])
    assert counts == [[2, 2], [0, 2], [0, 0]]  # two minibatches; acting and the old values are no batches of it


@pytest.mark.parametrize("env", [CARTPOLE, EnvSpec("Taxi-v4"), EnvSpec("Pendulum-v1"), EnvSpec(
    "palestra/GridWorld-v0", kwargs={"observation": "image"})])  # fmt: skip
def test_the_network_gives_the_policys_logits_or_means(env: EnvSpec) -> None:
    agent = make(PPO, env)
    space = env.make_vec(1).single_observation_space
    space.seed(0)
    obs = np.stack([space.sample() for _ in range(5)])
    policy = agent._model.policy
    with torch.inference_mode():
        shown, _ = policy.obs_to_tensor(with_mask(obs, None, agent._action_space))
        wanted = policy.get_distribution(shown).distribution
    x = torch.from_numpy(obs)
    if isinstance(space, gym.spaces.Discrete):
        x = torch.nn.functional.one_hot(x, int(space.n)).float()
    given = agent.network(x).detach()
    if env.id == "Pendulum-v1":
        torch.testing.assert_close(given, wanted.mean)
    else:
        torch.testing.assert_close(torch.log_softmax(given, 1), wanted.logits, atol=1e-6, rtol=1e-5)
    assert stages_of(agent.network)[0].startswith("encoder.features")
    assert not agent.network.training


def test_bad_options_and_spaces_are_said() -> None:
    box, few = gym.spaces.Box(-1, 1, (2,)), gym.spaces.Discrete(2)
    with pytest.raises(ValueError, match="n_steps must be positive, but is 0"):
        PPO(PPOConfig(n_steps=0), box, few, 0)
    with pytest.raises(ValueError, match="gae_lambda must lie between 0 and 1"):
        A2C(A2CConfig(gae_lambda=1.5), box, few, 0)
    for options, sentence in (
        ({"encoder": "nature"}, "the network 'nature' takes images, but observations have shape"),
        ({"freeze": 7}, "7 stages were to be frozen, but mlp has 2"),
        ({"encoder_lr": 0.0}, "encoder_lr must be positive, but is 0"),
        ({"encoder_lr": 0.1, "freeze": -1}, "nothing in the encoder is learnt"),
    ):
        with pytest.raises(ValueError, match=sentence):
            PPO(PPOConfig(**options), box, few, 0)
    with pytest.raises(ValueError, match="ppo takes vectors, uint8 images or discrete observations"):
        PPO(PPOConfig(), gym.spaces.Dict({"a": box}), few, 0)


@pytest.mark.slow
def test_ppo_balances_the_pole() -> None:
    # CartPole counts as solved from 475 on (Gymnasium's reward threshold)
    env = EnvSpec("CartPole-v1", seed=1)
    agent = make(PPO, env, learning_rate_steps=60_000)
    list(agent.train(env, 60_000))
    assert evaluate(agent, EnvSpec("CartPole-v1", num_envs=5), 20, seed=0).returns.mean() >= 475
