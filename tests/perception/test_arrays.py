"""Layouts and sizes of arrays of images; `test_data.py` has the files that are read."""

import numpy as np
import pytest

from palestra.perception.arrays import digits, npz, parse_size, planes_first


def test_the_levels_of_digits_are_spread_over_bytes() -> None:
    images = digits("mine")
    assert images.name == "mine"
    assert np.unique(images.pixels).tolist() == [int(v * 255 / 16 + 0.5) for v in range(17)]


@pytest.mark.parametrize(
    ("shape", "layout", "wanted"),
    [
        ((5, 8, 9), None, (5, 1, 8, 9)),
        ((5, 8, 9, 3), None, (5, 3, 8, 9)),
        ((5, 3, 8, 9), None, (5, 3, 8, 9)),
        ((5, 3, 8, 3), "NHWC", (5, 3, 3, 8)),
        ((5, 3, 8, 3), "NCHW", (5, 3, 8, 3)),
        ((5, 8, 9, 7), "NHWC", (5, 7, 8, 9)),
    ],
)
def test_planes_come_first(shape: tuple[int, ...], layout: str | None, wanted: tuple[int, ...]) -> None:
    images = np.arange(np.prod(shape)).reshape(shape)
    found = planes_first(images, layout, "x")
    assert found.shape == wanted
    if len(shape) == 4 and wanted != shape:
        assert (found[2, 1] == images[2, ..., 1]).all()


@pytest.mark.parametrize(
    ("shape", "layout", "message"),
    [
        ((5, 3, 8, 3), None, "say layout='NCHW' or layout='NHWC'"),
        ((5, 7, 8, 9), None, "say layout='NCHW' or layout='NHWC'"),
        ((5, 7), None, "3 or 4 dimensions are wanted"),
        ((5, 8, 9), "NHWC", "3 or 4 dimensions are wanted"),
        ((5, 8, 9, 3), "HWC", "layout is 'HWC', but NHWC or NCHW is wanted"),
    ],
)
def test_layouts_that_cannot_be_told(shape: tuple[int, ...], layout: str | None, message: str) -> None:
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


def test_a_pickle_in_a_file_is_not_opened(tmp_path: object) -> None:
    np.savez(f"{tmp_path}/x.npz", images=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="holds more than plain arrays"):
        npz(f"{tmp_path}/x.npz")
