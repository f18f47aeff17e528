"""The network of ILSVRC 2012, its later one-tower variant, and ZFNet of 2013: five convolutions and two hidden layers.

- `2012`: Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks", NIPS
  2012, section 3: two groups in the second, fourth and fifth convolutions, response normalisation, overlapping pooling.
  Two pixels of padding make their 224 x 224 images fit. Where their two GPUs normalise over their own channels, one
  device normalises over all.
- `owt`: the same without groups and normalisation and with 64 first filters, from Krizhevsky, "One weird trick for
  parallelizing convolutional neural networks" (2014), in the form of the weight files that people share, whose names
  and order the parameters have.
- `zf`: Zeiler and Fergus, "Visualizing and understanding convolutional networks", ECCV 2014, figure 3: 7x7 filters at
  stride 2, then 5x5 at stride 2, no groups. Pooling rounds up, which gives their 110, 55, 26, 13, 13, 6 pixels; the
  constants of the contrast normalisation are not given there, and are those of 2012.

For small images the first convolution is 5x5 (ZFNet: 3x3) without stride, the second has none either, poolings are
padded, what is left is averaged over 2 x 2 fields, and the hidden layers have 512 units.
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


def _pool(small: bool, ceil_mode: bool = False) -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2, padding=1) if small else nn.MaxPool2d(3, stride=2, ceil_mode=ceil_mode)


def _first(in_channels: int, num_out: int, small: bool) -> nn.Conv2d:
    if small:
        return nn.Conv2d(in_channels, num_out, 5, padding=2)
    return nn.Conv2d(in_channels, num_out, 11, stride=4, padding=2)


def _layers_2012(in_channels: int, small: bool) -> list[nn.Module]:
    return [
        *(_first(in_channels, 96, small), nn.ReLU(), response_norm(), _pool(small)),
        *(nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU(), response_norm(), _pool(small)),
        *(nn.Conv2d(256, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(), _pool(small)),
    ]


def _layers_owt(in_channels: int, small: bool) -> list[nn.Module]:
    return [
        *(_first(in_channels, 64, small), nn.ReLU(), _pool(small)),
        *(nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), _pool(small)),
        *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), _pool(small)),
    ]


def _layers_zf(in_channels: int, small: bool) -> list[nn.Module]:
    if small:
        first, second = nn.Conv2d(in_channels, 96, 3, padding=1), nn.Conv2d(96, 256, 5, padding=2)
    else:
        first, second = nn.Conv2d(in_channels, 96, 7, stride=2, padding=1), nn.Conv2d(96, 256, 5, stride=2)
    return [
        *(first, nn.ReLU(), _pool(small, ceil_mode=True), response_norm()),
        *(second, nn.ReLU(), _pool(small, ceil_mode=True), response_norm()),
        *(nn.Conv2d(256, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(), _pool(small, ceil_mode=True)),
    ]


DESIGNS = {"2012": _layers_2012, "owt": _layers_owt, "zf": _layers_zf}


class AlexNet(nn.Module):
    """Five convolutions on images, and two hidden layers, the second of which are the features.

    The networks of 2012 and 2013 begin as published: weights of spread 0.01, biases 0, but 1 after the second, fourth
    and fifth convolution and in the hidden layers of 2012. The others and all small variants begin with He's weights.

    Raises:
        ValueError: there is no such design, or the images are too small.
    """

    input_rank: ClassVar[int] = 3
    heads: ClassVar[tuple[str, ...]] = ("classifier.6",)

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        design: str = "2012",
        image_size: Sequence[int] = PUBLISHED_SIZE,
        small: bool | None = None,
        hidden: int | None = None,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if design not in DESIGNS:
            raise ValueError(f"designs are {', '.join(DESIGNS)}, not {design!r}")
        self.small = variant(small, image_size, least=8)
        published_only(self.small, image_size, least=63)
        self.num_features = hidden or (512 if self.small else 4096)
        side = 2 if self.small else 6
        self.pixels = Pixels()
        self.features = nn.Sequential(*DESIGNS[design](in_channels, self.small))
        self.avgpool = nn.AdaptiveAvgPool2d(side)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(256 * side * side, self.num_features),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(self.num_features, self.num_features),
            nn.ReLU(),
            head(self.num_features, num_classes),
        )
        relus = [name for name, module in self.named_modules() if isinstance(module, nn.ReLU)]
        self.stages = tuple(relus)
        self._begin(design)
        channels_last(self)

    def _begin(self, design: str) -> None:
        """Draws the first weights."""
        if self.small or design == "owt":
            he(self, mode="fan_in")
            draw_linear(self, None)
            return
        layers = [module for module in self.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
        for i, layer in enumerate(layers):
            nn.init.normal_(layer.weight, std=0.01)
            if layer.bias is not None:
                nn.init.constant_(layer.bias, 1.0 if design == "2012" and i in (1, 3, 4, 5, 6) else 0.0)

    def forward(self, x: Tensor) -> Tensor:
        """Maps images `[B, in_channels, H, W]`, uint8 or floats in [0, 1], to `[B, num_classes]`."""
        x = self.avgpool(self.features(self.pixels(x)))
        return self.classifier(torch.flatten(x, 1))  # type: ignore[no-any-return]
