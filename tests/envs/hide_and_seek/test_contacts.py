"""Which bodies touch, beside the slow twin and by hand."""

import math

import numpy as np
import pytest

from palestra.envs.hide_and_seek.batch import HideAndSeekBatch
from palestra.envs.hide_and_seek.contacts import (
    deepest,
    find_contacts,
    find_pairs,
    never_touch,
    new_scratch,
    set_frame,
    touching,
)
from palestra.envs.hide_and_seek.state import ABSENT, RAMP, num_moving
from tests.envs.hide_and_seek.test_solver import random_actions
from tests.envs.hide_and_seek.worlds import Set
from tests.naive_hide_and_seek import World, extent
from tests.naive_hide_and_seek import touching as slowly_touching


@pytest.mark.kernel
def test_pairs_and_contacts_are_the_twins() -> None:
    batch, rng, margin, met = HideAndSeekBatch("full", 6), np.random.default_rng(0), 0.05, 0
    batch.reset(0)
    rules, scratch = batch.rules[0], new_scratch(batch.bodies.shape[1], int(num_moving(batch.rules[0])))
    for _ in range(10):
        for bodies, game in zip(batch.bodies, batch.games, strict=True):
            twin = World.read(bodies, rules, int(game.bodies))
            pairs = [(one.index, other.index) for one, other in twin.near(margin)]
            count = int(find_pairs(bodies, len(twin.moving), game, scratch.pairs, margin))
            assert scratch.pairs[:count].tolist() == [list(pair) for pair in pairs]
            wanted = [contact for pair in twin.near(margin) for contact in slowly_touching(*pair, margin)]
            found = scratch.contacts[: int(find_contacts(bodies, scratch, count, margin))]
            assert found.separation == pytest.approx([contact.separation for contact in wanted], abs=1e-9)
            assert found.one.tolist() == [contact.one.index for contact in wanted]
            assert found.other.tolist() == [contact.other.index for contact in wanted]
            met += len(wanted)
        batch.step(random_actions(rng, batch))
    assert met > 50


def test_the_frame_of_a_body_is_the_rectangle_around_its_corners() -> None:
    world = Set((1.0, 1.0, 0.3))
    k = world.box(3.0, 3.0, half=(0.7, 0.2))
    for angle in (0.0, 0.4, math.pi / 2, -2.0):
        body = world.bodies[k]
        body.angle = angle
        set_frame(body)
        twin = World.read(world.bodies, world.rules, k + 1).bodies[k]
        assert (body.width, body.height) == pytest.approx(extent(twin))
        assert (body.cos, body.sin) == pytest.approx((math.cos(angle), math.sin(angle)))
    set_frame(world.bodies[0])
    assert world.bodies[0].width == world.bodies[0].height == world.rules.radius


def test_who_never_touches() -> None:
    world = Set((1.0, 1.0, 0.0), (2.0, 1.0, 0.0))
    box, ramp, wall = world.box(3.0, 3.0), world.box(4.0, 4.0, kind=RAMP), world.wall(5.0, 3.0, 0.1, 0.5)
    bodies = world.bodies
    outer = next(k for k, body in enumerate(bodies) if body.kind > bodies[wall].kind)

    def apart(one: int, other: int) -> bool:
        return bool(never_touch(bodies[one], bodies[other], other))

    pairs = ((0, 1), (0, box), (0, ramp), (0, wall), (0, outer), (box, ramp), (box, wall))
    assert [apart(*pair) for pair in pairs] == [False] * 7
    assert apart(wall, outer)  # neither moves
    bodies[0].level = 1
    assert [apart(*pair) for pair in pairs] == [True, True, True, True, False, False, False]
    bodies[1].level = 1
    assert not apart(0, 1)
    bodies[0].level, bodies[0].hold, bodies[0].ramp = 0, box, ramp
    assert [apart(*pair) for pair in pairs[1:4]] == [True, True, False]
    bodies[box].kind = ABSENT
    assert apart(1, box)


def test_two_discs_touch_at_one_point_and_a_box_on_a_wall_at_two() -> None:
    world = Set((1.0, 1.0, 0.0), (1.29, 1.0, 0.0))
    box, wall = world.box(3.0, 3.0), world.wall(3.0, 2.695, 1.0, 0.05)
    contacts = new_scratch(len(world.bodies), 7).contacts
    assert touching(world.bodies[0], world.bodies[1], 0.0, contacts, 0) == 1
    assert contacts[0].separation == pytest.approx(1.29 - 1.0 - 2 * world.rules.radius)
    assert touching(world.bodies[box], world.bodies[wall], 0.0, contacts, 0) == 0
    assert touching(world.bodies[box], world.bodies[wall], 0.01, contacts, 0) == 2
    assert contacts[:2].separation == pytest.approx([0.005, 0.005], abs=1e-12)


def test_how_deep_bodies_are_in_one_another() -> None:
    world = Set((1.0, 1.0, 0.0), (5.0, 1.0, 0.0))
    scratch = new_scratch(len(world.bodies), int(num_moving(world.rules)))

    def deep() -> float:
        return float(deepest(world.bodies, num_moving(world.rules), world.game, scratch))

    assert deep() == 0.0
    world.place(1, 1.2, 1.0)
    assert deep() == pytest.approx(2 * world.rules.radius - 0.2)
    world.place(1, 5.0, 1.0)
    world.box(3.0, 3.0), world.box(3.4, 3.3)
    assert deep() == pytest.approx(0.1)  # of 0.5 sides: 0.1 along x, 0.2 along y
