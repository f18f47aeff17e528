"""Initial weights by name against torch's own functions and closed forms."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from palestra.networks.initialisation import INITIALISATIONS, initialise

LAYERS: list[Callable[[], nn.Module]] = [
    lambda: nn.Linear(30, 20),
    lambda: nn.Conv2d(8, 6, 3),
    lambda: nn.ConvTranspose2d(8, 6, 4, bias=False),
]


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(7)


@pytest.mark.parametrize("layer", LAYERS)
def test_default_is_what_torch_gives_new_layers(layer: Callable[[], nn.Module]) -> None:
    torch.manual_seed(7)
    expected, network = layer(), layer()
    initialise(network, "default", seeded())
    for name, value in expected.named_parameters():
        assert torch.equal(network.get_parameter(name), value)


@pytest.mark.parametrize("layer", LAYERS[:2])
@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("xavier", nn.init.xavier_uniform_),
        ("he", lambda w, generator: nn.init.kaiming_normal_(w, nonlinearity="relu", generator=generator)),
        ("orthogonal", nn.init.orthogonal_),
    ],
)
def test_is_torchs_own_function(name: str, function: Callable[..., Tensor], layer: Callable[[], nn.Module]) -> None:
    network = layer()
    weight, bias = network.get_parameter("weight"), network.get_parameter("bias")
    expected = function(torch.empty_like(weight), generator=seeded())
    initialise(network, name, seeded())
    torch.testing.assert_close(weight.detach(), expected)
    assert not bias.any()


def test_transposed_and_grouped_convolutions_count_their_own_inputs() -> None:
    # He et al. 2015: the spread is sqrt(2 / inputs of an output), which are 16 x 5 x 5 and (32 / 4) x 5 x 5 here.
    for layer, inputs in ((nn.ConvTranspose2d(16, 64, 5), 16 * 25), (nn.Conv2d(32, 64, 5, groups=4), 8 * 25)):
        initialise(layer, "he", seeded())
        assert layer.weight.std().item() == pytest.approx(math.sqrt(2.0 / inputs), rel=0.02)


def test_orthogonal_weights_keep_lengths_times_the_gain() -> None:
    network = nn.Linear(12, 12, bias=False)
    initialise(network, "orthogonal", seeded(), gain=3.0)
    x = torch.randn(5, 12, generator=seeded())
    torch.testing.assert_close(network(x).norm(dim=1), 3.0 * x.norm(dim=1))


def test_warning_examples() -> None:
    network = nn.Linear(200, 200)
    initialise(network, "small", seeded())
    assert network.weight.std().item() == pytest.approx(0.01, rel=0.02)
    initialise(network, "zero")
    assert not network.weight.any()


def test_changes_layers_of_weights_alone_and_follows_the_generator() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Embedding(5, 3))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    for name in INITIALISATIONS:
        initialise(network, name, seeded())
        first = network[0].weight.clone()
        initialise(network, name, seeded())
        assert torch.equal(network[0].weight, first)
    after = network.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in after if not name.startswith("0."))


def test_an_unknown_name_offers_the_nearest() -> None:
    with pytest.raises(ValueError, match="no initialisation 'xaver'; did you mean xavier"):
        initialise(nn.Linear(1, 1), "xaver")
