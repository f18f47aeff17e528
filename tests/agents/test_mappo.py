"""PPO for teams: advantages, what critics see, exact resumption, and that it learns."""

import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

from palestra.agents.mappo import MAPPO, MAPPOConfig
from palestra.agents.team_play import Collector, parts_of
from palestra.envs.spec import EnvSpec
from tests.agents import parallel_toys

TINY = {"rollout": 5, "epochs": 2, "minibatches": 2, "width": 16}


def new(env: EnvSpec, seed: int = 0, **options: Any) -> MAPPO:
    """Makes an agent for an environment."""
    one = env.make()
    return MAPPO(MAPPOConfig(**{**TINY, **options}), one.observation_space, one.action_space, seed)


def trained(agent: MAPPO, env: EnvSpec, steps: int) -> MAPPO:
    """Trains until so many steps."""
    for _ in agent.train(env, steps):
        pass
    return agent


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> EnvSpec:
    """An environment in which two agents must do what each sees."""
    monkeypatch.setitem(sys.modules, "toys", parallel_toys)
    return EnvSpec("palestra/Parallel-v0", 16, 0, {"module": "toys"})


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"league": 0.5, "join_every": 2, "opponent_every": 3, "league_size": 2},
        {"memory": False, "central": False},
        {"imitate": "fort", "imitate_updates": 4},
        {"repeat": 2, "league": 0.5},
    ],
)
def test_a_run_resumes_exactly(options: dict[str, Any]) -> None:
    env = EnvSpec("palestra/HideAndSeek-v0", 4)
    whole = new(env, **options)
    trained(trained(whole, env, 60), env, 120)
    part = trained(new(env, **options), env, 60)
    other = new(env, seed=1, **options)
    other.restore(part.state())
    trained(other, env, 120)
    for name, value in whole.policy.state_dict().items():
        assert torch.equal(value, other.policy.state_dict()[name]), name
    assert other.step == whole.step == 120


def test_actions_that_are_repeated_are_the_same_and_are_learnt_from_once() -> None:
    env = EnvSpec("palestra/HideAndSeek-v0", 3)
    agent = new(env, repeat=4)
    envs: Any = env.make_vec()
    made: list[Any] = []
    step = envs.step
    envs.step = lambda actions: (made.append(actions.copy()), step(actions))[1]
    collector = Collector(envs, agent._actor(agent.policy), 0)
    rollout, logged = collector.collect(20, torch.Generator().manual_seed(0))
    assert len(made) == 80
    assert len(logged["returns"]) == 3
    for k in range(80):
        assert (made[k] == made[k - k % 4]).all()
        assert (made[k] == rollout.actions.reshape(3, 4, 20, 5)[:, :, k // 4].numpy()).all()
    hiders = rollout.rewards.reshape(3, 4, 20)[:, 0].sum(dim=1)
    assert hiders.tolist() == pytest.approx(logged["returns"])
    with pytest.raises(ValueError, match="repeat is 3, but episodes last 80 steps, no multiple of it"):
        next(new(env, repeat=3).train(env, 10))


@pytest.mark.parametrize("name", ["LockAndReturn", "Blueprint"])
def test_it_plays_tasks_of_one_agent(name: str) -> None:
    env = EnvSpec(f"palestra/{name}-v0", 4)
    agent = new(env)
    rows = [metrics for _, metrics in agent.train(env, 4 * 160)]
    assert all(np.isfinite(row["train/loss"]) for row in rows)
    assert "statistics/solved" in {key for row in rows for key in row}


@pytest.mark.slow
@pytest.mark.parametrize("memory", [True, False])
def test_it_learns_to_do_what_it_sees(toy: EnvSpec, memory: bool) -> None:
    agent = new(toy, memory=memory, learning_rate=3e-3, rollout=10)
    envs = toy.make_vec()

    def score() -> float:
        obs, _ = envs.reset(seed=5)
        first, total = np.ones(16, np.bool_), 0.0
        for _ in range(10):
            obs, reward, ended, cut, _ = envs.step(agent.act(obs, first, explore=False))
            first, total = ended | cut, total + float(reward.mean())
        return total

    assert score() < 0.6 * 10
    trained(agent, toy, 16_000)
    assert score() > 0.95 * 10  # the best is 1 a step, drawn moves get a third


def test_other_environments_are_refused() -> None:
    box = gym.spaces.Box(0, 1, (3,))
    with pytest.raises(ValueError, match="mappo plays teams"):
        MAPPO(MAPPOConfig(), box, gym.spaces.Discrete(2), 0)
    with pytest.raises(ValueError, match="discrete actions"):
        parts_of(box)
    for name, value in (("rollout", 0), ("league", 1.5), ("learning_rate", -1.0)):
        with pytest.raises(ValueError, match=name):
            MAPPOConfig(**{name: value})


def test_a_run_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from palestra.cli.main import main

    monkeypatch.setenv("PALESTRA_RUNS", str(tmp_path))
    options = [f"--agent.{name}={value}" for name, value in TINY.items()]
    assert main(["train", "mappo", "--steps", "400", "--num-envs", "4", "--name", "seek", *options]) == 0
    assert main(["evaluate", "seek", "--episodes", "2"]) == 0
    assert "random play gets" in capsys.readouterr().out
    assert main(["watch", "seek", "--out", str(tmp_path / "seek.gif"), "--steps", "5"]) == 0
    assert (tmp_path / "seek.gif").stat().st_size > 1000
