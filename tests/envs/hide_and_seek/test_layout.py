"""Rooms and where things begin."""

from dataclasses import replace

import numpy as np
import pytest

from palestra.envs.hide_and_seek.batch import HideAndSeekBatch
from palestra.envs.hide_and_seek.contacts import deepest, new_scratch
from palestra.envs.hide_and_seek.paths import CELLS, block
from palestra.envs.hide_and_seek.scenario import SCENARIOS, Scenario
from palestra.envs.hide_and_seek.state import ABSENT, BOX, INNER, OUTER


def begun(scenario: Scenario, worlds: int = 300) -> HideAndSeekBatch:
    """Returns worlds that have begun."""
    batch = HideAndSeekBatch(scenario, worlds)
    batch.reset(0)
    return batch


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_nothing_begins_in_anything(name: str) -> None:
    batch = begun(SCENARIOS[name])
    moving = batch.scenario.agents + batch.scenario.boxes[1] + batch.scenario.ramps
    scratch = new_scratch(batch.scenario.bodies, moving)
    assert max(deepest(batch.bodies[n], moving, batch.games[n], scratch) for n in range(300)) == 0.0


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_every_part_of_the_floor_can_be_reached(name: str) -> None:
    batch, grid, parts = begun(replace(SCENARIOS[name], outer_walls=1.0)), np.zeros((CELLS, CELLS), np.bool_), []
    for n in range(300):
        for k in range(batch.scenario.agents, len(batch.bodies[n])):
            if batch.bodies[n, k].kind < INNER:
                batch.bodies[n, k].kind = ABSENT
        block(batch.bodies[n], batch.rules[0], batch.games[n], grid)
        parts.append(_parts(~grid))
    closed = np.mean(np.array(parts) > 1)
    assert closed == 0.0  # doors are never closed but by boxes


def _parts(open_cells: np.ndarray) -> int:
    """Counts connected parts of a grid."""
    left, count = open_cells.copy(), 0
    while left.any():
        count += 1
        stack = [tuple(np.argwhere(left)[0])]
        while stack:
            row, column = stack.pop()
            if 0 <= row < len(left) and 0 <= column < len(left) and left[row, column]:
                left[row, column] = False
                stack += [(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)]
    return count


def test_the_full_game_has_what_the_paper_has() -> None:
    batch = begun(SCENARIOS["full"], 2000)
    boxes = (batch.bodies.kind == BOX).sum(axis=1)
    long = ((batch.bodies.kind == BOX) & (batch.bodies.half_x > 0.5)).sum(axis=1)
    assert set(boxes.tolist()) == set(range(3, 10))
    assert long.min() == 3
    assert (long <= boxes).all()
    around = (batch.bodies.kind == OUTER).any(axis=1).mean()
    assert abs(around - 0.5) < 0.05  # 4 standard errors of 2,000 draws
    walls = (batch.bodies.kind == INNER).sum(axis=1)
    assert set(walls.tolist()) == {0, 2, 4, 6}  # one to four rooms, two walls beside each door


def test_the_quadrant_has_a_room_with_boxes_and_seekers_outside() -> None:
    batch = begun(SCENARIOS["quadrant"])
    boxes = batch.bodies[batch.bodies.kind == BOX]
    assert (boxes.x > 3.0).all()
    assert (boxes.y < 3.0).all()
    assert (batch.bodies[:, 2:4].x < 3.0).all()
    doors = (batch.bodies.kind == INNER).sum(axis=1)
    assert set(doors.tolist()) == {3, 4}  # walls: one of the two doors may be closed


def test_too_much_for_the_floor_is_refused_with_what_would_fit() -> None:
    with pytest.raises(ValueError, match=r"60 boxes, .* do not fit .*; at most \d+ boxes do"):
        HideAndSeekBatch(replace(SCENARIOS["full"], boxes=(60, 60), elongated=(0, 0))).reset(0)
