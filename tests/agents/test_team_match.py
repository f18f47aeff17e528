"""Matches of teams: what is the same in both halves of a pair, what each got, and who can play."""

import sys

import numpy as np
import pytest
import torch

from palestra.agents.mappo import MAPPO, MAPPOConfig
from palestra.agents.team_match import NetworkPlayer, RandomTeam, ScriptPlayer, play_teams
from palestra.envs.hide_and_seek.batch import HideAndSeekBatch
from palestra.envs.spec import EnvSpec
from tests.agents import parallel_toys

ENV = EnvSpec("palestra/HideAndSeek-v0", 3)


def test_players_who_are_alike_get_the_same_with_sides_swapped() -> None:
    pairs = list(play_teams([ScriptPlayer("run"), ScriptPlayer("run")], ENV, 5, seed=1))
    assert len(pairs) == 5
    for one, other in pairs:
        assert (one.players, other.players) == ((0, 1), (1, 0))
        assert (one.seed, one.returns) == (other.seed, other.returns)
        assert one.got(0) == -one.got(1)
        assert one.got(0) + other.got(0) == 0
    assert len({one.seed for one, _ in pairs}) == 5


def test_returns_are_those_of_the_batch_alone() -> None:
    one, _ = next(iter(play_teams([ScriptPlayer("run"), ScriptPlayer("random")], ENV, 1, seed=2)))
    batch = HideAndSeekBatch("quadrant", 1)
    batch.reset(one.seed)
    from palestra.agents.hide_scripts import ScriptedTeam
    from palestra.agents.match import seed_of

    root = seed_of(2, 0)
    teams = [ScriptedTeam(batch, team, name, seed_of(root, team)) for team, name in ((0, "run"), (1, "random"))]
    actions, total = np.zeros((1, 4, 5), np.int64), np.zeros(4)
    for _ in range(batch.scenario.horizon):
        for team in teams:
            team.act(actions)
        total += batch.step(actions)[1][0]
    assert one.returns == (total[0], total[2])
    assert one.statistics["hidden_time"] * 48 == pytest.approx((total[0] + 48) / 2)  # 48 steps count, 1 or -1 each


def test_the_ladder_has_rungs() -> None:
    def score(first: str, second: str) -> float:
        pairs = play_teams([ScriptPlayer(first), ScriptPlayer(second)], EnvSpec(ENV.id, 32), 32, seed=0)
        return float(np.mean([np.sign(one.got(0) + other.got(0)) for one, other in pairs]))

    assert score("run", "random") > 0.75
    assert score("fort", "random") > 0.75


def test_a_network_draws_its_actions_and_remembers() -> None:
    one = ENV.make()
    agent = MAPPO(MAPPOConfig(width=16), one.observation_space, one.action_space, 0)
    players = [NetworkPlayer("net", agent.policy), RandomTeam()]
    first, again, other = (list(play_teams(players, ENV, 2, seed=seed)) for seed in (0, 0, 1))
    assert first == again
    assert first != other
    with torch.no_grad():
        agent.policy.head.bias[:] = 0.0
        agent.policy.head.bias[10] = 100.0  # full speed along x
    got = next(iter(play_teams(players, ENV, 1, seed=0)))
    assert got != first[0]


def test_random_play_makes_each_action_as_often_as_it_is_told() -> None:
    envs, team = ENV.make_vec(3), RandomTeam(repeat=3)
    obs, _ = envs.reset(seed=0)
    team.begin(envs, 1, seed=0)
    made = []
    for _ in range(7):
        actions = np.full(envs.action_space.shape or (), -1)
        team.act(obs, np.zeros(3, np.bool_), actions)
        assert (actions[:, :2] == -1).all()
        made.append(actions[:, 2:].tolist())
    envs.close()
    assert made[0] == made[1] == made[2] != made[3] == made[4] == made[5] != made[6]


def test_who_cannot_play_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "toys", parallel_toys)
    with pytest.raises(ValueError, match="has not two teams"):
        next(
            iter(
                play_teams([RandomTeam(), RandomTeam()], EnvSpec("palestra/Parallel-v0", kwargs={"module": "toys"}), 1)
            )
        )
    with pytest.raises(ValueError, match="there is no script 'hut'"):
        ScriptPlayer("hut")
