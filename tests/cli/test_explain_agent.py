from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import torch

from palestra.agents.dqn import DQN, DQNConfig
from palestra.cli.explain import Options
from palestra.cli.explain_agent import action_names, explained, outputs_of_all, play
from palestra.envs.spec import EnvSpec
from tests.conftest import CommandLine

# imageio's reader leaves its pipes to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
MAP = "map=S.P/..P/..G"


@pytest.fixture
def eyes(palestra: CommandLine) -> CommandLine:
    kwargs = ("--env-kwargs", MAP, "observation=image", "max_episode_steps=4")
    palestra("train", "dqn", "--env", "palestra/GridWorld-v0", *kwargs, "--steps", "8", "--name", "eyes")
    return palestra


@pytest.mark.parametrize("method", ["saliency", "perturbation", "grad-cam"])
def test_an_episode_becomes_a_video(eyes: CommandLine, method: str) -> None:
    status, out, err = eyes("explain", "eyes", "--method", method, "--seed", "1")
    assert status == 0
    assert "return " in err
    assert "Warning" not in err
    assert Path(out.strip()).name == f"{method}-step-8-seed-1.mp4"
    video = iio.imread(out.strip())
    assert 1 <= len(video) <= 4
    assert video.shape[2] > video.shape[1] > 300
    assert np.ptp(video) > 200


def test_a_gif_and_another_action_can_be_asked_for(eyes: CommandLine) -> None:
    assert eyes("explain", "eyes", "--target", "→", "--out", "x.gif", "--steps", "2")[0] == 0
    assert len(iio.imread("x.gif", index=None)) == 2


def test_vectors_become_a_picture_of_what_counted(palestra: CommandLine) -> None:
    palestra("train", "dqn", "--env", "CartPole-v1", "--steps", "8", "--name", "cart")
    status, out, _ = palestra("explain", "cart", "--steps", "20")
    assert status == 0
    assert iio.imread(out.strip()).shape[1] > 500
    assert palestra("explain", "cart", "--stage", "features.1", "--unit", "3", "--out", "unit.png")[0] == 0


def test_what_the_network_does_not_read_does_not_count_and_outputs_are_those_of_the_agent() -> None:
    env = EnvSpec("CartPole-v1")
    game = env.make()
    agent = DQN(DQNConfig(hidden=(16,)), game.observation_space, game.action_space, seed=0)
    first = next(agent.network.parameters())
    first.data[:, [0, 1, 3]] = 0.0
    episode = play(agent, env, Options(steps=30))
    values = outputs_of_all(agent.network, episode.inputs)
    np.testing.assert_allclose(values.numpy(), agent.action_values(episode.inputs.numpy()), rtol=1e-5)
    assert np.array_equal(episode.actions, values.argmax(1).numpy())  # without exploration
    targets = torch.from_numpy(episode.actions)
    maps = explained(agent.network, episode.inputs, targets, "saliency", Options())
    assert maps.shape == (len(episode.inputs), 4)
    assert maps[:, [0, 1, 3]].abs().max() == 0
    assert maps[:, 2].abs().min() > 0


def test_actions_have_names_where_there_are_some() -> None:
    assert action_names(EnvSpec("palestra/Cliff-v0").make()) == ["↑", "→", "↓", "←"]
    assert action_names(EnvSpec("CartPole-v1").make()) == ["0", "1"]
    assert action_names(EnvSpec("Pendulum-v1").make()) == ["action 0"]


@pytest.mark.parametrize("agent", ["ppo", "a2c"])
def test_policies_are_explained_by_their_logits(palestra: CommandLine, agent: str) -> None:
    steps = ("--steps", "8", "--agent.n-steps", "8", "--num-envs", "1")
    assert palestra("train", agent, "--env", "CartPole-v1", *steps, "--name", "p")[0] == 0
    assert palestra("explain", "p", "--steps", "5", "--method", "integrated-gradients")[0] == 0


def test_what_cannot_be_explained_is_said(palestra: CommandLine) -> None:
    palestra("train", "value-iteration", "--env", "palestra/Classic4x4-v0", "--name", "table")
    palestra("train", "dqn", "--env", "CartPole-v1", "--steps", "8", "--name", "cart")
    for words, sentence in (
        ("table", "value-iteration has no network to explain"),
        ("cart --method all", "is explained by one of saliency"),
        ("cart --method patches", "is explained by one of saliency"),
        ("cart --method occlusin", "did you mean occlusion?"),
        ("cart --method grad-cam", "wants a stage with maps"),
        ("cart --method perturbation", "blurs images"),
        ("cart --target 2", "there is no action '2'; there are 0, 1"),
        ("cart --unit 2", "wants a --stage: features.1, features.3"),
        ("cart --stage features.1 --unit 9999", "units 0 to 255, but 9999"),
        ("cart --stage features.9 --unit 1", "its stages are features.1, features.3"),
        ("cart --stage features.1", "saliency reads no stage"),
        ("cart picture.png", "is an agent, which sees its environment"),
        ("cart --out x.mp4", "must end in .png"),
    ):
        status, out, err = palestra("explain", *words.split())
        assert status == 2
        assert sentence in err
        assert len(err.splitlines()) == 1
        assert out == ""
