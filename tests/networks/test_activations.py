"""Activations by name against their closed forms."""

import math

import pytest
import torch

from palestra.networks.activations import ACTIVATIONS, activation_named

POINTS = (-2.0, -0.5, 0.0, 1.5)
FORMS = {
    "identity": lambda x: x,
    "step": lambda x: 1.0 if x > 0 else 0.0,
    "sigmoid": lambda x: 1.0 / (1.0 + math.exp(-x)),
    "tanh": lambda x: (math.exp(x) - math.exp(-x)) / (math.exp(x) + math.exp(-x)),
    "relu": lambda x: x if x > 0 else 0.0,
    "leaky-relu": lambda x: x if x > 0 else 0.01 * x,
    "gaussian": lambda x: math.exp(-x * x),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_is_its_closed_form(name: str) -> None:
    outputs = activation_named(name)(torch.tensor(POINTS, dtype=torch.float64))
    expected = torch.tensor([FORMS[name](x) for x in POINTS], dtype=torch.float64)
    torch.testing.assert_close(outputs, expected, rtol=1e-12, atol=1e-12)


def test_an_unknown_name_offers_the_nearest() -> None:
    with pytest.raises(ValueError, match="no activation 'leakyrelu'; did you mean leaky-relu"):
        activation_named("leakyrelu")
