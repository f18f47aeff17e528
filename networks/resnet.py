"""Residual networks of 18, 34, 50, 101 and 152 layers.

He, Zhang, Ren and Sun, "Deep residual learning for image recognition", CVPR 2016, table 1, with identity shortcuts and
1x1 projections where the shape changes (option B). Bottlenecks halve the image in their 3x3 convolution, not in the
first 1x1, as the weight files do that people share. Names and order of the parameters are those of these files.

For small images the first convolution is 3x3 without stride and the max-pooling is left out, after section 4.2, which
keeps the image as large as it is until the second stage.
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from palestra.networks.images import PUBLISHED_SIZE, channels_last, he, head, variant
from palestra.networks.pixels import Pixels

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
WIDTHS = (64, 128, 256, 512)


def _conv(num_in: int, num_out: int, size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(num_in, num_out, size, stride, padding=size // 2, bias=False)


def _shortcut(num_in: int, num_out: int, stride: int) -> nn.Module:
    if stride == 1 and num_in == num_out:
        return nn.Identity()
    return nn.Sequential(_conv(num_in, num_out, 1, stride), nn.BatchNorm2d(num_out))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut, `[B, num_in, H, W] -> [B, width, H / stride, W / stride]`."""

    expansion: ClassVar[int] = 1

    def __init__(self, num_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _conv(num_in, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv2 = _conv(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(num_in, width, stride)
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Adds what the convolutions make of `x` to `x`."""
        residual = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        return self.relu2(residual + self.downsample(x))  # type: ignore[no-any-return]


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions beside a shortcut, `[B, num_in, H, W] -> [B, 4 width, H / stride, W / stride]`."""

    expansion: ClassVar[int] = 4

    def __init__(self, num_in: int, width: int, stride: int) -> None:
        super().__init__()
        num_out = self.expansion * width
        self.conv1 = _conv(num_in, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv2 = _conv(width, width, 3, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU()
        self.conv3 = _conv(width, num_out, 1)
        self.bn3 = nn.BatchNorm2d(num_out)
        self.downsample = _shortcut(num_in, num_out, stride)
        self.relu3 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Adds what the convolutions make of `x` to `x`."""
        narrow = self.relu1(self.bn1(self.conv1(x)))
        residual = self.bn3(self.conv3(self.relu2(self.bn2(self.conv2(narrow)))))
        return self.relu3(residual + self.downsample(x))  # type: ignore[no-any-return]


class ResNet(nn.Module):
    """Four stages of residual blocks on images, their mean over the image, and a linear layer.

    Convolutions begin with He's weights (fan-out), batch normalisation as identity.

    Raises:
        ValueError: there is no such depth, or the images are too small.
    """

    input_rank: ClassVar[int] = 3
    heads: ClassVar[tuple[str, ...]] = ("fc",)
    stages: ClassVar[tuple[str, ...]] = ("relu", "layer1", "layer2", "layer3", "layer4")
    layer1: nn.Sequential
    layer2: nn.Sequential
    layer3: nn.Sequential
    layer4: nn.Sequential

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        depth: int = 18,
        image_size: Sequence[int] = PUBLISHED_SIZE,
        small: bool | None = None,
    ) -> None:
        super().__init__()
        if depth not in BLOCKS:
            raise ValueError(f"residual networks have {', '.join(map(str, BLOCKS))} layers, not {depth}")
        self.small = variant(small, image_size, least=8)
        kind = BasicBlock if depth < 50 else Bottleneck
        self.num_features = WIDTHS[-1] * kind.expansion
        self.pixels = Pixels()
        stem = {"kernel_size": 3, "padding": 1} if self.small else {"kernel_size": 7, "stride": 2, "padding": 3}
        self.conv1 = nn.Conv2d(in_channels, WIDTHS[0], **stem, bias=False)  # type: ignore[arg-type]
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        self.relu = nn.ReLU()
        self.maxpool = nn.Identity() if self.small else nn.MaxPool2d(3, stride=2, padding=1)
        num_in = WIDTHS[0]
        for i, (width, num_blocks) in enumerate(zip(WIDTHS, BLOCKS[depth], strict=True)):
            stride = 1 if i == 0 else 2
            blocks = [kind(num_in, width, stride)]
            num_in = width * kind.expansion
            blocks += [kind(num_in, width, 1) for _ in range(num_blocks - 1)]
            self.add_module(f"layer{i + 1}", nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = head(self.num_features, num_classes)
        he(self)
        channels_last(self)

    def forward(self, x: Tensor) -> Tensor:
        """Maps images `[B, in_channels, H, W]`, uint8 or floats in [0, 1], to `[B, num_classes]`."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(self.pixels(x)))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))  # type: ignore[no-any-return]
