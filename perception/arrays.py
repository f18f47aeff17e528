"""Images that are at hand as arrays: scikit-learn's digits, and files of NumPy."""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from palestra.perception.data import Images

PARTS = ("train", "valid", "test")


def digits(name: str = "digits") -> Images:
    """Returns scikit-learn's digits, one plane of 8 x 8; their 17 levels v become v * 255 / 16, rounded (8 is 128)."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return Images(np.rint(found.images * 255 / 16).astype(np.uint8)[:, None], found.target, name=name)


def npz(name: str, *, layout: str | None = None) -> Images:
    """Reads a file with `images`, uint8 `[N, H, W]`, `[N, H, W, C]` or `[N, C, H, W]`, and perhaps `labels`, `classes`.

    `layout`, `NHWC` or `NCHW`, says which of the two it is where C is not 1, 3 or 4, or where both could be.

    Raises:
        ValueError: there is no such file, it is damaged, it has no images, or their layout cannot be told.
    """
    arrays = _read(name, ("images", "labels", "classes"))
    if "images" not in arrays:
        found = ", ".join(_names(name)) or "nothing"
        raise ValueError(f"{name} holds {found}, but an array 'images' is wanted, or 'train', 'valid' and 'test'")
    classes = arrays.get("classes")
    names = None if classes is None else tuple(str(c) for c in classes)
    return Images(planes_first(arrays["images"], layout, name), arrays.get("labels"), names, name=name)


def npz_parts(name: str) -> tuple[str, ...]:
    """Returns which of train, valid and test a file holds, or none: train must be among them."""
    names = _names(name) if Path(name).is_file() else []
    parts = tuple(part for part in PARTS if part in names)
    return parts if "train" in parts and "images" not in names else ()


def npz_part(name: str, part: str, *, layout: str | None = None) -> Images:
    """Reads a part of a file with `train`, and perhaps `valid` and `test`, or `all` of them.

    They are images as in `npz`, or vectors `[N, D]`, which become images of one row; zeros and ones become 0 and 255.
    `train_labels` and so on may be there, and `classes`.

    Raises:
        ValueError: the file is damaged, or an array's layout cannot be told.
    """
    parts = npz_parts(name) if part == "all" else (part,)
    arrays = _read(name, [*parts, *(f"{p}_labels" for p in parts), "classes"])
    classes = arrays.get("classes")
    pixels = np.concatenate([_as_pixels(arrays[p], layout, name) for p in parts])
    labels = [arrays[f"{p}_labels"] for p in parts if f"{p}_labels" in arrays]
    known = np.concatenate(labels) if len(labels) == len(parts) else None
    return Images(pixels, known, None if classes is None else tuple(str(c) for c in classes), name=name)


def _as_pixels(array: NDArray[Any], layout: str | None, name: str) -> NDArray[Any]:
    if array.dtype == np.bool_ or (array.dtype == np.uint8 and array.size and array.max() <= 1):
        array = array.astype(np.uint8) * np.uint8(255)
    return array[:, None, None] if array.ndim == 2 else planes_first(array, layout, name)


def _names(name: str) -> list[str]:
    """Returns the names of a file's arrays."""
    with _opened(name) as file:
        return list(file)


def _read(name: str, wanted: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Reads those of some arrays that a file has."""
    with _opened(name) as file:
        return {key: file[key] for key in wanted if key in file}


@contextmanager
def _opened(name: str) -> Iterator[Any]:
    """Opens a file of arrays, and says what is wrong with it in a sentence."""
    path = Path(name)
    if not path.is_file():
        raise ValueError(f"there is no file {name}; a file with the arrays images and labels is wanted")
    try:
        with path.open("rb") as opened, zipfile.ZipFile(opened):
            opened.seek(0)
            yield np.load(opened, allow_pickle=False)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{name} is damaged or holds more than plain arrays: {error}") from None


def planes_first(images: NDArray[Any], layout: str | None, name: str) -> NDArray[Any]:
    """Returns `[N, C, H, W]`."""
    if layout not in (None, "NHWC", "NCHW"):
        raise ValueError(f"layout is {layout!r}, but NHWC or NCHW is wanted")
    if images.ndim == 3 and layout is None:
        return images[:, None]
    if images.ndim != 4:
        raise ValueError(f"the images of {name} have the shape {list(images.shape)}, but 3 or 4 dimensions are wanted")
    first, last = (images.shape[axis] in (1, 3, 4) for axis in (1, 3))
    if layout is None and first == last:
        raise ValueError(
            f"the images of {name} have the shape {list(images.shape)}: say layout='NCHW' or layout='NHWC'"
        )
    channels_last = layout == "NHWC" if layout else last
    return images.transpose(0, 3, 1, 2) if channels_last else images


def parse_size(size: int | str | Sequence[int]) -> tuple[int, int]:
    """Returns height and width from a side, (H, W) or "HxW".

    Raises:
        ValueError: it is none of them, or not positive.
    """
    sides = str(size).split("x") if isinstance(size, int | str) else [str(side) for side in size]
    if len(sides) not in (1, 2) or not all(side.isdecimal() and int(side) > 0 for side in sides):
        raise ValueError(f"size is {size!r}, but a side, a height and a width, or HxW in pixels is wanted")
    return int(sides[0]), int(sides[-1])
