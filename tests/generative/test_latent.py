"""Codes between codes, by geometry, and the direction of an attribute by hand."""

import math

import pytest
import torch
from torch import Tensor

from palestra.generative.latent import attribute, between

ONE, OTHER = torch.tensor([[2.0, 0.0], [1.0, 1.0]]), torch.tensor([[0.0, 4.0], [1.0, 1.0]])


def test_straight_lines() -> None:
    codes = between(ONE, OTHER, 3)
    torch.testing.assert_close(codes, torch.stack([ONE, (ONE + OTHER) / 2, OTHER]))


def test_great_arcs_turn_evenly_and_lengths_go_from_one_to_the_other() -> None:
    codes = between(ONE, OTHER, 5, spherical=True)
    torch.testing.assert_close(codes[:, 0].norm(dim=1), torch.tensor([2.0, 2.5, 3.0, 3.5, 4.0]))
    angles = torch.atan2(codes[:, 0, 1], codes[:, 0, 0])
    torch.testing.assert_close(angles, torch.arange(5) * math.pi / 8)
    torch.testing.assert_close(codes[:, 1], OTHER[1:].expand(5, 2))  # from a code to itself


def test_the_direction_of_an_attribute() -> None:
    class Halves:
        def encode(self, x: Tensor) -> Tensor:
            return x / 2

    direction = attribute(Halves(), torch.tensor([[2.0, 4.0], [4.0, 4.0]]), torch.tensor([[0.0, 4.0]]))
    torch.testing.assert_close(direction, torch.tensor([1.5, 0.0]))


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 steps"):
        between(ONE, OTHER, 1)
    with pytest.raises(ValueError, match=r"\[2, 2\] and \[1, 2\]"):
        between(ONE, OTHER[:1], 3)
