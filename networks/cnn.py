"""Convolutional networks on images."""

from typing import ClassVar

import torch
from torch import nn

from palestra.networks.pixels import Pixels


class NatureCNN(nn.Module):
    """The network of the Nature DQN: three convolutions and a hidden layer of 512 units.

    Mnih et al., "Human-level control through deep reinforcement learning", Nature 518 (2015), Methods, "Model
    architecture". Any number of planes and any size of at least 36 x 36 are taken; theirs is 4 x 84 x 84.
    Without `num_classes` the output is the hidden layer, `[B, 512]`.

    Raises:
        ValueError: the images are too small for the three convolutions.
    """

    input_rank: ClassVar[int] = 3
    heads: ClassVar[tuple[str, ...]] = ("head",)
    stages: ClassVar[tuple[str, ...]] = ("features.1", "features.3", "features.5", "features.8")

    def __init__(
        self, in_channels: int, num_classes: int | None = None, *, image_size: tuple[int, int] = (84, 84)
    ) -> None:
        super().__init__()
        if min(image_size) < 36:
            raise ValueError(f"images must be at least 36 x 36, but are {image_size[0]} x {image_size[1]}")
        height, width = (((side - 8) // 4 + 1 - 4) // 2 + 1 - 2 for side in image_size)
        self.num_features = 512
        self.pixels = Pixels()
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 32, 8, stride=4),
            nn.ReLU(),
            nn.Conv2d(32, 64, 4, stride=2),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(64 * height * width, self.num_features),
            nn.ReLU(),
        )
        self.head = nn.Identity() if num_classes is None else nn.Linear(self.num_features, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Maps images `[B, in_channels, H, W]`, uint8 or floats in [0, 1], to `[B, num_classes]`."""
        return self.head(self.features(self.pixels(x)))  # type: ignore[no-any-return]
