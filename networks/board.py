"""A residual tower on a board, with a logit for each point and the pass, or numbers that judge the whole board.

Silver et al., "Mastering the game of Go without human knowledge", Nature 550 (2017), Methods, "Neural network
architecture": convolutions of 3x3 with batch normalisation and rectifiers, two a block beside a shortcut. Ours differs
in the heads: the logits of the points are those of a 1x1 convolution with a bias for each point, as in Silver et al.
(2016), where theirs joins all points with all; the pass and the numbers for the whole board come from the mean and the
maximum of each plane (global pooling: Wu, "Accelerating self-play learning in Go", 2019, section 3.3).
"""

import copy
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from palestra.networks.images import channels_last, he
from palestra.networks.names import named
from palestra.networks.pixels import Pixels
from palestra.networks.resnet import BasicBlock


class Pooled(nn.Module):
    """Mean and maximum of each plane, `[B, C, H, W] -> [B, 2 C]`."""

    def forward(self, x: Tensor) -> Tensor:
        """Pools."""
        return torch.cat([x.mean((2, 3)), x.amax((2, 3))], dim=1)


class Moves(nn.Module):
    """A logit for each point, row by row, and one for the pass where there is one.

    Raises:
        ValueError: there are neither as many moves as points nor one more.
    """

    def __init__(self, width: int, num_moves: int, image_size: Sequence[int]) -> None:
        super().__init__()
        num_points = image_size[0] * image_size[1]
        if num_moves - num_points not in (0, 1):
            raise ValueError(
                f"a board of {image_size[0]} x {image_size[1]} has {num_points} moves, or {num_points + 1} with the "
                f"pass, but num_classes is {num_moves}"
            )
        self.points = nn.Conv2d(width, 1, 1, bias=False)
        self.bias = nn.Parameter(torch.zeros(num_points))
        self.rest = nn.Sequential(Pooled(), nn.Linear(2 * width, 1)) if num_moves > num_points else None

    def forward(self, x: Tensor) -> Tensor:
        """Maps planes to logits."""
        logits = self.points(x).flatten(1) + self.bias
        return logits if self.rest is None else torch.cat([logits, self.rest(x)], dim=1)


class Judgement(nn.Module):
    """Numbers for the whole board, through a hidden layer."""

    def __init__(self, width: int, num_outputs: int, image_size: Sequence[int]) -> None:
        super().__init__()
        self.layers = nn.Sequential(Pooled(), nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, num_outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Maps planes to numbers."""
        return self.layers(x)  # type: ignore[no-any-return]


HEADS = {"moves": Moves, "judgement": Judgement}


class BoardNet(nn.Module):
    """`blocks` residual blocks, `width` planes wide, on boards `[B, in_channels, H, W]`.

    `head` is moves (logits of the H W points and, if `num_classes` is one more, of the pass), judgement (any number of
    outputs), or auto, by the number of outputs. Without `num_classes` the features are the pooled planes. Convolutions
    begin with He's weights.

    Raises:
        ValueError: there is no such head, it does not give so many outputs, or a size is below 1.
    """

    input_rank: ClassVar[int] = 3
    heads: ClassVar[tuple[str, ...]] = ("head",)

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        width: int = 64,
        blocks: int = 5,
        head: str = "auto",
        image_size: Sequence[int] = (9, 9),
    ) -> None:
        super().__init__()
        for name, value in (("width", width), ("blocks", blocks), ("image_size", min(image_size))):
            if value < 1:
                raise ValueError(f"{name} is {value}, but at least 1 is wanted")
        if head == "auto":
            head = "moves" if (num_classes or 0) - image_size[0] * image_size[1] in (0, 1) else "judgement"
        kind = named(head, HEADS, "head")
        self.num_features = 2 * width
        self.pixels = Pixels()
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.tower = nn.Sequential(*(BasicBlock(width, width, 1) for _ in range(blocks)))
        self.head = Pooled() if num_classes is None else kind(width, num_classes, image_size)
        self.stages = ("stem", *(f"tower.{i}" for i in range(blocks)))
        he(self)
        if isinstance(self.head, Moves):
            nn.init.normal_(self.head.points.weight, std=1 / width)  # moves are about equally likely at first
        channels_last(self)

    def forward(self, x: Tensor) -> Tensor:
        """Maps boards to outputs `[B, num_classes]`; the head's numbers are whole ones in mixed precision too."""
        x = self.tower(self.stem(self.pixels(x)))
        with torch.autocast(x.device.type, enabled=False):
            return self.head(x.float())  # type: ignore[no-any-return]


class Compact(nn.Module):
    """A `BoardNet` as it is used where nothing is learnt: batch normalisation is folded into the convolutions.

    The tower may compute in another type of numbers; heads and outputs are float32.
    """

    def __init__(self, network: BoardNet, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        network = copy.deepcopy(network).eval()
        self.pixels, self.head, self._dtype = network.pixels, network.head, dtype
        stem: Any = network.stem
        self.stem: Any = nn.Sequential(fuse_conv_bn_eval(stem[0], stem[1]), stem[2])
        self.tower: Any = network.tower
        block: Any
        for block in self.tower:
            block.conv1, block.bn1 = fuse_conv_bn_eval(block.conv1, block.bn1), nn.Identity()
            block.conv2, block.bn2 = fuse_conv_bn_eval(block.conv2, block.bn2), nn.Identity()
        part: Any
        for part in (self.stem, self.tower):
            part.to(dtype=dtype, memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> Tensor:
        """Maps boards to outputs `[B, num_classes]`."""
        x = self.pixels(x).to(dtype=self._dtype, memory_format=torch.channels_last)
        return self.head(self.tower(self.stem(x)).float())  # type: ignore[no-any-return]
