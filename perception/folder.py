"""Folders of images: one sub-folder a class, the classes in the order of their names, or images alone.

Hidden files and files that are not called as images are (`SUFFIXES`) do not count. Orientations of cameras are
followed; 16-bit greys keep their upper 8 bits; transparency is left out. What takes more than a gibibyte is left on
the disk and read batch by batch.
"""

import os
import struct
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from palestra.perception.arrays import parse_size
from palestra.perception.data import Bytes, Images

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM", "TIFF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".pbm", ".tif", ".tiff")
IN_MEMORY = 1 << 30  # bytes of pixels, above which images are read when they are asked for
NAMED = 5  # files, at most, that an error names
GREY = ("1", "L", "LA", "I;16", "I;16L", "I;16B")
ORIENTATION = 0x0112  # EXIF's tag; from 5 on, height and width change places
_DAMAGES = (
    *(OSError, SyntaxError, ValueError, EOFError, struct.error),  # what Pillow raises for damaged files
    *(Image.DecompressionBombError, Image.DecompressionBombWarning),
)


class Header(NamedTuple):
    """What a file says of its image."""

    size: tuple[int, int]
    grey: bool


def folder(
    name: str,
    *,
    size: int | str | Sequence[int] | None = None,
    channels: int | None = None,
    corrupt: str = "refuse",
    lazy: bool | None = None,
) -> Images:
    """Reads a folder of images; those of other shapes than `size` are scaled and their middle is cut out.

    `size` is a side, (H, W) or "HxW", and needed where sizes differ; `channels`, 1 for grey or 3 for colours, where
    both occur. Damaged files are named and refused, or named and left out with `corrupt="skip"`. `lazy` says whether
    images are read only when they are asked for; then damages beyond a file's head are found as late, unless skipped.

    Raises:
        ValueError: there are no images, or some that are damaged or of other sizes or channels; they are named.
    """
    if corrupt not in ("refuse", "skip"):
        raise ValueError(f"corrupt is {corrupt!r}, but refuse or skip is wanted")
    if channels not in (None, 1, 3):
        raise ValueError(f"channels is {channels!r}, but 1 (grey) or 3 (colours) is wanted")
    paths, labels, classes = _listed(Path(name))
    headers, failures = _headers(paths)
    kept = np.array(sorted(headers), np.int64)
    if corrupt == "refuse" or not len(kept):
        _refuse(name, failures, len(paths))
    wanted = size if size is None else parse_size(size)
    source = FolderPixels(
        [paths[i] for i in kept],
        channels or _only_channels(name, paths, headers),
        wanted or _only_size(name, paths, headers),
    )
    lazy = source.num_bytes > IN_MEMORY if lazy is None else lazy
    pixels: Any = source
    if not lazy or corrupt == "skip":
        pixels, good, late = source.read_all(keep=not lazy)
        failures |= late
        if corrupt == "refuse" or not good.any():
            _refuse(name, failures, len(paths))
        kept = kept[good]
        pixels = source.rows(good) if lazy else pixels[good]
    if failures:
        warnings.warn(f"left out of {name}: {_named(failures)}", stacklevel=3)
    return Images(pixels, None if labels is None else labels[kept], classes, name=name)


class FolderPixels:
    """Images of files, `[N, C, H, W]`, read when they are asked for."""

    def __init__(self, paths: Sequence[str], channels: int, size: tuple[int, int]) -> None:
        self._paths = np.array(paths, dtype=object)
        self.shape = (len(paths), channels, *size)

    def __getitem__(self, indices: Any) -> Tensor:
        """Reads the images `[B, C, H, W]` of the indices `[B]`.

        Raises:
            ValueError: one of the files is damaged; it is named.
        """
        chosen = self._paths[np.asarray(indices) if isinstance(indices, Tensor) else indices]
        if isinstance(chosen, str):
            return torch.from_numpy(self._read(chosen))
        return torch.from_numpy(np.stack([self._read(path) for path in chosen]))

    @property
    def num_bytes(self) -> int:
        """The memory that all images would take."""
        return int(np.prod(self.shape, dtype=np.int64))

    def rows(self, chosen: NDArray[np.bool_]) -> "FolderPixels":
        """Returns the images for which `chosen` `[N]` holds."""
        return FolderPixels(self._paths[chosen].tolist(), self.shape[1], self.shape[2:])

    def read_all(self, *, keep: bool) -> tuple[Bytes | None, NDArray[np.bool_], dict[str, str]]:
        """Reads every file; returns all pixels if they are to be kept, which were good `[N]`, and what failed why."""
        pixels = np.zeros(self.shape, np.uint8) if keep else None
        good, failures = np.ones(len(self._paths), np.bool_), {}
        for i, path in enumerate(self._paths):
            try:
                image = self._read(path)
            except ValueError as error:
                good[i], failures[path] = False, str(error)
                continue
            if pixels is not None:
                pixels[i] = image
        return pixels, good, failures

    def _read(self, path: str) -> Bytes:
        return read_image(path, self.shape[1], self.shape[2:])


def read_image(path: str | Path, channels: int, size: tuple[int, int] | None = None) -> Bytes:
    """Reads one image as `[C, H, W]`: 1 channel for grey or 3 for colours; scaled and cut to (H, W) if that is given.

    Raises:
        ValueError: the file is missing, damaged, too large or of another kind.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as file:
                turned = ImageOps.exif_transpose(file) if _orientation(file) > 1 else file
                image = _levels(turned).convert("L" if channels == 1 else "RGB")
    except _DAMAGES as error:
        raise ValueError(f"{path} cannot be read: {_reason(error)}") from None
    if size is not None and image.size != (size[1], size[0]):
        image = ImageOps.fit(image, (size[1], size[0]), Image.Resampling.BILINEAR)
    array = np.array(image, np.uint8)
    return array[None] if channels == 1 else np.ascontiguousarray(array.transpose(2, 0, 1))


def _orientation(image: Image.Image) -> int:
    """Returns EXIF's orientation, 1 if it is as seen, without decoding the image (which Pillow does for PNGs)."""
    known = image.format != "PNG" or "exif" in image.info
    return int(image.getexif().get(ORIENTATION, 1)) if known else 1


def _levels(image: Image.Image) -> Image.Image:
    """Returns an image of 8 bits a channel."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError("its pixels have 32 bits, but 8 or 16 are wanted")
    return image


def _listed(root: Path) -> tuple[list[str], NDArray[np.int64] | None, tuple[str, ...]]:
    """Returns the paths of all images, and the labels `[N]` and names of their classes if there are any."""
    folders = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    loose = sorted(str(p) for p in root.iterdir() if p.is_file() and _is_image(p.name))
    if not folders:
        if not loose:
            raise ValueError(f"{root} has no images ({', '.join(SUFFIXES)}) and no sub-folders of them, one a class")
        return loose, None, ()
    if loose:
        raise ValueError(f"{loose[0]} lies beside the folders of the classes of {root}: move it into one of them")
    files = [_images_below(path) for path in folders]
    for path, found in zip(folders, files, strict=True):
        if not found:
            raise ValueError(f"{path} has no images ({', '.join(SUFFIXES)}), but is in place of a class: remove it")
    labels = np.repeat(np.arange(len(folders)), [len(found) for found in files])
    return [path for found in files for path in found], labels, tuple(path.name for path in folders)


def _images_below(root: Path) -> list[str]:
    found = []
    for at, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [os.path.join(at, name) for name in files if _is_image(name)]
    return sorted(found)


def _is_image(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def _headers(paths: Sequence[str]) -> tuple[dict[int, Header], dict[str, str]]:
    """Returns the head of each file that has one, by its number, and why the others have none."""
    headers, failures = {}, {}
    for i, path in enumerate(paths):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                with Image.open(path, formats=FORMATS) as image:
                    width, height = image.size
                    turned = _orientation(image) >= 5
                    headers[i] = Header((width, height) if turned else (height, width), image.mode in GREY)
        except _DAMAGES as error:
            failures[path] = f"{path} cannot be read: {_reason(error)}"
    return headers, failures


def _reason(error: BaseException) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is no image"
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return f"it has more than {Image.MAX_IMAGE_PIXELS:,} pixels"
    return str(error)


def _refuse(name: str, failures: dict[str, str], count: int) -> None:
    if failures:
        raise ValueError(
            f"{len(failures)} of the {count} images of {name} are damaged: {_named(failures)}; "
            "corrupt='skip' leaves them out"
        )


def _named(failures: dict[str, str]) -> str:
    reasons = list(failures.values())
    return "; ".join(reasons[:NAMED]) + (f"; and {len(reasons) - NAMED} more" if len(reasons) > NAMED else "")


def _only_size(name: str, paths: Sequence[str], headers: dict[int, Header]) -> tuple[int, int]:
    first, other = _two(paths, {i: f"{h.size[0]} x {h.size[1]}" for i, h in headers.items()})
    if other:
        raise ValueError(f"the images of {name} have different sizes: {first}, {other}; size=HxW makes them one")
    return next(iter(headers.values())).size


def _only_channels(name: str, paths: Sequence[str], headers: dict[int, Header]) -> int:
    first, other = _two(paths, {i: "grey" if h.grey else "of colours" for i, h in headers.items()})
    if other:
        raise ValueError(f"the images of {name} are of two kinds: {first}, {other}; channels=1 or 3 makes them one")
    return 1 if next(iter(headers.values())).grey else 3


def _two(paths: Sequence[str], facts: dict[int, str]) -> tuple[str, str]:
    """Returns what is so of the first image, and of the first of which something else is, or nothing."""
    [(i, fact), *rest] = facts.items()
    other = next((f"{paths[j]} is {found}" for j, found in rest if found != fact), "")
    return f"{paths[i]} is {fact}", other
