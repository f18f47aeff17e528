"""A step: who pushes, who is rewarded, what it leaves alone."""

import math
from dataclasses import replace

import numpy as np
import pytest

from palestra.envs.hide_and_seek.batch import HideAndSeekBatch
from palestra.envs.hide_and_seek.step import any_seen
from tests.envs.hide_and_seek.worlds import OPEN, STILL, Set

LEFT = (5, 5, 10, 0, 0)


def test_forces_are_along_the_floor_or_along_where_an_agent_looks() -> None:
    for egocentric, turn in ((False, 0.0), (True, 0.7)):
        world = Set((3.0, 3.0, 0.7), scenario=replace(OPEN, egocentric=egocentric))
        world.step((10, 7, 5, 0, 0))  # full along x, two fifths along y
        vx, vy = world.bodies[0].vx, world.bodies[0].vy
        assert math.atan2(vy, vx) == pytest.approx(math.atan2(0.4, 1.0) + turn)
        assert math.hypot(vx, vy) > 0.5


def test_buckets_are_from_full_backward_to_full_forward() -> None:
    speeds = []
    for bucket in range(11):
        world = Set((3.0, 3.0, 0.0))
        world.step((bucket, 5, 5, 0, 0))
        speeds.append(float(world.bodies[0].vx))
    assert np.diff(speeds) == pytest.approx([speeds[10] / 5] * 10)
    assert speeds[5] == 0.0
    assert speeds[0] == pytest.approx(-speeds[10])


def test_turning_to_the_left_is_positive_and_angles_stay_within_half_a_turn() -> None:
    world = Set((3.0, 3.0, 0.0))
    world.step(LEFT)
    assert world.bodies[0].angle > 0.0
    for _ in range(60):
        world.step(LEFT)
        assert -math.pi <= world.bodies[0].angle < math.pi
    assert world.bodies[0].cos == pytest.approx(math.cos(world.bodies[0].angle))


def test_rewards_of_the_teams_by_what_is_seen() -> None:
    world = Set((2.0, 3.0, 0.0), (2.0, 5.0, 0.0), (4.0, 3.0, math.pi), seekers=1)
    assert world.step().tolist() == [-1.0, -1.0, 1.0]  # one of two is seen
    world.wall(3.0, 3.0, 0.05, 2.9)
    assert world.step().tolist() == [1.0, 1.0, -1.0]
    assert not any_seen(world.bodies, world.rules, world.game)
    world.rules.preparation = 200
    assert world.step().tolist() == [0.0, 0.0, 0.0]


def test_who_is_far_outside_gets_the_penalty_alone() -> None:
    world = Set((3.0, 3.0, 0.0), (4.0, 3.0, math.pi), seekers=1)
    world.rules.arena, world.rules.outside = 1.0, -10.0
    world.place(0, 6.9, 3.0)
    world.place(1, 2.0, -1.1)
    rewards = world.step()
    assert rewards[1] == -10.0
    assert abs(rewards[0]) == 1.0


def test_time_goes_by_and_the_end_is_the_horizon() -> None:
    batch = HideAndSeekBatch(replace(OPEN, horizon=3), 2)
    batch.reset(0)
    still = np.tile(STILL, (2, batch.scenario.agents, 1))
    ends = [batch.step(still)[2].tolist() for _ in range(7)]
    assert ends == [[False] * 2, [False] * 2, [True] * 2] * 2 + [[False] * 2]
    assert (batch.games.time == 1).all()
