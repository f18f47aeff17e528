"""Images: what they give, how they are split, and what they refuse; digits and files of arrays."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from palestra.perception.data import DATA, Images, load_images, parts_of


def random_images(count: int = 60, classes: int = 3, shape: tuple[int, ...] = (2, 5, 4)) -> Images:
    rng = np.random.default_rng(0)
    return Images(rng.integers(0, 256, (count, *shape), np.uint8), np.arange(count) % classes)


def test_gives_batches_as_they_are_stored() -> None:
    data = random_images()
    x, y = data[torch.tensor([4, 1])]
    assert x.dtype == torch.uint8
    assert y.dtype == torch.int64
    assert y.tolist() == [1, 1]
    assert torch.equal(x, data.pixels[[4, 1]])
    assert (len(data), data.in_channels, data.image_size, data.num_classes) == (60, 2, (5, 4), 3)
    assert data.classes == ("0", "1", "2")
    assert len(Images(data.pixels)[torch.tensor([0])]) == 1


@pytest.mark.parametrize("labels", [np.arange(60) % 3, None])
def test_parts_of_a_split_are_disjoint_and_complete(labels: Any) -> None:
    data = Images(np.arange(60, dtype=np.uint8).reshape(60, 1, 1, 1), labels)
    rest, held_out = data.split(0.2, seed=1)
    assert (len(rest), len(held_out)) == (48, 12)
    assert sorted([*rest.pixels.ravel().tolist(), *held_out.pixels.ravel().tolist()]) == list(range(60))
    if labels is not None:
        assert torch.bincount(held_out.labels).tolist() == [4, 4, 4]
        assert all(int(y) == int(x) % 3 for x, y in zip(held_out.pixels, held_out.labels, strict=True))
    again, other = data.split(0.2, seed=1)[1], data.split(0.2, seed=2)[1]
    assert torch.equal(again.pixels, held_out.pixels)
    assert not torch.equal(other.pixels, held_out.pixels)


def test_rare_classes_get_their_share() -> None:
    data = Images(np.zeros((1000, 1, 1, 1), np.uint8), np.repeat([0, 1, 2], [900, 90, 10]))
    _, held_out = data.split(0.2, seed=3)
    assert torch.bincount(held_out.labels).tolist() == [180, 18, 2]


def test_folds_hold_out_each_image_once() -> None:
    data = Images(np.arange(61, dtype=np.uint8).reshape(61, 1, 1, 1), np.arange(61) % 3)
    seen = []
    for train, held_out in data.folds(5, seed=0):
        assert len(train) + len(held_out) == 61
        assert not {*train.pixels.ravel().tolist()} & {*held_out.pixels.ravel().tolist()}
        counts = torch.bincount(held_out.labels)
        assert counts.max() - counts.min() <= 1
        seen += held_out.pixels.ravel().tolist()
    assert sorted(seen) == list(range(61))
    assert seen != sorted(seen)


def test_mean_and_spread_of_each_channel() -> None:
    data = random_images(count=1500)  # more than are read at a time
    mean, std = data.mean_std()
    x = data.pixels.double() / 255
    np.testing.assert_allclose(mean, x.mean(dim=(0, 2, 3)))
    np.testing.assert_allclose(std, x.std(dim=(0, 2, 3), correction=0))


def test_memory_mapped_arrays_stay_on_the_disk(tmp_path: Path) -> None:
    data = random_images()
    np.save(tmp_path / "images.npy", data.pixels.numpy())
    mapped = Images(np.load(tmp_path / "images.npy", mmap_mode="r"), data.labels)
    assert not isinstance(mapped.pixels, torch.Tensor)
    indices = torch.tensor([7, 3, 3])
    assert torch.equal(mapped[indices][0], data[indices][0])
    rest, held_out = mapped.split(0.5, seed=0)
    assert not isinstance(held_out.pixels, torch.Tensor)
    assert torch.equal(held_out[torch.arange(30)][0], data.split(0.5, seed=0)[1].pixels)
    assert torch.equal(rest[5][0], data.split(0.5, seed=0)[0][5][0])
    assert mapped.mean_std() == data.mean_std()


@pytest.mark.parametrize(
    ("pixels", "labels", "classes", "message"),
    [
        (np.zeros((2, 1, 3, 3)), None, None, "are float64, but must be uint8"),
        (torch.zeros(2, 1, 3, 3), None, None, "are torch.float32, but must be uint8"),
        (np.zeros((2, 3, 3), np.uint8), None, None, r"must be \[N, C, H, W\]"),
        (np.zeros((0, 1, 3, 3), np.uint8), None, None, "is empty"),
        (np.zeros((2, 1, 3, 3), np.uint8), [0], None, r"has 2 images, but its labels have the shape \[1\]"),
        (np.zeros((2, 1, 3, 3), np.uint8), [0.0, 1.0], None, "labels of .* are float64, but must be integers"),
        (np.zeros((2, 1, 3, 3), np.uint8), [0, -1], None, "label of image 1 .* is -1, but must be from 0"),
        (np.zeros((2, 1, 3, 3), np.uint8), [2, 0], ("a", "b"), "label of image 0 .* is 2, but must be from 0 to 1"),
    ],
)
def test_refuses_what_is_no_image_data(pixels: Any, labels: Any, classes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Images(pixels, labels, classes)


@pytest.mark.parametrize("fraction", [0.0, 1.0, 0.001, -0.5, 1.5])
def test_refuses_empty_parts(fraction: float) -> None:
    with pytest.raises(ValueError, match="a part would be empty"):
        random_images().split(fraction)


def test_refuses_more_folds_than_images() -> None:
    with pytest.raises(ValueError, match="61 folds are wanted of 60 images"):
        next(random_images().folds(61))


def test_digits_are_scikit_learns() -> None:
    data = load_images("digits")
    original = load_digits()
    assert data.pixels.shape == (1797, 1, 8, 8)
    np.testing.assert_array_equal(data.labels, original.target)
    # 17 levels stay 17 levels, and the nearest of v * 255 / 16: scaling back gives the original.
    assert len(torch.unique(data.pixels)) == 17
    np.testing.assert_array_equal((data.pixels[:, 0].double() * 16 / 255).round().numpy(), original.images)


@pytest.mark.parametrize(
    ("shape", "layout", "expected"),
    [
        ((6, 5, 4), None, (6, 1, 5, 4)),
        ((6, 5, 7, 3), None, (6, 3, 5, 7)),
        ((6, 3, 5, 7), None, (6, 3, 5, 7)),
        ((6, 2, 5, 7), "NCHW", (6, 2, 5, 7)),
        ((6, 3, 4, 3), "NHWC", (6, 3, 3, 4)),
    ],
)
def test_layouts_of_files(
    shape: tuple[int, ...], layout: str | None, expected: tuple[int, ...], tmp_path: Path
) -> None:
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    path = tmp_path / "x.npz"
    np.savez(path, images=images, labels=np.arange(6, dtype=np.uint8) % 2, classes=["cat", "dog"])
    data = load_images(str(path), layout=layout)
    assert tuple(data.pixels.shape) == expected
    assert data.classes == ("cat", "dog")
    channels_last = len(shape) == 4 and shape[1:] != expected[1:]
    np.testing.assert_array_equal(
        data.pixels, images.transpose(0, 3, 1, 2) if channels_last else images.reshape(expected)
    )


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.zeros((2, 3, 5, 3), np.uint8)}, "say layout="),
        ({"images": np.zeros((2, 7, 5, 6), np.uint8)}, "say layout="),
        ({"images": np.zeros((2, 7), np.uint8)}, "3 or 4 dimensions"),
        ({"images": np.zeros((2, 7, 7), np.float32)}, "round floats times 255"),
        ({"pictures": np.zeros((2, 7, 7), np.uint8)}, "holds pictures, but an array 'images' is wanted"),
        ({"images": np.zeros((2, 7, 7), np.uint8), "labels": np.zeros(3, int)}, "has 2 images"),
        ({"images": np.array([None, {}], object)}, "more than plain arrays"),
    ],
)
def test_files_that_are_refused(arrays: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=message):
        load_images(str(path))


def test_damaged_and_missing_files(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez_compressed(path, images=np.random.default_rng(0).integers(0, 256, (9, 9, 9), np.uint8))
    whole = path.read_bytes()
    for content in (b"", b"nothing", whole[: len(whole) // 2], whole[:200] + bytes(64) + whole[264:]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"x.npz is damaged"):
            load_images(str(path))
    with pytest.raises(ValueError, match="there is no file"):
        load_images(str(tmp_path / "y.npz"))


@pytest.mark.parametrize(
    ("name", "part", "options", "message"),
    [
        ("minst", None, {}, "there is no data 'minst'; did you mean mnist"),
        ("qqqq", None, {}, "a folder with one sub-folder a class"),
        ("digits", "test", {}, "it has only 'all': split it"),
        ("mnist", "valid", {}, "its parts are train, test, all"),
        ("digits", None, {"colour": 3}, "digits has no option 'colour'; it has size, channels"),
        ("cifar10", None, {"colour": 3}, "cifar10 has no option 'colour'; it has download, size"),
    ],
)
def test_wrong_names_parts_and_options(name: str, part: str | None, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_images(name, part, **options)


def test_parts() -> None:
    assert parts_of("digits") == ()
    assert parts_of("cifar10") == ("train", "test")
    assert set(DATA) == {"digits", "mnist", "fashion-mnist", "cifar10"}
