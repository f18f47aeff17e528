"""Mazes of any size up to 1,000 x 1,000 cells, drawn from a seed.

A depth-first walk with backtracking over the rooms (Buck, "Mazes for Programmers", 2015, chapter 5) makes a perfect
maze: one path between any two cells. Then each dead end gets, with probability `braid`, a second way out (chapter 9),
which makes loops. Rooms stand on even rows and columns, walls and passages between them; along an even side the last
passage is two cells long, so that the start is always the top left cell and the goal the bottom right one.
"""

from typing import Any

import numpy as np
from numba import njit

from palestra.envs.gridmap import FLOOR, GOAL, START, WALL, Cells
from palestra.envs.gridworld import GridWorldEnv, GridWorldVectorEnv
from palestra.envs.rng import randint, seed_state, uniform

MIN_SIZE, MAX_SIZE = 3, 1000
STEPS = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)])


def maze(size: int | tuple[int, int] = 20, layout_seed: int = 0, braid: float = 0.0) -> Cells:
    """Returns the map `[H, W]` of a maze; `size` is its side or (H, W), `braid` the chance of a dead end to be opened.

    Raises:
        ValueError: a side is not from 3 to 1,000, the seed is negative or braid is not from 0 to 1.
    """
    height, width = (size, size) if isinstance(size, int) else size
    if not all(MIN_SIZE <= side <= MAX_SIZE for side in (height, width)):
        raise ValueError(f"a maze has {MIN_SIZE} to {MAX_SIZE} cells a side, but size is {size}")
    if layout_seed < 0:
        raise ValueError(f"layout_seed is {layout_seed}, but must not be negative")
    if not 0.0 <= braid <= 1.0:
        raise ValueError(f"braid is {braid}, but a probability between 0 and 1 is wanted")
    return carve_kernel(height, width, float(braid), seed_state(layout_seed))  # type: ignore[no-any-return]


def maze_env(
    size: int | tuple[int, int] = 20, layout_seed: int = 0, braid: float = 0.0, **options: Any
) -> GridWorldEnv:
    """Makes a grid world of a maze; the options are `GridWorldEnv`'s."""
    return GridWorldEnv(maze(size, layout_seed, braid), **options)


def maze_vector_env(
    num_envs: int, size: int | tuple[int, int] = 20, layout_seed: int = 0, braid: float = 0.0, **options: Any
) -> GridWorldVectorEnv:
    """Makes a batch of grid worlds of one maze; the options are `GridWorldVectorEnv`'s."""
    return GridWorldVectorEnv(num_envs, maze(size, layout_seed, braid), **options)


@njit(cache=True)
def _place(room, size):  # type: ignore[no-untyped-def]
    """Returns the row (or column) of the room'th row of rooms on a side of `size` cells."""
    return size - 1 if room == (size + 1) // 2 - 1 else 2 * room


@njit(cache=True)
def _carve(cells, row, col, to_row, to_col):  # type: ignore[no-untyped-def]
    """Makes floor from one room to the next, both included; rows and columns are those of rooms."""
    height, width = cells.shape
    top, bottom = _place(min(row, to_row), height), _place(max(row, to_row), height)
    left, right = _place(min(col, to_col), width), _place(max(col, to_col), width)
    cells[top : bottom + 1, left : right + 1] = FLOOR


@njit(cache=True)
def _choose(cells, row, col, wall_between, rng):  # type: ignore[no-untyped-def]
    """Draws a neighbour of a room: one not entered yet or, with `wall_between`, one behind a wall.

    Returns its row and column among the rooms, and from how many it was drawn; 0 if there is none.
    """
    height, width = cells.shape
    found = 0
    ways = np.empty(4, np.int64)
    for way in range(4):
        r, c = row + STEPS[way, 0], col + STEPS[way, 1]
        if not (0 <= r < (height + 1) // 2 and 0 <= c < (width + 1) // 2):
            continue
        beside = cells[_place(row, height) + STEPS[way, 0], _place(col, width) + STEPS[way, 1]]
        if (beside if wall_between else cells[_place(r, height), _place(c, width)]) == WALL:
            ways[found] = way
            found += 1
    if found == 0:
        return row, col, 0
    way = ways[randint(rng, found)]
    return row + STEPS[way, 0], col + STEPS[way, 1], found


@njit(cache=True)
def _openings(cells, row, col):  # type: ignore[no-untyped-def]
    """Counts the ways out of a room."""
    height, width = cells.shape
    count = 0
    for way in range(4):
        r, c = _place(row, height) + STEPS[way, 0], _place(col, width) + STEPS[way, 1]
        count += 0 <= r < height and 0 <= c < width and cells[r, c] != WALL
    return count


@njit(cache=True)
def carve_kernel(height, width, braid, rng):  # type: ignore[no-untyped-def]
    """Returns the map `[H, W]` of a maze; advances `rng`."""
    cells = np.full((height, width), WALL, np.uint8)
    rows, cols = (height + 1) // 2, (width + 1) // 2
    path = np.zeros((rows * cols, 2), np.int64)  # rooms from the start to where the walk is
    length = 1
    while length > 0:
        row, col = path[length - 1]
        to_row, to_col, found = _choose(cells, row, col, False, rng)
        if found == 0:
            length -= 1
            continue
        _carve(cells, row, col, to_row, to_col)
        path[length, 0], path[length, 1] = to_row, to_col
        length += 1
    for row in range(rows):
        for col in range(cols):
            if braid > 0.0 and _openings(cells, row, col) == 1 and uniform(rng) < braid:
                to_row, to_col, _ = _choose(cells, row, col, True, rng)
                _carve(cells, row, col, to_row, to_col)
    cells[0, 0], cells[height - 1, width - 1] = START, GOAL
    return cells
