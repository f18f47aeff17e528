"""GoogLeNet with its auxiliary heads.

Szegedy et al., "Going deeper with convolutions", CVPR 2015, table 1. By default it is the network of the weight files
that people share, whose names and order the parameters have: with batch normalisation instead of response
normalisation, and with 3x3 filters where the paper has 5x5. `batch_norm=False, wide=5` is the network of the paper.
Auxiliary heads average over a grid of 4 x 4 fields, which for 14 x 14 pixels is their 5x5 pooling up to a pixel.

For small images the first convolution is 3x3 without stride, and the first pooling is left out.
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from palestra.networks.batches import Batch
from palestra.networks.images import PUBLISHED_SIZE, channels_last, he, head, published_only, response_norm, variant
from palestra.networks.losses import cross_entropy
from palestra.networks.objectives import Losses, supervised
from palestra.networks.pixels import Pixels

AUXILIARY_WEIGHT = 0.3  # of each auxiliary loss, section 5
INCEPTIONS = {  # 1x1, 3x3 reduced, 3x3, 5x5 reduced, 5x5, behind the pooling
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


class Convolution(nn.Sequential):
    """A convolution, normalised over the batch where asked, and rectified."""

    def __init__(self, num_in: int, num_out: int, size: int, stride: int = 1, *, batch_norm: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(num_in, num_out, size, stride, padding=size // 2, bias=not batch_norm)
        if batch_norm:
            self.bn = nn.BatchNorm2d(num_out, eps=0.001)
        self.relu = nn.ReLU()


class Inception(nn.Module):
    """Four branches side by side, `[B, num_in, H, W] -> [B, num_out, H, W]`; sizes are those of `INCEPTIONS`."""

    def __init__(self, num_in: int, sizes: Sequence[int], wide: int, batch_norm: bool) -> None:
        super().__init__()
        ones, reduced, threes, few, fives, pooled = sizes

        def conv(num_in: int, num_out: int, size: int) -> Convolution:
            return Convolution(num_in, num_out, size, batch_norm=batch_norm)

        self.num_out = ones + threes + fives + pooled
        self.branch1 = conv(num_in, ones, 1)
        self.branch2 = nn.Sequential(conv(num_in, reduced, 1), conv(reduced, threes, 3))
        self.branch3 = nn.Sequential(conv(num_in, few, 1), conv(few, fives, wide))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), conv(num_in, pooled, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Puts the channels of the branches behind each other."""
        return torch.cat((self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)), dim=1)


class AuxiliaryHead(nn.Module):
    """A classifier on a layer within the network, `[B, num_in, H, W] -> [B, num_classes]`."""

    def __init__(self, num_in: int, num_classes: int, batch_norm: bool) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(4)
        self.conv = Convolution(num_in, 128, 1, batch_norm=batch_norm)
        self.fc1 = nn.Linear(128 * 4 * 4, 1024)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(0.7)
        self.fc2 = nn.Linear(1024, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Classifies the layer's output."""
        x = torch.flatten(self.conv(self.avgpool(x)), 1)
        return self.fc2(self.dropout(self.relu(self.fc1(x))))  # type: ignore[no-any-return]


class GoogLeNet(nn.Module):
    """Nine inception modules on images, their mean over the image, and a linear layer.

    `forward` gives the main outputs alone; `objective`, by which the network is fitted, adds the auxiliary losses, and
    `auxiliary` gives all outputs. There are auxiliary heads where `num_classes` is set and `auxiliary_heads` is not
    turned off. Convolutions begin with He's weights (fan-out with batch normalisation, else fan-in).

    Raises:
        ValueError: the images are too small, or the wide filters have an even size.
    """

    input_rank: ClassVar[int] = 3
    heads: ClassVar[tuple[str, ...]] = ("fc", "aux1", "aux2")
    stages: ClassVar[tuple[str, ...]] = ("conv1", "conv3", *(f"inception{name}" for name in INCEPTIONS))
    aux1: AuxiliaryHead
    aux2: AuxiliaryHead

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        image_size: Sequence[int] = PUBLISHED_SIZE,
        small: bool | None = None,
        batch_norm: bool = True,
        wide: int = 3,
        auxiliary_heads: bool = True,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        if wide not in (3, 5):
            raise ValueError(f"the wide filters are 3 or 5 pixels wide, not {wide}")
        self.small = variant(small, image_size, least=8)
        published_only(self.small, image_size, least=15)
        self.pixels = Pixels()
        size, stride = (3, 1) if self.small else (7, 2)
        self.conv1 = Convolution(in_channels, 64, size, stride, batch_norm=batch_norm)
        pool1 = nn.Identity() if self.small else nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.maxpool1 = pool1 if batch_norm else nn.Sequential(pool1, response_norm())
        self.conv2 = Convolution(64, 64, 1, batch_norm=batch_norm)
        self.conv3 = Convolution(64, 192, 3, batch_norm=batch_norm)
        pool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.maxpool2 = pool2 if batch_norm else nn.Sequential(response_norm(), pool2)
        num_out = 192
        for name, sizes in INCEPTIONS.items():
            module = Inception(num_out, sizes, wide, batch_norm)
            self.add_module(f"inception{name}", module)
            num_out = module.num_out
        self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.maxpool4 = nn.MaxPool2d(2 if batch_norm else 3, stride=2, ceil_mode=True)
        if auxiliary_heads and num_classes:
            self.aux1 = AuxiliaryHead(512, num_classes, batch_norm)
            self.aux2 = AuxiliaryHead(528, num_classes, batch_norm)
        self.num_features = num_out
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = head(num_out, num_classes)
        he(self, mode="fan_out" if batch_norm else "fan_in")
        channels_last(self)

    def forward(self, x: Tensor) -> Tensor:
        """Maps images `[B, in_channels, H, W]`, uint8 or floats in [0, 1], to `[B, num_classes]`."""
        return self._last(self._middle(self._first(x)))

    def auxiliary(self, x: Tensor) -> tuple[Tensor, ...]:
        """Maps images to all outputs `[B, num_classes]`: the main ones, and those of the auxiliary heads in order.

        Raises:
            ValueError: the network has no auxiliary heads.
        """
        if not hasattr(self, "aux1"):
            raise ValueError("the network was made without auxiliary heads, which need num_classes")
        first = self._first(x)
        aux1 = self.aux1(first)
        middle = self._middle(first)
        aux2 = self.aux2(middle)
        return self._last(middle), aux1, aux2

    def objective(self, batch: Batch) -> Losses:
        """Returns the cross-entropy `[B]` of images and labels, in training with 0.3 of each auxiliary head's added."""
        outputs = self.auxiliary(batch[0]) if self.training and hasattr(self, "aux1") else (self(batch[0]),)
        losses, metrics = supervised("cross-entropy")(_Given(outputs[0]), batch)
        for output in outputs[1:]:
            losses = losses + AUXILIARY_WEIGHT * cross_entropy(output, batch[1])
        return losses, metrics

    def _first(self, x: Tensor) -> Tensor:
        """Goes to the first auxiliary head, behind module 4a."""
        x = self.maxpool1(self.conv1(self.pixels(x)))
        x = self.maxpool2(self.conv3(self.conv2(x)))
        x = self.maxpool3(self._inceptions(x, "3a", "3b"))
        return self._inceptions(x, "4a")

    def _middle(self, x: Tensor) -> Tensor:
        """Goes on to the second auxiliary head, behind module 4d."""
        return self._inceptions(x, "4b", "4c", "4d")

    def _last(self, x: Tensor) -> Tensor:
        x = self._inceptions(self.maxpool4(self._inceptions(x, "4e")), "5a", "5b")
        x = self.dropout(torch.flatten(self.avgpool(x), 1))
        return self.fc(x)  # type: ignore[no-any-return]

    def _inceptions(self, x: Tensor, *names: str) -> Tensor:
        for name in names:
            x = self.get_submodule(f"inception{name}")(x)
        return x


class _Given(nn.Module):
    """Outputs that are there already, as a network."""

    def __init__(self, outputs: Tensor) -> None:
        super().__init__()
        self.outputs = outputs

    def forward(self, _x: Tensor) -> Tensor:
        return self.outputs
