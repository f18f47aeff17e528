"""Running normalisation against the mean and deviation of the whole."""

import numpy as np
import pytest
import torch

from palestra.networks.normalisation import RunningNorm


def test_normalisation_is_that_of_all_that_was_shown() -> None:
    rng, norm = np.random.default_rng(0), RunningNorm(3)
    parts = [rng.normal(5.0, 3.0, (n, 3)) for n in (1, 7, 100)]
    for part in parts:
        norm.update(torch.from_numpy(part))
    whole = np.concatenate(parts)
    assert norm.mean.numpy() == pytest.approx(whole.mean(axis=0))
    assert norm.square.numpy() == pytest.approx(whole.var(axis=0))
    shown = norm(torch.from_numpy(whole).float()).numpy()
    assert shown.mean(axis=0) == pytest.approx(0.0, abs=1e-5)
    assert shown.std(axis=0) == pytest.approx(1.0, abs=1e-4)
