"""Images brought to another shape: exact cases, lazily read ones, and what is refused."""

import numpy as np
import pytest
import torch

from palestra.perception.data import Images, load_images
from palestra.perception.resize import resized


def test_halving_averages_and_equal_images_stay_equal() -> None:
    pixels = np.arange(0, 160, 10, dtype=np.uint8).reshape(1, 1, 4, 4)
    half = resized(Images(pixels), "2x2").pixels
    weights = np.array([[3, 3, 1, 0], [0, 1, 3, 3]]) / 7  # the triangle of twice the width, cut at the edges
    assert np.abs(half[0, 0].numpy() - weights @ pixels[0, 0] @ weights.T).max() <= 0.5
    flat = Images(np.full((2, 1, 5, 7), 93, np.uint8))
    assert (resized(flat, (11, 4)).pixels == 93).all()


def test_grey_is_the_weighted_sum_of_colours_and_colours_repeat_grey() -> None:
    colours = np.zeros((3, 3, 1, 1), np.uint8)
    colours[range(3), range(3)] = 255
    assert resized(Images(colours), channels=1).pixels.flatten().tolist() == [76, 150, 29]
    assert resized(Images(colours[:, :1]), channels=3).pixels[0].flatten().tolist() == [255, 255, 255]


def test_all_data_take_a_shape_and_keep_their_labels() -> None:
    images, plain = load_images("digits", size=16, channels=3), load_images("digits")
    assert (images.in_channels, images.image_size) == (3, (16, 16))
    assert torch.equal(images.labels, plain.labels)
    assert resized(plain, 8) is plain


def test_what_is_read_lazily_stays_so_and_gives_the_same() -> None:
    class Lazy:
        shape = (1797, 1, 8, 8)

        def __getitem__(self, indices: torch.Tensor) -> torch.Tensor:
            return load_images("digits").pixels[indices]

    lazy = resized(Images(Lazy()), 12)
    assert not isinstance(lazy.pixels, torch.Tensor)
    rows = torch.tensor([3, 99])
    assert torch.equal(lazy[rows][0], load_images("digits", size=12)[rows][0])


def test_other_channels_and_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="stack has 4 channels, not 1 or 3, of which channels=1 could be made"):
        resized(Images(np.zeros((1, 4, 2, 2), np.uint8), name="stack"), channels=1)
    with pytest.raises(ValueError, match="size"):
        load_images("digits", size="0x3")
