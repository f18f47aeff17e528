"""Initial weights by name, for the fully connected and convolutional layers of any network.

`zero` and `small` are warnings. With zeros all units of a layer are equal and stay equal; with small numbers the signal
is lost after a few layers. `docs/lessons/initialisation.py` shows both.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from palestra.networks.names import named

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
Rule = Callable[[Tensor, int, int, torch.Generator | None], object]  # changes a weight of so many inputs and outputs


def _small(weight: Tensor, fan_in: int, fan_out: int, generator: torch.Generator | None) -> Tensor:
    return weight.normal_(0.0, 0.01, generator=generator)


def _xavier(weight: Tensor, fan_in: int, fan_out: int, generator: torch.Generator | None) -> Tensor:
    bound = math.sqrt(6.0 / (fan_in + fan_out))
    return weight.uniform_(-bound, bound, generator=generator)


def _he(weight: Tensor, fan_in: int, fan_out: int, generator: torch.Generator | None) -> Tensor:
    return weight.normal_(0.0, math.sqrt(2.0 / fan_in), generator=generator)


def _orthogonal(weight: Tensor, fan_in: int, fan_out: int, generator: torch.Generator | None) -> Tensor:
    return nn.init.orthogonal_(weight, generator=generator)


def _default(weight: Tensor, fan_in: int, fan_out: int, generator: torch.Generator | None) -> Tensor:
    return nn.init.kaiming_uniform_(weight, a=math.sqrt(5.0), generator=generator)


INITIALISATIONS: dict[str, Rule] = {
    "default": _default,  # torch's own: both weights and biases uniform, of variance 1 / (3 fan_in)
    "zero": lambda weight, fan_in, fan_out, generator: weight.zero_(),
    "small": _small,  # normal, of standard deviation 0.01
    "xavier": _xavier,  # Glorot and Bengio 2010, equation 16: uniform, of variance 2 / (fan_in + fan_out)
    "he": _he,  # He et al. 2015, equation 10: normal, of variance 2 / fan_in
    "orthogonal": _orthogonal,  # Saxe et al. 2014: rows or columns of length 1, at right angles
}


@torch.no_grad()
def initialise(network: nn.Module, name: str, generator: torch.Generator | None = None, *, gain: float = 1.0) -> None:
    """Draws the weights of a network's fully connected and convolutional layers anew; other layers stay as they are.

    Weights are multiplied by `gain`, sqrt(2) for orthogonal layers before ReLU, for instance. Biases become 0, or what
    torch gives them with `default`. Without a generator torch's global one is used.

    Raises:
        ValueError: there is no such initialisation; the nearest one is offered.
    """
    rule: Rule = named(name, INITIALISATIONS, "initialisation")
    for layer in network.modules():
        if not isinstance(layer, LAYERS):
            continue
        fan_in, fan_out = _fans(layer)
        rule(layer.weight, fan_in, fan_out, generator)
        layer.weight.mul_(gain)
        if layer.bias is None:
            continue
        if name == "default":
            bound = 1.0 / math.sqrt(nn.init._calculate_fan_in_and_fan_out(layer.weight)[0])
            layer.bias.uniform_(-bound, bound, generator=generator)
        else:
            layer.bias.zero_()


def _fans(layer: nn.Module) -> tuple[int, int]:
    """Returns the inputs of an output and the outputs of an input, where the stride is 1."""
    weight = layer.get_parameter("weight")
    groups = int(getattr(layer, "groups", 1))
    size = weight[0, 0].numel()
    if isinstance(layer, nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d):
        return weight.shape[0] // groups * size, weight.shape[1] * size
    return weight.shape[1] * size, weight.shape[0] // groups * size
