"""Causal convolutions: what they see, by their gradients, and the same a row or a pixel at a time."""

import pytest
import torch
from torch import Tensor

from palestra.networks.causal import CausalConv, Walk, shifted_down, shifted_right, whole


def seen_by(conv: CausalConv, row: int, column: int, channel: int) -> set[tuple[int, int, int]]:
    """The inputs (channel, row, column) of a 6 x 6 image on which an output depends."""
    torch.nn.init.uniform_(conv.weight, 0.5, 1.0)
    x = torch.zeros(1, conv.weight.shape[1], 6, 6, requires_grad=True)
    (gradient,) = torch.autograd.grad(conv(x)[0, channel, row, column], x)
    return {tuple(place) for place in gradient[0].nonzero().tolist()}  # type: ignore[misc]


def test_masks_by_hand() -> None:
    above = {(0, row, column) for row in (1, 2) for column in (1, 2, 3, 4, 5)}
    left = {(0, 3, 1), (0, 3, 2)}
    assert seen_by(CausalConv(1, 1, (3, 5), mask="A"), 3, 3, 0) == above | left
    assert seen_by(CausalConv(1, 1, (3, 5), mask="B"), 3, 3, 0) == above | left | {(0, 3, 3)}
    assert seen_by(CausalConv(1, 1, (1, 2), left=1), 3, 3, 0) == {(0, 3, 2), (0, 3, 3)}
    assert seen_by(CausalConv(1, 1, (2, 3)), 3, 3, 0) == {(0, r, c) for r in (2, 3) for c in (2, 3, 4)}


@pytest.mark.parametrize(("mask", "own"), [("A", 0), ("B", 1)])
def test_channels_of_a_pixel_see_earlier_ones(mask: str, own: int) -> None:
    """Red, green and blue in groups that alternate: of its own pixel, blue sees red and green (section 3.4)."""
    conv = CausalConv(6, 6, (1, 1), mask=mask, groups=3)  # type: ignore[arg-type]
    for channel in range(6):
        wanted = {k for k in range(6) if k % 3 < channel % 3 + own}
        assert {place[0] for place in seen_by(conv, 2, 2, channel)} == wanted


def test_shifts() -> None:
    x = torch.arange(1.0, 7.0).view(1, 1, 2, 3)
    assert shifted_down(x).tolist() == [[[[0, 0, 0], [1, 2, 3]]]]
    assert shifted_right(x).tolist() == [[[[0, 1, 2], [0, 4, 5]]]]


@pytest.mark.parametrize(
    "conv",
    [
        CausalConv(2, 3, (3, 5), mask="A", groups=2),
        CausalConv(2, 3, (2, 3)),
        CausalConv(2, 3, (2, 2), left=1),
        CausalConv(2, 3),
        CausalConv(2, 3, (2, 3), mask="A", groups=2, places=(5, 7)),
    ],
)
def test_rows_and_pixels_are_those_of_whole_images(conv: CausalConv) -> None:
    x = torch.randn(4, 2, 5, 7, generator=torch.Generator().manual_seed(0))
    if conv.of_row is not None and conv.of_column is not None:
        torch.nn.init.normal_(conv.of_row)
        torch.nn.init.normal_(conv.of_column)
    expected = whole(conv, x)
    rows, pixels = Walk(4, 5, 7), Walk(4, 5, 7)
    one_right = conv.right == 0 or conv.allowed is not None  # else a pixel's outputs wait for its right neighbours
    for i in range(5):
        rows.row = pixels.row = i
        torch.testing.assert_close(rows.row_of(conv, x[:, :, i : i + 1]), expected[:, :, i : i + 1])
        for j in range(7 if one_right else 0):
            pixels.column = j
            pixels.pixel_of(conv, torch.zeros(4, 2, 1, 1))  # what comes again takes its place
            actual = pixels.pixel_of(conv, x[:, :, i : i + 1, j : j + 1])
            torch.testing.assert_close(actual, expected[:, :, i : i + 1, j : j + 1])


def test_each_row_and_column_has_a_bias_of_its_own() -> None:
    conv = CausalConv(1, 1, mask="A", places=(2, 3))  # sees nothing
    assert conv.of_row is not None
    assert conv.of_column is not None
    torch.nn.init.constant_(conv.bias, 100.0)
    conv.of_row.data = torch.tensor([[[10.0], [20.0]]])
    conv.of_column.data = torch.tensor([[[1.0, 2.0, 3.0]]])
    assert conv(torch.ones(1, 1, 2, 3)).tolist() == [[[[111, 112, 113], [121, 122, 123]]]]


def test_what_is_kept_is_seen_from_then_on() -> None:
    conv, x = CausalConv(1, 1, (1, 2), left=1, mask="A"), torch.tensor([[[[2.0, 3.0]]]])
    walk = Walk(1, 1, 2)
    walk.keep(conv, x[:, :, :, :1])
    walk.column = 1
    expected: Tensor = conv(x)[:, :, :, 1:]
    torch.testing.assert_close(walk.pixel_of(conv, torch.zeros(1, 1, 1, 1)), expected)
