"""Normalisation by the mean and deviation of all that was seen so far."""

import torch
from torch import Tensor, nn


class RunningNorm(nn.Module):
    """Subtracts the mean and divides by the deviation of all that was shown by `update`, feature by feature."""

    mean: Tensor
    square: Tensor
    count: Tensor

    def __init__(self, num_features: int, *, clip: float = 10.0) -> None:
        super().__init__()
        self.clip = clip
        self.register_buffer("mean", torch.zeros(num_features, dtype=torch.float64))
        self.register_buffer("square", torch.ones(num_features, dtype=torch.float64))  # mean square deviation
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        """Maps `[..., C]` to about mean 0 and deviation 1, within the clip."""
        deviation = (self.square + 1e-8).sqrt().float()
        return ((x - self.mean.float()) / deviation).clamp(-self.clip, self.clip)

    @torch.no_grad()
    def update(self, x: Tensor) -> None:
        """Takes `[P, C]` into account; Chan et al. (1979) for the joint mean and square deviation."""
        if not len(x):
            return
        x = x.double()
        mean, square, count = x.mean(0), x.var(0, unbiased=False), float(len(x))
        total = self.count + count
        change = mean - self.mean
        self.square.copy_(
            (self.square * self.count + square * count + change.square() * self.count * count / total) / total
        )
        self.mean += change * count / total
        self.count.copy_(total)
