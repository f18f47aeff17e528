"""Images of another size or number of channels, for networks that want these."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from palestra.perception.arrays import parse_size
from palestra.perception.data import CHUNK, Images, LazyPixels

LUMA = (0.299, 0.587, 0.114)  # weights of red, green and blue in a grey (ITU-R BT.601)


def resized(images: Images, size: int | str | Sequence[int] | None = None, channels: int | None = None) -> Images:
    """Returns images scaled to `size`, a side, (H, W) or "HxW", and as 1 channel (grey) or 3 (colours).

    Scaling is bilinear, averaging where it makes smaller. What is read lazily stays so.

    Raises:
        ValueError: the size is not positive, or there is no way from these channels to those.
    """
    height, width = images.image_size if size is None else parse_size(size)
    wanted = channels or images.in_channels
    if wanted != images.in_channels and {wanted, images.in_channels} != {1, 3}:
        raise ValueError(
            f"{images.name} has {images.in_channels} channels, not 1 or 3, of which channels={channels} could be made"
        )
    if (wanted, height, width) == (images.in_channels, *images.image_size):
        return images
    pixels: Any = _Resized(images.pixels, (wanted, height, width))
    if isinstance(images.pixels, Tensor):
        parts = torch.arange(len(images)).split(CHUNK)  # type: ignore[no-untyped-call]
        pixels = torch.cat([pixels[part] for part in parts])
    return Images(pixels, images.labels, images.classes, name=images.name)


class _Resized:
    """Images that are brought to a shape when they are asked for."""

    def __init__(self, pixels: Tensor | LazyPixels, shape: tuple[int, int, int]) -> None:
        self._pixels = pixels
        self.shape = (pixels.shape[0], *shape)

    def __getitem__(self, indices: Tensor) -> Tensor:
        x = self._pixels[indices].float()
        if self.shape[1] < x.shape[1]:
            x = torch.einsum("bchw,c->bhw", x, torch.tensor(LUMA))[:, None]
        if self.shape[2:] != x.shape[2:]:
            x = F.interpolate(x, self.shape[2:], mode="bilinear", antialias=True)
        return x.round().clamp(0, 255).to(torch.uint8).expand(-1, self.shape[1], -1, -1)
