"""PixelCNN++: a mixture of discretised logistic distributions for each pixel, in place of a softmax over its levels.

Salimans et al., "PixelCNN++: Improving the PixelCNN with discretized logistic mixture likelihood and other
modifications" (2017): the likelihood of section 2.1, the conditioning on whole pixels of 2.2, the short-cuts of 2.4 and
the dropout of 2.5. Ours does not go down to smaller images and back (section 2.3): all layers keep the image's size.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from palestra.networks.autoregressive import draw, scaled
from palestra.networks.causal import Apply, CausalConv, Walk, shifted_down, shifted_right, whole
from palestra.networks.density import Exact, as_floats, checked_input, likelihood_loss
from palestra.networks.objectives import Losses
from palestra.networks.pixelcnn import check_sizes

LOWEST, HIGHEST = -7.0, 7.0  # of the logarithm of a logistic distribution's scale


class PixelCNNPlusPlus(nn.Module):
    """PixelCNN++ on images `[C, *image_size]` whose numbers have `levels` values.

    `num_blocks` gated residual blocks on the way in and as many on the way out, joined by short-cuts, of two streams:
    one of the rows above, one of the pixels to the left. A pixel's channels share the choice among `num_mixtures`
    components, and the mean of each channel depends linearly on the earlier ones. With `places`, which the paper has
    not, each row and each column of an image has a bias of its own in the first layers.

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
        image_size: Sequence[int] = (32, 32),
        levels: int = 256,
        num_units: int = 48,
        num_blocks: int = 3,
        num_mixtures: int = 10,
        dropout: float = 0.0,
        places: bool = True,
    ) -> None:
        super().__init__()
        self.shape, self.levels, self.num_classes = (in_channels, *image_size), levels, num_classes
        check_sizes(levels, num_units=num_units, num_blocks=num_blocks, num_mixtures=num_mixtures)
        self.num_mixtures = num_mixtures
        biases = image_size if places else None
        self.first_down = CausalConv(in_channels + 1, num_units, (2, 3), places=biases)
        self.first_above = CausalConv(in_channels + 1, num_units, (1, 3))
        self.first_left = CausalConv(in_channels + 1, num_units, (2, 1), places=biases)
        options: dict[str, Any] = {"dropout": dropout, "num_classes": num_classes or 0}
        downs, lefts = [], []
        for i in range(2 * num_blocks):
            short_cut = num_units if i >= num_blocks else 0
            downs.append(GatedResnet(num_units, (2, 3), 1, short_cut, **options))
            lefts.append(GatedResnet(num_units, (2, 2), 1, num_units + short_cut, **options))
        self.downs, self.lefts = nn.ModuleList(downs), nn.ModuleList(lefts)
        pairs = in_channels * (in_channels - 1) // 2
        self.last = CausalConv(num_units, num_mixtures * (1 + 2 * in_channels + pairs))
        nn.init.zeros_(self.last.weight)  # at first all pixels are alike: a mixture spread over all levels
        nn.init.uniform_(self.last.bias, -1.0, 1.0)

    def logits(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Maps levels `[B, C, H, W]` to logits `[B, C, H, W, L]`: those of a channel depend on the earlier ones."""
        seen = with_ones(scaled(x, self.levels))
        return self.all_levels(self._mixtures(seen, condition), scaled(x, self.levels))

    def log_prob(self, x: Tensor, condition: Tensor | None = None) -> Exact:
        """Returns the log-probabilities of images `[B, C, H, W]`, of labels `[B]` where there are classes."""
        x, condition = checked_input(self, x, condition)
        values = scaled(x, self.levels)
        weights, means, scales = self.mixture(self._mixtures(with_ones(values), condition), values)
        of_parts = log_of_levels(values[:, :, None], means, scales, self.levels).sum(dim=1)  # over the channels
        return Exact(torch.logsumexp(weights.log_softmax(1) + of_parts, dim=1).flatten(1).sum(1))

    def objective(self, batch: Sequence[Tensor]) -> Losses:
        """Returns the negative log-probabilities `[B]` of a batch `(x,)` or `(x, label)`, and bits per dimension."""
        return likelihood_loss(self, batch)

    def sample(
        self, n: int, condition: Tensor | None = None, *, generator: torch.Generator | None = None, **options: Any
    ) -> Tensor:
        """Draws images `[n, C, H, W]`, floats in [0, 1]; `options` are those of `autoregressive.draw`."""
        return as_floats(draw(self, n, condition, generator=generator, **options), self.levels)

    def walk(self, n: int, condition: Tensor | None = None) -> "PlusPlusWalker":
        """Returns what goes through n images a pixel at a time."""
        return PlusPlusWalker(self, n, condition)

    def mixture(self, parameters: Tensor, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the components' logits `[B, K, H, W]`, and means and logarithms of scales `[B, C, K, H, W]`.

        `x` `[B, C, H, W]`, from -1 to 1, is what the means of later channels depend on.
        """
        channels, k = self.shape[0], self.num_mixtures
        sizes = [k, k * channels, k * channels, k * channels * (channels - 1) // 2]
        weights, means, scales, pairs = torch.split(parameters, sizes, dim=1)
        of_parts = (len(parameters), channels, k, *parameters.shape[2:])
        means, scales = means.reshape(of_parts), scales.reshape(of_parts).clamp(LOWEST, HIGHEST)
        factors, shifted = iter(torch.split(torch.tanh(pairs), k, dim=1)), []
        for c in range(channels):
            shifted.append(means[:, c] + sum(next(factors) * x[:, d, None] for d in range(c)))
        return weights, torch.stack(shifted, dim=1), scales

    def all_levels(self, parameters: Tensor, x: Tensor) -> Tensor:
        """Returns the log-probabilities `[B, C, H, W, L]` of all levels of each channel, given the earlier ones."""
        weights, means, scales = self.mixture(parameters, x)
        every = scaled(torch.arange(self.levels, device=x.device), self.levels)[:, None, None, None, None, None]
        of_parts = log_of_levels(every, means, scales, self.levels)  # [L, B, C, K, H, W]
        values, own = x[:, :, None], [weights.log_softmax(1)]
        for c in range(self.shape[0] - 1):  # what a channel is says which component it came from
            own.append(own[-1] + log_of_levels(values[:, c], means[:, c], scales[:, c], self.levels))
        posterior = torch.stack(own, dim=1).log_softmax(2)  # [B, C, K, H, W]
        return torch.logsumexp(of_parts + posterior, dim=3).movedim(0, -1)

    def above(self, x: Tensor, condition: Tensor | None, apply: Apply) -> list[Tensor]:
        """Maps images with ones, shifted down, or the row above the next one, to what the other stream is handed."""
        u = apply(self.first_down, x)
        handed, kept = [apply(self.first_above, x)], []
        for i, block in enumerate(self.downs):
            half = len(self.downs) // 2
            if i < half:
                kept.append(u)
            u = block(u, kept.pop() if i >= half else None, condition, apply)
            handed.append(u)
        return handed

    def here(self, x: Tensor, above: Sequence[Tensor], condition: Tensor | None, apply: Apply) -> Tensor:
        """Maps images with ones, shifted to the right, or the pixel to the left of the next one, to its parameters."""
        h, kept = apply(self.first_left, x) + above[0], []
        for i, (block, handed) in enumerate(zip(self.lefts, above[1:], strict=True)):
            half = len(self.lefts) // 2
            if i < half:
                kept.append(h)
            short_cut = handed if i < half else torch.cat([handed, kept.pop()], dim=1)
            h = block(h, short_cut, condition, apply)
        return apply(self.last, F.elu(h))

    def _mixtures(self, seen: Tensor, condition: Tensor | None) -> Tensor:
        above = self.above(shifted_down(seen), condition, whole)
        return self.here(shifted_right(seen), above, condition, whole)


class PlusPlusWalker:
    """Goes through images with what a PixelCNN++ has seen kept: see `autoregressive.Walker`."""

    def __init__(self, model: PixelCNNPlusPlus, n: int, condition: Tensor | None) -> None:
        self._model, self._condition = model, condition
        self._walk = Walk(n, *model.shape[1:])
        self._above: list[Tensor] = []
        self._parameters = torch.empty(0)
        self._place = (-1, -1)

    def begin_row(self, x: Tensor, row: int) -> None:
        """Comes to a row."""
        self._walk.row = row
        above = self._seen(x[:, :, row - 1 : row]) if row else self._nothing(x[:, :, :1])
        self._above = self._model.above(above, self._condition, self._walk.row_of)

    def at(self, x: Tensor, row: int, column: int) -> Tensor:
        """Returns the logits `[B, C, L]` of a pixel."""
        here = scaled(x[:, :, row : row + 1, column : column + 1], self._model.levels)
        if self._place != (row, column):  # the network sees whole pixels: once for all channels
            self._place, self._walk.column = (row, column), column
            left = x[:, :, row : row + 1, column - 1 : column]
            left = self._seen(left) if column else self._nothing(x[:, :, :1, :1])
            above = [part[:, :, :, column : column + 1] for part in self._above]
            self._parameters = self._model.here(left, above, self._condition, self._walk.pixel_of)
        return self._model.all_levels(self._parameters, here)[:, :, 0, 0]

    def done(self, x: Tensor, row: int, column: int) -> None:
        """Leaves a pixel, which the next one sees."""

    def _seen(self, x: Tensor) -> Tensor:
        return with_ones(scaled(x, self._model.levels))

    def _nothing(self, like: Tensor) -> Tensor:
        return torch.zeros(len(like), like.shape[1] + 1, *like.shape[2:], device=like.device)


class GatedResnet(nn.Module):
    """A residual block: concatenated ELU, convolution, short-cut and class, convolution, gate.

    The kernel reaches `left` columns to the left.
    """

    def __init__(
        self, units: int, size: tuple[int, int], left: int, num_short_cut: int, *, dropout: float, num_classes: int
    ) -> None:
        super().__init__()
        self.conv = CausalConv(2 * units, units, size, left=left)
        self.short_cut = CausalConv(2 * num_short_cut, units) if num_short_cut else None
        self.out = CausalConv(2 * units, 2 * units, size, left=left)
        self.of_class = nn.Embedding(num_classes, 2 * units) if num_classes else None
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, short_cut: Tensor | None, condition: Tensor | None, apply: Apply) -> Tensor:
        """Maps `[B, units, H, W]` to the same shape."""
        h = apply(self.conv, concat_elu(x))
        if self.short_cut is not None and short_cut is not None:
            h = h + apply(self.short_cut, concat_elu(short_cut))
        h = apply(self.out, self.dropout(concat_elu(h)))
        if self.of_class is not None:
            h = h + self.of_class(condition)[:, :, None, None]
        value, open_ = h.chunk(2, dim=1)
        return x + value * torch.sigmoid(open_)


def concat_elu(x: Tensor) -> Tensor:
    """Maps `[B, C, H, W]` to `[B, 2 C, H, W]`: ELU of x and of -x."""
    return F.elu(torch.cat([x, -x], dim=1))


def with_ones(x: Tensor) -> Tensor:
    """Adds a plane of ones to `[B, C, H, W]`, by which the inside of an image differs from the padding."""
    return torch.cat([x, torch.ones_like(x[:, :1])], dim=1)


def log_of_levels(x: Tensor, mean: Tensor, log_scale: Tensor, levels: int) -> Tensor:
    """Returns the log-probabilities of values from -1 to 1, in steps of 2 / (levels - 1), by logistic distributions.

    A value has what lies within half a step of it, the lowest and the highest all that lies beyond as well. Arguments
    are broadcast.
    """
    half = 1.0 / (levels - 1)
    inverse, offset = torch.exp(-log_scale), x - mean
    upper, lower = inverse * (offset + half), inverse * (offset - half)
    # log(sigmoid(u) - sigmoid(l)) = logsigmoid(u) + logsigmoid(-l) + log(1 - exp(l - u)), exact in the tails
    inside = F.logsigmoid(upper) + F.logsigmoid(-lower) + torch.log(-torch.expm1(-2.0 * half * inverse))
    lowest, highest = F.logsigmoid(upper), F.logsigmoid(-lower)
    return torch.where(x < -1.0 + half, lowest, torch.where(x > 1.0 - half, highest, inside))
