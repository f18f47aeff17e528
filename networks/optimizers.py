"""torch's optimisers and schedules of their step size, by name."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from palestra.networks.names import named

OPTIMIZERS: dict[str, tuple[type[torch.optim.Optimizer], tuple[str, ...], dict[str, Any]]] = {
    # name: class, which of our options it takes, what else it is told
    "sgd": (torch.optim.SGD, (), {}),
    "momentum": (torch.optim.SGD, ("momentum",), {}),
    "nesterov": (torch.optim.SGD, ("momentum",), {"nesterov": True}),
    "adagrad": (torch.optim.Adagrad, (), {}),
    "adadelta": (torch.optim.Adadelta, (), {}),
    "rmsprop": (torch.optim.RMSprop, (), {}),
    "adam": (torch.optim.Adam, ("betas",), {"fused": True}),
    "adamw": (torch.optim.AdamW, ("betas",), {"fused": True}),
}
SCHEDULES: dict[str, Callable[[float], float]] = {  # fraction of the training that is done: factor of the step size
    "constant": lambda done: 1.0,
    "linear": lambda done: 1.0 - done,
    "cosine": lambda done: 0.5 * (1.0 + math.cos(math.pi * done)),
    "one-cycle": lambda done: done / 0.2 if done < 0.2 else 0.5 * (1.0 + math.cos(math.pi * (done - 0.2) / 0.8)),
}


def optimizer_named(
    name: str,
    parameters: Iterable[nn.Parameter] | Iterable[dict[str, Any]],
    learning_rate: float,
    *,
    momentum: float = 0.9,
    weight_decay: float = 0.0,
) -> torch.optim.Optimizer:
    """Makes one of torch's optimisers; `momentum` is that of momentum and nesterov, and Adam's first beta.

    Raises:
        ValueError: there is none of that name, or an option is out of range.
    """
    kind, takes, told = named(name, OPTIMIZERS, "optimiser")
    if not learning_rate > 0 or weight_decay < 0:
        raise ValueError(
            f"the learning rate must be positive and weight decay not negative, not {learning_rate} and {weight_decay}"
        )
    offered = {"momentum": momentum, "betas": (momentum, 0.999)}
    options = {option: offered[option] for option in takes}
    optimizer: torch.optim.Optimizer = kind(parameters, lr=learning_rate, weight_decay=weight_decay, **options, **told)
    return optimizer
