"""Pictures of worlds: the colours of places."""

import math
from typing import Any

import numpy as np
import pytest

from palestra.envs.hide_and_seek.rendering import BORDER, SITE, picture
from palestra.envs.hide_and_seek.state import HIDERS, RAMP
from tests.envs.hide_and_seek.worlds import Set


def colour(image: np.ndarray, x: float, y: float, floor: float = 6.0) -> list[int]:
    """Returns the colour of a place."""
    scale = len(image) / (floor + 2 * BORDER)
    pixel: list[int] = image[round(len(image) - (y + BORDER) * scale), round((x + BORDER) * scale)].tolist()
    return pixel


def changed(first: Any, second: Any) -> np.ndarray:
    """Returns where two pictures of the same floor differ `[P, 2]`, as places (x, y); a little is the reduction's."""
    rows, columns = np.nonzero((np.abs(first.astype(int) - second) > 12).any(axis=2))
    scale = len(first) / (6.0 + 2 * BORDER)
    return np.stack([columns / scale - BORDER, (len(first) - rows) / scale - BORDER], axis=1)


def test_who_is_above_what_is_locked_and_what_is_held_can_be_told() -> None:
    world = Set((1.0, 1.0, 0.0), (5.0, 5.0, 0.0), seekers=1)
    box, ramp = world.box(3.0, 3.0), world.box(4.5, 1.0, kind=RAMP)
    before = picture(world.bodies, 6.0)
    world.bodies[box].team = HIDERS
    locked = picture(world.bodies, 6.0)
    places = changed(before, locked)
    assert np.abs(places - 3.0).max() < 0.35
    for x in (3.25, 3.225):  # a rim of three pixels, blue
        red, _, blue = colour(locked, x, 3.0)
        assert blue > red
    world.bodies[0].level = 1
    above = picture(world.bodies, 6.0)
    places = changed(locked, above)
    distances = np.hypot(*(places - (1.0, 1.0)).T)
    assert distances.min() > 0.08  # a ring
    assert distances.max() < 0.25
    world.bodies[0].hold = ramp
    held = picture(world.bodies, 6.0)
    assert max(colour(held, 3.2, 1.0)) < 60 < min(colour(above, 3.2, 1.0))


def test_the_arrow_of_a_ramp_points_up() -> None:
    world = Set((1.0, 1.0, 0.0))
    world.box(3.0, 3.0, math.pi / 2, half=(0.5, 0.5), kind=RAMP)
    image = picture(world.bodies, 6.0, size=960)
    low = [colour(image, 3.0 + 0.22 * side, 2.75)[0] for side in (-1, 1)]
    high = [colour(image, 3.0 + 0.22 * side, 3.25)[0] for side in (-1, 1)]
    assert max(low) < 110 < 140 < min(high)  # wide below, narrow above


def test_cones_lidar_and_sites() -> None:
    world = Set((3.0, 3.0, 0.0))
    plain = picture(world.bodies, 6.0)
    places = changed(plain, picture(world.bodies, 6.0, cone=math.cos(math.radians(67.5)))) - 3.0
    angles = np.degrees(np.arctan2(places[:, 1], places[:, 0]))[np.hypot(*places.T) > 0.3]
    assert (angles.min(), angles.max()) == pytest.approx((-67.5, 67.5), abs=4)
    ranges = np.full((1, 4), 2.0)
    places = changed(plain, picture(world.bodies, 6.0, ranges=ranges)) - 3.0
    assert np.abs(places).max() == pytest.approx(2.0, abs=0.05)
    assert (np.abs(places).min(axis=1) < 0.2).all()  # along the axes
    site = [(1.0, 1.0), (2.0, 1.0), (2.0, 2.0), (1.0, 2.0)]
    assert tuple(colour(picture(world.bodies, 6.0, sites=[site]), 1.5, 1.5)) == SITE


def test_everything_is_drawn_where_it_is() -> None:
    world = Set((1.0, 1.0, math.pi), (5.0, 1.0, math.pi), seekers=1)
    world.box(3.0, 4.0)
    world.wall(1.0, 4.0, 0.1, 0.5)
    image = picture(world.bodies, 6.0)
    assert image.shape == (480, 480, 3)
    red, green, blue = colour(image, 1.07, 1.0)
    assert blue > 150 > red
    assert colour(image, 5.07, 1.0)[0] > 180 > colour(image, 5.07, 1.0)[2]
    assert colour(image, 3.0, 4.0)[2] < 120  # the box is yellow
    assert max(colour(image, 1.0, 4.0)) < 110
    assert min(colour(image, 4.5, 4.5)) > 215
    assert green > 0
