"""A task that is learnt in a second, whose answer rests on pixels that are known: a bar lies, stands or slants."""

from functools import cache
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIDE, BAR = 20, 6  # pixels of an image and of a bar


class Shapes(nn.Module):
    """Two convolutions, and the strongest answer of each channel anywhere."""

    input_rank: ClassVar[int] = 3
    stages: ClassVar[tuple[str, ...]] = ("relu1", "pool", "relu2")

    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 8, 5, padding=2)
        self.relu1 = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.relu2 = nn.ReLU()
        self.most = nn.AdaptiveMaxPool2d(1)
        self.head = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.relu1(self.conv1(x)))
        out: Tensor = self.head(self.most(self.relu2(self.conv2(x))).flatten(1))
        return out


def bars(count: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Returns images `[B, 1, 20, 20]`, classes `[B]`, and masks `[B, 20, 20]` of the square in which the bar is."""
    random = torch.Generator().manual_seed(seed)
    x = 0.2 * torch.rand(count, 1, SIDE, SIDE, generator=random)
    y = torch.randint(3, (count,), generator=random)
    corners = torch.randint(SIDE - BAR + 1, (count, 2), generator=random)
    masks = torch.zeros(count, SIDE, SIDE)
    lying = torch.zeros(BAR, BAR)
    lying[BAR // 2 - 1 : BAR // 2 + 1] = 1
    shapes = (lying, lying.T, torch.eye(BAR))
    for image, mask, label, (top, left) in zip(x, masks, y.tolist(), corners.tolist(), strict=True):
        image[0, top : top + BAR, left : left + BAR].clamp_(min=shapes[label])
        mask[top : top + BAR, left : left + BAR] = 1
    return x, y, masks


@cache
def trained() -> Shapes:
    """Returns a network that has learnt the bars."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = Shapes()
    x, y, _ = bars(1024)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for step in range(120):
        batch = slice(step % 8 * 128, step % 8 * 128 + 128)
        optimizer.zero_grad()
        F.cross_entropy(network(x[batch]), y[batch]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return network
