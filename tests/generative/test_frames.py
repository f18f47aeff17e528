"""Small grey images against means over areas of repeated pixels, and torch's pooling."""

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box

from palestra.generative.frames import Shrink


def images(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize(("given", "wanted"), [((5, 7), (3, 2)), ((8, 9), (7, 9)), ((4, 4), (2, 1))])
def test_pixels_are_means_over_areas(given: tuple[int, int], wanted: tuple[int, int]) -> None:
    # Each pixel repeated as often as makes the area of a new one a whole number of pixels.
    x = images(3, 2, *given)
    fine = x.repeat(wanted[0], axis=2).repeat(wanted[1], axis=3) / 255.0
    expected = fine.reshape(3, 2, wanted[0], given[0], wanted[1], given[1]).mean(axis=(1, 3, 5))
    shrink = Shrink(Box(0, 255, (2, *given), np.uint8), "x", wanted)
    np.testing.assert_allclose(shrink.grey(x), expected, atol=1e-12)
    assert (shrink.levels(x, 8) == np.floor(shrink.grey(x) * 255 * 8 / 256 + 1e-9)).all()


def test_frames_of_atari_are_pooled_by_two() -> None:
    x = images(2, 1, 84, 84)
    shrink = Shrink(Box(0, 255, (4, 84, 84), np.uint8), "x")
    expected = torch.nn.functional.avg_pool2d(torch.from_numpy(x).double() / 255, 2)[:, 0]
    np.testing.assert_allclose(shrink.grey(x), expected.numpy(), atol=1e-12)


def test_small_images_keep_their_size_and_levels_are_equal_parts() -> None:
    shrink = Shrink(Box(0, 255, (1, 2, 3), np.uint8), "x")
    x = np.array([[[[0, 31, 32], [127, 224, 255]]]], np.uint8)
    assert shrink.size == (2, 3)
    assert shrink.levels(x, 8).tolist() == [[[0, 0, 1], [3, 7, 7]]]
    assert shrink.levels(x, 256).tolist() == x[:, 0].tolist()
    with pytest.raises(ValueError, match=r"must have shape \['B', 'C', 2, 3\], but have \[1, 2, 3\]"):
        shrink.levels(x[0], 8)
