"""Layouts and sizes as they are said; `test_data.py` has the files that are read, and their layouts."""

import numpy as np
import pytest

from palestra.perception.arrays import parse_size, planes_first


@pytest.mark.parametrize(
    ("shape", "layout", "wanted"), [((5, 3, 8, 3), "NCHW", (5, 3, 8, 3)), ((5, 8, 9, 7), "NHWC", (5, 7, 8, 9))]
)
def test_a_layout_that_is_said_counts(shape: tuple[int, ...], layout: str, wanted: tuple[int, ...]) -> None:
    images = np.arange(np.prod(shape)).reshape(shape)
    found = planes_first(images, layout, "x")
    assert found.shape == wanted
    assert (found[2, 1] == (images[2, ..., 1] if layout == "NHWC" else images[2, 1])).all()


@pytest.mark.parametrize(
    ("shape", "layout", "message"),
    [
        ((5, 8, 9), "NHWC", "3 or 4 dimensions are wanted"),
        ((5, 8, 9, 3), "HWC", "layout is 'HWC', but NHWC or NCHW is wanted"),
    ],
)
def test_layouts_that_are_none(shape: tuple[int, ...], layout: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        planes_first(np.zeros(shape), layout, "x")


@pytest.mark.parametrize(
    ("size", "wanted"),
    [(32, (32, 32)), ("32", (32, 32)), ("32x48", (32, 48)), ((32, 48), (32, 48)), ([7], (7, 7))],
)
def test_sizes_are_read(size: object, wanted: tuple[int, int]) -> None:
    assert parse_size(size) == wanted  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [0, -3, "", "x", "32x", "1x2x3", "3.5", (1, 2, 3), (4, 0), "32 x 48"])
def test_sizes_that_are_none(size: object) -> None:
    with pytest.raises(ValueError, match="HxW in pixels is wanted"):
        parse_size(size)  # type: ignore[arg-type]
