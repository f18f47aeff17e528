"""Losses by name, one number a sample.

Outputs are `[B, K]` for K classes, and targets `[B]` labels. The margin losses (hinge, exponential, logistic) compare
each class with the rest: y is +1 for the sample's class and -1 for the others, and the losses of the K comparisons are
summed. With a single output labels are 0 and 1. The squared error takes labels, as one-hot vectors, or targets
`[B, ...]`.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F


def cross_entropy(output: Tensor, target: Tensor) -> Tensor:
    """Returns -log of the softmax's probability of each label, `[B]`; of the sigmoid's where there is one output."""
    if output.shape[1] == 1:
        return F.binary_cross_entropy_with_logits(output[:, 0], target.to(output.dtype), reduction="none")
    return F.cross_entropy(output, target, reduction="none")


def hinge(output: Tensor, target: Tensor) -> Tensor:
    """Returns max(0, 1 - y f), `[B]` (Cortes and Vapnik 1995)."""
    return F.relu(1.0 - _margins(output, target)).sum(dim=1)


def exponential(output: Tensor, target: Tensor) -> Tensor:
    """Returns exp(-y f), `[B]`, the loss that AdaBoost lowers (Friedman, Hastie and Tibshirani 2000)."""
    return torch.exp(-_margins(output, target)).sum(dim=1)


def logistic(output: Tensor, target: Tensor) -> Tensor:
    """Returns log(1 + exp(-y f)), `[B]`."""
    return F.softplus(-_margins(output, target)).sum(dim=1)


def squared_error(output: Tensor, target: Tensor) -> Tensor:
    """Returns the mean squared difference of each sample, `[B]`."""
    if target.dim() == 1 and not target.is_floating_point():
        target = F.one_hot(target, output.shape[1]) if output.shape[1] > 1 else target[:, None]
    return (output - target.to(output.dtype).reshape(output.shape)).square().flatten(1).mean(dim=1)


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross-entropy": cross_entropy,
    "hinge": hinge,
    "exponential": exponential,
    "logistic": logistic,
    "mse": squared_error,
}


def hits(output: Tensor, target: Tensor) -> Tensor:
    """Returns 1 where the largest output (or the sign of the only one) is the label's, else 0, `[B]`."""
    guess = (output[:, 0] > 0).long() if output.shape[1] == 1 else output.argmax(dim=1)
    return (guess == target).float()


def _margins(output: Tensor, target: Tensor) -> Tensor:
    """Returns y f, `[B, K]`."""
    num_classes = output.shape[1]
    is_class = target[:, None] == (1 if num_classes == 1 else torch.arange(num_classes, device=output.device))
    return torch.where(is_class, output, -output)
