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


class PolicyValue(nn.Module):
    """Logits of the moves, as many as there are outputs but one, and the value of the board, before it is squashed.

    Where moves are no points (and a pass), their logits come from all points of a few planes together. `outcome` gives
    `[B, H W + 1]`, what the end may look like: whose each point is, and by how much the player to move leads.
    """

    def __init__(self, width: int, num_outputs: int, image_size: Sequence[int]) -> None:
        super().__init__()
        num_points, num_moves = image_size[0] * image_size[1], num_outputs - 1
        if num_moves < 1:
            raise ValueError(f"num_classes is {num_outputs}, but at least a move and the value are wanted")
        self.moves: nn.Module
        if num_moves - num_points in (0, 1):
            self.moves = Moves(width, num_moves, image_size)
        else:
            few = nn.Sequential(nn.Conv2d(width, 8, 1), nn.ReLU(), nn.Flatten())
            self.moves = nn.Sequential(*few, nn.Linear(8 * num_points, num_moves))
        self.value = Judgement(width, 1, image_size)
        self.owner = nn.Conv2d(width, 1, 1)
        self.lead = Judgement(width, 1, image_size)

    def forward(self, x: Tensor) -> Tensor:
        """Maps planes to logits and value."""
        return torch.cat([self.moves(x), self.value(x)], dim=1)

    def outcome(self, x: Tensor) -> Tensor:
        """Maps planes to what the end may look like."""
        return torch.cat([self.owner(x).flatten(1), self.lead(x)], dim=1)


HEADS = {"moves": Moves, "judgement": Judgement, "policy-value": PolicyValue}


class PooledBlock(BasicBlock):
    """A residual block in which the whole board has a say: Wu (2019), section 3.3, global pooling.

    The mean and the maximum of a quarter as many planes, from a convolution of their own, are added to the first
    convolution's planes after a linear layer.
    """

    def __init__(self, width: int) -> None:
        super().__init__(width, width, 1)
        few = max(width // 4, 1)
        self.pooled = nn.Sequential(
            nn.Conv2d(width, few, 3, padding=1, bias=False), nn.BatchNorm2d(few), nn.ReLU(), Pooled()
        )
        self.spread = nn.Linear(2 * few, width)

    def forward(self, x: Tensor) -> Tensor:
        """Adds what the convolutions make of `x` to `x`."""
        everywhere = self.spread(self.pooled(x))[:, :, None, None]
        residual = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)) + everywhere)))
        return self.relu2(residual + x)  # type: ignore[no-any-return]


class BoardNet(nn.Module):
    """`blocks` residual blocks, `width` planes wide, on boards `[B, in_channels, H, W]`.

    `head` is moves (logits of the H W points and, if `num_classes` is one more, of the pass), judgement (any number of
    outputs), auto, which is one of these by the number of outputs, or policy-value (logits of any moves, and a value).
    With `pooling` the whole board has a say in every second block. Without `num_classes` the features are the pooled
    planes. Convolutions begin with He's weights.

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
        pooling: bool = False,
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
        pooled = (pooling and i % 2 == 1 for i in range(blocks))
        self.tower = nn.Sequential(*(PooledBlock(width) if p else BasicBlock(width, width, 1) for p in pooled))
        self.head = Pooled() if num_classes is None else kind(width, num_classes, image_size)
        self.stages = ("stem", *(f"tower.{i}" for i in range(blocks)))
        he(self)
        for part in self.head.modules():
            if isinstance(part, Moves):
                nn.init.normal_(part.points.weight, std=1 / width)  # moves are about equally likely at first
        channels_last(self)

    def forward(self, x: Tensor) -> Tensor:
        """Maps boards to outputs `[B, num_classes]`; the head's numbers are whole ones in mixed precision too."""
        x = self.planes(x)
        with torch.autocast(x.device.type, enabled=False):
            return self.head(x)  # type: ignore[no-any-return]

    def planes(self, x: Tensor) -> Tensor:
        """Maps boards to what the head sees, `[B, width, H, W]` float32."""
        return self.tower(self.stem(self.pixels(x))).float()  # type: ignore[no-any-return]


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
            if isinstance(block, PooledBlock):
                conv, bn, *rest = block.pooled
                block.pooled = nn.Sequential(fuse_conv_bn_eval(conv, bn), *rest)  # type: ignore[type-var, arg-type]
        part: Any
        for part in (self.stem, self.tower):
            part.to(dtype=dtype, memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> Tensor:
        """Maps boards to outputs `[B, num_classes]`."""
        x = self.pixels(x).to(dtype=self._dtype, memory_format=torch.channels_last)
        return self.head(self.tower(self.stem(x)).float())  # type: ignore[no-any-return]
