"""A model of images that stands in for large ones where bonuses are tested."""

import sys
import types

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from palestra.networks import MODELS, Entry
from palestra.networks.density import Exact


class Independent(nn.Module):
    """Pixels that know nothing of each other; at first all levels are equally likely."""

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        image_size: tuple[int, int],
        levels: int = 8,
        places: bool = True,
    ) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(levels, in_channels, *image_size))

    def log_prob(self, x: Tensor) -> Exact:
        return Exact(-F.cross_entropy(self.logits.expand(len(x), -1, -1, -1, -1), x, reduction="none").sum((1, 2, 3)))

    def objective(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, Tensor]]:
        return -self.log_prob(batch[0]).nats, {}


@pytest.fixture
def independent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes it the model that is called pixelcnn."""
    module = types.ModuleType("palestra.networks.independent")
    module.Independent = Independent  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(MODELS, "pixelcnn", Entry("independent", "Independent", "independent pixels"))
