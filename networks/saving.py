"""Tensors and optimisers as arrays on the CPU, and back to the bit."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


def snapshot(value: Tensor) -> Tensor:
    """Returns a copy in the computer's memory, row by row."""
    return value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)


def snapshots_of(module: nn.Module) -> dict[str, Tensor]:
    """Returns a copy of a module's parameters and buffers, by name."""
    return {name: snapshot(value) for name, value in module.state_dict().items()}


def tensors_of(weights: Mapping[str, Any]) -> dict[str, Tensor]:
    """Returns arrays as tensors, by name."""
    return {name: torch.as_tensor(value) for name, value in weights.items()}


def optimizer_state(optimizer: torch.optim.Optimizer, parameters: Iterable[nn.Parameter]) -> dict[str, Any]:
    """Returns what an optimiser remembers of each parameter, by its place among them; constants have nothing."""
    return {
        str(i): {name: snapshot(value) for name, value in optimizer.state[p].items() if value is not None}
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
