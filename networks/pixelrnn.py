"""PixelRNN: layers of LSTM over the pixels of an image, by rows or by diagonals in both directions.

Van den Oord, Kalchbrenner and Kavukcuoglu, "Pixel recurrent neural networks" (2016), sections 3.1 to 3.3 and Table 1:
a convolution of 7x7 under mask A, residual layers of LSTM, two layers of 1x1 and a softmax for each channel. What lies
before the beginning of a row or a diagonal is zero.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from palestra.networks.autoregressive import draw, nats_of, scaled
from palestra.networks.causal import Apply, CausalConv, Walk, shifted_down, whole
from palestra.networks.density import Exact, as_floats, checked_input, likelihood_loss
from palestra.networks.objectives import Losses
from palestra.networks.pixelcnn import by_level, check_sizes


class PixelRNN(nn.Module):
    """PixelRNN on images `[C, *image_size]` whose numbers have `levels` values; `layer` is row or diagonal.

    Classes, if any, add a bias of their own to the first layer. So do, with `places`, each row and each column of an
    image, which the paper has not.

    Raises:
        ValueError: a size is not positive, there are less than two levels, or no such layer.
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
        layer: str = "diagonal",
        num_units: int = 32,
        num_layers: int = 4,
        kernel: int = 7,
        places: bool = True,
    ) -> None:
        super().__init__()
        self.shape, self.levels, self.num_classes = (in_channels, *image_size), levels, num_classes
        check_sizes(levels, num_units=num_units, num_layers=num_layers, kernel=kernel)
        if layer not in LAYERS:
            raise ValueError(f"layer is {layer!r}, but {' or '.join(LAYERS)} is wanted")
        units = -(-num_units // in_channels) * in_channels
        masked: dict[str, Any] = {"mask": "B", "groups": in_channels}
        size, biases = (kernel // 2 + 1, kernel), image_size if places else None
        self.first = CausalConv(in_channels, 2 * units, size, mask="A", groups=in_channels, places=biases)
        self.of_class = nn.Embedding(num_classes, 2 * units) if num_classes else None
        self.layers = nn.ModuleList(LAYERS[layer](units, in_channels) for _ in range(num_layers))
        self.widen = nn.ModuleList(CausalConv(units, 2 * units, **masked) for _ in range(num_layers))
        self.before = CausalConv(2 * units, 2 * units, **masked)
        self.last = CausalConv(2 * units, levels * in_channels, **masked)

    def logits(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Maps levels `[B, C, H, W]` to logits `[B, C, H, W, L]`."""
        return self.run(scaled(x, self.levels), condition, whole, [layer.forward for layer in self.layers])

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

    def walk(self, n: int, condition: Tensor | None = None) -> "RecurrentWalker":
        """Returns what goes through n images a pixel at a time."""
        return RecurrentWalker(self, n, condition)

    def run(self, x: Tensor, condition: Tensor | None, apply: Apply, layers: Sequence[Any]) -> Tensor:
        """Maps images, or the next pixel of them, to logits `[B, C, H, W, L]`; `layers` run the recurrent ones."""
        h = apply(self.first, x)
        if self.of_class is not None:
            h = h + self.of_class(condition)[:, :, None, None]
        for layer, widen in zip(layers, self.widen, strict=True):
            h = h + apply(widen, layer(h))  # type: ignore[arg-type]
        h = torch.relu(apply(self.before, torch.relu(h)))
        return by_level(apply(self.last, h), self.shape[0])


class RecurrentWalker:
    """Goes through images with what a PixelRNN has seen kept: see `autoregressive.Walker`."""

    def __init__(self, model: PixelRNN, n: int, condition: Tensor | None) -> None:
        self._model, self._condition = model, condition
        self._walk = Walk(n, *model.shape[1:])
        layers: Any = model.layers
        self._memories = [layer.memory(self._walk, n, *model.shape[1:]) for layer in layers]

    def begin_row(self, x: Tensor, row: int) -> None:
        """Comes to a row."""
        self._walk.row = row
        for memory in self._memories:
            memory.begin_row()

    def at(self, x: Tensor, row: int, column: int) -> Tensor:
        """Returns the logits `[B, C, L]` of a pixel."""
        self._walk.column = column
        here = scaled(x[:, :, row : row + 1, column : column + 1], self._model.levels)
        layers = [memory.at for memory in self._memories]
        return self._model.run(here, self._condition, self._walk.pixel_of, layers)[:, :, 0, 0]

    def done(self, x: Tensor, row: int, column: int) -> None:
        """Leaves a pixel, which those to come see."""
        self._walk.keep(self._model.first, scaled(x[:, :, row : row + 1, column : column + 1], self._model.levels))


def lstm(gates: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    """Maps gates `[B, 4 H, ...]` (output, forget, input, content) and cells `[B, H, ...]` to outputs and cells."""
    out, forget, write, content = gates.chunk(4, dim=1)
    cell = torch.sigmoid(forget) * cell + torch.sigmoid(write) * torch.tanh(content)
    return torch.sigmoid(out) * torch.tanh(cell), cell


class RowLSTM(nn.Module):
    """Maps `[B, 2 H, rows, columns]` to `[B, H, rows, columns]`, row after row: each place sees three of the row
    above."""

    def __init__(self, units: int, groups: int) -> None:
        super().__init__()
        self.units = units
        self.inputs = CausalConv(2 * units, 4 * units, (1, 2), left=1, mask="B", groups=groups)
        self.states = nn.Conv1d(units, 4 * units, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Runs over whole images."""
        given = self.inputs(x)
        hidden = cell = x.new_zeros(len(x), self.units, x.shape[3])
        rows = []
        for row in given.unbind(2):
            hidden, cell = lstm(row + self.states(hidden), cell)
            rows.append(hidden)
        return torch.stack(rows, dim=2)

    def memory(self, walk: Walk, n: int, height: int, width: int) -> "RowMemory":
        """Returns what goes through n images a pixel at a time."""
        return RowMemory(self, walk, n, width)


class RowMemory:
    """What a row LSTM remembers of the row above and of its own."""

    def __init__(self, layer: RowLSTM, walk: Walk, n: int, width: int) -> None:
        self._layer, self._walk = layer, walk
        self._hidden, self._cell = layer.states.weight.new_zeros(2, n, layer.units, width).unbind(0)
        self._above, self._cell_above = self._hidden, self._cell

    def begin_row(self) -> None:
        """Comes to a row."""
        self._above, self._cell_above = self._layer.states(self._hidden), self._cell.clone()

    def at(self, x: Tensor) -> Tensor:
        """Maps this pixel's `[B, 2 H, 1, 1]` to `[B, H, 1, 1]`."""
        j = self._walk.column
        gates = self._walk.pixel_of(self._layer.inputs, x)[:, :, 0, 0] + self._above[:, :, j]
        hidden, cell = lstm(gates, self._cell_above[:, :, j])
        self._hidden[:, :, j], self._cell[:, :, j] = hidden, cell
        return hidden[:, :, None, None]


class DiagonalLSTM(nn.Module):
    """Maps `[B, 2 H, rows, columns]` to `[B, H, rows, columns]`: each place sees those above and to the left of it."""

    def __init__(self, units: int, groups: int, mask: Any) -> None:
        super().__init__()
        self.units = units
        self.inputs = CausalConv(2 * units, 4 * units, mask=mask, groups=groups)
        self.states = nn.Conv1d(units, 4 * units, 2)  # of the places above and to the left

    def forward(self, x: Tensor) -> Tensor:
        """Runs over whole images, diagonal by diagonal: row i is moved to the right by i."""
        given = skewed(self.inputs(x))
        height, width = x.shape[2:]
        hidden = cell = x.new_zeros(len(x), self.units, height)
        diagonals, rows = [], torch.arange(height, device=x.device)
        for d, gates in enumerate(given.unbind(3)):
            inside = (rows <= d).to(x.dtype)  # not before the beginning of a row
            hidden, cell = lstm(gates + self.states(F.pad(hidden, (1, 0))), cell)
            hidden, cell = hidden * inside, cell * inside
            diagonals.append(hidden)
        return unskewed(torch.stack(diagonals, dim=3), width)

    def step(self, given: Tensor, above: Tensor, left: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        """Maps gates `[B, 4 H]` of a place's input and its neighbours' states `[B, H]` to its own."""
        return lstm(given + self.states(torch.stack([above, left], dim=2))[:, :, 0], cell)


class DiagonalBiLSTM(nn.Module):
    """Two diagonal LSTMs, from the left and from the right; the right one's output is moved down by a row."""

    def __init__(self, units: int, groups: int) -> None:
        super().__init__()
        self.left, self.right = DiagonalLSTM(units, groups, "B"), DiagonalLSTM(units, groups, "none")

    def forward(self, x: Tensor) -> Tensor:
        """Maps `[B, 2 H, rows, columns]` to `[B, H, rows, columns]`."""
        return self.left(x) + shifted_down(self.right(x.flip(3)).flip(3))  # type: ignore[no-any-return]

    def memory(self, walk: Walk, n: int, height: int, width: int) -> "DiagonalMemory":
        """Returns what goes through n images a pixel at a time."""
        return DiagonalMemory(self, walk, n, width)


class DiagonalMemory:
    """What a diagonal BiLSTM remembers: the row so far, and of the row above both directions and its inputs."""

    def __init__(self, layer: DiagonalBiLSTM, walk: Walk, n: int, width: int) -> None:
        self._layer, self._walk, units = layer, walk, layer.left.units
        zeros = layer.left.states.weight.new_zeros
        self._inputs = zeros(n, 2 * units, 1, width)
        self._left, self._cell, self._right = zeros(3, n, units, width).unbind(0)
        self._above, self._nothing = self._left, zeros(n, units)

    def begin_row(self) -> None:
        """Comes to a row: the one above is complete, so that the right direction can go over it."""
        if self._walk.row:
            given, hidden, cell = self._layer.right.inputs(self._inputs)[:, :, 0], self._nothing, self._nothing
            for j in reversed(range(given.shape[2])):
                hidden, cell = self._layer.right.step(given[:, :, j], self._right[:, :, j], hidden, cell)
                self._right[:, :, j] = hidden
        self._above = self._left.clone()

    def at(self, x: Tensor) -> Tensor:
        """Maps this pixel's `[B, 2 H, 1, 1]` to `[B, H, 1, 1]`."""
        j, layer = self._walk.column, self._layer.left
        self._inputs[:, :, :, j] = x[:, :, :, 0]
        given = self._walk.pixel_of(layer.inputs, x)[:, :, 0, 0]
        left, cell = (self._left[:, :, j - 1], self._cell[:, :, j - 1]) if j else (self._nothing, self._nothing)
        hidden, self._cell[:, :, j] = layer.step(given, self._above[:, :, j], left, cell)
        self._left[:, :, j] = hidden
        return (hidden + self._right[:, :, j])[:, :, None, None]


def skewed(x: Tensor) -> Tensor:
    """Moves row i of `[B, C, H, W]` to the right by i: `[B, C, H, W + H - 1]`, whose columns are diagonals."""
    height, width = x.shape[2:]
    flat = F.pad(x, (0, height)).flatten(2)[:, :, : height * (width + height - 1)]
    return flat.reshape(*x.shape[:2], height, width + height - 1)


def unskewed(x: Tensor, width: int) -> Tensor:
    """Takes back what `skewed` did: `[B, C, H, W + H - 1]` to `[B, C, H, W]`."""
    height = x.shape[2]
    return F.pad(x.flatten(2), (0, height)).reshape(*x.shape[:2], height, width + height)[:, :, :, :width]


LAYERS: dict[str, Any] = {"row": RowLSTM, "diagonal": DiagonalBiLSTM}
