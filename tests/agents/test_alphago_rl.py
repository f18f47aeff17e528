"""Policy gradient by self-play: its gradient against a plain loop, what it learns, and that it goes on exactly."""

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

from palestra.agents.alphago_rl import AlphaGoRL, AlphaGoRLConfig, mean_of_others
from palestra.agents.self_play import Played, play_batch
from palestra.envs.go.rules import Rules
from palestra.envs.go.vector import GoBatch
from palestra.envs.spec import EnvSpec
from palestra.networks import create
from palestra.networks.pretrained import save_pretrained

ENV = EnvSpec("palestra/Go-v0", kwargs={"size": 5, "komi": 0.5})
SPACES: Any = gym.spaces.Box(0.0, 1.0, (17, 5, 5), np.float32), gym.spaces.Discrete(26)


@pytest.fixture
def parent(tmp_path: Path) -> str:
    torch.manual_seed(0)
    net = create("board", in_channels=17, num_classes=26, image_size=(5, 5), width=8, blocks=1)
    save_pretrained(net, tmp_path / "sl", agent="alphago-sl", features="alphago-zero")
    net = create("board", in_channels=17, num_classes=1, image_size=(5, 5), width=4, blocks=1, head="judgement")
    save_pretrained(net, tmp_path / "value", agent="alphago-value", features="alphago-zero")
    return str(tmp_path / "sl")


def agent_of(policy: str, seed: int = 0, **options: Any) -> AlphaGoRL:
    return AlphaGoRL(AlphaGoRLConfig(policy=policy, **options), *SPACES, seed)


def weights_of(agent: AlphaGoRL) -> dict[str, torch.Tensor]:
    assert agent.network is not None
    return agent.network.state_dict()


def test_the_mean_of_the_other_games_of_the_same_colour() -> None:
    """Games 0 to 2 are the learner's as Black, 3 and 4 as White."""
    none = np.zeros(0)
    result = np.array([1.0, 1.0, -1.0, 1.0, -1.0])
    played = Played(none, none, none, np.array([0, 0, 2, 3, 4, 1]), result, none)  # type: ignore[arg-type]
    assert mean_of_others(played).tolist() == [0.0, 0.0, 1.0, -1.0, 1.0, 0.0]


def test_the_gradient_is_that_of_a_plain_loop_over_the_moves(parent: str) -> None:
    agent = agent_of(parent)
    agent.prepare()
    net: Any = agent.network

    def even(obs: np.ndarray) -> np.ndarray:
        return np.zeros((len(obs), 26))

    played = play_batch(GoBatch(Rules(5, komi=0.5), 4), even, even, np.random.default_rng(0))
    advantage = np.random.default_rng(1).normal(size=len(played.action))
    rows = np.arange(0, len(played.action), 3)
    loss, entropy = agent._add_gradient(played, advantage, rows, len(rows))
    given = {name: p.grad.clone() for name, p in net.named_parameters()}
    net.zero_grad()
    total, total_entropy = torch.zeros(()), 0.0
    for i in rows:
        allowed = np.flatnonzero(played.mask[i])
        chance = net(torch.from_numpy(played.obs[i : i + 1]).float())[0, allowed].softmax(0)
        total = total - advantage[i] * chance[list(allowed).index(played.action[i])].log() / len(rows)
        total_entropy -= float((chance * chance.log()).sum().detach()) / len(rows)
    total.backward()  # type: ignore[no-untyped-call]
    assert loss == pytest.approx(float(total.detach()), rel=1e-4)
    assert entropy == pytest.approx(total_entropy, rel=1e-4)
    for name, p in net.named_parameters():
        torch.testing.assert_close(given[name], p.grad, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("with_value", [False, True])
def test_training_goes_on_exactly_where_it_was_saved(parent: str, with_value: bool) -> None:
    """Also without the parent: the run has all that it needs, the pool among it."""
    value = str(Path(parent).parent / "value") if with_value else ""
    options = {"batch_games": 4, "pool_every": 8, "learning_rate": 1e-2, "value": value}
    whole, parts = agent_of(parent, **options), agent_of(parent, **options)
    rows = list(whole.train(ENV, 32))
    assert [step for step, _ in rows] == list(range(4, 33, 4))
    assert rows[-1][1]["train/pool"] == 5  # the parent and one in eight games
    list(parts.train(ENV, 12))
    again = agent_of("gone" if not with_value else parent, seed=9, **options)
    again.restore(parts.state())
    list(again.train(ENV, 32))
    assert len(again.pool) == 5
    for name, weight in weights_of(whole).items():
        assert torch.equal(weight, weights_of(again)[name]), name
    assert not torch.equal(whole.pool[0]["head.bias"], whole.pool[-1]["head.bias"])


def test_it_learns_to_beat_its_parent(parent: str) -> None:
    """On 5x5, from a network that plays at random; chance would be 0, all seeds that were tried were above 0.5."""
    agent = agent_of(parent, batch_games=64, learning_rate=3e-3, pool_every=10**6)
    results = [metrics["rollout/ep_rew_mean"] for _, metrics in agent.train(ENV, 64 * 25)]
    assert np.mean(results[-3:]) > 0.3
    assert abs(np.mean(results[0])) < 0.5


def test_it_acts_by_its_policy_or_prefers_a_move(parent: str) -> None:
    agent = agent_of(parent)
    obs, first = np.zeros((300, 17, 5, 5), np.float32), np.ones(300, np.bool_)
    best = agent.act(obs, first, explore=False)
    assert (best == best[0]).all()
    assert len(set(agent.act(obs, first).tolist())) > 10
    mask = np.zeros((300, 26), np.bool_)
    mask[:, [7, 25]] = True
    assert (agent.act(obs, first, mask) == 7).all()


def test_what_cannot_be_used_is_said(parent: str, tmp_path: Path) -> None:
    for options, message in (
        ({"policy": ""}, "the parent is missing: --policy RUN, of `palestra train alphago-sl"),
        ({"policy": "none"}, "none is no saved network: there is no such folder; `palestra train alphago-sl --games"),
        ({"policy": str(tmp_path / "value")}, "a network of alphago-value, but one of alphago-sl or alphago-rl is"),
        ({"policy": parent, "value": parent}, "has a network of alphago-sl, but one of alphago-value is wanted"),
        ({"policy": parent, "features": "stones"}, "sees the planes alphago-zero, but the environment shows stones"),
    ):
        with pytest.raises(ValueError, match=message):
            agent_of(**options).prepare()  # type: ignore[arg-type]
    for options, message in (
        ({"batch_games": 2}, "batch_games is 2, but at least 4"),
        ({"updates": 0}, "updates is 0"),
        ({"learning_rate": 0.0}, "learning_rate must be positive"),
    ):
        with pytest.raises(ValueError, match=message):
            AlphaGoRLConfig(**options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="alphago-rl plays on boards"):
        AlphaGoRL(AlphaGoRLConfig(), gym.spaces.Discrete(3), gym.spaces.Discrete(2), 0)
