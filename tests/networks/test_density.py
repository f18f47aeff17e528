"""Levels, what is refused at the door, and bits per dimension by hand."""

import math

import pytest
import torch

from palestra.networks import create
from palestra.networks.density import (
    Exact,
    as_floats,
    as_levels,
    checked_condition,
    checked_request,
    checked_shape,
)


@pytest.mark.parametrize("levels", [2, 3, 17, 200, 256])
def test_levels_are_the_nearest_ones_of_bytes_and_floats(levels: int) -> None:
    x = torch.arange(256, dtype=torch.uint8)
    nearest = [min(range(levels), key=lambda k: (abs(k / (levels - 1) - v / 255), -k)) for v in range(256)]
    assert as_levels(x, levels).tolist() == nearest
    assert as_levels(x.double() / 255, levels).tolist() == nearest
    every = torch.arange(levels)
    assert torch.equal(as_levels(as_floats(every, levels), levels), every)
    assert torch.equal(as_levels(every, levels), every)


def test_half_is_on() -> None:
    assert as_levels(torch.tensor([0.49, 0.5, 1.0]), 2).tolist() == [0, 1, 1]
    assert as_levels(torch.tensor([127, 128], dtype=torch.uint8), 2).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.tensor([0.2, 1.01]), r"floats lie from 0 to 1, but one is 1.01"),
        (torch.tensor([-0.1]), r"floats lie from 0 to 1, but one is -0.1"),
        (torch.tensor([0.5, math.nan]), r"floats lie from 0 to 1, but one is nan"),
        (torch.tensor([3]), r"levels of a model with 3 of them lie from 0 to 2, but one is 3"),
    ],
)
def test_numbers_out_of_range_are_refused(x: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        as_levels(x, 3)


def test_bits_of_fair_coins() -> None:
    flips = Exact(torch.full((2,), 12 * math.log(0.5)))
    torch.testing.assert_close(flips.bits_per_dim((3, 4)), torch.ones(2))


def test_shapes_and_labels_are_checked() -> None:
    x = torch.zeros(2, 1, 4, 4)
    assert checked_shape(x, (1, 4, 4), "pixelcnn") is x
    with pytest.raises(ValueError, match=r"takes samples \['B', 3, 4, 4\], but was given \[2, 1, 4, 4\]"):
        checked_shape(x, (3, 4, 4), "pixelcnn")
    plain, conditional = create("vae", in_channels=5), create("vae", in_channels=5, num_classes=3)
    assert checked_condition(plain, None, 2) is None
    assert checked_condition(conditional, torch.tensor([0, 2]), 2).tolist() == [0, 2]  # type: ignore[union-attr]
    for labels, model, message in (
        (torch.tensor([0]), plain, "nothing to condition on"),
        (None, conditional, "was given none"),
        (torch.tensor([0, 1, 2]), conditional, r"for each of 2 samples, but was given \[3\] of torch.int64"),
        (torch.tensor([0, 3]), conditional, "labels lie from 0 to 2, but one is 3"),
    ):
        with pytest.raises(ValueError, match=message):
            checked_condition(model, labels, 2)


def test_a_request_larger_than_memory_is_refused() -> None:
    checked_request(16, (3, 32, 32))
    with pytest.raises(ValueError, match=r"10,000,000 samples of \[3, 32, 32\] need 229 GiB; at most 174,762 can be"):
        checked_request(10_000_000, (3, 32, 32))
    with pytest.raises(ValueError, match="0 samples were asked for"):
        checked_request(0, (3, 32, 32))
