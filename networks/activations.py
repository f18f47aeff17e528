"""Activation functions by name."""

import torch
from torch import Tensor, nn

from palestra.networks.names import named


class Step(nn.Module):
    """1 where the input is positive, else 0: the unit of McCulloch and Pitts (1943). Its gradient is 0 everywhere."""

    def forward(self, x: Tensor) -> Tensor:
        """Maps `[...]` to zeros and ones of that shape."""
        return (x > 0).to(x.dtype)


class Gaussian(nn.Module):
    """exp(-x^2)."""

    def forward(self, x: Tensor) -> Tensor:
        """Maps `[...]` to numbers in (0, 1] of that shape."""
        return torch.exp(-x.square())


ACTIVATIONS: dict[str, type[nn.Module]] = {
    "identity": nn.Identity,
    "step": Step,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky-relu": nn.LeakyReLU,
    "gaussian": Gaussian,
}


def activation_named(name: str) -> nn.Module:
    """Makes an activation.

    Raises:
        ValueError: there is none of that name; the nearest one is offered.
    """
    module: nn.Module = named(name, ACTIVATIONS, "activation")()
    return module
