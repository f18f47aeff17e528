"""The transfer suite: rewards by hand, what is seen, players that solve tasks by knowing everything, pictures."""

import math
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from palestra.envs.hide_and_seek.hands import lock
from palestra.envs.hide_and_seek.state import HIDERS, INNER, RAMP
from palestra.envs.spec import EnvSpec
from palestra.envs.team_tasks import (
    Blueprint,
    LockAndReturn,
    ObjectCounting,
    SequentialLock,
    ShelterConstruction,
    TaskTeams,
)

KINDS = (ObjectCounting, LockAndReturn, SequentialLock, Blueprint, ShelterConstruction)
STILL = [5, 5, 5, 0, 0]


def still(envs: TaskTeams) -> np.ndarray:
    """Returns actions that do nothing."""
    return np.tile(np.array(STILL), (envs.num_envs, 1, 1))


@pytest.mark.parametrize("kind", KINDS)
def test_worlds_are_the_same_for_the_same_seed_and_end_together(kind: type[TaskTeams]) -> None:
    rng, horizon = np.random.default_rng(0), kind.scenario.horizon
    one, other = kind(3), kind(3)
    first, again = (envs.reset(seed=4)[0] for envs in (one, other))
    assert first in one.observation_space
    for step in range(horizon):
        actions = rng.integers([11, 11, 11, 2, 2], size=(3, 1, 5))
        first, reward, ended, cut, info = one.step(actions)
        again, other_reward, *_ = other.step(actions)
        assert first in one.observation_space
        assert all((value == again[name]).all() for name, value in first.items())
        assert (reward == other_reward).all()
        assert ended.all() == ended.any() == (step == horizon - 1)
        assert not cut.any()
    assert [set(row) for row in info["statistics"]] == [{"solved"}] * 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_world_is_the_same_alone_and_among_others(kind: type[TaskTeams]) -> None:
    many, alone, rng = kind(3), kind(1), np.random.default_rng(0)
    seen, own = many.reset(seed=4)[0], alone.reset(seed=5)[0]
    for _ in range(2 * kind.scenario.horizon):
        assert all((value[1] == own[name][0]).all() for name, value in seen.items())
        actions = rng.integers([11, 11, 11, 2, 2], size=(3, 1, 5))
        seen, rewards, *_ = many.step(actions)
        own, reward, *_ = alone.step(actions[1:2])
        assert rewards[1] == reward[0]


@pytest.mark.parametrize("kind", KINDS)
def test_they_are_registered(kind: type[TaskTeams]) -> None:
    env = EnvSpec(f"palestra/{kind.__name__}-v0", 2)
    one = env.make(render_mode="rgb_array")
    obs, _ = one.reset(seed=0)
    assert obs in one.observation_space
    assert env.make_vec().reset(seed=0)[0]["me"].shape == (2, 1, 12)
    assert env.is_teams
    assert one.render().shape == (480, 480, 3)
    assert gym.spec(env.id).vector_entry_point == f"palestra.envs.team_tasks:{kind.__name__}"


def test_boxes_leave_to_the_side_that_counts_and_out_of_sight() -> None:
    envs = ObjectCounting(64)
    obs, _ = envs.reset(seed=0)
    ever = obs["seen"].copy()
    for _ in range(envs.scenario.horizon - 1):
        obs, reward, *_ = envs.step(still(envs))
        ever |= obs["seen"]
        assert (obs["me"][:, 0, :2] == obs["me"][:1, 0, :2]).all()  # nobody moves
        assert (reward == 0).all()
    assert ever.all()  # each on its way, those in front hide others before
    assert not obs["seen"].any()
    right = (envs.batch.bodies["x"][:, 1:7] > 3).sum(axis=1)
    assert (envs.batch.bodies["x"][:, 1:7] > 5.5).sum() == right.sum()
    assert len(set(right.tolist())) > 4
    actions = still(envs)
    actions[:, 0, 0] = right
    actions[0, 0, 0] = (right[0] + 1) % 7
    _, reward, _, _, info = envs.step(actions)
    assert reward.tolist() == [0.0] + [1.0] * 63
    assert [row["solved"] for row in info["statistics"]] == reward.tolist()


def put(envs: TaskTeams, body: int, x: Any, y: Any) -> None:
    """Puts a body of each world somewhere."""
    envs.batch.bodies["x"][:, body], envs.batch.bodies["y"][:, body] = x, y


def test_locking_and_returning_is_rewarded_as_said() -> None:
    envs = LockAndReturn(4)
    envs.reset(seed=1)
    bodies = envs.batch.bodies
    inner = bodies["kind"] == INNER
    assert (inner.sum(axis=1) == 14).all()
    start = np.stack([bodies["x"][:, 0], bodies["y"][:, 0]], axis=1).copy()
    box = np.stack([bodies["x"][:, 1], bodies["y"][:, 1]], axis=1)
    far = np.hypot(*(start - box).T)
    put(envs, 0, *(box + np.array([0.4, 0.0])).T)
    for world in bodies:
        lock(world, 1, 1, HIDERS)
    rewards = envs._rewards(still(envs))  # locked before it came nearer: what counts is the way back
    assert rewards == pytest.approx(np.full(4, 5.0))
    put(envs, 0, *start.T)
    back = np.hypot(*(start - box - [0.4, 0.0]).T)
    assert envs._rewards(still(envs)) == pytest.approx(0.5 * back + 1.0)
    assert envs._solved(still(envs)).all()
    bodies["team"][:, 1] = -1
    assert envs._rewards(still(envs)) == pytest.approx(np.full(4, -5.0))
    put(envs, 0, *box.T)
    assert envs._rewards(still(envs)) == pytest.approx(0.5 * far)


def test_boxes_lock_in_their_order_alone() -> None:
    envs = SequentialLock(16)
    obs, _ = envs.reset(seed=2)
    bodies = envs.batch.bodies
    assert (bodies["kind"][:, 5:9] == RAMP).all()
    assert (bodies["x"][:, 0] < 3).all()
    assert (bodies["y"][:, 0] < 3).all()
    first = {tuple(order) for order in envs._order.tolist()}
    assert len(first) > 5
    for turn in range(4):
        for world in bodies:
            for k in range(4):
                if world["team"][1 + k] != HIDERS:
                    lock(world, 1, 1 + k, HIDERS)
        rewards = envs._rewards(still(envs))
        locked = bodies["team"][:, 1:5] == HIDERS
        assert (locked.sum(axis=1) == turn + 1).all()  # all were locked at once, and one of them was due
        assert (np.argsort(envs._order, axis=1)[locked].reshape(16, -1).max(axis=1) == turn).all()
        assert ((rewards > 5.0 - 0.5 * 8.5) & (rewards < 5.0 + 0.5 * 8.5)).all()  # half the metres to the next one
    assert envs._solved(still(envs)).all()
    bodies["team"][:, 1] = -1
    envs._rewards(still(envs))
    assert (bodies["team"][:, 1] == HIDERS).all()
    assert obs["things"].shape == (16, 1, 8, 12)


def test_sites_want_boxes_with_corners_on_corners() -> None:
    envs = Blueprint(6)
    obs, _ = envs.reset(seed=3)
    count = envs._count
    assert obs["sites"].shape == (6, 1, 4, 4)
    assert (obs["there"][:, 0, 8:].sum(axis=1) == count).all()
    before = envs._left.sum(axis=1)
    bodies = envs.batch.bodies
    for n in range(6):
        for s in range(int(count[n])):
            x, y = envs._sites[n, s]
            bodies["x"][n, 1 + s], bodies["y"][n, 1 + s] = x + 0.05, y
            bodies["angle"][n, 1 + s] = envs._angles[n, s] + s * math.pi / 2  # a square is the same turned by a quarter
    rewards = envs._rewards(still(envs))
    assert envs._left.sum(axis=1) == pytest.approx(0.05 * count)
    assert rewards == pytest.approx(0.5 * (before - 0.05 * count) + 3.0)
    bodies["angle"][0, 1] += math.pi / 4  # corners of a square turned by an eighth: 2 r sin(22.5 degrees) apart, nearly
    assert envs._rewards(still(envs))[0] < 0.0
    assert envs._apart()[0, 0] == pytest.approx(2 * 0.25 * math.sqrt(2) * math.sin(math.pi / 8), abs=0.02)


def test_rays_meet_the_pillar_unless_something_is_before_it() -> None:
    envs = ShelterConstruction(8)
    envs.reset(seed=0)
    bodies = envs.batch.bodies
    for j in range(1, 9):
        put(envs, j, -5.0, -5.0)
    hits = envs._hits()
    pillar = bodies[0][bodies[0]["kind"] == INNER]
    radius = math.sqrt(2) * pillar["half_x"][0]
    wide = 2 * radius / 6.0 * 25 * 4  # rays on the pillar's width, from four sides
    assert hits[0] == pytest.approx(wide, abs=4)
    assert envs._rewards(still(envs)) == pytest.approx(-0.001 * hits)
    put(envs, 1, bodies["x"][:, 13], 0.5)  # below it, crosswise
    bodies["angle"][:, 1], bodies["cos"][:, 1], bodies["sin"][:, 1] = 0.0, 1.0, 0.0
    assert (envs._hits() < hits - 4).all()
