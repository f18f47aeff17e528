"""How probable samples are under a model: nats and bits per dimension, and what kind of number that is."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

KINDS = {"Exact": "exact", "Bound": "lower bound", "Estimate": "estimate"}  # by the type of log-probabilities


@dataclass(frozen=True)
class Score:
    """Negative log-probabilities of N samples."""

    nats: float
    """Mean."""
    error: float
    """Standard error of the mean over the samples."""
    bits_per_dim: float
    """Mean bits of a number of a sample."""
    kind: str
    """Whether log-probabilities are exact, a lower bound (so that nats are at most these) or an estimate."""
    count: int
    """Samples."""

    def __str__(self) -> str:
        at_most = {"lower bound": "at most ", "estimate": "about "}.get(self.kind, "")
        return (
            f"{at_most}{self.nats:.2f} nats a sample (standard error {self.error:.2f}), "
            f"{self.bits_per_dim:.4f} bits per dimension, {self.kind} log-probabilities"
        )


@torch.no_grad()
def score(
    model: Any, data: Any, *, batch_size: int = 256, note: Callable[[int], None] = lambda done: None, **options: Any
) -> Score:
    """Scores a model on data: anything with a length that indices turn into `(x,)`, or `(x, label)` with classes.

    `options` are those of the model's `log_prob`; `note` is called with the number of samples that are done.

    Raises:
        ValueError: the model has no likelihood.
    """
    if not hasattr(model, "log_prob"):
        raise ValueError(f"a {type(model).__name__} has no likelihood: only its samples can be compared with others")
    was_training = model.training
    model.eval()
    parts, kind = [], ""
    for begin in range(0, len(data), batch_size):
        batch = data[torch.arange(begin, min(begin + batch_size, len(data)))]
        found = model.log_prob(batch[0], batch[1] if model.num_classes else None, **options)
        parts.append(-found.nats.double())
        kind = KINDS[type(found).__name__]
        note(min(begin + batch_size, len(data)))
    model.train(was_training)
    nats = torch.cat(parts)
    error = float(nats.std()) / math.sqrt(len(nats)) if len(nats) > 1 else math.nan
    bits = float(nats.mean()) / (math.prod(model.shape) * math.log(2.0))
    return Score(float(nats.mean()), error, bits, kind, len(nats))
