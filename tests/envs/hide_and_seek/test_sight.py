"""What agents see, beside the slow twin and by hand."""

import math

import numpy as np
import pytest

from palestra.envs.hide_and_seek.batch import HideAndSeekBatch
from palestra.envs.hide_and_seek.sight import in_cone, lidar, sees
from palestra.envs.hide_and_seek.state import RAMP
from tests.envs.hide_and_seek.test_solver import random_actions
from tests.envs.hide_and_seek.worlds import Set
from tests.naive_hide_and_seek import World


@pytest.mark.kernel
@pytest.mark.parametrize("scenario", ["quadrant", "full"])
def test_sight_and_lidar_are_the_twins(scenario: str) -> None:
    batch, rng, seen, met = HideAndSeekBatch(scenario, 4), np.random.default_rng(1), 0, 0
    sight = batch.reset(1)
    for t in range(12):
        for n in range(4):
            batch.bodies[n, 0].level = int(t % 4 == 3)  # as if it stood above
            twin = World.read(batch.bodies[n], batch.rules[0], batch.games[n].bodies)
            for i in range(len(twin.agents)):
                others = [j for j in range(len(twin.moving)) if j != i]
                found = [bool(sees(batch.bodies[n], batch.rules[0], batch.games[n], i, j)) for j in others]
                assert found == [twin.sees(i, j) for j in others]
                out = np.zeros(batch.scenario.rays, np.float32)
                lidar(batch.bodies[n], batch.rules[0], batch.games[n], i, batch._rays, out)
                assert out == pytest.approx(twin.lidar(i, batch.scenario.rays), abs=1e-5)
                seen, met = seen + sum(found), met + int((out < 6).sum())
            batch.bodies[n, 0].level = 0
        sight, _, _ = batch.step(random_actions(rng, batch))
    assert seen > 50
    assert met > 500
    assert sight.seen.any()


def test_the_cone_has_135_degrees() -> None:
    world = Set((3.0, 3.0, 0.0))
    agent = world.bodies[0]
    for degrees, inside in ((0, True), (67, True), (-67, True), (68, False), (180, False)):
        x, y = 3.0 + math.cos(math.radians(degrees)), 3.0 + math.sin(math.radians(degrees))
        assert bool(in_cone(agent, x, y, world.rules.cone)) == inside


def test_walls_and_boxes_hide_agents_do_not() -> None:
    world = Set((1.0, 3.0, 0.0), (5.0, 3.0, 0.0), (3.0, 3.0, 0.0))

    def seen() -> bool:
        return bool(sees(world.bodies, world.rules, world.game, 0, 1))

    assert seen()  # past the agent in the middle
    box = world.box(4.0, 3.0)
    assert not seen()
    world.bodies[0].level = 1  # who is above looks over boxes
    assert seen()
    world.bodies[0].level, world.bodies[1].level = 0, 1  # and is seen over them
    assert seen()
    world.bodies[1].level = 0
    world.place(box, 4.0, 5.0)
    assert seen()
    world.wall(4.5, 3.0, 0.05, 0.5)
    assert not seen()


def test_lidar_measures_by_hand() -> None:
    world = Set((3.0, 3.0, math.pi / 2), (3.0, 5.0, 0.0))
    out = np.zeros(30, np.float32)
    lidar(world.bodies, world.rules, world.game, 0, world.batch._rays, out)
    assert out[0] == pytest.approx(2.0 - 0.15)  # the agent ahead
    assert out[15] == pytest.approx(3.0)  # the wall behind
    world.box(3.0, 4.0, kind=RAMP)
    lidar(world.bodies, world.rules, world.game, 0, world.batch._rays, out)
    assert out[0] == pytest.approx(0.75)
