"""Data as the tables that scikit-learn takes: pixels, or the features of a network at any of its stages."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from palestra.networks.batches import as_dataset
from palestra.networks.pixels import PIXEL_SCALE
from palestra.networks.stages import module_at, name_of, stages_of
from palestra.perception.data import Images
from palestra.perception.inputs import inputs_for

Table = NDArray[np.float32]
AT_ONCE = 256  # samples that go through a network together


def pixels(data: Any) -> Table:
    """Returns the inputs of data as vectors `[N, D]`; bytes come to lie in [0, 1]."""
    data = as_dataset(data)
    x = torch.cat([batch[0].flatten(1) for batch in _batches(data)])
    return (torch.mul(x, PIXEL_SCALE) if x.dtype == torch.uint8 else x).float().numpy()


def labels_of(data: Any) -> NDArray[np.int64]:
    """Returns the labels `[N]` of data.

    Raises:
        ValueError: they have none, or no whole numbers.
    """
    data = as_dataset(data)
    parts = [batch[1] for batch in _batches(data) if len(batch) > 1]
    if not parts or parts[0].is_floating_point() or parts[0].dim() != 1:
        raise ValueError("whole labels [N] are wanted, but the data have none")
    return torch.cat(parts).numpy()


@torch.no_grad()
def features(network: nn.Module, data: Any, stage: str | None = None, *, grid: int | None = None) -> Table:
    """Returns what a network makes of data at a stage, as vectors `[N, D]`; by default what its last layer is given.

    With `grid`, maps `[C, H, W]` are averaged over a grid of so many cells a side, and sequences `[T, F]` over time.

    Raises:
        ValueError: the network has no such stage, or cannot take the data.
    """
    network.eval()
    data = _taken(network, data)
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    seen: list[Tensor] = []
    handle = _watched(network, stage, seen)
    parts = []
    try:
        for batch in _batches(data):
            seen.clear()
            network(batch[0].to(device))
            parts.append(_vectors(seen[-1], grid).float().cpu())
    finally:
        handle.remove()
    return torch.cat(parts).numpy()


def _taken(network: nn.Module, data: Any) -> Any:
    """Returns data in the form that a network takes."""
    known = isinstance(data, Images) and getattr(network, "config", None) is not None
    return inputs_for(network, data) if known else as_dataset(data)


def _watched(network: nn.Module, stage: str | None, seen: list[Tensor]) -> Any:
    """Puts the outputs of a stage, or the inputs of the last layer, into `seen`; returns the hook's handle."""
    if stage is not None:
        return module_at(network, stage).register_forward_hook(lambda _m, _x, output: seen.append(output))
    heads = getattr(network, "heads", ())
    if not heads:
        if not stages_of(network):
            raise ValueError(f"the network {name_of(network)} has neither heads nor stages; say which module is meant")
        return _watched(network, stages_of(network)[-1], seen)
    head = module_at(network, heads[0])
    if isinstance(head, nn.ModuleDict):  # is never called itself, but its members are
        if not len(head):
            return network.register_forward_hook(lambda _m, _x, output: seen.append(output))
        head = next(iter(head.values()))
    return head.register_forward_pre_hook(lambda _m, inputs: seen.append(inputs[0]))


def _vectors(x: Tensor, grid: int | None) -> Tensor:
    if grid is not None and x.dim() == 4:
        x = F.adaptive_avg_pool2d(x, min(grid, *x.shape[2:]))
    if grid is not None and x.dim() == 3:
        x = x.mean(dim=1)
    return x.flatten(1)


def _batches(data: Any) -> Iterator[Any]:
    return (data[indices] for indices in torch.split(torch.arange(len(data)), AT_ONCE))
