"""A small convolutional network for images of 8 to 64 pixels, for minutes on a CPU.

Blocks of 3 x 3 convolutions with batch normalisation, each block followed by pooling, as in configuration A to E of
Simonyan and Zisserman (ICLR 2015), but a tenth as wide and with one hidden layer.
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from palestra.networks.images import channels_last, he, head
from palestra.networks.pixels import Pixels


class ConvNet(nn.Module):
    """Blocks of convolutions with `widths` filters, each block halving the image, and a layer of `hidden` units.

    Dropout acts on the hidden layer, and at half its rate after each block.

    Raises:
        ValueError: there is no block, a layer has no units, or the images vanish before the last block.
    """

    input_rank: ClassVar[int] = 3
    heads: ClassVar[tuple[str, ...]] = ("head",)

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        widths: Sequence[Sequence[int]] = ((16, 16), (32, 32), (64, 64)),
        hidden: int = 128,
        dropout: float = 0.3,
        image_size: Sequence[int] = (28, 28),
    ) -> None:
        super().__init__()
        if not widths or min(hidden, *(min(block, default=0) for block in widths)) < 1:
            raise ValueError(f"every layer must have at least one unit, but widths are {widths} and hidden is {hidden}")
        rows, columns = (side >> len(widths) for side in image_size)
        if min(rows, columns) < 1:
            raise ValueError(f"{len(widths)} blocks halve {image_size[0]} x {image_size[1]} pixels to nothing")
        self.num_features = hidden
        self.pixels = Pixels()
        layers: list[nn.Module] = []
        ends = []
        for block in widths:
            for width in block:
                layers += [
                    nn.Conv2d(in_channels, width, 3, padding=1, bias=False),
                    nn.BatchNorm2d(width),
                    nn.ReLU(),
                ]
                in_channels = width
                ends.append(len(layers) - 1)
            layers += [nn.MaxPool2d(2), nn.Dropout(dropout / 2)]
        self.features = nn.Sequential(*layers)
        self.hidden = nn.Sequential(
            nn.Linear(in_channels * rows * columns, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU()
        )
        self.dropout = nn.Dropout(dropout)
        self.head = head(hidden, num_classes)
        self.stages = (*(f"features.{i}" for i in ends), "hidden")
        he(self)
        channels_last(self)

    def forward(self, x: Tensor) -> Tensor:
        """Maps images `[B, in_channels, H, W]`, uint8 or floats in [0, 1], to `[B, num_classes]`."""
        x = self.hidden(torch.flatten(self.features(self.pixels(x)), 1))
        return self.head(self.dropout(x))  # type: ignore[no-any-return]
