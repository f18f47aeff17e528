"""Data for fitting: what counts as data, and reading batches of it, ahead of time where processes are lent for it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, TensorDataset

Batch = tuple[Tensor, ...]
Share = tuple[Tensor, float]  # indices of samples, and the weight of each


def as_dataset(data: Any) -> Any:
    """Returns data that take an int64 tensor of indices: a tuple of arrays as a `TensorDataset`, others as they are.

    Raises:
        ValueError: there are no samples, or the arrays have different numbers of them.
    """
    if isinstance(data, np.ndarray | Tensor):
        data = (data,)
    if isinstance(data, tuple | list):
        arrays = [torch.as_tensor(x) for x in data]
        if len({len(x) for x in arrays}) > 1:
            raise ValueError(f"inputs and targets must be equally many, but there are {[len(x) for x in arrays]}")
        data = TensorDataset(*arrays)
    if not len(data):
        raise ValueError("the data hold no samples")
    return data


def split_evenly(num_samples: int, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Shuffles the samples and splits them into batches that differ by one in size at most, none above `batch_size`."""
    order = np.random.Generator(np.random.PCG64([seed, epoch])).permutation(num_samples)
    return np.array_split(order, -(-num_samples // batch_size))


def shares(batches: list[np.ndarray], rank: int, world: int) -> list[Share]:
    """Returns what the process `rank` of `world` takes of each batch: every sample counts alike over all of them."""
    own = [(batch[rank::world], world / len(batch)) for batch in batches]
    return [
        (torch.from_numpy(part), weight) if len(part) else (torch.from_numpy(batch[:1]), 0.0)
        for batch, (part, weight) in zip(batches, own, strict=True)
    ]


def read_batches(data: Any, wanted: list[Share], workers: int) -> Iterator[tuple[Batch, float]]:
    """Reads the samples of each share, in `workers` other processes where there are any."""
    if not workers:
        yield from ((data[indices], weight) for indices, weight in wanted)
        return
    loader = DataLoader(_Shares(data, wanted), batch_size=None, num_workers=workers)
    yield from loader


class _Shares(Dataset[tuple[Batch, float]]):
    """Data cut into the shares of one process, for torch's loader."""

    def __init__(self, data: Any, wanted: list[Share]) -> None:
        self.data, self.wanted = data, wanted

    def __len__(self) -> int:
        return len(self.wanted)

    def __getitem__(self, i: int) -> tuple[Batch, float]:
        indices, weight = self.wanted[i]
        return self.data[indices], weight
