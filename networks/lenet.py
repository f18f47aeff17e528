"""LeNet-5.

LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", Proceedings of the IEEE
86 (1998), section II.B. As published (`connections="table"`), the second convolution sees the maps of table I, pooling
has a trained coefficient and bias for each map, and the activation is 1.7159 tanh(2x / 3): 60,000 trained parameters up
to the 84 units of F6. There the paper has fixed codes of 84 bits and a distance to each class; we have a linear layer,
850 more for ten classes. With `connections="full"` it is the network that is mostly called LeNet-5: all maps connected,
plain averages and tanh, 61,706 parameters for ten classes.

Images of less than 32 pixels are padded by two, so that 28 x 28 become 32 x 32. The small variant, for images of less
than 20 pixels, has 3x3 filters with padding.
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from palestra.networks.activations import activation_named
from palestra.networks.images import channels_last, head, variant
from palestra.networks.pixels import Pixels

SMALL = 20  # pixels below which the small variant is meant
TABLE = (  # maps of S2 that each of the 16 maps of C3 sees, table I
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)


class ScaledTanh(nn.Module):
    """The paper's activation, 1.7159 tanh(2x / 3), which maps 1 to 1 (appendix A)."""

    def forward(self, x: Tensor) -> Tensor:
        """Maps numbers `[...]`."""
        return 1.7159 * torch.tanh(x * (2 / 3))


class Subsampling(nn.Module):
    """Means over 2 x 2 pixels times a trained coefficient, plus a trained bias, for each map: `[B, C, H, W]`.

    The paper sums the four pixels; coefficients that begin at 1 make ours begin as the mean.
    """

    def __init__(self, num_maps: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(num_maps))
        self.bias = nn.Parameter(torch.zeros(num_maps))

    def forward(self, x: Tensor) -> Tensor:
        """Halves the image."""
        return F.avg_pool2d(x, 2) * self.weight[:, None, None] + self.bias[:, None, None]


class TableConv2d(nn.Module):
    """A convolution each of whose maps sees the maps that a table names, `[B, C, H, W] -> [B, len(table), H', W']`.

    Its weights are one row for each pair of the table, `[pairs, size, size]`, and one bias for each map.
    """

    def __init__(self, num_in: int, table: Sequence[Sequence[int]], size: int, padding: int = 0) -> None:
        super().__init__()
        self.shape = (len(table), num_in, size, size)
        self.padding = padding
        self.weight = nn.Parameter(torch.empty(sum(map(len, table)), size, size))
        self.bias = nn.Parameter(torch.zeros(len(table)))
        out, into = zip(*((i, j) for i, row in enumerate(table) for j in row), strict=True)
        self.register_buffer("out_map", torch.tensor(out), persistent=False)
        self.register_buffer("in_map", torch.tensor(into), persistent=False)

    def dense(self) -> Tensor:
        """Returns the weights `[out, in, size, size]`, 0 where the table has no pair."""
        weight = self.weight.new_zeros(self.shape)
        return weight.index_put((self.out_map, self.in_map), self.weight)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Convolves images."""
        return F.conv2d(x, self.dense(), self.bias, padding=self.padding)


class LeNet(nn.Module):
    """Two convolutions, each followed by pooling, a third that covers what is left, and the 84 units of F6.

    Weights begin as in appendix A, uniform within 2.4 / fan-in, and biases at 0.

    Raises:
        ValueError: there are no such connections or activation, or the images are too small.
    """

    input_rank: ClassVar[int] = 3
    heads: ClassVar[tuple[str, ...]] = ("output",)
    stages: ClassVar[tuple[str, ...]] = ("act1", "act2", "act3", "act4", "act5", "act6")

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        connections: str = "table",
        activation: str | None = None,
        image_size: Sequence[int] = (32, 32),
        small: bool | None = None,
    ) -> None:
        super().__init__()
        if connections not in ("table", "full"):
            raise ValueError(f"connections are table or full, not {connections!r}")
        self.small = min(image_size) < SMALL if small is None else small
        variant(small, image_size, least=4 if self.small else 16)
        table = connections == "table"

        def act() -> nn.Module:
            return activation_named(activation or "tanh") if activation or not table else ScaledTanh()

        size = 3 if self.small else 5
        padding = 1 if self.small else (2 if min(image_size) < 32 else 0)
        inner = 1 if self.small else 0  # padding of C3
        left = [((side + 2 * padding - size + 1) // 2 + 2 * inner - size + 1) // 2 for side in image_size]
        self.num_features = 84
        self.pixels = Pixels()
        self.conv1 = nn.Conv2d(in_channels, 6, size, padding=padding)
        self.act1 = act()
        self.pool2 = Subsampling(6) if table else nn.AvgPool2d(2)
        self.act2 = act() if table else nn.Identity()
        self.conv3 = TableConv2d(6, TABLE, size, inner) if table else nn.Conv2d(6, 16, size, padding=inner)
        self.act3 = act()
        self.pool4 = Subsampling(16) if table else nn.AvgPool2d(2)
        self.act4 = act() if table else nn.Identity()
        self.conv5 = nn.Conv2d(16, 120, (left[0], left[1]))
        self.act5 = act()
        self.fc6 = nn.Linear(120, 84)
        self.act6 = act()
        self.output = head(84, num_classes)
        self._begin()
        channels_last(self)

    def _begin(self) -> None:
        """Draws the first weights."""
        for layer in (self.conv1, self.conv3, self.conv5, self.fc6, self.output):
            if isinstance(layer, TableConv2d):
                fan_in = layer.weight[0].numel() * layer.weight.shape[0] / layer.shape[0]
            elif isinstance(layer, nn.Identity):
                continue
            else:
                fan_in = layer.weight[0].numel()  # type: ignore[index]
            nn.init.uniform_(layer.weight, -2.4 / fan_in, 2.4 / fan_in)  # type: ignore[arg-type]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Maps images `[B, in_channels, H, W]`, uint8 or floats in [0, 1], to `[B, num_classes]`."""
        x = self.act2(self.pool2(self.act1(self.conv1(self.pixels(x)))))
        x = self.act4(self.pool4(self.act3(self.conv3(x))))
        x = torch.flatten(self.act5(self.conv5(x)), 1)
        return self.output(self.act6(self.fc6(x)))  # type: ignore[no-any-return]
