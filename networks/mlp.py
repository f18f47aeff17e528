"""Fully connected networks on vectors."""

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

import torch
from torch import nn

from palestra.networks.activations import activation_named


class MLP(nn.Module):
    """Fully connected layers `[B, in_channels] -> [B, num_classes]`, each hidden one followed by an activation.

    Without `num_classes` the output is the last hidden layer, `[B, num_features]`.

    Raises:
        ValueError: a layer has no units.
    """

    input_rank: ClassVar[int] = 1
    heads: ClassVar[tuple[str, ...]] = ("head",)

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        hidden: Sequence[int] = (256, 256),
        activation: str = "relu",
    ) -> None:
        super().__init__()
        sizes = (in_channels, *hidden)
        if min(sizes) < 1 or num_classes == 0:
            raise ValueError(f"every layer must have at least one unit, but the sizes are {(*sizes, num_classes)}")
        layers: list[nn.Module] = []
        for num_in, num_out in pairwise(sizes):
            layers += [nn.Linear(num_in, num_out), activation_named(activation)]
        self.stages = tuple(f"features.{2 * i + 1}" for i in range(len(hidden)))
        self.num_features = sizes[-1]
        self.features = nn.Sequential(*layers)
        self.head = nn.Identity() if num_classes is None else nn.Linear(self.num_features, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Maps vectors `[B, in_channels]`, of any number type, to `[B, num_classes]`."""
        return self.head(self.features(x.to(next(self.parameters()).dtype)))  # type: ignore[no-any-return]
