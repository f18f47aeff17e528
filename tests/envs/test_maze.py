import re
from collections import deque
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from numba import config

from palestra.envs.gridmap import GOAL, START, WALL
from palestra.envs.maze import maze
from palestra.envs.rng import seed_state
from tests.naive import NaiveRandom, naive_maze, naive_values

pytestmark = pytest.mark.kernel

SIZES = [3, 4, 5, 8, (3, 10), (11, 4), 21, 30]
LARGE = 40 if config.DISABLE_JIT else 1000


def rows(cells: Any) -> list[str]:
    """The map as rows of letters."""
    return [row.tobytes().decode() for row in cells]


def distances(cells: Any) -> dict[tuple[int, int], int]:
    """Breadth-first distances from the top left cell to all that can be reached."""
    found, queue = {(0, 0): 0}, deque([(0, 0)])
    while queue:
        row, col = queue.popleft()
        for place in ((row - 1, col), (row, col + 1), (row + 1, col), (row, col - 1)):
            inside = 0 <= place[0] < cells.shape[0] and 0 <= place[1] < cells.shape[1]
            if inside and cells[place] != WALL and place not in found:
                found[place] = found[row, col] + 1
                queue.append(place)
    return found


def passages(cells: Any) -> int:
    """Counts the pairs of neighbouring open cells."""
    is_open = cells != WALL
    return int((is_open[1:] & is_open[:-1]).sum() + (is_open[:, 1:] & is_open[:, :-1]).sum())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("braid", [0.0, 0.5, 1.0])
def test_a_maze_equals_the_twins(size: Any, braid: float) -> None:
    height, width = (size, size) if isinstance(size, int) else size
    for seed in range(3):
        wanted = naive_maze(height, width, braid, NaiveRandom(seed_state(seed)))
        assert rows(maze(size, seed, braid)) == wanted


@pytest.mark.parametrize("size", [*SIZES, LARGE])
def test_a_perfect_maze_is_a_tree_that_reaches_every_room(size: Any) -> None:
    cells = maze(size, layout_seed=1)
    num_open = int((cells != WALL).sum())
    assert passages(cells) == num_open - 1
    assert len(distances(cells)) == num_open
    assert (cells[:-2:2, :-2:2] != WALL).all()  # rooms; the last ones stand at the edge
    assert (cells[0, 0], cells[-1, -1]) == (START, GOAL)
    assert (cells == START).sum() == (cells == GOAL).sum() == 1


def test_braiding_leaves_fewer_dead_ends_and_at_1_none() -> None:
    def dead_ends(braid: float) -> int:
        padded = np.pad(maze(41, 2, braid) != WALL, 1)
        ways = sum(np.roll(padded, step, axis).astype(int) for step in (1, -1) for axis in (0, 1))
        return int(((ways == 1) & padded).sum())

    assert dead_ends(0.0) > dead_ends(0.5) > dead_ends(1.0) == 0


def test_the_layout_seed_alone_decides_the_layout() -> None:
    assert (maze(20, 3) == maze(20, 3)).all()
    assert (maze(20, 3) != maze(20, 4)).any()
    env: Any = gym.make("palestra/Maze-v0", layout_seed=3).unwrapped
    for seed in (0, 1):
        env.reset(seed=seed)
        assert (env.grid.cells == maze(20, 3)).all()


def test_the_optimal_return_is_the_breadth_first_distance() -> None:
    env: Any = gym.make("palestra/Maze-v0", size=9, layout_seed=5, braid=0.5).unwrapped
    wanted = distances(env.grid.cells)[8, 8]
    assert naive_values(env.mdp(1.0))[0] == pytest.approx(-wanted)


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="a million states need the compiled kernels")
def test_a_million_states_make_an_mdp_and_a_batch() -> None:
    env: Any = gym.make("palestra/Maze-v0", size=1000).unwrapped
    assert env.mdp(0.99).next_state.shape == (1_000_000, 4, 1)
    batch = gym.make_vec("palestra/Maze-v0", 2, size=1000, slip=0.1)
    obs, _ = batch.reset(seed=0)
    assert obs.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"size": 2}, "a maze has 3 to 1000 cells a side, but size is 2"),
        ({"size": (10, 1001)}, "a maze has 3 to 1000 cells a side, but size is (10, 1001)"),
        ({"layout_seed": -1}, "layout_seed is -1, but must not be negative"),
        ({"braid": 1.5}, "braid is 1.5, but a probability between 0 and 1 is wanted"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        gym.make("palestra/Maze-v0", **options)
