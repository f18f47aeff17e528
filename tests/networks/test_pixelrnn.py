"""PixelRNN's layers beside slow twins that go place by place, and what a diagonal sees."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from palestra.networks import create
from palestra.networks.pixelrnn import DiagonalBiLSTM, DiagonalLSTM, RowLSTM, lstm, skewed, unskewed


def image(channels: int, height: int = 5, width: int = 4) -> Tensor:
    return torch.randn(2, channels, height, width, generator=torch.Generator().manual_seed(0))


def test_skewing_by_hand_and_back() -> None:
    x = torch.arange(1.0, 7.0).view(1, 1, 3, 2)
    assert skewed(x)[0, 0].tolist() == [[1, 2, 0, 0], [0, 3, 4, 0], [0, 0, 5, 6]]
    assert torch.equal(unskewed(skewed(x), 2), x)


def test_a_cell_is_torchs() -> None:
    """torch has the gates input, forget, content and output, in that order."""
    cell = torch.nn.LSTMCell(3, 2)
    x, hidden, state = torch.randn(4, 3), torch.randn(4, 2), torch.randn(4, 2)
    gates = F.linear(x, cell.weight_ih, cell.bias_ih) + F.linear(hidden, cell.weight_hh, cell.bias_hh)
    write, forget, content, out = gates.chunk(4, dim=1)
    actual = lstm(torch.cat([out, forget, write, content], dim=1), state)
    torch.testing.assert_close(actual, cell(x, (hidden, state)))


def test_the_row_lstm_beside_its_twin() -> None:
    torch.manual_seed(0)
    layer, x = RowLSTM(3, 1), image(6)
    given, weight, bias = layer.inputs(x), layer.states.weight, layer.states.bias
    hidden = torch.zeros(2, 3, 6, 6)  # with a row above and a column on both sides
    cell = torch.zeros(2, 3, 6, 6)
    for i in range(5):
        for j in range(4):
            above = sum(hidden[:, :, i, j + k] @ weight[:, :, k].T for k in range(3))
            hidden[:, :, i + 1, j + 1], cell[:, :, i + 1, j + 1] = lstm(
                given[:, :, i, j] + above + bias, cell[:, :, i, j + 1]
            )
    torch.testing.assert_close(layer(x), hidden[:, :, 1:, 1:5])


@torch.no_grad()
def slow_diagonal(layer: DiagonalLSTM, x: Tensor) -> Tensor:
    given, weight, bias = layer.inputs(x), layer.states.weight, layer.states.bias
    height, width = x.shape[2:]
    hidden, cell = (
        torch.zeros(2, layer.units, height + 1, width + 1) for _ in range(2)
    )  # a row above, a column to the left
    for i in range(height):
        for j in range(width):
            above, left = hidden[:, :, i, j + 1], hidden[:, :, i + 1, j]
            gates = given[:, :, i, j] + above @ weight[:, :, 0].T + left @ weight[:, :, 1].T + bias
            hidden[:, :, i + 1, j + 1], cell[:, :, i + 1, j + 1] = lstm(gates, cell[:, :, i + 1, j])
    return hidden[:, :, 1:, 1:]


def test_the_diagonal_lstm_beside_its_twin() -> None:
    torch.manual_seed(0)
    layer, x = DiagonalLSTM(3, 1, "B"), image(6)
    torch.testing.assert_close(layer(x), slow_diagonal(layer, x))


def test_both_directions_beside_their_twins() -> None:
    torch.manual_seed(0)
    layer, x = DiagonalBiLSTM(3, 1), image(6)
    right = slow_diagonal(layer.right, x.flip(3)).flip(3)
    expected = slow_diagonal(layer.left, x)
    expected[:, :, 1:] += right[:, :, :-1]
    torch.testing.assert_close(layer(x), expected)


def test_the_diagonal_sees_all_that_comes_before() -> None:
    """Section 3.2: the whole of the context, also far to the right in the row above."""
    torch.manual_seed(0)
    layer, x = DiagonalBiLSTM(4, 1), image(8, 4, 6).requires_grad_()
    (gradient,) = torch.autograd.grad(layer(x)[:, :, 2, 1].sum(), x)
    seen = gradient.abs().sum(dim=(0, 1)) > 0
    expected = torch.zeros(4, 6, dtype=torch.bool)
    expected[:2], expected[2, :2] = True, True
    assert torch.equal(seen, expected)


def test_unknown_layers_are_refused() -> None:
    with pytest.raises(ValueError, match="layer is 'column', but row or diagonal is wanted"):
        create("pixelrnn", in_channels=1, layer="column")
