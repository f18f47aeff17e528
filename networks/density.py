"""What generative models have in common: probabilities that say what they are, levels of pixels, checks at the door.

A generative model is made by `create` like any network; `num_classes` is how many classes it can be conditioned on,
None for none. It has

- `objective(batch)`, what `networks/fit.py` lowers, on batches `(x,)` or, with classes, `(x, label)`;
- `sample(n, condition=None, *, generator=None)`: n samples, floats in [0, 1], of labels `[n]` where it has classes;
- where it has a likelihood, `log_prob(x, condition=None)`: `Exact`, a `Bound` from below, or an `Estimate`;
- where it has them, `encode(x)`, `decode(code)` and `reconstruct(x)`;
- `shape`, that of a sample, `levels`, how many values a number of it may have, and `num_classes`.

It takes bytes, floats in [0, 1] or int64 levels; `as_levels` is the one place where they become levels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from palestra.networks.objectives import Losses
from palestra.networks.stages import name_of

LARGEST = 2**32  # bytes that a request for samples may take


@dataclass(frozen=True)
class LogProb:
    """Log-probabilities of samples."""

    nats: Tensor  # [B]

    def bits_per_dim(self, shape: Sequence[int]) -> Tensor:
        """Returns how many bits a number of a sample of a shape takes, `[B]`."""
        return -self.nats / (math.prod(shape) * math.log(2.0))


class Exact(LogProb):
    """Log-probabilities as they are."""


class Bound(LogProb):
    """Numbers that the log-probabilities are not below, in the mean over the model's own draws."""


class Estimate(LogProb):
    """Estimates of log-probabilities, which may lie above or below."""


def as_levels(x: Tensor, levels: int) -> Tensor:
    """Returns numbers as levels 0 to `levels` - 1, int64 of the same shape; with two levels, 1 from a half on.

    Raises:
        ValueError: they are not numbers, or not in the range of their type: bytes, floats in [0, 1], int64 levels.
    """
    if x.dtype == torch.uint8:
        return x.long() if levels == 256 else torch.div(2 * x.long() * (levels - 1) + 255, 510, rounding_mode="floor")
    if not x.is_floating_point():
        _check_range(x, 0, levels - 1, f"levels of a model with {levels} of them")
        return x.long()
    _check_range(x, 0.0, 1.0, "floats")
    return (x.double() * (levels - 1) + 0.5).floor().long()


def as_floats(x: Tensor, levels: int) -> Tensor:
    """Returns levels as floats in [0, 1]."""
    return x.float() / (levels - 1)


def device_of(model: Any) -> torch.device:
    """Returns where a model's weights are."""
    device: torch.device = next(model.parameters()).device
    return device


def checked_shape(x: Tensor, shape: Sequence[int], name: str) -> Tensor:
    """Returns samples `[B, *shape]` as they are.

    Raises:
        ValueError: they have another shape, or there are none.
    """
    if x.dim() != len(shape) + 1 or tuple(x.shape[1:]) != tuple(shape) or not len(x):
        raise ValueError(f"the model {name} takes samples {['B', *shape]}, but was given {list(x.shape)}")
    return x


def checked_levels(model: Any, x: Tensor) -> Tensor:
    """Returns samples `[B, *shape]` as levels, int64, where the model is.

    Raises:
        ValueError: they are not what the model takes.
    """
    return as_levels(checked_shape(x, model.shape, name_of(model)), model.levels).to(device_of(model))


def checked_condition(model: Any, condition: Tensor | None, n: int) -> Tensor | None:
    """Returns labels `[n]` as int64, where the model is, or None where it has no classes.

    Raises:
        ValueError: labels are missing or too many, none is wanted, or one is no class.
    """
    name, num_classes = name_of(model), model.num_classes
    if num_classes is None:
        if condition is not None:
            raise ValueError(f"the model {name} was made without classes, so that there is nothing to condition on")
        return None
    if condition is None or condition.shape != (n,) or condition.is_floating_point():
        given = "none" if condition is None else f"{list(condition.shape)} of {condition.dtype}"
        raise ValueError(f"the model {name} wants a label, an integer, for each of {n} samples, but was given {given}")
    _check_range(condition, 0, num_classes - 1, "labels")
    return condition.long().to(device_of(model))


def checked_input(model: Any, x: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Returns what a model was given as levels `[B, ...]`, and labels `[B]` where it has classes.

    Raises:
        ValueError: either is not what the model takes.
    """
    return checked_levels(model, x), checked_condition(model, condition, len(x))


def likelihood_loss(model: Any, batch: Sequence[Tensor]) -> Losses:
    """Returns the negative log-probabilities `[B]` of a batch `(x,)` or `(x, label)`, and bits per dimension."""
    found: LogProb = model.log_prob(batch[0], batch[1] if model.num_classes else None)
    return -found.nats, {"bits_per_dim": found.bits_per_dim(model.shape).detach()}


def checked_request(n: int, shape: Sequence[int], bytes_each: int = 8) -> None:
    """Checks a request for samples; `bytes_each` is what a number of a sample needs while it is drawn.

    Raises:
        ValueError: there are none, or more than memory is for.
    """
    if n < 1:
        raise ValueError(f"{n} samples were asked for, but at least 1 is wanted")
    size, one = n * math.prod(shape) * bytes_each, math.prod(shape) * bytes_each
    if size > LARGEST:
        raise ValueError(
            f"{n:,} samples of {list(shape)} need {size / 2**30:,.0f} GiB; "
            f"at most {max(1, LARGEST // one):,} can be drawn at a time"
        )


def _check_range(x: Tensor, low: float, high: float, what: str) -> None:
    if x.numel() and not bool(((x >= low) & (x <= high)).all()):  # also where some are no numbers
        wrong = x[~((x >= low) & (x <= high))][0].item()
        raise ValueError(f"{what} lie from {low:g} to {high:g}, but one is {wrong:g}")
