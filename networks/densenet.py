"""Densely connected networks of 121, 169 and 201 layers.

Huang, Liu, van der Maaten and Weinberger, "Densely connected convolutional networks", CVPR 2017, table 1: growth rate
32, bottlenecks, and transitions that halve the channels (DenseNet-BC). Names and order of the parameters are those of
the weight files that people share.

For small images the first convolution is 3x3 without stride and no pooling follows it, as in section 4.2; but there
are four blocks as in the large networks, where the authors take three for images of 32 x 32.
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from palestra.networks.images import PUBLISHED_SIZE, channels_last, he, head, published_only, variant
from palestra.networks.pixels import Pixels

LAYERS = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
GROWTH = 32  # channels that a layer adds
NUM_FIRST = 64  # channels of the first convolution


class DenseLayer(nn.Module):
    """1x1 and 3x3 convolutions, each after normalisation: `[B, num_in, H, W] -> [B, 32, H, W]`."""

    def __init__(self, num_in: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(num_in)
        self.relu1 = nn.ReLU()
        self.conv1 = nn.Conv2d(num_in, 4 * GROWTH, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * GROWTH)
        self.relu2 = nn.ReLU()
        self.conv2 = nn.Conv2d(4 * GROWTH, GROWTH, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Makes new channels of all that came before."""
        x = self.conv1(self.relu1(self.norm1(x)))
        return self.conv2(self.relu2(self.norm2(x)))  # type: ignore[no-any-return]


class DenseBlock(nn.Module):
    """Layers each of which sees the outputs of all before: `[B, num_in, H, W] -> [B, num_in + 32 num_layers, H, W]`."""

    def __init__(self, num_in: int, num_layers: int) -> None:
        super().__init__()
        for i in range(num_layers):
            self.add_module(f"denselayer{i + 1}", DenseLayer(num_in + i * GROWTH))

    def forward(self, x: Tensor) -> Tensor:
        """Appends the channels of each layer."""
        for layer in self.children():
            x = torch.cat((x, layer(x)), dim=1)
        return x


class Transition(nn.Sequential):
    """Halves the channels and the image, `[B, num_in, H, W] -> [B, num_in / 2, H / 2, W / 2]`."""

    def __init__(self, num_in: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(num_in)
        self.relu = nn.ReLU()
        self.conv = nn.Conv2d(num_in, num_in // 2, 1, bias=False)
        self.pool = nn.AvgPool2d(2)


class DenseNet(nn.Module):
    """Four dense blocks on images, their mean over the image, and a linear layer.

    Convolutions begin with He's weights (fan-in) as the authors' do, batch normalisation as identity.

    Raises:
        ValueError: there is no such depth, or the images are too small.
    """

    input_rank: ClassVar[int] = 3
    heads: ClassVar[tuple[str, ...]] = ("classifier",)
    stages: ClassVar[tuple[str, ...]] = (
        *("features.relu0", "features.denseblock1", "features.denseblock2", "features.denseblock3"),
        "features.relu5",  # of the fourth block
    )

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        depth: int = 121,
        image_size: Sequence[int] = PUBLISHED_SIZE,
        small: bool | None = None,
    ) -> None:
        super().__init__()
        if depth not in LAYERS:
            raise ValueError(f"densely connected networks have {', '.join(map(str, LAYERS))} layers, not {depth}")
        self.small = variant(small, image_size, least=8)
        published_only(self.small, image_size, least=29)
        self.pixels = Pixels()
        stem = {"kernel_size": 3, "padding": 1} if self.small else {"kernel_size": 7, "stride": 2, "padding": 3}
        self.features = nn.Sequential()
        self.features.conv0 = nn.Conv2d(in_channels, NUM_FIRST, **stem, bias=False)  # type: ignore[arg-type]
        self.features.norm0 = nn.BatchNorm2d(NUM_FIRST)
        self.features.relu0 = nn.ReLU()
        self.features.pool0 = nn.Identity() if self.small else nn.MaxPool2d(3, stride=2, padding=1)
        num_channels = NUM_FIRST
        for i, num_layers in enumerate(LAYERS[depth], start=1):
            self.features.add_module(f"denseblock{i}", DenseBlock(num_channels, num_layers))
            num_channels += num_layers * GROWTH
            if i < len(LAYERS[depth]):
                self.features.add_module(f"transition{i}", Transition(num_channels))
                num_channels //= 2
        self.features.norm5 = nn.BatchNorm2d(num_channels)
        self.features.relu5 = nn.ReLU()
        self.num_features = num_channels
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = head(num_channels, num_classes)
        he(self, mode="fan_in")
        if num_classes is not None:
            nn.init.zeros_(self.classifier.bias)  # type: ignore[arg-type]
        channels_last(self)

    def forward(self, x: Tensor) -> Tensor:
        """Maps images `[B, in_channels, H, W]`, uint8 or floats in [0, 1], to `[B, num_classes]`."""
        return self.classifier(torch.flatten(self.avgpool(self.features(self.pixels(x))), 1))  # type: ignore[no-any-return]
