"""Ramps: up, over, down, and what others feel of it."""

import math

from palestra.envs.hide_and_seek.state import FREE, RAMP
from tests.envs.hide_and_seek.worlds import STILL, Set

EAST = (10, 5, 5, 0, 0)


def test_a_ramp_leads_over_a_wall() -> None:
    world = Set((1.5, 3.0, 0.0), seekers=1)
    world.wall(3.0, 3.0, 0.05, 3.0)
    ramp = world.box(2.68, 3.0, kind=RAMP)
    agent, levels = world.bodies[0], []
    world.bodies[ramp].per_mass = world.bodies[ramp].per_inertia = 0.0  # it stands fast
    for _ in range(20):
        world.step(EAST)
        levels.append(int(agent.level))
    assert agent.x > 4.0
    assert agent.level == 0
    assert 1 in levels
    assert world.game.crossings == 1.0


def test_without_a_ramp_the_wall_holds() -> None:
    world = Set((1.5, 3.0, 0.0))
    world.wall(3.0, 3.0, 0.05, 3.0)
    world.step(EAST, times=20)
    assert 2.75 < world.bodies[0].x < 2.81


def test_a_ramp_is_entered_by_its_low_edge_only() -> None:
    for angle in (math.pi, math.pi / 2, -math.pi / 2):
        world = Set((1.5, 3.0, 0.0))
        ramp = world.bodies[world.box(3.0, 3.0, angle, kind=RAMP)]
        ramp.per_mass = ramp.per_inertia = 0.0
        world.step(EAST, times=20)
        assert world.bodies[0].level == 0
        assert world.bodies[0].x < 2.61


def test_back_down_the_ramp_is_no_crossing() -> None:
    world = Set((2.0, 3.0, 0.0), seekers=1)
    world.wall(3.4, 3.0, 0.05, 3.0)
    ramp = world.bodies[world.box(3.08, 3.0, kind=RAMP)]
    ramp.per_mass = ramp.per_inertia = 0.0
    agent = world.bodies[0]
    for _ in range(30):
        if agent.level == 1:
            break
        world.step(EAST)
    assert agent.level == 1
    for _ in range(30):
        world.step((0, 5, 5, 0, 0))
    assert agent.level == 0
    assert agent.ramp == FREE
    assert world.game.crossings == 0.0


def test_nobody_comes_down_on_somebody() -> None:
    world = Set((3.0, 3.0, 0.0), (3.2, 3.0, 0.0))
    world.bodies[0].level = 1
    world.step(STILL)
    assert world.bodies[0].level == 1
    world.place(1, 5.0, 5.0)
    world.step(STILL)
    assert world.bodies[0].level == 0


def test_who_is_above_walks_over_boxes_and_moves_what_it_holds() -> None:
    world = Set((3.0, 3.0, 0.0))
    k = world.box(3.0, 3.0)
    agent, box = world.bodies[0], world.bodies[k]
    agent.level = 1
    world.step((10, 5, 5, 1, 0), times=8)
    assert agent.hold == k
    assert box.x > 3.5
    assert world.game.surfed > 0.5
    world.step(EAST, times=8)
    assert agent.level == 0
    assert agent.x > box.x + 0.25
