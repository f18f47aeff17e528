"""Contacts and rays beside the slow twin's and by hand."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from palestra.envs.hide_and_seek.contacts import touching
from palestra.envs.hide_and_seek.geometry import CONTACT, gap, ray_box, ray_disc
from tests import naive_hide_and_seek as naive
from tests.envs.hide_and_seek.worlds import Set

ANGLES = st.floats(-math.pi, math.pi) | st.sampled_from([0.0, math.pi / 2, math.pi / 4])
PLACES = st.floats(-0.7, 0.7)
SIDES = st.sampled_from([(0.25, 0.25), (0.825, 0.075)])


def two_boxes(dx: float, dy: float, angles: tuple[float, float], halves: tuple[tuple[float, float], ...]) -> Set:
    """Returns a world with two boxes."""
    world = Set((0.3, 0.3, 0.0))
    world.box(3.0, 3.0, angles[0], halves[0])
    world.box(3.0 + dx, 3.0 + dy, angles[1], halves[1])
    return world


@pytest.mark.kernel
@given(dx=PLACES, dy=PLACES, angles=st.tuples(ANGLES, ANGLES), halves=st.tuples(SIDES, SIDES))
@settings(max_examples=300, deadline=None)
def test_boxes_touch_where_the_twins_do(
    dx: float, dy: float, angles: tuple[float, float], halves: tuple[tuple[float, float], ...]
) -> None:
    assume(abs(math.cos(2 * (angles[0] - angles[1]))) > 1e-6)  # at half a right angle either side may lie across
    world = two_boxes(dx, dy, angles, halves)
    out = np.zeros(2, CONTACT).view(np.recarray)
    count = touching(world.bodies[1], world.bodies[2], 0.05, out, 0)
    twin = naive.World.read(world.bodies, world.rules, world.game.bodies)
    near = naive.touching(twin.bodies[1], twin.bodies[2], 0.06)
    assume(all(abs(contact.separation - 0.05) > 1e-9 for contact in near))  # nor just at the margin
    wanted = naive.touching(twin.bodies[1], twin.bodies[2], 0.05)
    separations = sorted(contact.separation for contact in wanted)
    assert sorted(out.separation[:count]) == pytest.approx(separations, abs=1e-9)


@given(x=st.floats(-1.2, 1.2), y=st.floats(-1.2, 1.2), angle=ANGLES, half=SIDES)
@settings(max_examples=300, deadline=None)
def test_a_disc_is_as_far_from_a_box_as_the_twin_says(
    x: float, y: float, angle: float, half: tuple[float, float]
) -> None:
    world = Set((3.0 + x, 3.0 + y, 0.0))
    k = world.box(3.0, 3.0, angle, half)
    twin = naive.World.read(world.bodies, world.rules, world.game.bodies)
    out = np.zeros(2, CONTACT).view(np.recarray)
    wanted = naive.disc_box(twin.bodies[0], twin.bodies[k])
    assert touching(world.bodies[0], world.bodies[k], 9.0, out, 0) == 1
    assert out[0].separation == pytest.approx(wanted.separation, abs=1e-9)
    assert gap(world.bodies[0], world.bodies[k]) == pytest.approx(wanted.separation, abs=1e-9)


def test_a_box_on_a_box_touches_along_a_side() -> None:
    world = two_boxes(0.1, 0.49, (0.0, 0.0), ((0.25, 0.25), (0.25, 0.25)))
    out = np.zeros(2, CONTACT).view(np.recarray)
    assert touching(world.bodies[1], world.bodies[2], 0.0, out, 0) == 2
    assert out.separation == pytest.approx(-0.01)
    assert sorted(out.x) == pytest.approx([2.85, 3.25])  # where the sides lie across from one another
    assert (out.nx.tolist(), out.ny.tolist()) == ([0.0, 0.0], [1.0, 1.0])


def test_rays_meet_a_box_and_a_disc_by_hand() -> None:
    world = Set((5.0, 3.0, 0.0))
    box = world.bodies[world.box(3.0, 3.0, math.pi / 4)]
    assert ray_box(1.0, 3.0, 1.0, 0.0, box) == pytest.approx(2.0 - 0.25 * math.sqrt(2))
    assert ray_box(1.0, 3.0, -1.0, 0.0, box) == math.inf
    assert ray_box(3.0, 3.0, 1.0, 0.0, box) == 0.0
    assert ray_disc(1.0, 3.0, 2.0, 0.0, world.bodies[0]) == pytest.approx((4.0 - 0.15) / 2)
    assert ray_disc(1.0, 3.2, 1.0, 0.0, world.bodies[0]) == math.inf
