"""Stages: what is seen at them, what freezing keeps, and what is refused."""

import pytest
import torch
from torch import nn

from palestra.networks import NETWORKS, create, network_class
from palestra.networks.stages import FeatureMaps, freeze, num_parameters, outputs_of, stage_outputs, train_mode

OF_EACH_CLASS = {entry.attribute: name for name, entry in reversed(NETWORKS.items())}.values()  # the smallest, mostly
IMAGE_NETWORKS = [name for name in OF_EACH_CLASS if network_class(name).input_rank == 3]
SIZES = {"lenet5": (28, 28), "lenet5_full": (28, 28), "conv-autoencoder": (40, 40), "nature": (40, 40)}


def small(name: str) -> nn.Module:
    torch.manual_seed(0)
    return create(name, in_channels=2, num_classes=3, image_size=SIZES.get(name, (32, 32)))


@pytest.mark.parametrize("name", IMAGE_NETWORKS)
def test_every_stage_is_seen_in_order_and_features_only_returns_them(name: str) -> None:
    network = small(name).eval()
    x = torch.rand(2, 2, *SIZES.get(name, (32, 32)))
    seen = stage_outputs(network, x)
    assert tuple(seen) == network.stages
    maps = FeatureMaps(network)(x)
    assert all(torch.equal(a, b) for a, b in zip(maps, seen.values(), strict=True))
    assert all(len(a) == 2 for a in maps)


@pytest.mark.parametrize("name", IMAGE_NETWORKS)
def test_frozen_stages_stay_as_they_are_and_the_rest_learns(name: str) -> None:
    network = small(name)
    num_frozen = max(1, len(network.stages) // 2)
    freeze(network, num_frozen)
    x = torch.rand(4, 2, *SIZES.get(name, (32, 32)))
    before = stage_outputs(network.eval(), x)
    train_mode(network)
    learnt = [p for p in network.parameters() if p.requires_grad]
    assert 0 < len(learnt) < len(list(network.parameters()))
    optimizer = torch.optim.SGD(learnt, lr=0.1)
    network(x).square().sum().backward()
    optimizer.step()
    after = stage_outputs(network.eval(), x)
    kept = [torch.equal(before[path], after[path]) for path in network.stages]
    assert all(kept[:num_frozen])
    assert kept[-1] == (num_frozen == len(network.stages))


def test_freezing_nothing_makes_everything_learn_again() -> None:
    network = create("mlp", in_channels=3, num_classes=2, hidden=(4, 5))
    everything = num_parameters(network)
    freeze(network, 1)
    assert num_parameters(network) == everything - 4 * 4
    freeze(network, 0)
    assert num_parameters(network) == everything


def test_hooks_are_gone_afterwards() -> None:
    network = create("mlp", in_channels=3)
    with outputs_of(network, ["features.1"]) as outputs:
        network(torch.zeros(1, 3))
    assert list(outputs) == ["features.1"]
    assert not network.features[1]._forward_hooks


def test_what_is_not_there_is_named() -> None:
    network = create("mlp", in_channels=3, hidden=(4,))
    with (
        pytest.raises(ValueError, match=r"mlp has no module 'layer9'; its stages are features.1"),
        outputs_of(network, ["layer9"]),
    ):
        pass
    with pytest.raises(ValueError, match=r"2 stages were to be frozen, but mlp has 1: features\.1"):
        freeze(network, 2)
