"""Hopfield networks: what is stored stays, energy never rises, capacity, and rules against their definitions."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from palestra.networks.hopfield import RULES, Hopfield, storkey

CAPACITY = 0.138  # patterns a unit: Amit, Gutfreund and Sompolinsky, Physical Review Letters 55 (1985)


def patterns(num: int, num_units: int, seed: int = 0) -> Tensor:
    return torch.randint(2, (num, num_units), generator=torch.Generator().manual_seed(seed))


def stored(num: int, num_units: int, rule: str) -> tuple[Hopfield, Tensor]:
    network, x = Hopfield(num_units, rule=rule), patterns(num, num_units)
    network.store(x)
    return network, x.float()


def overlap(a: Tensor, b: Tensor) -> float:
    """Returns the mean of the products of signs, 1 where all units agree."""
    return float(((2 * a - 1) * (2 * b - 1)).mean())


def test_hebb_is_the_mean_of_outer_products() -> None:
    network, x = stored(5, 20, "hebb")
    s = 2 * x.double() - 1
    expected = s.T @ s / 20 * (1 - torch.eye(20))
    torch.testing.assert_close(network.weight, expected)


def test_pseudo_inverse_is_the_projection() -> None:
    network, x = stored(12, 20, "pseudo-inverse")
    s = 2 * x.double().numpy() - 1
    np.testing.assert_allclose(network.weight.numpy(), np.linalg.pinv(s) @ s, atol=1e-9)
    network.store(x[:3])  # once more changes nothing
    np.testing.assert_allclose(network.weight.numpy(), np.linalg.pinv(s) @ s, atol=1e-9)


def test_storkey_is_its_definition() -> None:
    weight, s = torch.zeros(6, 6).double(), 2 * patterns(3, 6).double() - 1
    for pattern in s:
        h = torch.zeros(6, 6).double()
        for i in range(6):
            for j in range(6):
                h[i, j] = sum(weight[i, k] * pattern[k] for k in range(6) if k not in (i, j))
        expected = weight + (torch.outer(pattern, pattern) - pattern[:, None] * h.T - h * pattern) / 6
        expected.fill_diagonal_(0)
        weight = storkey(weight, pattern)
        torch.testing.assert_close(weight, expected)


@pytest.mark.parametrize(("rule", "num"), [("hebb", 9), ("storkey", 30), ("pseudo-inverse", 150)])
def test_stored_patterns_are_fixed_points(rule: str, num: int) -> None:
    # 200 units: Hebb's rule keeps all patterns without an error up to n / (4 log n) = 9.4 of them (McEliece et al.,
    # IEEE Transactions on Information Theory 33, 1987), Storkey's up to n / sqrt(2 log n) = 61 (Storkey and Valabregue,
    # Neural Networks 12, 1999), the pseudo-inverse's up to n.
    network, x = stored(num, 200, rule)
    assert torch.equal(network.recall(x), x)


def test_capacity_is_that_of_amit() -> None:
    # Up to 0.138 n patterns are kept but for 1.6 % of the units, an overlap of 0.967; beyond all are lost at once.
    # Measured were 0.998 and 0.54 of 500 units, 0.998 and 0.35 of 1,000.
    num_units = 500
    for load, low, high in ((CAPACITY - 0.038, 0.96, 1.0), (CAPACITY + 0.062, 0.0, 0.75)):
        network, x = stored(round(load * num_units), num_units, "hebb")
        found = network.recall(x[:50], generator=torch.Generator().manual_seed(0))
        assert low < overlap(found, x[:50]) < high


@pytest.mark.parametrize("rule", RULES)
def test_energy_never_rises(rule: str) -> None:
    network, _ = stored(25, 60, rule)
    x = patterns(40, 60, seed=1).float()
    energies = [network.energy(x)]
    for sweep in range(20):
        x = network.recall(x, 1, generator=torch.Generator().manual_seed(sweep))
        energies.append(network.energy(x))
    assert all(bool((after <= before + 1e-9).all()) for before, after in pairwise(energies))
    assert (energies[-1] < energies[0] - 1).all()


def test_energy_is_its_definition() -> None:
    network, x = stored(3, 7, "pseudo-inverse")
    s, w = 2 * x.double() - 1, network.weight
    pairs = [-0.5 * sum(w[i, j] * p[i] * p[j] for i in range(7) for j in range(7) if i != j) for p in s]
    torch.testing.assert_close(network.energy(x), torch.stack([torch.as_tensor(e) for e in pairs]))


def test_what_is_damaged_is_mended_and_ends_where_nothing_changes() -> None:
    network, x = stored(10, 200, "hebb")
    damaged = x.clone()
    damaged[:, :30] = 1 - damaged[:, :30]
    found = network.recall(damaged, generator=torch.Generator().manual_seed(0))
    assert torch.equal(found, x)
    settled = network.recall(patterns(20, 200, seed=2))
    s = 2 * settled.double() - 1
    assert ((s @ network.weight) * s >= -1e-9).all()  # no unit is against its field


def test_a_unit_without_a_field_stays() -> None:
    x = patterns(3, 5)
    assert torch.equal(Hopfield(5).recall(x), x.float())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Hopfield(0), "at least 1 unit, but num_units is 0"),
        (lambda: Hopfield(3, rule="heb"), "did you mean hebb"),
        (lambda: Hopfield(3).store(torch.ones(2, 4)), r"hopfield takes samples \['B', 3\]"),
        (lambda: Hopfield(3).recall(torch.full((1, 3), -1)), "lie from 0 to 1, but one is -1"),
    ],
)
def test_what_cannot_be_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
