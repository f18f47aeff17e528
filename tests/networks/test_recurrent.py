"""Recurrent networks: the equations against torch's cells, and sequences against a loop over their steps."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from palestra.networks import create
from palestra.networks.pretrained import from_pretrained, save_pretrained
from palestra.networks.recurrent import CellWeights, Recurrent, State, gru_cell, lstm_cell, rnn_cell, weights_of

CELLS = ("rnn", "lstm", "gru")
B, T, C, H = 5, 12, 3, 4
Step = tuple[Tensor, ...]


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def flags(probability: float, seed: int) -> Tensor:
    return torch.rand(B, T, generator=torch.Generator().manual_seed(seed)) < probability


def cell_step(cell: str, x: Tensor, values: Step, w: CellWeights) -> Step:
    if cell == "lstm":
        return lstm_cell(x, *values, w)
    return ((rnn_cell if cell == "rnn" else gru_cell)(x, *values, w),)


def loop(network: Recurrent, cell: str, x: Tensor, state: State, first: Tensor, mask: Tensor) -> tuple[Tensor, State]:
    """Goes step by step with the equations: resets, then computes, then keeps the old state where a step is missing."""
    outputs = []
    for t in range(x.shape[1]):
        inputs, new = x[:, t], []
        valid = mask[:, t, None]
        for layer in range(network.core.num_layers):
            before = tuple(value[:, layer] for value in state.values())
            begun = tuple(torch.where(first[:, t, None] & valid, 0, value) for value in before)
            after = cell_step(cell, inputs, begun, weights_of(network.core, layer))
            inputs = after[0]
            new.append([torch.where(valid, a, b) for a, b in zip(after, before, strict=True)])
        outputs.append(torch.where(valid, inputs, 0))
        state = {name: torch.stack([layer[i] for layer in new], 1) for i, name in enumerate(state)}
    return torch.stack(outputs, 1), state


def a_network(cell: str, **options: Any) -> Recurrent:
    torch.manual_seed(0)
    return Recurrent(C, cell=cell, num_units=H, **{"num_layers": 2, **options}).double()


def a_state(network: Recurrent) -> State:
    return {name: random(*value.shape, seed=7 + len(name)) for name, value in network.initial_state(B).items()}


def gradients(loss: Tensor, *of: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(loss, of, retain_graph=True))


@pytest.mark.parametrize("cell", CELLS)
def test_equations_are_those_of_torchs_cells(cell: str) -> None:
    torch.manual_seed(0)
    theirs = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}[cell](C, H).double()
    x = random(B, C).requires_grad_()
    values = tuple(random(B, H, seed=i + 1).requires_grad_() for i in range(2 if cell == "lstm" else 1))
    expected = theirs(x, values if cell == "lstm" else values[0])
    expected = expected if isinstance(expected, tuple) else (expected,)
    actual = cell_step(cell, x, values, weights_of(theirs))
    torch.testing.assert_close(actual, expected)
    weigh = [random(B, H, seed=9 + i) for i in range(len(actual))]
    losses = [sum((v * w).sum() for v, w in zip(out, weigh, strict=True)) for out in (actual, expected)]
    of = (x, *values, *theirs.parameters())
    torch.testing.assert_close(*(gradients(loss, *of) for loss in losses))


@pytest.mark.parametrize("cell", CELLS)
def test_sequence_is_the_loop_over_the_equations(cell: str) -> None:
    network, never = a_network(cell), torch.zeros(B, T, dtype=torch.bool)
    x, state = random(B, T, C), a_state(network)
    outputs, end = network.sequence(x, state)
    torch.testing.assert_close((outputs, end), loop(network, cell, x, state, never, ~never))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("resets", "valid"), [(0.15, 1.0), (0.0, 0.6), (0.3, 0.7), (1.0, 0.5), (0.3, 0.1)])
def test_resets_and_masks_are_those_of_the_loop(cell: str, seed: int, resets: float, valid: float) -> None:
    network = a_network(cell)
    first, mask = flags(resets, seed), flags(valid, seed + 100)
    mask[seed % B] = False  # a sequence without a valid step
    x, state = random(B, T, C).requires_grad_(), a_state(network)
    for value in state.values():
        value.requires_grad_()
    outputs, end = network.sequence(x, state, first=first, mask=mask)
    expected, expected_end = loop(network, cell, x, state, first, mask)
    torch.testing.assert_close((outputs, end), (expected, expected_end))
    of, weigh = (x, *state.values(), *network.parameters()), random(B, T, H, seed=3)
    torch.testing.assert_close(gradients((outputs * weigh).sum(), *of), gradients((expected * weigh).sum(), *of))
    last, expected_last = network(x, state, first=first, mask=mask), expected_end["hidden"][:, -1]
    torch.testing.assert_close(last, expected_last)
    losses = ((last * weigh[:, 0]).sum(), (expected_last * weigh[:, 0]).sum())
    torch.testing.assert_close(*(gradients(loss, *of) for loss in losses))


@pytest.mark.parametrize("cell", CELLS)
def test_steps_are_the_sequence(cell: str) -> None:
    network, x, first = a_network(cell), random(B, T, C), flags(0.2, 1)
    expected = network.sequence(x, first=first)
    outputs, state = [], network.initial_state(B)
    for t in range(T):
        output, state = network.step(x[:, t], state, first=first[:, t])
        outputs.append(output)
    torch.testing.assert_close((torch.stack(outputs, 1), state), expected)


@pytest.mark.parametrize("cell", CELLS)
def test_a_sequence_in_two_halves_is_the_whole(cell: str) -> None:
    network, x, first, mask = a_network(cell), random(B, T, C), flags(0.2, 1), flags(0.8, 2)
    expected, end = network.sequence(x, first=first, mask=mask)
    left, state = network.sequence(x[:, :5], first=first[:, :5], mask=mask[:, :5])
    assert not any(value.requires_grad for value in state.values())
    right, state = network.sequence(x[:, 5:], state, first=first[:, 5:], mask=mask[:, 5:])
    torch.testing.assert_close((torch.cat([left, right], 1), state), (expected, end))


def test_what_is_masked_has_no_influence() -> None:
    network, x, mask = a_network("lstm"), random(B, T, C), flags(0.5, 2)
    noise = torch.where(mask[..., None], x, torch.nan)
    first = flags(0.2, 1)
    expected = network.sequence(x, first=first & mask, mask=mask)
    torch.testing.assert_close(network.sequence(noise, first=first, mask=mask), expected)
    noise.requires_grad_()
    network.sequence(noise, mask=mask)[0].sum().backward()
    assert noise.grad is not None
    assert noise.grad[~mask].eq(0).all()
    assert noise.grad[mask].ne(0).all()


def test_classes_come_from_the_last_valid_step() -> None:
    torch.manual_seed(0)
    network = create("gru", in_channels=C, num_classes=2, num_units=H)
    x, lengths = random(B, T, C).float(), torch.tensor([3, 12, 1, 7, 12])
    mask = torch.arange(T) < lengths[:, None]
    expected = torch.cat([network(x[i : i + 1, :length]) for i, length in enumerate(lengths)])
    torch.testing.assert_close(network(x, mask=mask), expected)
    assert expected.shape == (B, 2)
    features = create("gru", in_channels=C, num_units=H, features_only=True)
    assert [f.shape for f in features(x)] == [(B, H)]


@pytest.mark.parametrize("cell", CELLS)
def test_saved_and_loaded(cell: str, tmp_path: Path) -> None:
    network = create(cell, in_channels=C, num_classes=2, num_units=H)
    x = random(B, T, C)
    torch.testing.assert_close(from_pretrained(save_pretrained(network, tmp_path))(x), network(x), rtol=0, atol=0)


def test_parameter_counts_and_forget_bias() -> None:
    # Each gate has C + H weights and, as in torch, two biases a unit.
    for cell, gates in {"rnn": 1, "gru": 3, "lstm": 4}.items():
        network = a_network(cell, num_layers=1)
        assert sum(p.numel() for p in network.parameters()) == gates * H * (C + H + 2)
    weights = weights_of(a_network("lstm", forget_bias=2.0).core, 1)
    assert (weights.bias_ih + weights.bias_hh)[H : 2 * H].tolist() == [2.0] * H
    assert (weights.bias_ih + weights.bias_hh)[:H].ne(2.0).all()


def test_wrong_arguments_are_named() -> None:
    network, x = a_network("lstm"), random(B, T, C)
    with pytest.raises(ValueError, match="no cell 'elman'; there are rnn, lstm, gru"):
        Recurrent(C, cell="elman")
    with pytest.raises(ValueError, match="at least 1"):
        Recurrent(C, num_layers=0)
    with pytest.raises(ValueError, match=r"must be \[B, T, 3\]"):
        network(x[..., :2])
    with pytest.raises(ValueError, match="first must be bool"):
        network(x, first=torch.zeros(B, T))
    with pytest.raises(ValueError, match="the state must be"):
        network(x, {"hidden": torch.zeros(B, 2, H)})
