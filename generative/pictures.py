"""Samples as one picture."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

GAP = 2  # pixels between images
LEAST = 48  # pixels of the shorter side, up to which small images are enlarged
GREY = 128


def tiles(images: Tensor, columns: int | None = None) -> NDArray[np.uint8]:
    """Returns images `[N, C, H, W]`, floats in [0, 1], beside and below each other: `[H', W', 3]`.

    Small ones are enlarged by a whole factor. There are as many columns as rows, or so many.

    Raises:
        ValueError: they have neither one channel nor three.
    """
    if images.dim() != 4 or images.shape[1] not in (1, 3):
        raise ValueError(f"images must be [N, 1 or 3, H, W], but are {list(images.shape)}")
    pixels = (images * 255).round().clamp(0, 255).byte().expand(-1, 3, -1, -1).permute(0, 2, 3, 1).cpu().numpy()
    factor = max(1, -(-LEAST // max(1, min(pixels.shape[1:3]))))
    factor = max(1, min(factor, 1024 // max(pixels.shape[1:3])))
    pixels = pixels.repeat(factor, axis=1).repeat(factor, axis=2)
    count, height, width, _ = pixels.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = -(-count // columns)
    out = np.full((rows * (height + GAP) + GAP, columns * (width + GAP) + GAP, 3), GREY, np.uint8)
    for i, image in enumerate(pixels):
        top, left = GAP + i // columns * (height + GAP), GAP + i % columns * (width + GAP)
        out[top : top + height, left : left + width] = image
    return out


def as_images(samples: Tensor, image: Sequence[int]) -> Tensor:
    """Returns samples `[N, ...]` as images `[N, *image]`, also where the model draws them as vectors.

    Raises:
        ValueError: they have another number of values.
    """
    if math.prod(samples.shape[1:]) != math.prod(image):
        raise ValueError(f"samples {list(samples.shape[1:])} are no images {list(image)}")
    return samples.reshape(len(samples), *image)
