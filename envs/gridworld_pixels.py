"""What is seen of a grid world: the number of the agent's cell, or a picture of the whole map for agents with eyes."""

import math
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from palestra.envs.gridmap import Cells
from palestra.envs.gridworld_pictures import map_image

SMALLEST = 36  # pixels of the shorter side, which the convolutions of most networks want at least
SMALLEST_CELL, LARGEST = 4, 512  # pixels of a cell's side; of the longer side of a picture
OBSERVATIONS = ("state", "image")


class Sight(Protocol):
    """Maps states `[N]` to observations `[N, ...]`, each a member of `space`."""

    space: gym.Space[Any]

    def __call__(self, state: NDArray[np.int64]) -> NDArray[Any]: ...


class StateSight:
    """Sees the number of the cell."""

    def __init__(self, cells: Cells) -> None:
        self.space: gym.Space[Any] = gym.spaces.Discrete(cells.size)

    def __call__(self, state: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns the states themselves, as a copy."""
        return state.copy()


class ImageSight:
    """Sees the map from above with the agent on it, `[N, 3, H, W]` uint8: at least 36 x 36, a square of pixels a cell.

    Raises:
        ValueError: the map is too large for a picture.
    """

    def __init__(self, cells: Cells) -> None:
        self._side = max(SMALLEST_CELL, math.ceil(SMALLEST / min(cells.shape)))
        height, width = (side * self._side for side in cells.shape)
        if max(height, width) > LARGEST:
            raise ValueError(
                f"a map of {cells.shape[0]} x {cells.shape[1]} cells would be seen as images of {height} x {width} "
                f"pixels, but at most {LARGEST} a side are drawn"
            )
        self.space: gym.Space[Any] = gym.spaces.Box(0, 255, (3, height, width), np.uint8)
        self._cells = cells
        self._empty = np.ascontiguousarray(map_image(cells, side=self._side).transpose(2, 0, 1))  # [3, H, W]
        self._tiles = np.zeros((128, 3, self._side, self._side), np.uint8)  # each letter with the agent on it
        for letter in np.unique(cells):
            self._tiles[letter] = map_image(np.full((1, 1), letter), 0, self._side).transpose(2, 0, 1)

    def __call__(self, state: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Draws a picture for each state."""
        (rows, cols), side = self._cells.shape, self._side
        images = np.repeat(self._empty[None], len(state), axis=0)
        row, col = np.divmod(state, cols)
        by_cell = images.reshape(len(state), 3, rows, side, cols, side)
        by_cell[np.arange(len(state)), :, row, :, col] = self._tiles[self._cells[row, col]]
        return images


def sight(observation: str, cells: Cells) -> Sight:
    """Returns what `observation`, state or image, shows of a map.

    Raises:
        ValueError: it is neither, or the map is too large for pictures.
    """
    if observation not in OBSERVATIONS:
        raise ValueError(f"observation is {observation!r}, but one of {', '.join(OBSERVATIONS)} is wanted")
    return ImageSight(cells) if observation == "image" else StateSight(cells)
