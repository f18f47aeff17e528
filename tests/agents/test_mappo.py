"""PPO for teams: advantages, what critics see, exact resumption, and that it learns."""

import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

from palestra.agents.mappo import MAPPO, MAPPOConfig
from palestra.agents.team_learner import advantages
from palestra.agents.team_play import Collector, critic_view, drawn, parts_of
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


def test_advantages_are_the_sums_of_discounted_errors() -> None:
    rng, gamma, lam = np.random.default_rng(0), 0.9, 0.8
    rewards, values, after = (rng.normal(size=(4, 6)) for _ in range(3))
    ended, cut = rng.random((4, 6)) < 0.2, rng.random((4, 6)) < 0.2
    stopped = ended | cut
    given = [torch.from_numpy(array) for array in (rewards, values, after, ended, stopped)]
    found = advantages(*given, gamma, lam).numpy()
    for b in range(4):
        for t in range(6):
            wanted, weight = 0.0, 1.0
            for k in range(t, 6):
                wanted += weight * (rewards[b, k] + gamma * after[b, k] * (not ended[b, k]) - values[b, k])
                weight *= gamma * lam
                if stopped[b, k]:
                    break
            assert found[b, t] == pytest.approx(wanted)


def test_drawn_actions_come_as_often_as_they_are_likely() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0, 0.5, -0.5]]).expand(20_000, 5)
    actions, log_p = drawn(logits, [3, 2], torch.Generator().manual_seed(0))
    first, second = logits[0, :3].softmax(-1), logits[0, 3:].softmax(-1)
    counts = torch.bincount(actions[:, 0], minlength=3) / 20_000
    assert torch.allclose(counts, first, atol=0.015)  # 4 standard errors
    wanted = first.log()[actions[:, 0]] + second.log()[actions[:, 1]]
    assert torch.allclose(log_p, wanted, atol=1e-5)
    best, _ = drawn(logits[:1], [3, 2], None)
    assert best.tolist() == [[2, 0]]


def test_a_critic_of_vectors_sees_the_others() -> None:
    me = torch.arange(2 * 3 * 2 * 1.0).reshape(6, 2, 1)  # two worlds, three agents, two steps
    view, mask = critic_view({"me": me}, 3)
    assert mask is None
    assert view["others"].shape == (6, 2, 2, 1)
    assert view["others"][4, 1, :, 0].tolist() == [me[3, 1, 0], me[5, 1, 0]]


def test_a_critic_of_hide_and_seek_sees_what_agents_do_not() -> None:
    env = EnvSpec("palestra/HideAndSeek-v0", 2)
    seen, _ = env.make_vec().reset(seed=0)
    obs = {name: torch.from_numpy(value.reshape(8, 1, *value.shape[2:])) for name, value in seen.items()}
    _, mask = critic_view({**obs, "seen": obs["seen"].bool(), "there": obs["there"].bool()}, 4)
    assert mask is not None
    assert mask.all()
    assert not obs["seen"].all()


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
