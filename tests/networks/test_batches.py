"""Batches: every sample once an epoch, shares that count alike, and reading ahead that changes nothing."""

import numpy as np
import pytest
import torch

from palestra.networks.batches import as_dataset, read_batches, shares, split_evenly


@pytest.mark.parametrize(("num_samples", "batch_size"), [(10, 3), (129, 128), (5, 8), (64, 64)])
def test_an_epoch_has_every_sample_once_in_batches_of_equal_size(num_samples: int, batch_size: int) -> None:
    batches = split_evenly(num_samples, batch_size, seed=3, epoch=1)
    assert sorted(np.concatenate(batches)) == list(range(num_samples))
    sizes = {len(batch) for batch in batches}
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1


def test_the_order_follows_from_seed_and_epoch() -> None:
    first = [split_evenly(50, 50, seed, epoch)[0].tolist() for seed, epoch in [(0, 0), (0, 0), (0, 1), (1, 0)]]
    assert first[0] == first[1]
    assert first[0] != first[2] != first[3]


@pytest.mark.parametrize("world", [1, 2, 3, 7])
def test_the_mean_over_processes_is_the_mean_over_the_batch(world: int) -> None:
    values = torch.arange(20.0) ** 2
    batches = split_evenly(20, 6, seed=0, epoch=0)
    for i, batch in enumerate(batches):
        parts = [shares(batches, rank, world)[i] for rank in range(world)]
        mean = sum(float(values[indices].sum()) * weight for indices, weight in parts) / world
        assert mean == pytest.approx(float(values[batch].mean()), rel=1e-6)


def test_reading_ahead_in_processes_changes_nothing() -> None:
    data = as_dataset((torch.arange(40.0), torch.arange(40)))
    wanted = shares(split_evenly(40, 7, 0, 0), 0, 1)
    here, there = (list(read_batches(data, wanted, workers)) for workers in (0, 2))
    for (a, weight_a), (b, weight_b) in zip(here, there, strict=True):
        assert weight_a == weight_b
        assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_data_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ValueError, match=r"equally many, but there are \[3, 2\]"):
        as_dataset((torch.zeros(3), torch.zeros(2)))
    with pytest.raises(ValueError, match="no samples"):
        as_dataset(torch.zeros(0, 2))
