"""Images with labels, and where they come from: `DATA` is the only list of the names.

    digits                    scikit-learn's 1,797 handwritten digits of 8 x 8 pixels
    mnist, fashion-mnist      70,000 grey images of 28 x 28, 10,000 of them for the test
    cifar10                   60,000 colour images of 32 x 32, 10,000 of them for the test
    FOLDER                    one sub-folder a class, or images alone (`perception/folder.py`)
    FILE.npz                  the arrays `images` and, optionally, `labels` and `classes`; or `train`, `valid`, `test`
    frames:ID                 pictures of an environment (`perception/frames.py`)

Images stay bytes: networks scale them to [0, 1] themselves (`networks/pixels.py`).
"""

import difflib
import importlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Bytes = NDArray[np.uint8]
SHAPE = ("size", "channels")  # options that all data have
CHUNK = 1024  # images that are read at a time where all are gone through


class LazyPixels(Protocol):
    """Images `[N, C, H, W]` uint8 that are read when they are asked for."""

    shape: tuple[int, int, int, int]

    def __getitem__(self, indices: Tensor) -> Tensor:
        """Returns the images `[B, C, H, W]` of the indices `[B]`."""
        ...


@dataclass(frozen=True)
class Annotations:
    """What is where in N images: K boxes and a mask each, and a sentence."""

    boxes: Tensor  # [N, K, 4] float32: left, top, right and bottom edge in pixels
    box_names: tuple[str, ...]  # K of them
    masks: Tensor  # [N, H, W] uint8: the object that each pixel belongs to
    mask_names: tuple[str, ...]
    captions: tuple[str, ...]  # N of them

    def rows(self, indices: Tensor) -> "Annotations":
        """Returns the annotations of the images with the indices `[B]`."""
        captions = tuple(self.captions[i] for i in indices.tolist())
        return replace(self, boxes=self.boxes[indices], masks=self.masks[indices], captions=captions)


class Images:
    """N images `pixels` `[N, C, H, W]` uint8 with `labels` `[N]` int64, or None, which number the `classes`.

    `data[indices]` gives `(x,)` or `(x, y)`, x uint8 as it is stored. Arrays and tensors are held in memory;
    memory-mapped arrays and anything like `LazyPixels` are read piece by piece.

    Raises:
        ValueError: an array is empty or of a wrong shape or type, labels are not one an image, or one is no class.
    """

    def __init__(
        self,
        pixels: Bytes | Tensor | LazyPixels,
        labels: Any = None,
        classes: Sequence[str] | None = None,
        *,
        name: str = "images",
        annotations: Annotations | None = None,
    ) -> None:
        self.name = name
        self.pixels = _checked_pixels(pixels, name)
        self.labels = None if labels is None else _checked_labels(labels, len(self), name)
        self.classes = _checked_classes(self.labels, classes, name)
        self.annotations = annotations

    def __len__(self) -> int:
        return int(self.pixels.shape[0])

    def __getitem__(self, indices: Any) -> tuple[Tensor, ...]:
        x = self.pixels[indices]
        return (x,) if self.labels is None else (x, self.labels[indices])

    @property
    def in_channels(self) -> int:
        """The planes C of an image: 1 for grey, 3 for colours."""
        return int(self.pixels.shape[1])

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return int(self.pixels.shape[2]), int(self.pixels.shape[3])

    @property
    def num_classes(self) -> int:
        """How many classes there are; 0 without labels."""
        return len(self.classes)

    def subset(self, indices: Any) -> "Images":
        """Returns the images with the indices `[B]`, in that order."""
        rows = torch.as_tensor(indices, dtype=torch.int64)
        pixels = self.pixels[rows] if isinstance(self.pixels, Tensor) else _Rows(self.pixels, rows)
        labels = None if self.labels is None else self.labels[rows]
        annotations = self.annotations and self.annotations.rows(rows)
        return Images(pixels, labels, self.classes, name=self.name, annotations=annotations)

    def split(self, fraction: float, seed: int = 0) -> tuple["Images", "Images"]:
        """Returns all but a `fraction` of the images, and that fraction, held out: shuffled, each class in its share.

        The held-out part has `fraction * N` images, rounded; of each class it has its share, give or take one.

        Raises:
            ValueError: one of the parts would be empty.
        """
        held_out = round(fraction * len(self)) if 0 < fraction < 1 else 0
        if not 0 < held_out < len(self):
            raise ValueError(
                f"a fraction of {fraction} of {len(self)} images cannot be held out: a part would be empty"
            )
        order = self._stratified(seed)
        crossed = np.diff(np.arange(len(self) + 1) * held_out // len(self)) > 0  # held_out of N places, evenly spread
        return self.subset(_shuffled(order[~crossed], seed)), self.subset(_shuffled(order[crossed], seed))

    def folds(self, k: int, seed: int = 0) -> Iterator[tuple["Images", "Images"]]:
        """Yields k pairs of training and held-out images: shuffled, each image held out once, each class in its share.

        Raises:
            ValueError: there are fewer than 2 folds, or more than images.
        """
        if not 2 <= k <= len(self):
            raise ValueError(f"{k} folds are wanted of {len(self)} images, but there can be 2 to {len(self)}")
        order = self._stratified(seed)
        fold = np.arange(len(self)) % k
        for i in range(k):
            yield self.subset(_shuffled(order[fold != i], seed)), self.subset(_shuffled(order[fold == i], seed))

    def mean_std(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Returns the mean and the spread of each channel over all pixels, in the scale of [0, 1]."""
        total = torch.zeros(2, self.in_channels, dtype=torch.float64)
        for start in range(0, len(self), CHUNK):
            x = self.pixels[torch.arange(start, min(start + CHUNK, len(self)))].double() / 255
            total += torch.stack([x.sum(dim=(0, 2, 3)), (x**2).sum(dim=(0, 2, 3))])
        height, width = self.image_size
        mean, square = total / (len(self) * height * width)
        return tuple(mean.tolist()), tuple((square - mean**2).clamp(min=0).sqrt().tolist())

    def num_levels(self) -> int:
        """Returns the fewest evenly spaced levels from 0 to 255 that all pixels lie on: 2 for black and white."""
        seen = torch.zeros(256, dtype=torch.bool)
        for start in range(0, len(self), CHUNK):
            seen[self.pixels[torch.arange(start, min(start + CHUNK, len(self)))].flatten().long()] = True
        for levels in range(2, 256):
            on_level = torch.zeros(256, dtype=torch.bool)
            on_level[(torch.arange(levels, dtype=torch.float64) * 255 / (levels - 1) + 0.5).long()] = True
            if not bool((seen & ~on_level).any()):
                return levels
        return 256

    def _stratified(self, seed: int) -> NDArray[np.int64]:
        """Returns all indices, shuffled, then sorted by class."""
        order = np.random.default_rng(seed).permutation(len(self))
        return order if self.labels is None else order[np.argsort(self.labels.numpy()[order], kind="stable")]


class _Rows:
    """Some rows of lazily read images."""

    def __init__(self, pixels: LazyPixels, rows: Tensor) -> None:
        self._pixels, self._rows = pixels, rows
        self.shape = (len(rows), *pixels.shape[1:])

    def __getitem__(self, indices: Any) -> Tensor:
        return self._pixels[self._rows[indices]]


class _Mapped:
    """A memory-mapped array, of which only what is asked for is read."""

    def __init__(self, array: Bytes) -> None:
        self._array = array
        self.shape = array.shape

    def __getitem__(self, indices: Any) -> Tensor:
        return torch.from_numpy(np.array(self._array[np.asarray(indices) if isinstance(indices, Tensor) else indices]))


def _shuffled(indices: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, 1]).permutation(indices)


def _checked_pixels(pixels: Any, name: str) -> Tensor | LazyPixels:
    shape, dtype = tuple(pixels.shape), getattr(pixels, "dtype", torch.uint8)
    if dtype not in (torch.uint8, np.uint8):
        raise ValueError(f"the pixels of {name} are {dtype}, but must be uint8, from 0 to 255: round floats times 255")
    if len(shape) != 4:
        raise ValueError(f"the pixels of {name} have the shape {list(shape)}, but must be [N, C, H, W]")
    if 0 in shape:
        raise ValueError(f"{name} is empty: its pixels have the shape {list(shape)}")
    if isinstance(pixels, np.memmap):
        return _Mapped(pixels)
    return torch.from_numpy(np.require(pixels, requirements=["C", "W"])) if isinstance(pixels, np.ndarray) else pixels


def _checked_labels(labels: Any, count: int, name: str) -> Tensor:
    array = labels.numpy() if isinstance(labels, Tensor) else np.asarray(labels)
    if array.dtype.kind not in "iu":
        raise ValueError(f"the labels of {name} are {array.dtype}, but must be integers that number the classes from 0")
    if array.shape != (count,):
        raise ValueError(f"{name} has {count} images, but its labels have the shape {list(array.shape)}, not [{count}]")
    return torch.from_numpy(array.astype(np.int64))


def _checked_classes(labels: Tensor | None, classes: Sequence[str] | None, name: str) -> tuple[str, ...]:
    if labels is None:
        return tuple(classes or ())
    known = tuple(str(label) for label in range(int(labels.max()) + 1)) if classes is None else tuple(classes)
    wrong = torch.nonzero((labels < 0) | (labels >= len(known)))
    if len(wrong):
        i = int(wrong[0])
        raise ValueError(
            f"the label of image {i} of {name} is {int(labels[i])}, but must be from 0 to {len(known) - 1}"
        )
    return known


class Source(NamedTuple):
    """Where the images of a name come from: a function `module.attribute`, the fixed parts, and what they are."""

    module: str
    attribute: str
    parts: tuple[str, ...]
    what: str


DATA = {
    "digits": Source("arrays", "digits", (), "1,797 handwritten digits of 8 x 8 pixels, from scikit-learn"),
    "mnist": Source(
        "downloads", "published", ("train", "test"), "70,000 handwritten digits of 28 x 28, 10,000 to test"
    ),
    "fashion-mnist": Source("downloads", "published", ("train", "test"), "70,000 clothes of 28 x 28, 10,000 to test"),
    "cifar10": Source("downloads", "published", ("train", "test"), "60,000 photographs of 32 x 32, 10,000 to test"),
}


def parts_of(name: str) -> tuple[str, ...]:
    """Returns the parts that data is published in, `("train", "test")`, or none where the caller splits it."""
    return _source(name).parts


def load_images(name: str, part: str | None = None, **options: Any) -> Images:
    """Loads images by name, folder or file; `options` are those of their source; all have `size` and `channels`.

    `part` is `train` (where nothing is said), `test` or `all`, also `valid` of some files, for what is published in
    such parts; everything else has only `all`, and is split with `Images.split` or `Images.folds`.

    Raises:
        ValueError: there is no such data, part or option, or the data is damaged; the sentence says what to do.
    """
    source = _source(name)
    known = (*source.parts, "all")
    if part is not None and part not in known:
        wanted = f"its parts are {', '.join(known)}" if source.parts else "it has only 'all': split it"
        raise ValueError(f"{name} has no part {part!r}; {wanted}")
    load: Callable[..., Images] = getattr(
        importlib.import_module(f"palestra.perception.{source.module}"), source.attribute
    )
    taken = [p.name for p in inspect.signature(load).parameters.values() if p.kind is p.KEYWORD_ONLY]
    shape = {option: options.pop(option) for option in SHAPE if option in options and option not in taken}
    for option in options:
        if option not in taken:
            raise ValueError(f"{name} has no option {option!r}; it has {', '.join(dict.fromkeys([*taken, *SHAPE]))}")
    images = load(name, part or known[0], **options) if source.parts else load(name, **options)
    if not shape:
        return images
    from palestra.perception.resize import resized

    return resized(images, **shape)


def _source(name: str) -> Source:
    if name in DATA:
        return DATA[name]
    if name.startswith("frames:"):
        return Source("frames", "frames", (), "")
    if name.endswith(".npz"):
        from palestra.perception.arrays import npz_parts

        return Source("arrays", "npz_part" if npz_parts(name) else "npz", npz_parts(name), "")
    if Path(name).is_dir():
        return Source("folder", "folder", (), "")
    near = difflib.get_close_matches(name, DATA, n=1, cutoff=0.5)
    names = f"{', '.join(DATA)}, a folder with one sub-folder a class, a file of .npz, or frames:ID"
    raise ValueError(f"there is no data {name!r}; " + (f"did you mean {near[0]}?" if near else f"there are {names}"))
