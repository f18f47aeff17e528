"""Playing teams: actions of several parts, who remembers what, and what is kept for learning."""

import sys
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

from palestra.agents.team_network import TeamNetwork
from palestra.agents.team_play import (
    Actor,
    Collector,
    critic_shapes,
    critic_view,
    drawn,
    folded,
    log_softmax,
    parts_of,
    tensors,
)
from palestra.envs.spec import EnvSpec
from tests.agents import parallel_toys

HIDE = EnvSpec("palestra/HideAndSeek-v0", 3)
PARTS = [11, 11, 11, 2, 2]


def network(memory: bool = True) -> TeamNetwork:
    """Makes a small network for hide-and-seek, always with the same weights."""
    shapes = {name: space.shape[1:] for name, space in HIDE.make().observation_space.spaces.items()}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return TeamNetwork(shapes, sum(PARTS), width=8, memory=memory)


def test_parts_of_actions() -> None:
    assert parts_of(gym.spaces.MultiDiscrete([[3, 2], [3, 2]])) == [3, 2]
    unequal = gym.spaces.MultiDiscrete([[3, 2], [3, 3]])
    for space in (unequal, gym.spaces.Discrete(3), gym.spaces.MultiDiscrete([3, 2])):
        with pytest.raises(ValueError, match="the same discrete actions for all agents are wanted"):
            parts_of(space)


def test_each_part_has_probabilities_of_its_own() -> None:
    logits = torch.randn(4, 7, 5, generator=torch.Generator().manual_seed(0))
    for log_p, n in zip(log_softmax(logits, [3, 2]), (3, 2), strict=True):
        assert log_p.shape == (4, 7, n)
        assert torch.allclose(log_p.exp().sum(-1), torch.ones(4, 7))


def test_rows_are_agents_of_worlds_in_order_and_masks_are_bool() -> None:
    given = tensors({"me": np.arange(12.0).reshape(3, 2, 2), "seen": np.ones((3, 2, 4), np.int8)})
    assert given["me"][:, 0, 0].tolist() == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    assert given["seen"].dtype == torch.bool
    stacked = folded([np.full((3, 2), t) + 10 * np.arange(6).reshape(3, 2) for t in range(4)])
    assert stacked.tolist() == [[10 * row + t for t in range(4)] for row in range(6)]


def test_an_actor_forgets_where_an_episode_begins_and_nowhere_else() -> None:
    envs: Any = HIDE.make_vec()
    obs, _ = envs.reset(seed=0)
    begin, on = np.ones(3, np.bool_), np.zeros(3, np.bool_)
    used, fresh = Actor(network(), PARTS, 4), Actor(network(), PARTS, 4)
    used.act(obs, begin, None)
    used.act(obs, np.array([True, False, False]), None)
    fresh.act(obs, begin, None)
    for name, value in used.state.items():
        mine, other = value.reshape(3, 4, *value.shape[1:]), fresh.state[name].reshape(3, 4, *value.shape[1:])
        assert torch.equal(mine[0], other[0])
        assert not torch.equal(mine[1:], other[1:])
    assert used.act(obs, on, None)[0].shape == (3, 4, 5)


def test_the_likeliest_actions_need_no_generator_and_drawn_ones_are_the_seeds() -> None:
    envs: Any = HIDE.make_vec()
    obs, _ = envs.reset(seed=0)
    begin = np.ones(3, np.bool_)

    def acted(seed: int | None) -> list[Any]:
        random = None if seed is None else torch.Generator().manual_seed(seed)
        actions, log_p = Actor(network(), PARTS, 4).act(obs, begin, random)
        return [actions.tolist(), log_p.tolist()]

    assert acted(None) == acted(None)
    assert acted(1) == acted(1) != acted(2)


def test_what_is_kept_is_what_happened() -> None:
    envs: Any = HIDE.make_vec()
    collector = Collector(envs, Actor(network(memory=False), PARTS, 4), 5)
    twin: Any = HIDE.make_vec()
    seen, _ = twin.reset(seed=5)
    rollout, logged = collector.collect(90, torch.Generator().manual_seed(0))
    actions, returns = rollout.actions.reshape(3, 4, 90, 5).numpy(), np.zeros((3, 4))
    for t in range(90):
        assert (rollout.obs["me"].reshape(3, 4, 91, -1)[:, :, t].numpy() == seen["me"]).all()
        assert rollout.first.reshape(3, 4, 91)[:, :, t].all() == (t in (0, 80))
        seen, _, ended, _, info = twin.step(actions[:, :, t])
        assert (rollout.rewards.reshape(3, 4, 90)[:, :, t].numpy() == info["rewards"]).all()
        assert (rollout.ended.reshape(3, 4, 90)[:, :, t].numpy() == ended[:, None]).all()
        returns += info["rewards"] * (t < 80)
    assert logged["returns"] == pytest.approx(returns[:, :2].mean(axis=1).tolist())
    assert len(logged["statistics"]) == 3
    assert rollout.final is None
    given = {name: value[:, :-1] for name, value in rollout.obs.items()}
    with torch.no_grad():
        taken = log_softmax(collector.actor.network(given, given["seen"])[0], PARTS)
    log_p = sum(part.gather(-1, rollout.actions[..., k, None])[..., 0] for k, part in enumerate(taken))
    assert torch.allclose(log_p, rollout.log_p, atol=1e-4)


def test_episodes_that_are_cut_off_keep_what_was_seen_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "toys", parallel_toys)
    envs: Any = EnvSpec("palestra/Parallel-v0", 2, 0, {"module": "toys"}).make_vec()
    toy = TeamNetwork({"me": (3,)}, 3, width=8, memory=False)
    rollout, _ = Collector(envs, Actor(toy, [3], 2), 0).collect(10, torch.Generator().manual_seed(0))
    assert rollout.cut[0].tolist() == [t == 7 for t in range(10)]
    assert not rollout.ended.any()
    assert rollout.final is not None
    assert not torch.equal(rollout.final["me"][:, 7], rollout.obs["me"][:, 8])
    assert torch.equal(rollout.final["me"][:, 6], rollout.obs["me"][:, 7])


def test_a_past_policy_plays_whom_it_is_given_and_is_scored_over_whole_episodes() -> None:
    envs: Any = HIDE.make_vec()
    collector = Collector(envs, Actor(network(), PARTS, 4), 0)
    plays = np.zeros((3, 4), np.bool_)
    plays[0, :2] = plays[1, 2:] = True
    collector.meet(Actor(network(), PARTS, 4), plays)
    rollout, _ = collector.collect(80, torch.Generator().manual_seed(0))
    assert rollout.learnt.reshape(3, 4).tolist() == (~plays).tolist()
    assert len(collector.scores) == 2
    rewards = rollout.rewards.reshape(3, 4, 80).sum(dim=2)
    for world, (mine, past) in enumerate(((2, 0), (0, 2))):
        difference = float(rewards[world, mine] - rewards[world, past])
        assert collector.scores[world] == 0.5 + 0.5 * np.sign(difference)
    collector.collect(10, torch.Generator().manual_seed(0))
    collector.meet(collector.past, ~plays)  # in the middle of an episode: it does not count
    collector.collect(70, torch.Generator().manual_seed(0))
    assert len(collector.scores) == 2


def test_shapes_of_what_a_critic_sees() -> None:
    assert critic_shapes({"me": (5,)}, 3) == {"me": (5,), "others": (2, 5)}
    assert critic_shapes({"me": (5,)}, 1) == {"me": (5,)}
    shapes = {"me": (5,), "others": (3, 2)}
    assert critic_shapes(shapes, 4) == shapes


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
