"""Layouts and sizes as they are said, and parts of files; `test_data.py` has other files, and their layouts."""

from pathlib import Path

import numpy as np
import pytest

from palestra.perception.arrays import parse_size, planes_first
from palestra.perception.data import load_images, parts_of


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


@pytest.fixture
def parted(tmp_path: Path) -> str:
    """A file of vectors in three parts: 5, 3 and 2 of zeros and ones, the first part with labels."""
    rng = np.random.default_rng(0)
    parts = {name: rng.integers(0, 2, (n, 6), dtype=np.uint8) for name, n in (("train", 5), ("valid", 3), ("test", 2))}
    np.savez(tmp_path / "vectors.npz", **parts, train_labels=np.arange(5) % 2)
    return str(tmp_path / "vectors.npz")


def test_parts_of_a_file(parted: str) -> None:
    assert parts_of(parted) == ("train", "valid", "test")
    vectors = np.load(parted)
    for part, n in (("train", 5), ("valid", 3), ("test", 2)):
        images = load_images(parted, part)
        assert tuple(images.pixels.shape) == (n, 1, 1, 6)
        assert np.array_equal(images.pixels[:, 0, 0].numpy(), vectors[part] * 255)
        assert (images.labels is None) == (part != "train")
    assert len(load_images(parted)) == 5
    assert len(load_images(parted, "all")) == 10
    with pytest.raises(ValueError, match=r"has no part 'dev'; its parts are train, valid, test, all"):
        load_images(parted, "dev")


def test_parts_of_images_keep_their_values(tmp_path: Path) -> None:
    images = np.arange(2 * 6 * 5 * 3, dtype=np.uint8).reshape(2, 6, 5, 3)
    np.savez(tmp_path / "x.npz", train=images, test=images[:1])
    found = load_images(str(tmp_path / "x.npz"), "test")
    assert parts_of(str(tmp_path / "x.npz")) == ("train", "test")
    assert np.array_equal(found.pixels.numpy(), images[:1].transpose(0, 3, 1, 2))


def test_a_file_with_images_has_no_parts(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=np.zeros((2, 4, 4), np.uint8), train=np.zeros(3))
    assert parts_of(str(tmp_path / "x.npz")) == ()
    np.savez(tmp_path / "y.npz", valid=np.zeros((2, 4), np.uint8))
    with pytest.raises(ValueError, match=r"holds valid, but an array 'images' is wanted, or 'train', 'valid' and"):
        load_images(str(tmp_path / "y.npz"))
