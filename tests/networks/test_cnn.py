"""The encoders of the Nature DQN and of IMPALA: their size, their arithmetic, and what they refuse."""

import pytest
import torch

from palestra.networks import create
from palestra.networks.cnn import ImpalaCNN, NatureCNN, ResidualUnit


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


def test_impala_has_the_published_layers() -> None:
    # Espeholt et al. 2018, figure 3, on their 72 x 96 RGB frames: 16, 32, 32 channels, 9 x 12 pixels, 256 units.
    network = create("impala", in_channels=3, image_size=(72, 96))
    expected = sum(9 * num_in * num_out + num_out + 4 * (9 * num_out * num_out + num_out)
                   for num_in, num_out in ((3, 16), (16, 32), (32, 32)))  # fmt: skip
    assert sum(p.numel() for p in network.parameters()) == expected + (9 * 12 * 32 + 1) * 256
    maps = [network.features[:i](torch.zeros(1, 3, 72, 96)).shape[2:] for i in (1, 2, 3)]
    assert maps == [(36, 48), (18, 24), (9, 12)]


def test_residual_unit_adds_to_what_it_sees() -> None:
    unit = ResidualUnit(3)
    x = torch.randn(2, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    expected = x + unit.conv2(torch.relu(unit.conv1(torch.relu(x))))
    torch.testing.assert_close(unit(x), expected)
    torch.nn.init.zeros_(unit.conv2.weight)
    torch.nn.init.zeros_(unit.conv2.bias)
    torch.testing.assert_close(unit(x), x)


@pytest.mark.parametrize("size", [(8, 8), (64, 64), (85, 61)])
def test_impala_takes_any_channels_and_size(size: tuple[int, int]) -> None:
    network = ImpalaCNN(2, 5, image_size=size, width=2, hidden=7)
    assert network.features[0][0].out_channels == 32
    assert network(torch.zeros(3, 2, *size, dtype=torch.uint8)).shape == (3, 5)
    assert network.num_features == network.head.in_features == 7


def test_impala_refuses_wrong_sizes() -> None:
    with pytest.raises(ValueError, match="at least 8 x 8, but are 84 x 7"):
        ImpalaCNN(3, image_size=(84, 7))
    with pytest.raises(ValueError, match="at least one channel"):
        ImpalaCNN(3, channels=(16, 0))
