"""Images as agents' bonuses see them: grey, small, of few levels."""

import math
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

LARGEST = (42, 42)  # Bellemare et al. 2016, section 6


def is_image(space: gym.Space[Any]) -> bool:
    """Says whether observations are uint8 images, channels first."""
    return isinstance(space, Box) and space.dtype == np.uint8 and len(space.shape) == 3


class Shrink:
    """Turns images of a space into grey ones of at most 42 x 42 pixels, or another size; smaller ones keep theirs.

    A pixel is the mean over the channels and over the area that it covers, worked out in whole numbers, so that the
    same image gives the same pixels whatever else is in its batch.

    Raises:
        ValueError: the space's observations are no images; `name` says who asks.
    """

    def __init__(self, space: gym.Space[Any], name: str, image_size: tuple[int, int] = LARGEST) -> None:
        if not is_image(space):
            raise ValueError(f"the bonus {name} takes uint8 images, channels first, but the observations are {space}")
        if min(image_size) < 1:
            raise ValueError(f"image_size must be at least 1 x 1, but is {image_size[0]} x {image_size[1]}")
        self._given = tuple(int(side) for side in (space.shape or ())[1:])
        height, width = (min(*sides) for sides in zip(self._given, image_size, strict=True))
        self.size = height, width
        self._rows, self._columns = _overlaps(self._given[0], height), _overlaps(self._given[1], width).T

    def grey(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Maps images `[B, C, H, W]` to grey ones `[B, h, w]` in [0, 1]."""
        grey: NDArray[np.float64] = self._sums(images) / (255 * images.shape[1] * math.prod(self._given))
        return grey

    def levels(self, images: NDArray[np.uint8], levels: int) -> NDArray[np.int64]:
        """Maps images `[B, C, H, W]` to levels `[B, h, w]`, 0 to `levels` - 1, of equal parts of 0 to 255."""
        sums = self._sums(images).astype(np.int64)
        shrunk: NDArray[np.int64] = sums * levels // (256 * images.shape[1] * math.prod(self._given))
        return shrunk

    def _sums(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        if images.ndim != 4 or images.shape[2:] != self._given:
            raise ValueError(f"images must have shape {['B', 'C', *self._given]}, but have {list(images.shape)}")
        sums: NDArray[np.float64] = self._rows @ images.sum(axis=1, dtype=np.float64) @ self._columns
        return sums


def _overlaps(given: int, wanted: int) -> NDArray[np.float64]:
    """Returns `[wanted, given]`: what new and old pixels have in common where either side is given x wanted long."""
    old, new = np.arange(given) * wanted, np.arange(wanted)[:, None] * given
    common: NDArray[np.int64] = np.maximum(np.minimum(old + wanted, new + given) - np.maximum(old, new), 0)
    return common.astype(np.float64)
