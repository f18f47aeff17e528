"""Boltzmann machines: probabilities, gradients and samples against sums over all states, written out."""

from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from scipy.stats import chi2
from torch import Tensor

from palestra.networks import create
from palestra.networks.boltzmann import BoltzmannMachine
from palestra.networks.density import Exact
from palestra.networks.fit import FitConfig, Learner
from palestra.networks.partition import binary_states, exact_log_z
from palestra.networks.pretrained import from_pretrained, save_pretrained


def machine(num_visible: int, num_hidden: int, deviation: float = 1.0) -> BoltzmannMachine:
    torch.manual_seed(0)
    network = create("boltzmann", in_channels=num_visible, num_hidden=num_hidden)
    assert isinstance(network, BoltzmannMachine)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=deviation)
    return network


def energy(network: BoltzmannMachine, s: tuple[int, ...]) -> float:
    pairs = sum(network.weight[i, j].item() * s[i] * s[j] for j in range(len(s)) for i in range(j))
    return float(-pairs - sum(b * unit for b, unit in zip(network.bias.tolist(), s, strict=True)))


@pytest.mark.parametrize("num_hidden", [0, 3])
def test_probabilities_are_sums_over_all_states(num_hidden: int) -> None:
    network = machine(4, num_hidden)
    weights = {s: torch.tensor(-energy(network, s)).exp() for s in product((0, 1), repeat=4 + num_hidden)}
    visible = list(product((0, 1), repeat=4))
    sums = torch.stack([sum((w for s, w in weights.items() if s[:4] == v), torch.tensor(0.0)) for v in visible])
    log_prob = network.log_prob(torch.tensor(visible))
    assert isinstance(log_prob, Exact)
    torch.testing.assert_close(log_prob.nats.exp(), sums / sums.sum())
    torch.testing.assert_close(network.log_z(), sums.sum().log())
    assert log_prob.nats.exp().sum().item() == pytest.approx(1.0, abs=1e-5)


def test_a_machine_without_ties_within_the_sides_is_restricted() -> None:
    network = machine(5, 4)
    weight = torch.zeros(9, 9)
    weight[:5, 5:] = torch.randn(5, 4)
    with torch.no_grad():
        network.weight.copy_(weight)
    expected = exact_log_z(weight[:5, 5:].T, network.bias[:5], network.bias[5:])
    torch.testing.assert_close(network.log_z(), expected.float())


def test_gradients_are_differences_of_correlations() -> None:
    # The learning rule of Ackley et al. 1985: <s_i s_j> with the data clamped less <s_i s_j> of the free machine.
    network = machine(4, 3)
    x = torch.tensor([[1, 0, 1, 1], [0, 0, 1, 0], [1, 1, 1, 1]])
    network.objective((x,))[0].mean().backward()  # type: ignore[no-untyped-call]
    s = binary_states(7).float()
    free = (-network.energy(s)).softmax(dim=0)
    clamped = torch.zeros(128)
    for v in x:
        fits = (s[:, :4] == v).all(dim=1)
        clamped[fits] += (-network.energy(s[fits])).softmax(dim=0) / 3
    difference = (free - clamped).detach()
    torch.testing.assert_close(network.weight.grad, torch.einsum("n,ni,nj->ij", difference, s, s).triu(1))
    torch.testing.assert_close(network.bias.grad, difference @ s)


@pytest.mark.parametrize("steps", [None, 60])
def test_samples_follow_log_prob(steps: int | None) -> None:
    # 20,000 counts of 32 states, each expected more than 5 times: chi-square with 31 degrees of freedom.
    network = machine(5, 2, 0.5)
    draws = [network.sample(20_000, generator=torch.Generator().manual_seed(0), steps=steps) for _ in range(2)]
    assert torch.equal(*draws)
    counts = (draws[0] @ 2.0 ** torch.arange(5)).long().bincount(minlength=32)
    expected = 20_000 * network.log_prob(binary_states(5)).nats.detach().exp()
    assert expected.min() > 5
    assert float(((counts - expected) ** 2 / expected).sum()) < chi2.isf(1e-4, 31)


@pytest.mark.parametrize("num_hidden", [0, 2])
def test_the_likelihood_of_data_is_found(num_hidden: int) -> None:
    # Data that a visible machine drew: the fit can only be better than the machine itself, on its own draws.
    teacher = machine(4, 0)
    x = teacher.sample(2000, generator=torch.Generator().manual_seed(1))
    network = BoltzmannMachine(4, num_hidden=num_hidden)
    learner = Learner(network, FitConfig(learning_rate=0.05, batch_size=2000, epochs=300))
    for _ in learner.fit((x,)):
        pass
    found, known = (m.log_prob(x).nats.mean().item() for m in (network, teacher))
    assert found > known - 1e-3


def test_the_round_trip_is_exact(tmp_path: Path) -> None:
    network = machine(4, 2)
    loaded: Any = from_pretrained(save_pretrained(network, tmp_path))
    x = binary_states(4)
    assert torch.equal(network.log_prob(x).nats, loaded.log_prob(x).nats)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: BoltzmannMachine(10, num_hidden=7), "1 to 16 units in all"),
        (lambda: BoltzmannMachine(0, num_hidden=7), "in_channels is 0"),
        (lambda: BoltzmannMachine(3, 2), "has no classes, but num_classes is 2"),
        (lambda: BoltzmannMachine(3).log_prob(torch.ones(2, 4)), r"takes samples \['B', 3\]"),
        (lambda: BoltzmannMachine(3).log_prob(torch.ones(2, 3), torch.zeros(2)), "nothing to condition on"),
        (lambda: BoltzmannMachine(3).sample(2, torch.zeros(2)), "nothing to condition on"),
        (lambda: BoltzmannMachine(3).sample(0), "0 samples were asked for"),
    ],
)
def test_what_cannot_be_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_gibbs_leaves_what_it_was_given() -> None:
    states: Tensor = torch.zeros(3, 4)
    machine(4, 0).gibbs(states, 5)
    assert not states.any()
