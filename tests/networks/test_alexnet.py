"""The networks of 2012 and 2013: their published sizes, response normalisation and first weights."""

import pytest
import torch
from torch import nn

from palestra.networks import create
from palestra.networks.images import response_norm
from palestra.networks.stages import num_parameters, stage_outputs


def convolution(num_in: int, num_out: int, size: int) -> int:
    return (size * size * num_in + 1) * num_out


HIDDEN = (256 * 6 * 6 + 1) * 4096 + 4097 * 4096 + 4097 * 1000
COUNTS = {  # filters from section 3.5 of Krizhevsky et al. 2012, and from figure 3 of Zeiler and Fergus 2014
    "alexnet": convolution(3, 96, 11) + convolution(48, 256, 5) + convolution(256, 384, 3)
    + convolution(192, 384, 3) + convolution(192, 256, 3) + HIDDEN,
    "zfnet": convolution(3, 96, 7) + convolution(96, 256, 5) + convolution(256, 384, 3)
    + convolution(384, 384, 3) + convolution(384, 256, 3) + HIDDEN,
}  # fmt: skip


@pytest.mark.parametrize(("name", "count"), [("alexnet", 60_965_224), ("zfnet", 62_357_608)])
def test_parameter_counts_follow_from_the_papers(name: str, count: int) -> None:
    with torch.device("meta"):
        network = create(name, in_channels=3, num_classes=1000)
    assert num_parameters(network) == COUNTS[name] == count


@pytest.mark.parametrize(
    ("name", "sides"),
    [("alexnet", [55, 27, 13, 13, 13]), ("alexnet_owt", [55, 27, 13, 13, 13]), ("zfnet", [110, 26, 13, 13, 13])],
)
def test_maps_have_the_published_sizes(name: str, sides: list[int]) -> None:
    with torch.device("meta"):
        network = create(name, in_channels=3, num_classes=1000)
    maps = list(stage_outputs(network, torch.zeros(1, 3, 224, 224, device="meta")).values())
    assert [m.shape[-1] for m in maps[:5]] == sides
    assert network.features(torch.zeros(1, 3, 224, 224, device="meta")).shape == (1, 256, 6, 6)
    assert [m.shape[1] for m in maps[5:]] == [4096, 4096]


def test_response_normalisation_is_the_papers_formula() -> None:
    # Krizhevsky et al. 2012, section 3.3: a / (k + alpha * sum over n neighbouring channels of a^2)^beta.
    x = 10 * torch.rand(2, 9, 3, 4, generator=torch.Generator().manual_seed(0))
    found = response_norm()(x)
    for i in range(9):
        around = x[:, max(0, i - 2) : i + 3]
        expected = x[:, i] / (2 + 1e-4 * around.square().sum(dim=1)) ** 0.75
        torch.testing.assert_close(found[:, i], expected)


def test_groups_do_not_see_each_other() -> None:
    network = create("alexnet", in_channels=3, num_classes=2, image_size=(32, 32)).eval()
    second = network.features[4]
    x = torch.rand(1, 96, 8, 8, generator=torch.Generator().manual_seed(0))
    before = second(x)
    x[:, 48:] = 0
    after = second(x)
    torch.testing.assert_close(before[:, :128], after[:, :128])
    assert not torch.allclose(before[:, 128:], after[:, 128:])


def test_first_weights_are_the_published_ones() -> None:
    # Section 5: spread 0.01; biases 1 in the second, fourth and fifth convolution and the hidden layers, else 0.
    torch.manual_seed(0)
    network = create("alexnet", in_channels=3, num_classes=10, image_size=(224, 224), hidden=64)
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert [layer.bias.unique().item() for layer in layers] == [0, 1, 0, 1, 1, 1, 1, 0]
    for layer in layers:
        assert layer.weight.std().item() == pytest.approx(0.01, rel=0.05)
