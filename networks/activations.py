"""Activation functions by name."""

import difflib

from torch import nn

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


def activation_named(name: str) -> nn.Module:
    """Makes an activation.

    Raises:
        ValueError: there is none of that name; the nearest one is offered.
    """
    if name not in ACTIVATIONS:
        near = difflib.get_close_matches(name, ACTIVATIONS, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(ACTIVATIONS)}"
        raise ValueError(f"there is no activation {name!r}; {hint}")
    return ACTIVATIONS[name]()
