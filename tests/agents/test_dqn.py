"""DQN: its targets and one update by hand, schedules, masks, ends, exactness, and what it refuses."""

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete

from palestra.agents.agent import Transition
from palestra.agents.dqn import DQN, DQNConfig
from palestra.agents.evaluation import evaluate
from palestra.envs.spec import EnvSpec
from palestra.networks import create
from palestra.networks.pretrained import from_pretrained, save_pretrained

VECTOR = Box(-1.0, 1.0, (2,), np.float32)


def step(obs: Any, action: Any, reward: Any, next_obs: Any, **ends: Any) -> Transition:
    batch = len(action)
    no = np.zeros(batch, bool)
    mask = ends.get("mask")
    return Transition(
        np.asarray(obs), np.asarray(action), np.asarray(reward, float), np.asarray(next_obs),
        np.asarray(ends.get("terminated", no)), np.asarray(ends.get("truncated", no)), mask, mask,
    )  # fmt: skip


def test_one_update_by_hand() -> None:
    config = DQNConfig(hidden=(), learning_rate=0.01, learning_starts=0, train_freq=1, batch_size=4, gamma=0.5)
    agent = DQN(config, VECTOR, Discrete(3), seed=0)
    head = agent.network.head
    weight, bias = head.weight.detach().clone(), head.bias.detach().clone()
    obs, after = torch.tensor([0.5, -2.0]), torch.tensor([1.0, 1.0])
    agent.step = 1
    metrics = agent.learn(step([obs.numpy()], [1], [10.0], [after.numpy()]))
    error = weight[1] @ obs + bias[1] - (10.0 + 0.5 * (weight @ after + bias).max())
    assert metrics["train/loss"] == pytest.approx(abs(float(error)) - 0.5, abs=1e-5)  # Huber, beyond one
    # The gradient of the Huber loss is the error's sign, here negative, times the input; Adam's first step divides
    # the gradient by its size, and so moves each weight by the step size along -gradient.
    expected = weight.clone()
    expected[1] += 0.01 * torch.sign(obs)
    torch.testing.assert_close(head.weight.detach(), expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(head.bias.detach(), bias + torch.tensor([0.0, 0.01, 0.0]), atol=1e-6, rtol=0)


@pytest.mark.parametrize(("ends", "value"), [("truncated", 2.0), ("terminated", 1.0)])
def test_truncated_steps_bootstrap_and_terminal_ones_do_not(ends: str, value: float) -> None:
    # One state, reward 1, γ = 1/2: the value is 1 + 1/2 + 1/4 + … = 2 where cut episodes go on, and 1 where they end.
    config = DQNConfig(
        hidden=(),
        learning_rate=0.05,
        learning_starts=0,
        train_freq=1,
        batch_size=8,
        gamma=0.5,
        target_update_interval=5,
    )
    agent = DQN(config, Discrete(1), Discrete(2), seed=0)
    for i in range(400):
        agent.step += 1
        agent.learn(step([0], [i % 2], [1.0], [0], **{ends: [True]}))
    np.testing.assert_allclose(agent.action_values(np.array([0])), [[value, value]], atol=0.05)


def test_n_steps_of_reward_are_summed() -> None:
    # States 0, 1, 2 in a row, reward 1 each, then an end: from 0 three steps give 1 + 1/2 + 1/4, without bootstrapping.
    config = DQNConfig(
        hidden=(), learning_rate=0.05, learning_starts=0, train_freq=1, batch_size=8, gamma=0.5, n_step=3,
        target_update_interval=10**9,
    )  # fmt: skip
    agent = DQN(config, Discrete(4), Discrete(1), seed=0)
    for i in range(600):
        agent.step += 1
        agent.learn(step([i % 3], [0], [1.0], [i % 3 + 1], terminated=[i % 3 == 2]))
    np.testing.assert_allclose(agent.action_values(np.arange(3))[:, 0], [1.75, 1.5, 1.0], atol=0.05)


def test_bonuses_are_added_to_the_reward_when_the_step_is_taken() -> None:
    # The first and second visit of state 1 and the first of state 0 pay 1, 1 / sqrt(2) and 1, times 0.5.
    agent = DQN(DQNConfig(bonus="count", bonus_scale=0.5, learning_starts=99), Discrete(3), Discrete(2), seed=0)
    paid = []
    for reward, next_obs in ((1.0, 1), (-2.0, 1), (0.0, 0)):
        agent.step += 1
        paid.append(agent.learn(step([0], [1], [reward], [next_obs]))["train/bonus"])
    assert paid == pytest.approx([1.0, 2**-0.5, 1.0])
    rewards = agent.state()["replay"]["reward"][:3, 0]
    assert rewards == pytest.approx([1.5, -2.0 + 0.5 * 2**-0.5, 0.5])
    plain = DQN(DQNConfig(learning_starts=99), Discrete(3), Discrete(2), seed=0)
    assert "train/bonus" not in plain.learn(step([0], [1], [1.0], [1]))


def test_bonuses_see_the_newest_frame_alone() -> None:
    agent = DQN(DQNConfig(bonus="count", learning_starts=99), Box(0, 255, (4, 36, 36), np.uint8), Discrete(2), seed=0)
    agent.frame_stack = 4
    stacks = np.zeros((4, 1, 4, 36, 36), np.uint8)
    stacks[1, :, :3] = 255  # older frames
    stacks[2, :, 3] = 255
    seen = [agent.learn(step(stacks[0], [0], [0.0], stacks[i]))["train/bonus"] for i in range(3)]
    assert seen == pytest.approx([1.0, 2**-0.5, 1.0])


def test_returns_that_are_logged_are_the_environments_own() -> None:
    env = EnvSpec("FrozenLake-v1", seed=0)  # which pays 1 at the goal and else nothing
    config = dataclasses.replace(DQN.defaults(env, 400), learning_starts=1_000, bonus="count", bonus_scale=100.0)
    rows = [metrics for _, metrics in DQN(config, Discrete(16), Discrete(4), seed=0).train(env, 400)]
    returns = np.concatenate([row["rollout/ep_rew_mean"] for row in rows if "rollout/ep_rew_mean" in row])
    assert len(returns) > 10
    assert set(returns.tolist()) <= {0.0, 1.0}
    assert all(0.0 < row["train/bonus"] <= 1.0 for row in rows)


def test_schedules() -> None:
    config = DQNConfig(
        learning_starts=10, exploration_initial_eps=0.9, exploration_final_eps=0.1, exploration_steps=100,
        learning_rate=1.0, learning_rate_end_fraction=0.2, learning_rate_steps=50,
    )  # fmt: skip
    agent = DQN(config, VECTOR, Discrete(3), seed=0)
    for at, epsilon, rate in ((0, 1.0, 1.0), (9, 1.0, 0.856), (50, 0.5, 0.2), (100, 0.1, 0.2), (999, 0.1, 0.2)):
        agent.step = at
        assert (agent.epsilon, agent.learning_rate) == pytest.approx((epsilon, rate))


@pytest.mark.parametrize(("num_envs", "train_freq", "gradient_steps"), [(1, 4, 1), (3, 4, 1), (8, 4, 2), (2, 1, 1)])
def test_updates_are_counted_in_steps_of_all_copies(num_envs: int, train_freq: int, gradient_steps: int) -> None:
    config = DQNConfig(
        hidden=(), learning_starts=0, train_freq=train_freq, gradient_steps=gradient_steps, batch_size=2
    )  # fmt: skip
    agent = DQN(config, Discrete(2), Discrete(2), seed=0)
    ones = [1] * num_envs
    for _ in range(12):
        agent.step += num_envs
        agent.learn(step(ones, ones, ones, ones))
    assert agent.state()["num_updates"] == 12 * num_envs // train_freq * gradient_steps


@pytest.mark.parametrize("explore", [True, False])
def test_random_actions_are_uniform_over_the_allowed_ones_and_begin_at_start(explore: bool) -> None:
    agent = DQN(DQNConfig(eval_epsilon=1.0), VECTOR, Discrete(4, start=5), seed=0)
    mask = np.tile([True, False, True, True], (3000, 1))
    action = agent.act(np.zeros((3000, 2), np.float32), np.zeros(3000, bool), mask, explore=explore)
    values, counts = np.unique(action, return_counts=True)
    assert values.tolist() == [5, 7, 8]
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(3000 * (1 / 3) * (2 / 3))  # 5 deviations of a binomial


def test_greedy_actions_are_the_best_allowed_ones() -> None:
    agent = DQN(DQNConfig(), VECTOR, Discrete(4), seed=0)
    obs = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    values = agent.action_values(obs)
    first, mask = np.zeros(50, bool), np.ones((50, 4), bool)
    np.testing.assert_array_equal(agent.act(obs, first, explore=False), values.argmax(axis=1))
    mask[np.arange(50), values.argmax(axis=1)] = False
    np.testing.assert_array_equal(agent.act(obs, first, mask, explore=False), np.argsort(values, axis=1)[:, -2])


def play_images(agent: DQN, steps: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(agent.step)
    rows = []
    obs = rng.integers(0, 256, (2, 3, 40, 36), np.uint8)
    for i in range(steps):
        agent.step += 2
        action = agent.act(obs, np.full(2, i == 0))
        next_obs = rng.integers(0, 256, obs.shape, np.uint8)
        last = [i == steps - 1] * 2
        rows.append(dict(agent.learn(step(obs, action, rng.normal(size=2), next_obs, truncated=last))))
        obs = next_obs
    return rows


def as_arrays(state: Any) -> Any:
    """What a checkpoint gives back: NumPy's arrays, copied."""
    if isinstance(state, dict):
        return {name: as_arrays(value) for name, value in state.items()}
    state = state.numpy() if isinstance(state, torch.Tensor) else state
    return state.copy() if isinstance(state, np.ndarray) else state


def assert_same(one: Any, other: Any) -> None:
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            assert_same(one[name], other[name])
    else:
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("bonus", ["none", "count", "rnd", "cts"])
def test_images_go_on_from_a_saved_state_to_the_bit(bonus: str) -> None:
    config = DQNConfig(
        learning_starts=4, batch_size=4, train_freq=2, target_update_interval=6, buffer_size=30, bonus=bonus
    )
    make = lambda: DQN(config, Box(0, 255, (3, 40, 36), np.uint8), Discrete(3), seed=1)  # noqa: E731
    whole = make()
    play_images(whole, 8)
    saved = as_arrays(whole.state())
    resumed = make()
    resumed.restore(saved)
    assert play_images(resumed, 8) == play_images(whole, 8)
    assert_same(as_arrays(resumed.state()), as_arrays(whole.state()))


@pytest.mark.parametrize("options", [{"freeze": 2}, {"freeze": -1}, {"encoder_lr": 1e-5}])
def test_agents_of_a_saved_encoder_go_on_when_its_folder_is_gone(tmp_path: Path, options: dict[str, Any]) -> None:
    torch.manual_seed(0)
    saved = create("nature", in_channels=3, num_classes=7, image_size=(40, 36))
    save_pretrained(saved, tmp_path / "encoder")
    config = DQNConfig(
        learning_starts=4, batch_size=4, train_freq=2, target_update_interval=6, buffer_size=30,
        encoder=str(tmp_path / "encoder"), learning_rate_steps=100, **options,
    )  # fmt: skip
    spaces = Box(0, 255, (3, 40, 36), np.uint8), Discrete(3)
    whole = DQN(config, *spaces, seed=1)
    assert torch.equal(whole.network.features[0].weight, saved.features[0].weight)
    assert whole.network.head.weight.shape == (3, 512)
    play_images(whole, 8)
    assert torch.equal(whole.network.features[0].weight, saved.features[0].weight) == ("freeze" in options)
    shutil.rmtree(tmp_path / "encoder")
    assert str(tmp_path) not in whole.config.encoder
    resumed = DQN(whole.config, *spaces, seed=1)
    resumed.restore(as_arrays(whole.state()))
    assert play_images(resumed, 8) == play_images(whole, 8)
    assert_same(as_arrays(resumed.state()), as_arrays(whole.state()))


def test_what_an_agent_saves_another_begins_with(tmp_path: Path) -> None:
    config = DQNConfig(learning_starts=4, batch_size=4, train_freq=2, buffer_size=30)
    spaces = Box(0, 255, (3, 40, 36), np.uint8), Discrete(3)
    agent = DQN(config, *spaces, seed=1)
    play_images(agent, 8)
    agent.save_pretrained(tmp_path)
    loaded = from_pretrained(tmp_path)
    for name, value in agent.network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
    other = DQN(dataclasses.replace(config, encoder=str(tmp_path)), *spaces, seed=2)
    same = {name: torch.equal(p, other.network.state_dict()[name]) for name, p in agent.network.state_dict().items()}
    assert same == {name: not name.startswith("head.") for name in same}


def test_configs_of_before_encoders_could_be_frozen_still_load() -> None:
    old = dataclasses.asdict(DQNConfig())
    del old["encoder_lr"], old["freeze"]
    assert DQNConfig(**old) == DQNConfig()


def test_evaluation_needs_no_memory_and_changes_no_training() -> None:
    env = EnvSpec("CartPole-v1", num_envs=2, seed=0)
    config = dataclasses.replace(DQN.defaults(env, 200), learning_starts=20, eval_epsilon=0.5)
    space = env.make().observation_space
    plain, evaluated = (DQN(config, space, Discrete(2), seed=0) for _ in range(2))
    for agent in (plain, evaluated):
        list(agent.train(env, 60))
        if agent is evaluated:
            evaluate(agent, env, 3, seed=1)
        list(agent.train(env, 120))
    state, other_state = plain.state(), evaluated.state()
    assert state["eval_rng"] != other_state.pop("eval_rng")  # evaluation has a generator of its own
    assert_same(as_arrays({key: value for key, value in state.items() if key != "eval_rng"}), as_arrays(other_state))
    del state["replay"]
    other = DQN(config, space, Discrete(2), seed=9)
    other.restore(as_arrays(state))
    obs = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    np.testing.assert_array_equal(other.action_values(obs), plain.action_values(obs))


def test_global_random_numbers_are_left_alone() -> None:
    env = EnvSpec("CartPole-v1")
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    agent = DQN(dataclasses.replace(DQN.defaults(env, 50), learning_starts=10), VECTOR, Discrete(2), seed=0)
    play = DQN(agent.config, env.make().observation_space, Discrete(2), seed=0)
    list(play.train(env, 50))
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


@pytest.mark.parametrize(
    ("obs_space", "action_space", "message"),
    [
        (VECTOR, VECTOR, "dqn takes discrete actions, but the action space is Box"),
        (Box(0, 1, (3, 84, 84), np.float32), Discrete(2), "dqn takes vectors, uint8 images"),
        (gym.spaces.Dict({}), Discrete(2), "dqn takes vectors, uint8 images"),
        (Box(0, 255, (4, 20, 84), np.uint8), Discrete(2), "at least 36 x 36, but are 20 x 84"),
    ],
)
def test_other_spaces_are_refused(obs_space: Any, action_space: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DQN(DQNConfig(), obs_space, action_space, seed=0)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"batch_size": 0}, "batch_size must be at least 1, but is 0"),
        ({"gamma": 1.5}, "gamma must lie between 0 and 1, but is 1.5"),
        ({"learning_rate": 0.0}, "learning_rate must be positive"),
        ({"learning_starts": -1}, "learning_starts must not be negative"),
        ({"encoder": "mlpp"}, "no network 'mlpp'; did you mean mlp"),
        ({"encoder": "nature"}, "'nature' takes images, but observations have shape"),
        ({"encoder_lr": 0.0}, "encoder_lr must be positive, but is 0; freeze=-1 keeps an encoder constant"),
        ({"freeze": -2}, "freeze must be a number of stages, or -1 for all of them, but is -2"),
        ({"freeze": 3}, "3 stages were to be frozen, but mlp has 2: features.1, features.3"),
        ({"freeze": -1, "encoder_lr": 0.1}, "encoder_lr is 0.1, but nothing in the encoder is learnt"),
        ({"bonus": "counts"}, "no bonus 'counts'; did you mean count"),
        ({"bonus": "rnd", "bonus_scale": 0.0}, "bonus_scale must be positive, but is 0; bonus=none turns bonuses off"),
        ({"bonus": "cts"}, "the bonus cts takes uint8 images, channels first"),
        ({"device": "gpu"}, "must be auto, cpu or cuda, but is 'gpu'"),
    ],
)
def test_wrong_options_are_named(option: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DQN(DQNConfig(**option), VECTOR, Discrete(2), seed=0)


def test_finds_the_way_over_frozen_lake() -> None:
    # Without slipping the optimal policy reaches the goal always.
    env = EnvSpec("FrozenLake-v1", seed=0, kwargs={"is_slippery": False})
    config = dataclasses.replace(DQN.defaults(env, 6_000), hidden=(64,), learning_starts=500, exploration_steps=5_000)
    agent = DQN(config, Discrete(16), Discrete(4), seed=0)
    for _ in agent.train(env, 6_000):
        pass
    assert evaluate(agent, env, 5, seed=1).returns.tolist() == [1.0] * 5


@pytest.mark.slow
def test_balances_the_pole() -> None:
    # CartPole-v1 counts as solved at 475, its registered threshold; benchmarks/learning.py has more seeds
    env = EnvSpec("CartPole-v1", seed=0)
    agent = DQN(DQN.defaults(env, 50_000), env.make().observation_space, Discrete(2), 0)
    for _ in agent.train(env, 50_000):
        pass
    assert evaluate(agent, env, 20, seed=100).returns.mean() >= 475
