"""The Nature DQN's network: its size, its arithmetic on bytes, and what it refuses."""

import pytest
import torch

from palestra.networks import create
from palestra.networks.cnn import NatureCNN


def test_parameter_count_is_the_published_network() -> None:
    # Mnih et al. 2015, Methods: filters of 8x8x4 (32), 4x4x32 (64), 3x3x64 (64), 512 units on 7x7x64, 18 actions.
    network = create("nature", in_channels=4, num_classes=18)
    convolutions = (8 * 8 * 4 + 1) * 32 + (4 * 4 * 32 + 1) * 64 + (3 * 3 * 64 + 1) * 64
    assert sum(p.numel() for p in network.parameters()) == convolutions + (7 * 7 * 64 + 1) * 512 + 513 * 18


@pytest.mark.parametrize("channels_last", [False, True])
def test_bytes_are_scaled_to_one(channels_last: bool) -> None:
    network = NatureCNN(4, 6)
    if channels_last:
        network = network.to(memory_format=torch.channels_last)
    x = torch.randint(0, 256, (2, 4, 84, 84), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(network(x), network(x.float() / 255))
    assert network(x).std() > 0


@pytest.mark.parametrize("size", [(36, 36), (84, 84), (96, 65)])
def test_takes_any_channels_and_size(size: tuple[int, int]) -> None:
    network = NatureCNN(3, image_size=size)
    assert network(torch.zeros(1, 3, *size)).shape == (1, network.num_features) == (1, 512)


def test_too_small_images_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 36 x 36, but are 84 x 35"):
        NatureCNN(3, image_size=(84, 35))
