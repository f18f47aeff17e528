"""The VGG networks, configurations A, A-LRN, B, C, D and E.

Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015, table 1; the
batch normalisation that later files have is an option. Names and order of the parameters are those of the weight files
that people share.

For small images a pooling is left out where it would leave less than two pixels, what is left is averaged, and the
hidden layers have 512 units.
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from palestra.networks.images import (
    PUBLISHED_SIZE,
    channels_last,
    draw_linear,
    he,
    head,
    published_only,
    response_norm,
    variant,
)
from palestra.networks.pixels import Pixels

CONFIGURATIONS = {  # blocks of convolutions, each followed by pooling: filters, or (filters, size) where that is not 3
    "A": ((64,), (128,), (256, 256), (512, 512), (512, 512)),
    "A-LRN": ((64,), (128,), (256, 256), (512, 512), (512, 512)),
    "B": ((64, 64), (128, 128), (256, 256), (512, 512), (512, 512)),
    "C": ((64, 64), (128, 128), (256, 256, (256, 1)), (512, 512, (512, 1)), (512, 512, (512, 1))),
    "D": ((64, 64), (128, 128), (256,) * 3, (512,) * 3, (512,) * 3),
    "E": ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4),
}


def _block(num_in: int, sizes: Sequence[int | tuple[int, int]], batch_norm: bool) -> tuple[list[nn.Module], int]:
    """Returns the layers of a block, without its pooling, and the channels of its output."""
    layers: list[nn.Module] = []
    for size in sizes:
        num_out, side = size if isinstance(size, tuple) else (size, 3)
        layers.append(nn.Conv2d(num_in, num_out, side, padding=side // 2))
        layers += [nn.BatchNorm2d(num_out)] if batch_norm else []
        layers.append(nn.ReLU())
        num_in = num_out
    return layers, num_in


class VGG(nn.Module):
    """Five blocks of convolutions on images, and two hidden layers, the second of which are the features.

    Convolutions begin with He's weights (fan-out with batch normalisation, else fan-in), where the paper takes those of
    shallower networks; linear layers with spread 0.01 as published, in the small variant with He's.

    Raises:
        ValueError: there is no such configuration, or the images are too small.
    """

    input_rank: ClassVar[int] = 3
    heads: ClassVar[tuple[str, ...]] = ("classifier.6",)

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        configuration: str = "A",
        batch_norm: bool = False,
        image_size: Sequence[int] = PUBLISHED_SIZE,
        small: bool | None = None,
        hidden: int | None = None,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if configuration not in CONFIGURATIONS:
            raise ValueError(f"VGG networks are {', '.join(CONFIGURATIONS)}, not {configuration!r}")
        self.small = variant(small, image_size, least=8)
        published_only(self.small, image_size, least=32)
        self.num_features = hidden or (512 if self.small else 4096)
        self.pixels = Pixels()
        self.features, ends = self._features(in_channels, configuration, batch_norm, min(image_size))
        self.stages = (*(f"features.{i}" for i in ends), "classifier.1", "classifier.4")
        side = 1 if self.small else 7
        self.avgpool = nn.AdaptiveAvgPool2d(side)
        self.classifier = nn.Sequential(
            nn.Linear(512 * side * side, self.num_features),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(self.num_features, self.num_features),
            nn.ReLU(),
            nn.Dropout(dropout),
            head(self.num_features, num_classes),
        )
        he(self, mode="fan_out" if batch_norm else "fan_in")
        draw_linear(self, None if self.small else 0.01)
        channels_last(self)

    def _features(
        self, in_channels: int, configuration: str, batch_norm: bool, side: int
    ) -> tuple[nn.Sequential, list[int]]:
        """Returns the convolutional layers, and where among them each block ends."""
        layers: list[nn.Module] = []
        ends = []
        for i, sizes in enumerate(CONFIGURATIONS[configuration]):
            block, in_channels = _block(in_channels, sizes, batch_norm)
            layers += block
            ends.append(len(layers) - 1)
            if configuration == "A-LRN" and i == 0:
                layers.append(response_norm())
            pooled = not self.small or side >= 4
            layers.append(nn.MaxPool2d(2) if pooled else nn.Identity())
            side = side // 2 if pooled else side
        return nn.Sequential(*layers), ends

    def forward(self, x: Tensor) -> Tensor:
        """Maps images `[B, in_channels, H, W]`, uint8 or floats in [0, 1], to `[B, num_classes]`."""
        x = self.avgpool(self.features(self.pixels(x)))
        return self.classifier(torch.flatten(x, 1))  # type: ignore[no-any-return]
