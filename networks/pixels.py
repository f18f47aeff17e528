"""How images come into a network: bytes to numbers, and the mean and spread that its weights want."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

PIXEL_SCALE = 1.0 / 255.0  # uint8 to [0, 1]


class Pixels(nn.Module):
    """Maps images `[B, C, H, W]`, uint8 or floats in [0, 1], to floats: (x - mean) / std where these are set.

    Mean and spread belong to a network's weights, not to its parameters: they are saved in its configuration.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", None, persistent=False)
        self.register_buffer("std", None, persistent=False)

    def normalize(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Sets the mean and the spread `[C]` of each channel, in the scale of [0, 1].

        Raises:
            ValueError: a spread is not positive.
        """
        if min(std) <= 0:
            raise ValueError(f"the spread of each channel must be positive, but is {tuple(std)}")
        self.mean, self.std = (torch.tensor(values)[:, None, None] for values in (mean, std))

    def forward(self, x: Tensor) -> Tensor:
        """Maps `[B, C, H, W]` to floats of that shape."""
        if x.dtype == torch.uint8:
            x = torch.mul(x, PIXEL_SCALE)
        return x if self.mean is None else (x - self.mean) / self.std
