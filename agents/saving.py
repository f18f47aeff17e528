"""Tensors, optimisers and generators as arrays, numbers and strings, and back to the bit."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


def snapshot(value: Tensor) -> Tensor:
    """Returns a copy in the computer's memory, row by row."""
    return value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)


def optimizer_state(optimizer: torch.optim.Optimizer, parameters: Iterable[nn.Parameter]) -> dict[str, Any]:
    """Returns what an optimiser remembers of each parameter, by its place among them; constants have nothing."""
    return {
        str(i): {name: snapshot(value) for name, value in optimizer.state[p].items()}
        for i, p in enumerate(parameters)
        if p.requires_grad
    }


def restore_optimizer(
    optimizer: torch.optim.Optimizer, parameters: Iterable[nn.Parameter], state: Mapping[str, Any]
) -> None:
    """Takes back what `optimizer_state` gave, in each parameter's memory format."""
    for i, p in enumerate(parameters):
        for name, value in state.get(str(i), {}).items():
            blank = torch.empty_like(p) if np.ndim(value) else torch.empty((), device=p.device)
            optimizer.state[p][name] = blank.detach().copy_(torch.as_tensor(value))


def generator_state(rng: np.random.Generator) -> dict[str, Any]:
    """Returns the state of a PCG64 generator."""
    state: Any = rng.bit_generator.state
    words = {name: str(word) for name, word in state["state"].items()}  # 128 bits, too many for most formats
    return words | {"has_uint32": state["has_uint32"], "uinteger": state["uinteger"]}


def restore_generator(rng: np.random.Generator, saved: Mapping[str, Any]) -> None:
    """Takes back what `generator_state` gave."""
    words = {name: int(saved[name]) for name in ("state", "inc")}
    rest = {name: int(saved[name]) for name in ("has_uint32", "uinteger")}
    rng.bit_generator.state = {"bit_generator": "PCG64", "state": words, **rest}
