"""Optimisers by name against their update rules on a number, and the schedules at their corners."""

import pytest
import torch
from torch import nn

from palestra.networks.optimizers import OPTIMIZERS, SCHEDULES, optimizer_named

LR = 0.1


def first_step(name: str, **options: float) -> float:
    """Returns by how much the first step moves a number whose gradient is 3."""
    x = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimizer = optimizer_named(name, [x], LR, **options)
    (3.0 * x).sum().backward()
    optimizer.step()
    return 1.0 - x.item()


# With g the gradient: the rules of the papers that torch's documentation names, at the first step.
FIRST = {
    "sgd": LR * 3.0,
    "momentum": LR * 3.0,
    "nesterov": LR * (3.0 + 0.9 * 3.0),
    "adagrad": LR * 3.0 / 3.0,
    "adadelta": LR * 3.0 * (1e-6) ** 0.5 / (0.1 * 9.0 + 1e-6) ** 0.5,
    "rmsprop": LR * 3.0 / (0.01 * 9.0) ** 0.5,
    "adam": LR,
    "adamw": LR,
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_first_step_is_that_of_the_rule(name: str) -> None:
    assert first_step(name, momentum=0.9) == pytest.approx(FIRST[name], rel=1e-5)


def test_momentum_carries_on() -> None:
    x = nn.Parameter(torch.tensor([0.0]))
    optimizer = optimizer_named("momentum", [x], 1.0, momentum=0.5)
    for _ in range(3):
        x.grad = torch.tensor([-1.0])
        optimizer.step()
    assert x.item() == pytest.approx(1.0 + 1.5 + 1.75)


def test_unknown_names_and_bad_numbers_are_said() -> None:
    with pytest.raises(ValueError, match="did you mean adam"):
        optimizer_named("adm", [nn.Parameter(torch.zeros(1))], 0.1)
    with pytest.raises(ValueError, match="must be positive"):
        optimizer_named("sgd", [nn.Parameter(torch.zeros(1))], 0.0)


def test_schedules_at_their_corners() -> None:
    assert [SCHEDULES["constant"](f) for f in (0.0, 1.0)] == [1.0, 1.0]
    assert [SCHEDULES["linear"](f) for f in (0.0, 0.25, 1.0)] == [1.0, 0.75, 0.0]
    assert [SCHEDULES["cosine"](f) for f in (0.0, 0.5, 1.0)] == pytest.approx([1.0, 0.5, 0.0])
    assert [SCHEDULES["one-cycle"](f) for f in (0.0, 0.1, 0.2, 0.6, 1.0)] == pytest.approx([0.0, 0.5, 1.0, 0.5, 0.0])
