"""Recurrent networks: the equations of the cells, and fast sequences in which episodes begin and steps are missing.

The cells are Elman's (1990); Hochreiter & Schmidhuber's (1997) with the forget gate of Gers, Schmidhuber & Cummins
(2000, Section 3); and Cho et al.'s (2014, Section 2.3), where, as in torch, the reset gate multiplies the product of
weights and state instead of the state. Weights have torch's names and order of gates: whatever torch's modules learnt
can be put into the equations. `Recurrent` runs torch's fused modules.
"""

from itertools import pairwise
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CELLS: dict[str, type[nn.RNN | nn.LSTM | nn.GRU]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
State = dict[str, Tensor]  # `hidden`, and of an LSTM `cell`, each [B, num_layers, num_units]


class CellWeights(NamedTuple):
    """The weights of a cell of H units and C inputs, for G gates one below the other."""

    weight_ih: Tensor  # [G * H, C]
    weight_hh: Tensor  # [G * H, H]
    bias_ih: Tensor  # [G * H]
    bias_hh: Tensor  # [G * H]


def weights_of(module: nn.Module, layer: int | None = None) -> CellWeights:
    """Returns the weights of a cell of torch's, or of a layer of one of its sequence modules."""
    end = "" if layer is None else f"_l{layer}"
    return CellWeights(*(getattr(module, f"{name}{end}") for name in CellWeights._fields))


def rnn_cell(x: Tensor, hidden: Tensor, w: CellWeights) -> Tensor:
    """Maps inputs `[B, C]` and the state `[B, H]` before a step to the state after it."""
    return torch.tanh(x @ w.weight_ih.T + w.bias_ih + hidden @ w.weight_hh.T + w.bias_hh)


def lstm_cell(x: Tensor, hidden: Tensor, cell: Tensor, w: CellWeights) -> tuple[Tensor, Tensor]:
    """Maps inputs `[B, C]`, the state `[B, H]` and the memory `[B, H]` to the next state and memory."""
    gates = x @ w.weight_ih.T + w.bias_ih + hidden @ w.weight_hh.T + w.bias_hh  # [B, 4 * H]
    write, forget, new, show = gates.chunk(4, dim=1)
    cell = torch.sigmoid(forget) * cell + torch.sigmoid(write) * torch.tanh(new)
    return torch.sigmoid(show) * torch.tanh(cell), cell


def gru_cell(x: Tensor, hidden: Tensor, w: CellWeights) -> Tensor:
    """Maps inputs `[B, C]` and the state `[B, H]` before a step to the state after it."""
    reset_x, update_x, new_x = (x @ w.weight_ih.T + w.bias_ih).chunk(3, dim=1)
    reset_h, update_h, new_h = (hidden @ w.weight_hh.T + w.bias_hh).chunk(3, dim=1)
    reset, update = torch.sigmoid(reset_x + reset_h), torch.sigmoid(update_x + update_h)
    return (1 - update) * torch.tanh(new_x + reset * new_h) + update * hidden


class Stretch(NamedTuple):
    """Steps that run at once: no episode begins within, and no sequence ends."""

    begin: int
    end: int
    rows: Tensor | None  # the sequences that still go on, [<= B], or None for all


def stretches_of(first: Tensor, lengths: Tensor) -> list[Stretch]:
    """Cuts sequences of `lengths` `[B]` where in any an episode begins, `first` `[B, T]` bool, or where one ends."""
    valid = torch.arange(first.shape[1], device=first.device) < lengths[:, None]
    cuts = sorted({0, *(first & valid).any(0).nonzero().flatten().tolist(), *lengths.tolist()})
    goes_on = lengths.cpu()[:, None] > torch.tensor(cuts)  # [B, cuts]
    rows = [None if row.all() else row.nonzero().flatten().to(first.device) for row in goes_on.T]
    return [Stretch(begin, end, row) for (begin, end), row in zip(pairwise(cuts), rows, strict=False)]


class Recurrent(nn.Module):
    """Layers of a recurrent network on sequences `[B, T, in_channels]`: `cell` is `rnn`, `lstm` or `gru`.

    Called, it maps sequences to `[B, num_classes]` from their last valid step. `sequence` gives all steps and the
    state after them, `step` takes one step at a time. A state is a dictionary of tensors `[B, num_layers, num_units]`,
    `hidden` and of an LSTM `cell`, and comes back detached, to be kept, indexed by sequence and saved; one that is
    given may carry gradients. `forget_bias` is what the forget gates of an LSTM begin with: at 1 the memory lasts
    (Gers et al. 2000; Jozefowicz et al. 2015).

    Raises:
        ValueError: there is no such cell, or no units.
    """

    input_rank: ClassVar[int] = 2
    heads: ClassVar[tuple[str, ...]] = ("head",)
    stages: ClassVar[tuple[str, ...]] = ("features",)

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        cell: str = "lstm",
        num_units: int = 256,
        num_layers: int = 1,
        forget_bias: float = 1.0,
    ) -> None:
        super().__init__()
        if cell not in CELLS:
            raise ValueError(f"there is no cell {cell!r}; there are {', '.join(CELLS)}")
        if min(in_channels, num_units, num_layers) < 1 or num_classes == 0:
            sizes = f"in_channels {in_channels}, num_units {num_units}, num_layers {num_layers}, classes {num_classes}"
            raise ValueError(f"every size must be at least 1, but they are: {sizes}")
        self.in_channels, self.num_features = in_channels, num_units
        self.core: Any = CELLS[cell](in_channels, num_units, num_layers, batch_first=True)
        self.features = nn.Identity()  # the features of the last step
        self.head = nn.Identity() if num_classes is None else nn.Linear(num_units, num_classes)
        if cell == "lstm":
            self._set_forget_bias(forget_bias)

    def forward(
        self, x: Tensor, state: State | None = None, *, first: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Maps sequences `[B, T, in_channels]` to `[B, num_classes]` from the last valid step of each.

        The arguments are those of `sequence`. Of a sequence without a valid step, the state it begins with counts.
        """
        _, state = self._run(x, state, first, mask)
        return self.head(self.features(state["hidden"][:, -1]))  # type: ignore[no-any-return]

    def sequence(
        self, x: Tensor, state: State | None = None, *, first: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Maps sequences `[B, T, in_channels]` to features `[B, T, num_features]` and the state after them, detached.

        Before a step where `first` `[B, T]` (bool) holds, an episode begins: the state is set to zero. A step where
        `mask` `[B, T]` (bool) is False is not there: the state passes it unchanged, its features are zero, and what
        `x` and `first` hold there has no influence. Without a state all begin with zeros. All steps between those
        where an episode begins, or a sequence ends, run at once.

        Raises:
            ValueError: a shape is wrong.
        """
        outputs, state = self._run(x, state, first, mask)
        return outputs, _detached(state)

    def step(self, x: Tensor, state: State | None = None, *, first: Tensor | None = None) -> tuple[Tensor, State]:
        """Maps one step of each sequence, `[B, in_channels]`, to its features `[B, num_features]` and the next state.

        Where `first` `[B]` (bool) holds, an episode begins. This is `sequence` on sequences of one step, faster.

        Raises:
            ValueError: a shape is wrong.
        """
        state = self._checked(x[:, None], state, first=None if first is None else first[:, None])
        if first is not None:
            state = {name: value.masked_fill(first[:, None, None], 0) for name, value in state.items()}
        outputs, state = self._fused(x[:, None].to(state["hidden"].dtype), state)
        return outputs[:, 0], _detached(state)

    def initial_state(self, batch_size: int) -> State:
        """Returns the state at the beginning of `batch_size` episodes: zeros."""
        like = self.core.weight_hh_l0
        names = ("hidden", "cell") if isinstance(self.core, nn.LSTM) else ("hidden",)
        return {name: like.new_zeros(batch_size, self.core.num_layers, self.num_features) for name in names}

    def _run(self, x: Tensor, state: State | None, first: Tensor | None, mask: Tensor | None) -> tuple[Tensor, State]:
        state = self._checked(x, state, first=first, mask=mask)
        x = x.to(state["hidden"].dtype)
        if first is None and mask is None:
            return self._fused(x, state)
        first = torch.zeros_like(x[..., 0], dtype=torch.bool) if first is None else first
        if mask is None:
            return self._cut(x, state, first, torch.full((len(x),), x.shape[1], device=x.device))
        order = (~mask).to(torch.uint8).argsort(dim=1, stable=True)  # [B, T] the valid steps first
        outputs, state = self._cut(_steps(x, order), state, first.gather(1, order), mask.sum(1))
        return _steps(outputs, order.argsort(dim=1)), state

    def _cut(self, x: Tensor, state: State, first: Tensor, lengths: Tensor) -> tuple[Tensor, State]:
        """Runs the stretches of sequences whose first `lengths` `[B]` steps are valid."""
        outputs, whole = [x.new_zeros(len(x), 0, self.num_features)], len(x)
        for begin, end, rows in stretches_of(first, lengths):
            here = slice(None) if rows is None else rows
            fresh = first[here, begin, None, None]
            before = {name: value[here].masked_fill(fresh, 0) for name, value in state.items()}
            out, after = self._fused(x[here, begin:end], before)
            if rows is not None:
                out = out.new_zeros(whole, *out.shape[1:]).index_copy(0, rows, out)
                after = {name: value.index_copy(0, rows, after[name]) for name, value in state.items()}
            outputs.append(out)
            state = after
        done = torch.cat(outputs, 1)
        return F.pad(done, (0, 0, 0, x.shape[1] - done.shape[1])), state

    def _fused(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        values = [value.transpose(0, 1).contiguous() for value in state.values()]  # torch: layers first
        outputs, end = self.core(x, tuple(values) if len(values) > 1 else values[0])
        ends = end if isinstance(end, tuple) else (end,)
        return outputs, {name: value.transpose(0, 1) for name, value in zip(state, ends, strict=True)}

    def _checked(self, x: Tensor, state: State | None, **flags: Tensor | None) -> State:
        """Returns the state, zeros where there is none, after looking at all shapes."""
        if x.dim() != 3 or x.shape[1] == 0 or x.shape[2] != self.in_channels:
            raise ValueError(f"sequences must be [B, T, {self.in_channels}], T at least 1, but are {list(x.shape)}")
        for name, flag in flags.items():
            if flag is not None and (flag.shape != x.shape[:2] or flag.dtype != torch.bool):
                raise ValueError(f"{name} must be bool {list(x.shape[:2])}, but is {flag.dtype} {list(flag.shape)}")
        zeros = self.initial_state(x.shape[0])
        if state is None:
            return zeros
        wanted, given = ({name: list(value.shape) for name, value in s.items()} for s in (zeros, state))
        if wanted != given:
            raise ValueError(f"the state must be {wanted}, but is {given}")
        return {name: state[name] for name in zeros}

    def _set_forget_bias(self, value: float) -> None:
        units = self.num_features
        with torch.no_grad():
            for layer in range(self.core.num_layers):
                weights = weights_of(self.core, layer)
                weights.bias_ih[units : 2 * units] = value
                weights.bias_hh[units : 2 * units] = 0


def _detached(state: State) -> State:
    return {name: value.detach().contiguous() for name, value in state.items()}


def _steps(x: Tensor, order: Tensor) -> Tensor:
    """Puts the steps of `[B, T, C]` in another order, `[B, T]`."""
    return x.gather(1, order[..., None].expand(-1, -1, x.shape[2]))
