"""Convolutional networks on images that agents are used to."""

from collections.abc import Sequence
from itertools import pairwise
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


class ResidualUnit(nn.Module):
    """Two 3x3 convolutions, each behind a ReLU, beside a shortcut: `[B, C, H, W]`."""

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        self.relu1 = nn.ReLU()
        self.conv1 = nn.Conv2d(num_channels, num_channels, 3, padding=1)
        self.relu2 = nn.ReLU()
        self.conv2 = nn.Conv2d(num_channels, num_channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Adds what the convolutions make of `x` to `x`."""
        return x + self.conv2(self.relu2(self.conv1(self.relu1(x))))  # type: ignore[no-any-return]


class ImpalaCNN(nn.Module):
    """The deep encoder of IMPALA: three sections of convolution, pooling and two residual units, and 256 hidden units.

    Espeholt et al., "IMPALA: scalable distributed deep-RL with importance weighted actor-learner architectures", ICML
    2018, figure 3 (right), without its LSTM. Poolings pad one pixel on all sides. `width` multiplies the channels of
    the sections, which agents of today often double or quadruple. All layers begin as torch's do.

    Raises:
        ValueError: the images are smaller than 8 x 8, or a section has no channels.
    """

    input_rank: ClassVar[int] = 3
    heads: ClassVar[tuple[str, ...]] = ("head",)

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        image_size: tuple[int, int] = (84, 84),
        channels: Sequence[int] = (16, 32, 32),
        width: int = 1,
        hidden: int = 256,
    ) -> None:
        super().__init__()
        if min(image_size) < 8:
            raise ValueError(f"images must be at least 8 x 8, but are {image_size[0]} x {image_size[1]}")
        sizes = [in_channels, *(width * size for size in channels)]
        if min(*sizes, hidden) < 1:
            raise ValueError(f"every section must have at least one channel, but they have {sizes[1:]}")
        height, breadth = image_size
        layers: list[nn.Module] = []
        for num_in, num_out in pairwise(sizes):
            conv, pool = nn.Conv2d(num_in, num_out, 3, padding=1), nn.MaxPool2d(3, stride=2, padding=1)
            layers.append(nn.Sequential(conv, pool, ResidualUnit(num_out), ResidualUnit(num_out)))
            height, breadth = (height + 1) // 2, (breadth + 1) // 2
        self.stages = (*(f"features.{i}" for i in range(len(channels))), f"features.{len(channels) + 3}")
        self.num_features = hidden
        self.pixels = Pixels()
        self.features = nn.Sequential(
            *layers, nn.ReLU(), nn.Flatten(), nn.Linear(sizes[-1] * height * breadth, hidden), nn.ReLU()
        )
        self.head = nn.Identity() if num_classes is None else nn.Linear(hidden, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Maps images `[B, in_channels, H, W]`, uint8 or floats in [0, 1], to `[B, num_classes]`."""
        return self.head(self.features(self.pixels(x)))  # type: ignore[no-any-return]
