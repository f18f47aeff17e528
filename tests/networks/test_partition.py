"""Partition functions: by enumeration against the sum over all joint states, by annealing against enumeration."""

from itertools import product

import pytest
import torch
from scipy.stats import chi2
from torch import Tensor

from palestra.networks.partition import ais, binary_states, exact_log_z


def machine(num_visible: int, num_hidden: int, deviation: float) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    sizes = (num_hidden, num_visible), (num_visible,), (num_hidden,)
    return tuple(deviation * torch.randn(*size, generator=generator) for size in sizes)  # type: ignore[return-value]


def test_states_are_all_there_in_the_order_of_their_numbers() -> None:
    states = binary_states(3)
    assert states.tolist() == [[float(d) for d in reversed(digits)] for digits in product((0, 1), repeat=3)]
    assert torch.equal(binary_states(3, 2, 5), states[2:5])


@pytest.mark.parametrize(("num_visible", "num_hidden"), [(4, 3), (3, 4), (1, 1)])
def test_enumeration_of_a_side_is_that_of_both(num_visible: int, num_hidden: int) -> None:
    weight, b, c = machine(num_visible, num_hidden, 1.0)
    biases = torch.stack([c, c - 1.0])
    found = exact_log_z(weight, b, biases)
    for log_z, bias in zip(found, biases, strict=True):
        terms = [
            (v @ b.double() + h @ bias.double() + h @ weight.double() @ v).exp()
            for v in binary_states(num_visible)
            for h in binary_states(num_hidden)
        ]
        torch.testing.assert_close(log_z, torch.stack(terms).sum().log())


@pytest.mark.parametrize("num_hidden", [12, 15])  # one piece of states, and several
def test_units_without_weights_are_coins(num_hidden: int) -> None:
    _, b, c = machine(30, num_hidden, 1.0)
    expected = torch.log1p(b.double().exp()).sum() + torch.log1p(c.double().exp()).sum()
    torch.testing.assert_close(exact_log_z(torch.zeros(num_hidden, 30), b, c), expected)


def test_states_that_are_too_many_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 20 units, but it has 21"):
        exact_log_z(*machine(22, 21, 1.0))


@pytest.mark.parametrize(("num_visible", "num_hidden", "deviation"), [(30, 12, 0.5), (40, 14, 1.0), (20, 18, 1.0)])
def test_annealing_finds_log_z(num_visible: int, num_hidden: int, deviation: float) -> None:
    # Wanted are 0.1 nats, 4 standard errors of at most 0.025; at the start of the annealing log Z is 13 to 59 nats off.
    parts = machine(num_visible, num_hidden, deviation)
    found = ais(*parts, generator=torch.Generator().manual_seed(0))
    assert float(found.log_z - exact_log_z(*parts)) == pytest.approx(0.0, abs=0.1)
    assert 0.0 < float(found.standard_error) < 0.03


def test_standard_errors_are_honest() -> None:
    # Errors in units of their standard errors are nearly normal, so the sum of 60 squares is chi-square.
    weight, b, c = machine(20, 12, 0.7)
    found = ais(weight, b, c.expand(60, -1), num_steps=200, generator=torch.Generator().manual_seed(0))
    errors = (found.log_z - exact_log_z(weight, b, c)) / found.standard_error
    assert chi2.ppf(1e-4, 60) < float(errors.square().sum()) < chi2.isf(1e-4, 60)


def test_annealing_without_weights_is_exact() -> None:
    weight, b, c = machine(6, 5, 1.0)
    found = ais(0 * weight, b, 0 * c, num_chains=2, num_steps=1)
    torch.testing.assert_close(found.log_z, exact_log_z(0 * weight, b, 0 * c), rtol=1e-6, atol=0)
    assert found.standard_error == 0.0


@pytest.mark.parametrize("options", [{"num_chains": 1}, {"num_steps": 0}])
def test_annealing_of_nothing_is_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 2 chains and 1 step are wanted"):
        ais(*machine(3, 2, 1.0), **options)  # type: ignore[arg-type]
