"""Bytes and floats mean the same to a network, and normalisation is (x - mean) / std."""

import pytest
import torch

from palestra.networks import create
from palestra.networks.pixels import Pixels


def test_normalises_by_channel() -> None:
    pixels = Pixels()
    pixels.normalize([0.5, 0.25], [0.5, 2.0])
    x = torch.full((1, 2, 3, 3), 255, dtype=torch.uint8)
    assert pixels(x)[0, :, 0, 0].tolist() == [1.0, 0.375]


def test_create_takes_mean_and_spread_and_the_weights_do_not_hold_them() -> None:
    network = create("nature", in_channels=1, image_size=(36, 36), mean=[0.5], std=[0.25])
    plain = create("nature", in_channels=1, image_size=(36, 36))
    assert network.state_dict().keys() == plain.state_dict().keys()
    plain.load_state_dict(network.state_dict())
    x = torch.rand(2, 1, 36, 36)
    torch.testing.assert_close(network(x), plain((x - 0.5) / 0.25))


def test_a_spread_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        Pixels().normalize([0.0], [0.0])
