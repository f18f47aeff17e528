"""Models that say how probable each number of an image is, given those before it: likelihood, sampling, in-painting.

A model has `shape`, `levels`, `logits(x, condition)` `[B, C, H, W, L]` for levels `x` `[B, C, H, W]`, of which those of
a number depend on earlier ones alone, and `walk(n, condition)`, which gives a `Walker`.
"""

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from palestra.networks.chance import uniform
from palestra.networks.density import checked_condition, checked_request, device_of


class Walker(Protocol):
    """Goes through images in raster order."""

    def begin_row(self, x: Tensor, row: int) -> None:
        """Comes to a row; what `x` `[B, C, H, W]` (levels) holds above it is known."""

    def at(self, x: Tensor, row: int, column: int) -> Tensor:
        """Returns the logits `[B, C, L]` of a pixel in that row; of its channels the earlier ones may be known."""

    def done(self, x: Tensor, row: int, column: int) -> None:
        """Leaves a pixel, all of which is known."""


class Naive:
    """Computes everything anew for each number: slow, and what fast walkers are compared with."""

    def __init__(self, model: Any, condition: Tensor | None) -> None:
        self._model, self._condition = model, condition

    def begin_row(self, x: Tensor, row: int) -> None:
        """Does nothing."""

    def at(self, x: Tensor, row: int, column: int) -> Tensor:
        """Returns the logits `[B, C, L]` of a pixel."""
        logits: Tensor = self._model.logits(x, self._condition)
        return logits[:, :, row, column]

    def done(self, x: Tensor, row: int, column: int) -> None:
        """Does nothing."""


def scaled(x: Tensor, levels: int) -> Tensor:
    """Returns levels as floats from -1 to 1."""
    return x.float() * (2.0 / (levels - 1)) - 1.0


def nats_of(logits: Tensor, x: Tensor) -> Tensor:
    """Returns the log-probabilities `[B]` of levels `[B, ...]` by logits `[B, ..., L]`."""
    return -F.cross_entropy(logits.flatten(0, -2), x.flatten(), reduction="none").view(len(x), -1).sum(dim=1)


def level_at(logits: Tensor, uniform: Tensor) -> Tensor:
    """Returns the levels `[B]` whose share of [0, 1], by logits `[B, L]`, `uniform` `[B]` falls into."""
    below = logits.double().softmax(dim=1).cumsum(dim=1)[:, :-1] <= uniform[:, None]
    return below.sum(dim=1)


@torch.inference_mode()
def draw(
    model: Any,
    n: int,
    condition: Tensor | None = None,
    *,
    generator: torch.Generator | None = None,
    given: Tensor | None = None,
    cached: bool = True,
    note: Callable[[int], None] = lambda row: None,
) -> Tensor:
    """Draws levels `[n, C, H, W]`, number by number; `given` holds levels, and -1 where they are to be drawn.

    From the same generator come the same images with and without `cached`, up to rounding. `note` is called with each
    row that is done.

    Raises:
        ValueError: there are too many, labels are missing or wrong, or what is given has another shape or values out
            of range.
    """
    channels, height, width = model.shape
    checked_request(n, model.shape, 16)  # a level and a random number
    condition, device = checked_condition(model, condition, n), device_of(model)
    x = torch.zeros(n, *model.shape, dtype=torch.int64, device=device)
    if given is not None:
        if given.shape != x.shape or not bool(((given >= -1) & (given < model.levels)).all()):
            raise ValueError(f"what is given must be {list(x.shape)}, levels from 0 to {model.levels - 1} or -1")
        given = given.to(device)
        x = given.clamp(min=0).long()
    uniforms = uniform(x.shape, device, generator, dtype=torch.float64)
    was_training = model.training
    model.eval()
    walker: Walker = model.walk(n, condition) if cached else Naive(model, condition)
    for row in range(height):
        walker.begin_row(x, row)
        for column in range(width):
            for channel in range(channels):
                level = level_at(walker.at(x, row, column)[:, channel], uniforms[:, channel, row, column])
                if given is not None:
                    known = given[:, channel, row, column]
                    level = torch.where(known >= 0, known, level)
                x[:, channel, row, column] = level
            walker.done(x, row, column)
        note(row)
    model.train(was_training)
    return x
