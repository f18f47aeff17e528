"""PixelCNN and Gated PixelCNN: exact likelihoods of images of so many levels, and samples with what was seen kept.

Van den Oord et al., "Pixel recurrent neural networks" (2016), sections 3.3 to 3.5, and "Conditional image generation
with PixelCNN decoders" (2016), section 2. Inputs are scaled to [-1, 1]; layers have as many units as are wanted,
rounded up to a multiple of the image's channels.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from palestra.networks.autoregressive import draw, nats_of, scaled
from palestra.networks.causal import Apply, CausalConv, Walk, shifted_down, whole
from palestra.networks.density import Exact, as_floats, checked_input, likelihood_loss
from palestra.networks.objectives import Losses

Places = Sequence[int] | None  # rows and columns of images, each of which has a bias of its own


class PixelCNN(nn.Module):
    """PixelCNN on images `[C, *image_size]` whose numbers have `levels` values.

    A convolution of `kernel` pixels under mask A, `num_blocks` residual blocks (1x1 to half the units, 3x3 under mask
    B, 1x1 back), two layers of 1x1 and a softmax for each channel. With `gated`, gated blocks of two stacks without a
    blind spot. Classes, if any, add a bias of their own to the first layer, or of each gated one. With `places`, which
    the papers have not, each row and each column of an image has one in the first layer too.

    Raises:
        ValueError: a size is not positive, or there are less than two levels.
    """

    input_rank: ClassVar[int] = 3
    fit_defaults: ClassVar[Mapping[str, Any]] = MappingProxyType({"learning_rate": 2e-3, "schedule": "cosine"})

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        image_size: Sequence[int] = (28, 28),
        levels: int = 256,
        num_units: int = 64,
        num_blocks: int = 6,
        kernel: int = 7,
        dropout: float = 0.0,
        gated: bool = False,
        places: bool = True,
    ) -> None:
        super().__init__()
        self.shape, self.levels, self.num_classes = (in_channels, *image_size), levels, num_classes
        check_sizes(levels, num_units=num_units, num_blocks=num_blocks, kernel=kernel)
        if kernel % 2 == 0:
            raise ValueError(f"kernel is {kernel}, but an odd number is wanted")
        units = -(-num_units // (2 * in_channels)) * 2 * in_channels  # halves are multiples of the channels
        stack = GatedStack if gated else Stack
        more: dict[str, Any] = {"num_classes": num_classes or 0, "places": image_size if places else None}
        self.stack = stack(in_channels, units, num_blocks, kernel, dropout=dropout, **more)
        self.before = CausalConv(units, units, mask="B", groups=in_channels)
        self.last = CausalConv(units, levels * in_channels, mask="B", groups=in_channels)

    def logits(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Maps levels `[B, C, H, W]` to logits `[B, C, H, W, L]`."""
        return self._logits(self.stack(scaled(x, self.levels), condition), whole)

    def log_prob(self, x: Tensor, condition: Tensor | None = None) -> Exact:
        """Returns the log-probabilities of images `[B, C, H, W]`, of labels `[B]` where there are classes."""
        x, condition = checked_input(self, x, condition)
        return Exact(nats_of(self.logits(x, condition), x))

    def objective(self, batch: Sequence[Tensor]) -> Losses:
        """Returns the negative log-probabilities `[B]` of a batch `(x,)` or `(x, label)`, and bits per dimension."""
        return likelihood_loss(self, batch)

    def sample(
        self, n: int, condition: Tensor | None = None, *, generator: torch.Generator | None = None, **options: Any
    ) -> Tensor:
        """Draws images `[n, C, H, W]`, floats in [0, 1]; `options` are those of `autoregressive.draw`."""
        return as_floats(draw(self, n, condition, generator=generator, **options), self.levels)

    def walk(self, n: int, condition: Tensor | None = None) -> "PixelWalker":
        """Returns what goes through n images a pixel at a time."""
        return PixelWalker(self, n, condition)

    def _logits(self, features: Tensor, apply: Apply) -> Tensor:
        features = torch.relu(apply(self.before, torch.relu(features)))
        return by_level(apply(self.last, features), self.shape[0])


class PixelWalker:
    """Goes through images with what a PixelCNN has seen kept: see `autoregressive.Walker`."""

    def __init__(self, model: PixelCNN, n: int, condition: Tensor | None) -> None:
        self._model, self._condition = model, condition
        self._walk = Walk(n, *model.shape[1:])
        self._above: Any = None

    def begin_row(self, x: Tensor, row: int) -> None:
        """Comes to a row."""
        self._walk.row = row
        above = scaled(x[:, :, row - 1 : row], self._model.levels) if row else torch.zeros_like(x[:, :, :1]).float()
        self._above = self._model.stack.above(above, self._condition, self._walk.row_of)

    def at(self, x: Tensor, row: int, column: int) -> Tensor:
        """Returns the logits `[B, C, L]` of a pixel."""
        self._walk.column, model = column, self._model
        here = scaled(x[:, :, row : row + 1, column : column + 1], model.levels)
        above = [part[:, :, :, column : column + 1] for part in self._above]
        features = model.stack.here(here, above, self._condition, self._walk.pixel_of)
        return model._logits(features, self._walk.pixel_of)[:, :, 0, 0]

    def done(self, x: Tensor, row: int, column: int) -> None:
        """Leaves a pixel: no feature of it depends on its last channel, but those to come do."""
        here = scaled(x[:, :, row : row + 1, column : column + 1], self._model.levels)
        self._walk.keep(self._model.stack.entrance, here)


class Stack(nn.Module):
    """The residual blocks of PixelCNN; all that it sees of rows above comes by the convolutions' own kernels."""

    def __init__(
        self, num_in: int, units: int, num_blocks: int, kernel: int, *, dropout: float, num_classes: int, places: Places
    ) -> None:
        super().__init__()
        masked: dict[str, Any] = {"mask": "B", "groups": num_in}
        self.first = CausalConv(num_in, units, (kernel // 2 + 1, kernel), mask="A", groups=num_in, places=places)
        self.of_class = nn.Embedding(num_classes, units) if num_classes else None
        self.blocks = nn.ModuleList(
            nn.ModuleList(
                [
                    CausalConv(units, units // 2, **masked),
                    CausalConv(units // 2, units // 2, (2, 3), **masked),
                    CausalConv(units // 2, units, **masked),
                ]
            )
            for _ in range(num_blocks)
        )
        self.dropout = nn.Dropout(dropout)

    @property
    def entrance(self) -> CausalConv:
        """The convolution that sees the image itself."""
        return self.first

    def forward(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """Maps images `[B, C, H, W]` to features `[B, units, H, W]`."""
        return self.here(x, [], condition, whole)

    def above(self, x: Tensor, condition: Tensor | None, apply: Apply) -> list[Tensor]:
        """Returns what comes from the rows above apart from the convolutions: nothing."""
        return []

    def here(self, x: Tensor, above: Sequence[Tensor], condition: Tensor | None, apply: Apply) -> Tensor:
        """Maps images, or the next pixel of them, to features."""
        h = apply(self.first, x)
        if self.of_class is not None:
            h = h + self.of_class(condition)[:, :, None, None]
        for block in self.blocks:
            out = h
            for conv in block:  # type: ignore[attr-defined]
                out = apply(conv, torch.relu(out))
            h = h + self.dropout(out)
        return h


class GatedStack(nn.Module):
    """The gated blocks of two stacks: one of the rows above, whose features go to one of the pixels to the left.

    A block is Figure 2 of "Conditional image generation with PixelCNN decoders". As there, the first block of the
    horizontal stack has mask A and no residual connection.
    """

    def __init__(
        self, num_in: int, units: int, num_blocks: int, kernel: int, *, dropout: float, num_classes: int, places: Places
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            GatedBlock(num_in, units, kernel, num_in, num_classes, first=True, places=places)
            if i == 0
            else GatedBlock(units, units, 3, num_in, num_classes, first=False, places=None)
            for i in range(num_blocks)
        )
        self.dropout = nn.Dropout(dropout)

    @property
    def entrance(self) -> CausalConv:
        """The convolution that sees the pixels to the left themselves."""
        return self.blocks[0].horizontal  # type: ignore[return-value]

    def forward(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """Maps images `[B, C, H, W]` to features `[B, units, H, W]`."""
        return self.here(x, self.above(shifted_down(x), condition, whole), condition, whole)

    def above(self, x: Tensor, condition: Tensor | None, apply: Apply) -> list[Tensor]:
        """Maps images shifted down, or the row above the next one, to what each block hands to the pixels below."""
        handed = []
        for block in self.blocks:
            x, out = block.vertical_of(x, condition, apply)  # type: ignore[operator]
            handed.append(out)
        return handed

    def here(self, x: Tensor, above: Sequence[Tensor], condition: Tensor | None, apply: Apply) -> Tensor:
        """Maps images, or the next pixel of them, to features."""
        features: Any = 0.0
        for block, handed in zip(self.blocks, above, strict=True):
            x, skip = block.horizontal_of(x, handed, condition, apply)  # type: ignore[operator]
            features = features + self.dropout(skip)
        return features  # type: ignore[no-any-return]


class GatedBlock(nn.Module):
    """A block of both stacks."""

    def __init__(
        self, num_in: int, units: int, kernel: int, groups: int, num_classes: int, *, first: bool, places: Places
    ) -> None:
        super().__init__()
        rows, left, masked = kernel // 2 + 1, kernel // 2, {"groups": groups}
        mask: Any = "A" if first else "B"
        self.vertical = CausalConv(num_in, 2 * units, (rows, kernel), places=places)
        self.down = CausalConv(2 * units, 2 * units)
        self.horizontal = CausalConv(num_in, 2 * units, (1, left + 1), left=left, mask=mask, places=places, **masked)
        self.out = CausalConv(units, units, mask="B", groups=groups)
        self.skip = CausalConv(units, units, mask="B", groups=groups)
        self.of_class = nn.Embedding(num_classes, 4 * units) if num_classes else None
        self.first = first

    def vertical_of(self, x: Tensor, condition: Tensor | None, apply: Apply) -> tuple[Tensor, Tensor]:
        """Returns the vertical stack's features, and what goes to the horizontal one."""
        h = apply(self.vertical, x)
        return gate(self._biased(h, condition, 0)), apply(self.down, h)

    def horizontal_of(self, x: Tensor, handed: Tensor, condition: Tensor | None, apply: Apply) -> tuple[Tensor, Tensor]:
        """Returns the horizontal stack's features, and what skips to the end."""
        h = gate(self._biased(apply(self.horizontal, x) + handed, condition, 1))
        out = apply(self.out, h)
        return out if self.first else x + out, apply(self.skip, h)

    def _biased(self, h: Tensor, condition: Tensor | None, part: int) -> Tensor:
        if self.of_class is None:
            return h
        bias: Tensor = self.of_class(condition).chunk(2, dim=1)[part]
        return h + bias[:, :, None, None]


def by_level(logits: Tensor, channels: int) -> Tensor:
    """Maps `[B, L * C, H, W]`, the channels of a level one after the other, to `[B, C, H, W, L]`."""
    batch, _, height, width = logits.shape
    return logits.view(batch, -1, channels, height, width).movedim(1, -1)


def gate(h: Tensor) -> Tensor:
    """Maps `[B, 2 C, H, W]` to `[B, C, H, W]`, tanh of one half times the sigmoid of the other."""
    value, open_ = h.chunk(2, dim=1)
    return torch.tanh(value) * torch.sigmoid(open_)


def check_sizes(levels: int, **sizes: int) -> None:
    """Checks that there are levels to tell apart and that sizes are positive.

    Raises:
        ValueError: there are not, or one is not.
    """
    if levels < 2:
        raise ValueError(f"levels is {levels}, but at least 2 are wanted")
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} is {size}, but at least 1 is wanted")
