"""Ways over the floor: which cells are free, and how far each is from some of them."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from palestra.envs.hide_and_seek.joints import wrapped
from palestra.envs.hide_and_seek.state import ABSENT

CELLS = 60  # along a side of the floor
SLIMMER = 0.9  # the part of an agent's radius that must fit
FAR = 1 << 30  # cells to what cannot be reached


@njit(cache=True)
def cell_of(value, rules):  # type: ignore[no-untyped-def]
    """Returns the row or column of a place, the nearest on the floor."""
    return min(max(int(value / rules.floor * CELLS), 0), CELLS - 1)


@njit(cache=True)
def middle_of(cell, rules):  # type: ignore[no-untyped-def]
    """Returns the place of the middle of a row or column."""
    return (cell + 0.5) * rules.floor / CELLS


@njit(cache=True)
def block(bodies, rules, game, blocked):  # type: ignore[no-untyped-def]
    """Marks cells `[CELLS, CELLS]` in whose middle an agent would touch a box, ramp or wall."""
    cell, blocked[:] = rules.floor / CELLS, False
    reach = SLIMMER * rules.radius
    for j in range(rules.agents, game.bodies):
        body = bodies[j]
        if body.kind == ABSENT:
            continue
        left = max(0, int((body.x - body.width - reach) / cell))
        right = min(CELLS, int((body.x + body.width + reach) / cell) + 1)
        low = max(0, int((body.y - body.height - reach) / cell))
        high = min(CELLS, int((body.y + body.height + reach) / cell) + 1)
        c, s = body.cos, body.sin
        for row in range(low, high):
            for column in range(left, right):
                dx, dy = middle_of(column, rules) - body.x, middle_of(row, rules) - body.y
                u, v = abs(c * dx + s * dy) - body.half_x, abs(c * dy - s * dx) - body.half_y
                u, v = max(u, 0.0), max(v, 0.0)
                if u * u + v * v < reach * reach:
                    blocked[row, column] = True


@njit(cache=True)
def flood(blocked, far, queue, count):  # type: ignore[no-untyped-def]
    """Writes how many steps to a neighbouring cell each is from the first `count` in `queue`, whose `far` is 0."""
    begin = 0
    while begin < count:
        row, column = queue[begin] // CELLS, queue[begin] % CELLS
        begin += 1
        for k in range(4):
            y, x = row + (k == 0) - (k == 1), column + (k == 2) - (k == 3)
            if 0 <= y < CELLS and 0 <= x < CELLS and not blocked[y, x] and far[y, x] == FAR:
                far[y, x] = far[row, column] + 1
                queue[count] = y * CELLS + x
                count += 1


@njit(cache=True)
def spread_from(bodies, rules, low, high, blocked, far, queue):  # type: ignore[no-untyped-def]
    """Writes how far each cell is from the nearest of the agents `low` to `high`; where they stand is free."""
    far[:], count = FAR, 0
    for i in range(low, high):
        row, column = cell_of(bodies[i].y, rules), cell_of(bodies[i].x, rules)
        if far[row, column] == FAR:
            far[row, column] = 0
            queue[count] = row * CELLS + column
            count += 1
    flood(blocked, far, queue, count)


@njit(cache=True)
def spread_to(rules, x, y, blocked, far, queue):  # type: ignore[no-untyped-def]
    """Writes how far each cell is from a place."""
    far[:] = FAR
    row, column = cell_of(y, rules), cell_of(x, rules)
    far[row, column], queue[0] = 0, row * CELLS + column
    flood(blocked, far, queue, 1)


@njit(cache=True)
def downhill(rules, x, y, far, steps):  # type: ignore[no-untyped-def]
    """Returns the place so many cells down the way to where `far` is 0; the middle of its own cell if there is none."""
    row, column = cell_of(y, rules), cell_of(x, rules)
    best_row, best_column = row, column
    for _ in range(steps):
        best = far[row, column]
        for dy in range(-1, 2):
            for dx in range(-1, 2):
                v, u = row + dy, column + dx
                if 0 <= v < CELLS and 0 <= u < CELLS and far[v, u] < best:
                    best, best_row, best_column = far[v, u], v, u
        if best_row == row and best_column == column:
            break
        row, column = best_row, best_column
    return middle_of(column, rules), middle_of(row, rules)


def new_grids() -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """Returns memory for `blocked`, `far` and `queue`."""
    return (
        np.zeros((CELLS, CELLS), np.bool_),
        np.zeros((CELLS, CELLS), np.int64),
        np.zeros(CELLS * CELLS + 16, np.int64),
    )


@njit(cache=True)
def angle_to(agent, x, y):  # type: ignore[no-untyped-def]
    """Returns by how much an agent has to turn to look at a place."""
    return wrapped(math.atan2(y - agent.y, x - agent.x) - agent.angle)
