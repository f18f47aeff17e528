"""Samples as a picture: places, gaps, enlargement and colours by hand."""

import numpy as np
import pytest
import torch

from palestra.generative.pictures import GAP, GREY, as_images, tiles


def test_tiles_by_hand() -> None:
    images = torch.linspace(0, 1, 3)[:, None, None, None].expand(3, 1, 50, 60)
    picture = tiles(images)
    assert picture.shape == (2 * 50 + 3 * GAP, 2 * 60 + 3 * GAP, 3)
    assert picture.dtype == np.uint8
    for i, (top, left) in enumerate(((GAP, GAP), (GAP, 60 + 2 * GAP), (50 + 2 * GAP, GAP))):
        assert (picture[top : top + 50, left : left + 60] == [0, 128, 255][i]).all()
    assert (picture[:GAP] == GREY).all()
    assert (picture[50 + 2 * GAP :, 60 + 2 * GAP :] == GREY).all()  # no fourth image


def test_small_images_are_enlarged_by_a_whole_factor_and_colours_stay() -> None:
    image = torch.rand(1, 3, 8, 8)
    picture = tiles(image)[GAP:-GAP, GAP:-GAP]
    assert picture.shape == (48, 48, 3)
    assert np.array_equal(picture[::6, ::6], (image[0] * 255).round().byte().permute(1, 2, 0).numpy())
    assert tiles(torch.rand(2, 1, 1, 112)).shape[1] < 2 * 1100  # a row of numbers is not blown up to a wall


def test_columns_as_asked_and_other_channels_refused() -> None:
    assert tiles(torch.rand(6, 1, 48, 48), columns=6).shape == (48 + 2 * GAP, 6 * 48 + 7 * GAP, 3)
    with pytest.raises(ValueError, match=r"\[N, 1 or 3, H, W\], but are \[2, 4, 8, 8\]"):
        tiles(torch.rand(2, 4, 8, 8))


def test_vectors_as_images() -> None:
    assert as_images(torch.rand(2, 12), (1, 3, 4)).shape == (2, 1, 3, 4)
    with pytest.raises(ValueError, match=r"samples \[12\] are no images \[1, 3, 3\]"):
        as_images(torch.rand(2, 12), (1, 3, 3))
