"""What comparisons of networks share; `test_protocols.py` and `test_transfer.py` use it."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from palestra.networks import create
from palestra.networks.fit import FitConfig
from palestra.perception.data import load_images
from palestra.perception.training import Accuracies, accuracy, copy_into, data_for, fitted, seeded, trunk_names

DIGITS = load_images("digits")


def make(num_classes: int | None) -> nn.Module:
    """Makes a network for digits."""
    return create("mlp", in_channels=64, num_classes=num_classes, hidden=(16,))


def test_an_interval_is_students() -> None:
    values = (0.90, 0.93, 0.95, 0.91)
    low, high = Accuracies(values).interval
    wanted = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert (low, high) == pytest.approx(wanted)
    assert str(Accuracies(values)) == f"92.25% ({low:.2%} to {high:.2%})"
    assert str(Accuracies((0.5,))) == "50.00%"
    assert Accuracies((0.99, 1.0)).interval[1] == 1.0
    assert Accuracies((0.0, 0.01)).interval[0] == 0.0


def test_first_weights_come_from_the_seed_and_torchs_generator_stays() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, again, other = (seeded(make, 3, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    for one, two in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, two)
    assert not torch.equal(first.features[0].weight, other.features[0].weight)


def test_accuracy_is_the_share_that_is_right() -> None:
    network = seeded(make, 10, 0).eval()
    with torch.no_grad():
        scores = network(DIGITS.pixels.flatten(1) / 255)
    assert accuracy(network, DIGITS) == pytest.approx(float((scores.argmax(1) == DIGITS.labels).float().mean()))


def test_fits_of_one_seed_are_the_same_and_take_it_in_place_of_the_configurations() -> None:
    config = FitConfig(loss="cross-entropy", epochs=1, seed=9)
    few = DIGITS.split(0.1)[1]
    nets = [fitted(seeded(make, 10, 0), few, config, seed=seed) for seed in (3, 3, 4)]
    weights = [net.features[0].weight for net in nets]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_network_that_does_not_say_what_it_takes_gets_images_as_they_are() -> None:
    assert data_for(nn.Flatten(), DIGITS) is DIGITS
    x = data_for(seeded(make, 10, 0), DIGITS)[torch.tensor([0])][0]
    assert x.shape[-1] == 64


def test_what_is_copied_is_copied_and_what_does_not_fit_is_refused() -> None:
    source, network = seeded(make, 10, 0), seeded(make, 4, 1)
    copy_into(network, source, trunk_names(network))
    assert torch.equal(network.features[0].weight, source.features[0].weight)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(ValueError, match="cannot be copied from"):
        copy_into(network, source, list(network.state_dict()))
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_trunks_are_all_but_the_heads() -> None:
    network = make(3)
    heads = {name for name in network.state_dict() if name.startswith(tuple(f"{h}." for h in network.heads))}
    assert heads
    assert set(trunk_names(network)) == set(network.state_dict()) - heads
    with pytest.raises(ValueError, match="does not say which layers are its heads"):
        trunk_names(nn.Linear(2, 2))
