"""Random changes of images that leave their classes as they are, on a whole batch at once, each image its own.

Randomness comes from torch's global generator, on the CPU whatever the device is, so that `torch.manual_seed` decides.
Shifts fill up with zeros, as in He et al., "Deep residual learning for image recognition" (2016), section 4.2; cutout
is DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout" (2017).
"""

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional


def shift(x: Tensor, pixels: float) -> Tensor:
    """Moves each image `[B, C, H, W]` by up to so many whole pixels in each direction; what comes in is zero."""
    (batch, _, height, width), most = x.shape, int(pixels)
    down, right = torch.randint(-most, most + 1, (2, batch)).to(x.device)
    rows = torch.arange(height, device=x.device) - down[:, None]  # [B, H]: where each row comes from
    cols = torch.arange(width, device=x.device) - right[:, None]  # [B, W]
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((cols >= 0) & (cols < width))[:, None, :]
    image = torch.arange(batch, device=x.device)[:, None, None]
    moved = x.permute(0, 2, 3, 1)[image, rows.clamp(0, height - 1)[:, :, None], cols.clamp(0, width - 1)[:, None, :]]
    return torch.mul(moved.permute(0, 3, 1, 2), inside[:, None])


def flip(x: Tensor, probability: float) -> Tensor:
    """Mirrors each image `[B, C, H, W]`, left to right, with a probability."""
    chosen = (torch.rand(len(x)) < probability).to(x.device)
    return torch.where(chosen[:, None, None, None], x.flip(-1), x)


def rotate(x: Tensor, degrees: float) -> Tensor:
    """Turns each image `[B, C, H, W]` about its middle by up to so many degrees either way; what comes in is zero."""
    angle = _uniform(len(x), degrees * math.pi / 180)
    return _mapped(x, torch.stack([angle.cos(), angle.sin(), -angle.sin(), angle.cos()], dim=1))


def scale(x: Tensor, amount: float) -> Tensor:
    """Zooms each image `[B, C, H, W]` about its middle, out or in, by a factor of up to 1 + amount."""
    factor = torch.exp(_uniform(len(x), math.log1p(amount)))
    return _mapped(x, torch.stack([factor, 0 * factor, 0 * factor, factor], dim=1))


def brightness(x: Tensor, amount: float) -> Tensor:
    """Adds up to `amount` of the full range, either way, to all of an image `[B, C, H, W]`."""
    return _like(x, _unit(x) + _uniform(len(x), amount).to(x.device)[:, None, None, None])


def contrast(x: Tensor, amount: float) -> Tensor:
    """Multiplies the distance of an image `[B, C, H, W]` from its mean by up to 1 + amount, or down to 1 - amount."""
    y = _unit(x)
    mean = y.mean(dim=(1, 2, 3), keepdim=True)
    return _like(x, mean + (y - mean) * (1 + _uniform(len(x), amount).to(x.device)[:, None, None, None]))


def cutout(x: Tensor, side: float) -> Tensor:
    """Sets a square to zero whose side is a fraction of an image's shorter side; it may stick out of `[B, C, H, W]`."""
    batch, _, height, width = x.shape
    length = round(side * min(height, width))
    top, left = ((torch.rand(batch) * n).long().to(x.device)[:, None] - length // 2 for n in (height, width))
    rows, cols = torch.arange(height, device=x.device), torch.arange(width, device=x.device)
    inside = ((rows >= top) & (rows < top + length))[:, :, None] & ((cols >= left) & (cols < left + length))[:, None, :]
    return x * ~inside[:, None]


class Change(NamedTuple):
    """A kind of change, how strong it is unless told, and the strongest that makes sense."""

    apply: Callable[[Tensor, float], Tensor]
    strength: float
    most: float


CHANGES: Mapping[str, Change] = MappingProxyType(
    {
        "shift": Change(shift, 4, math.inf),
        "flip": Change(flip, 0.5, 1),
        "rotate": Change(rotate, 15, 180),
        "scale": Change(scale, 0.1, math.inf),
        "brightness": Change(brightness, 0.2, 1),
        "contrast": Change(contrast, 0.2, 1),
        "cutout": Change(cutout, 0.25, 1),
    }
)


class Augment:
    """Applies changes by name, one after the other, to batches `[B, C, H, W]`, uint8 or floats in [0, 1].

    A name may say how strong its change is, as in `shift:2`; 0 changes nothing. The type of the batch stays.

    Raises:
        ValueError: there is no such change (the nearest is offered), or its strength is out of range.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.changes = [_parse(name) for name in ([names] if isinstance(names, str) else names)]

    def __call__(self, x: Tensor) -> Tensor:
        """Returns the changed images `[B, C, H, W]`; the batch given stays as it is."""
        if x.dim() != 4 or not (x.dtype == torch.uint8 or x.is_floating_point()):
            raise ValueError(f"images [B, C, H, W], uint8 or floats, are wanted, but {list(x.shape)} {x.dtype} came")
        for change, strength in self.changes:
            x = change.apply(x, strength) if strength else x
        return x


def _parse(text: str) -> tuple[Change, float]:
    name, _, given = text.partition(":")
    if name not in CHANGES:
        near = difflib.get_close_matches(name, CHANGES, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(CHANGES)}"
        raise ValueError(f"images cannot be augmented by {name!r}; {hint}")
    change = CHANGES[name]
    try:
        strength = float(given) if given else change.strength
    except ValueError:
        strength = math.nan
    if not (0 <= strength <= change.most and math.isfinite(strength)):
        most = "" if change.most == math.inf else f" to {change.most:g}"
        raise ValueError(f"the strength of {name} is {given!r}, but a number from 0{most} is wanted")
    return change, strength


def _uniform(batch: int, most: float) -> Tensor:
    """Draws `[B]` numbers from -most to most."""
    return (2 * torch.rand(batch) - 1) * most


def _unit(x: Tensor) -> Tensor:
    return x / 255 if x.dtype == torch.uint8 else x


def _like(x: Tensor, y: Tensor) -> Tensor:
    """Returns images y in [0, 1], cut off there, in the type of x."""
    y = y.clamp(0, 1)
    return (y * 255).round().to(torch.uint8) if x.dtype == torch.uint8 else y.to(x.dtype)


def _mapped(x: Tensor, matrix: Tensor) -> Tensor:
    """Resamples each image where a matrix `[B, 4]` puts its pixels' places, measured in pixels from the middle."""
    height, width = x.shape[-2:]
    aspect = torch.tensor([[1.0, height / width], [width / height, 1.0]])
    theta = torch.cat([matrix.view(-1, 2, 2) * aspect, torch.zeros(len(x), 2, 1)], dim=2).to(x.device)
    y = x.float()
    grid = functional.affine_grid(theta, list(x.shape), align_corners=False)
    y = functional.grid_sample(y, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return y.round().clamp(0, 255).to(torch.uint8) if x.dtype == torch.uint8 else y.to(x.dtype)
