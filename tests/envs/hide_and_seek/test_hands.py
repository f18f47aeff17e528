"""Holding and locking."""

import math

import pytest

from palestra.envs.hide_and_seek.state import FREE, HIDERS, RAMP, SEEKERS
from tests.envs.hide_and_seek.worlds import STILL, Set

HOLD, LOCK = (5, 5, 5, 1, 0), (5, 5, 5, 0, 1)


def test_the_closest_thing_in_front_within_reach_is_held() -> None:
    world = Set((3.0, 3.0, 0.0))
    near, far, behind = world.box(3.5, 3.0), world.box(3.5, 3.55), world.box(2.5, 3.0)
    world.step(HOLD)
    assert world.bodies[0].hold == near
    world.step(STILL)
    assert world.bodies[0].hold == FREE
    world.place(near, 5.0, 5.0)
    world.step(HOLD)
    assert world.bodies[0].hold == far
    world.step(STILL)
    world.place(far, 5.0, 4.0)
    world.step(HOLD)
    assert world.bodies[0].hold == FREE
    assert behind != FREE


def test_nothing_is_held_through_a_wall() -> None:
    world = Set((3.0, 3.0, 0.0))
    world.box(3.55, 3.0)
    world.wall(3.22, 3.0, 0.03, 0.5)
    world.step(HOLD)
    assert world.bodies[0].hold == FREE


def test_a_held_thing_keeps_its_place_in_the_hand() -> None:
    world = Set((2.0, 3.0, 0.0))
    box = world.bodies[world.box(2.55, 3.1, 0.3)]
    world.step(HOLD)
    agent, far = world.bodies[0], 0.0
    for t in range(40):  # around and to and fro, along walls too
        world.step((10 if t % 13 < 7 else 0, t % 11, (3 * t) % 11, 1, 0))
        c, s = math.cos(box.angle), math.sin(box.angle)
        x, y = box.x + c * agent.joint_x - s * agent.joint_y, box.y + s * agent.joint_x + c * agent.joint_y
        assert (x, y) == pytest.approx((agent.x, agent.y), abs=5e-3)
        assert math.remainder(agent.angle - box.angle - agent.joint_angle, 2 * math.pi) == pytest.approx(0, abs=5e-3)
        far = max(far, math.hypot(box.x - 2.55, box.y - 3.1))
    assert agent.hold != FREE
    assert far > 0.5


def test_two_may_hold_one_box() -> None:
    world = Set((2.55, 3.0, 0.0), (3.45, 3.0, math.pi))
    box = world.box(3.0, 3.0)
    world.step(HOLD, HOLD)
    assert world.bodies[0].hold == world.bodies[1].hold == box
    world.step((5, 10, 5, 1, 0), (5, 10, 5, 1, 0), times=5)
    assert world.bodies[box].y > 3.5


def test_what_is_locked_never_moves_and_is_not_held() -> None:
    world = Set((2.5, 3.0, 0.0), (3.5, 3.0, math.pi), seekers=1)
    k = world.box(3.0, 3.0)
    world.step(LOCK)
    box = world.bodies[k]
    assert box.team == HIDERS
    before = (box.x, box.y, box.angle)
    for t in range(60):
        world.step((10, t % 11, (2 * t) % 11, 1, 1), (t % 11, 10, 5, 1, 0))
    assert (box.x, box.y, box.angle) == before
    assert world.bodies[0].hold == world.bodies[1].hold == FREE


def test_only_the_team_that_locked_unlocks_and_all_of_it_must_want_to() -> None:
    world = Set((2.5, 3.0, 0.0), (3.0, 2.5, math.pi / 2), (3.5, 3.0, math.pi), seekers=1)
    box = world.bodies[world.box(3.0, 3.0)]
    world.step(LOCK, LOCK, STILL)
    assert box.team == HIDERS
    world.step(LOCK, LOCK, STILL, times=3)  # the seeker wants it open
    assert box.team == HIDERS
    world.step(STILL, LOCK, STILL)  # the hiders do not agree
    assert box.team == HIDERS
    world.step(STILL, STILL, LOCK)  # a seeker cannot hold the hiders' lock
    assert box.team == FREE
    world.step(STILL, STILL, LOCK)
    assert box.team == SEEKERS
    assert box.per_mass == 0.0


def test_a_lock_takes_it_out_of_hands() -> None:
    world = Set((2.5, 3.0, 0.0), (3.5, 3.0, math.pi), seekers=1)
    world.box(3.0, 3.0)
    world.step(HOLD)
    world.step(HOLD, LOCK)
    assert world.bodies[0].hold == FREE


def test_seekers_do_nothing_during_the_preparation() -> None:
    world = Set((1.0, 1.0, 0.0), (2.5, 3.0, 0.0), seekers=1)
    world.rules.preparation = 5
    box = world.bodies[world.box(3.0, 3.0)]
    for _ in range(5):
        rewards = world.step(STILL, (10, 10, 10, 1, 1))
        assert rewards.tolist() == [0.0, 0.0]
    seeker = world.bodies[1]
    assert (seeker.x, seeker.y, seeker.angle, seeker.hold, box.team) == (2.5, 3.0, 0.0, FREE, FREE)
    world.step(STILL, (10, 10, 10, 0, 1))
    assert seeker.x != 2.5
    assert box.team == SEEKERS


def test_ramps_are_locked_where_the_scenario_lets_them() -> None:
    for able, team in ((1, HIDERS), (0, FREE)):
        world = Set((2.5, 3.0, 0.0))
        world.rules.lock_ramps = able
        ramp = world.box(3.0, 3.0, kind=RAMP)
        world.step(LOCK)
        assert world.bodies[ramp].team == team
