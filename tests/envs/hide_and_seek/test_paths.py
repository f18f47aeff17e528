"""Ways over the floor, beside a plain search."""

import math
from itertools import pairwise

import numpy as np
import pytest

from palestra.envs.hide_and_seek.batch import HideAndSeekBatch
from palestra.envs.hide_and_seek.paths import (
    CELLS,
    FAR,
    SLIMMER,
    angle_to,
    block,
    cell_of,
    downhill,
    middle_of,
    new_grids,
    spread_from,
    spread_to,
)
from tests.envs.hide_and_seek.worlds import Set
from tests.naive_hide_and_seek import World


def test_cells_and_their_middles() -> None:
    rules = Set((3.0, 3.0, 0.0)).rules
    assert [int(cell_of(value, rules)) for value in (-1.0, 0.0, 0.05, 3.0, 5.999, 9.0)] == [0, 0, 0, 30, 59, 59]
    assert [cell_of(middle_of(cell, rules), rules) for cell in range(CELLS)] == list(range(CELLS))


def test_a_cell_is_blocked_where_a_slimmer_agent_would_touch() -> None:
    batch = HideAndSeekBatch("full", 3)
    batch.reset(1)
    rules, (blocked, _, _), some = batch.rules[0], new_grids(), 0
    for bodies, game in zip(batch.bodies, batch.games, strict=True):
        block(bodies, rules, game, blocked)
        twin = World.read(bodies, rules, int(game.bodies))
        solid = [body for body in twin.bodies[len(twin.agents) :] if body.kind]
        for row in range(0, CELLS, 3):
            for column in range(CELLS):
                point = np.array([middle_of(column, rules), middle_of(row, rules)])
                gaps = [np.linalg.norm(point - body.nearest(point)) for body in solid]
                assert blocked[row, column] == (min(gaps) < SLIMMER * rules.radius)
                some += blocked[row, column]
    assert some > 300


def plain_distances(blocked: np.ndarray, goals: list[tuple[int, int]]) -> np.ndarray:
    """Returns how many steps each cell is from the nearest goal, by waves; what is blocked is entered by none."""
    far = np.full(blocked.shape, FAR)
    wave = set(goals)
    for steps in range(CELLS * CELLS):
        for cell in wave:
            far[cell] = steps
        around = {(y + dy, x + dx) for y, x in wave for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0))}
        wave = {
            (y, x) for y, x in around if 0 <= y < CELLS and 0 <= x < CELLS and not blocked[y, x] and far[y, x] == FAR
        }
    return far


def test_distances_are_those_of_a_plain_search() -> None:
    batch = HideAndSeekBatch("quadrant", 2)
    batch.reset(3)
    rules, (blocked, far, queue) = batch.rules[0], new_grids()
    for bodies, game in zip(batch.bodies, batch.games, strict=True):
        block(bodies, rules, game, blocked)
        stand = [(int(cell_of(body.y, rules)), int(cell_of(body.x, rules))) for body in bodies[2:4]]
        spread_from(bodies, rules, 2, 4, blocked, far, queue)
        assert (far == plain_distances(blocked, stand)).all()
        spread_to(rules, 4.5, 1.5, blocked, far, queue)
        assert (far == plain_distances(blocked, [(15, 45)])).all()
        assert (far == FAR).any()


def test_downhill_leads_around_a_wall() -> None:
    world = Set((1.0, 1.0, 0.0))
    world.wall(3.0, 2.0, 0.05, 2.0)  # open above
    blocked, far, queue = new_grids()
    block(world.bodies, world.rules, world.game, blocked)
    spread_to(world.rules, 5.0, 1.0, blocked, far, queue)
    places = [(1.05, 1.05)]
    for _ in range(100):
        places.append(tuple(float(value) for value in downhill(world.rules, *places[-1], far, 2)))
    assert places[-1] == pytest.approx((5.0, 1.0), abs=0.1)
    assert max(y for _, y in places) > 4.0
    assert max(math.dist(a, b) for a, b in pairwise(places)) < 0.1 * 2 * 1.5 + 1e-9
    world.wall(3.0, 5.0, 0.05, 1.0)  # no way is left
    block(world.bodies, world.rules, world.game, blocked)
    spread_to(world.rules, 5.0, 1.0, blocked, far, queue)
    assert downhill(world.rules, 1.02, 1.03, far, 3) == pytest.approx((1.05, 1.05))


def test_the_angle_to_a_place_is_the_shorter_way() -> None:
    agent = Set((3.0, 3.0, 3.0)).bodies[0]
    assert angle_to(agent, 3.0 - math.cos(0.1), 3.0 - math.sin(0.1)) == pytest.approx(math.pi + 0.1 - 3.0)
    assert angle_to(agent, 4.0, 3.0) == pytest.approx(-3.0)
