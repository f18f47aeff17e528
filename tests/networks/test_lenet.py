"""LeNet-5: its published size, its table of connections, its subsampling and its sizes of images."""

import pytest
import torch
from torch.nn import functional as F

from palestra.networks import create
from palestra.networks.lenet import TABLE, LeNet, ScaledTanh, Subsampling, TableConv2d
from palestra.networks.stages import num_parameters


def test_parameter_counts_are_the_published_ones() -> None:
    # LeCun et al. 1998, section II.B: C1 156, S2 12, C3 1,516, S4 32, C5 48,120, F6 10,164; in all 60,000.
    network = create("lenet5", in_channels=1)
    layers = [network.conv1, network.pool2, network.conv3, network.pool4, network.conv5, network.fc6]
    assert [num_parameters(layer) for layer in layers] == [156, 12, 1516, 32, 48_120, 10_164]
    assert num_parameters(network) == 60_000
    # With all maps connected, plain means and ten linear outputs: 156 + 2,416 + 48,120 + 10,164 + 850.
    assert num_parameters(create("lenet5_full", in_channels=1, num_classes=10)) == 61_706


def test_table_has_the_published_form() -> None:
    # Table I: six maps see three neighbours, six see four neighbours, three see four with a gap, one sees all.
    assert [len(row) for row in TABLE] == [3] * 6 + [4] * 9 + [6]
    assert len(set(TABLE)) == 16
    for i, row in enumerate(TABLE[:6]):
        assert set(row) == {i, (i + 1) % 6, (i + 2) % 6}
    for i, row in enumerate(TABLE[6:12]):
        assert set(row) == {(i + k) % 6 for k in range(4)}
    for i, row in enumerate(TABLE[12:15]):
        assert set(row) == {i, i + 1, (i + 3) % 6, (i + 4) % 6}


def test_table_convolution_sums_over_the_maps_that_it_names() -> None:
    layer = TableConv2d(6, TABLE, 5)
    torch.nn.init.normal_(layer.weight, generator=torch.Generator().manual_seed(0))
    torch.nn.init.normal_(layer.bias, generator=torch.Generator().manual_seed(1))
    x = torch.randn(2, 6, 9, 8, generator=torch.Generator().manual_seed(2))
    found, pair = layer(x), 0
    for i, row in enumerate(TABLE):
        expected = layer.bias[i].expand(2, 1, 5, 4)
        for j in row:
            expected = expected + F.conv2d(x[:, j : j + 1], layer.weight[pair][None, None])
            pair += 1
        torch.testing.assert_close(found[:, i : i + 1], expected, atol=1e-4, rtol=1e-4)
    assert pair == len(layer.weight) == 60


def test_subsampling_scales_means() -> None:
    layer = Subsampling(2)
    torch.testing.assert_close(
        layer(torch.arange(32.0).view(1, 2, 4, 4))[0, 0], torch.tensor([[2.5, 4.5], [10.5, 12.5]])
    )
    with torch.no_grad():
        layer.weight[1], layer.bias[1] = 3.0, -1.0
    torch.testing.assert_close(layer(torch.ones(1, 2, 2, 2))[0, :, 0, 0], torch.tensor([1.0, 2.0]))


def test_activation_maps_one_to_one() -> None:
    # Appendix A: f(1) = 1, f(-1) = -1, limits of 1.7159.
    values = ScaledTanh()(torch.tensor([1.0, -1.0, 50.0]))
    torch.testing.assert_close(values, torch.tensor([1.0, -1.0, 1.7159]), atol=1e-4, rtol=0)


@pytest.mark.parametrize("size", [(32, 32), (28, 28), (20, 24), (64, 40)])
def test_images_are_padded_below_32_pixels(size: tuple[int, int]) -> None:
    network = LeNet(1, 10, image_size=size)
    assert network(torch.zeros(2, 1, *size)).shape == (2, 10)
    if size == (28, 28):
        large = LeNet(1, 10)
        large.load_state_dict(network.state_dict())
        x = torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(0))
        torch.testing.assert_close(network(x), large(F.pad(x, (2, 2, 2, 2))))


def test_another_activation_is_taken_by_name() -> None:
    network = LeNet(1, 10, activation="relu")
    assert {type(network.get_submodule(path)) for path in network.stages} == {torch.nn.ReLU}
    with pytest.raises(ValueError, match="did you mean relu"):
        LeNet(1, 10, activation="rele")
