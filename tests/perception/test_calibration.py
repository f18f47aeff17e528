"""Calibration: bins by hand, predictions whose calibration is known, and the temperature that undoes a known one."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from palestra.perception.calibration import probabilities_of, reliability, temperature


def drawn(count: int, seed: int = 0, sharpness: float = 2.0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Returns logits `[N, 4]`, and labels drawn from their softmax: perfectly calibrated predictions."""
    rng = np.random.default_rng(seed)
    logits = sharpness * rng.normal(size=(count, 4))
    cumulative = probabilities_of(logits).cumsum(axis=1)
    return logits, (rng.random(count)[:, None] > cumulative).sum(axis=1).clip(max=3)


def test_bins_by_hand() -> None:
    # Five bins. 0.55 and 0.6 fall into (0.4, 0.6], the second of them right: accuracy 0.5, confidence 0.575.
    # 0.9 and 1.0 fall into (0.8, 1], both right: accuracy 1, confidence 0.95.
    # The error is (2 |0.5 - 0.575| + 2 |1 - 0.95|) / 4 = 0.0625, the worst bin's 0.075.
    probabilities = [[0.55, 0.45], [0.4, 0.6], [0.9, 0.1], [0.0, 1.0]]
    found = reliability(probabilities, [1, 1, 0, 1], num_bins=5)
    assert found.count.tolist() == [0, 0, 2, 0, 2]
    assert found.confidence == pytest.approx([0, 0, 0.575, 0, 0.95])
    assert found.accuracy == pytest.approx([0, 0, 0.5, 0, 1])
    assert found.error == pytest.approx(0.0625)
    assert found.worst == pytest.approx(0.075)


def test_always_sure_and_never_right_is_the_worst() -> None:
    assert reliability([[1.0, 0.0]] * 3, [1, 1, 1]).error == 1.0


def test_perfectly_calibrated_predictions_have_no_error() -> None:
    # 100,000 samples: a bin of 5,000 misses its accuracy by about 0.005, one standard error.
    assert reliability(*drawn(100_000)).error < 0.006


def test_overconfidence_is_seen_and_temperature_undoes_it() -> None:
    logits, labels = drawn(100_000, seed=1)
    assert reliability(3.0 * logits, labels).error > 0.05
    found = temperature(3.0 * logits, labels)
    assert found == pytest.approx(3.0, rel=0.02)  # the factor by which they were sharpened
    assert reliability(3.0 * logits / found, labels).error < 0.006


def test_temperature_of_a_single_output_is_that_of_two() -> None:
    logits, labels = drawn(5_000)
    two = torch.tensor(logits[:, :2])
    binary = (labels > 1).astype(int)
    pair = np.stack([np.zeros(5_000), two[:, 0].numpy()], axis=1)
    assert temperature(two[:, :1], binary) == pytest.approx(temperature(pair, binary))


def test_outputs_are_read_as_logits_or_probabilities() -> None:
    logits = torch.tensor([[1.0, 2.0, 0.5], [0.0, 0.0, 0.0]], requires_grad=True)
    probabilities = torch.softmax(logits.detach().double(), dim=1).numpy()
    np.testing.assert_allclose(probabilities_of(logits), probabilities)
    np.testing.assert_array_equal(probabilities_of(probabilities), probabilities)
    np.testing.assert_allclose(probabilities_of([[0.0], [2.0], [-2.0]])[:, 1], torch.tensor([0.0, 2, -2]).sigmoid())
    np.testing.assert_allclose(probabilities_of([[0.3], [0.8]]), [[0.7, 0.3], [0.2, 0.8]])


def test_what_cannot_be_binned_is_refused() -> None:
    with pytest.raises(ValueError, match="sample 1 are not finite"):
        reliability([[0.0, 1.0], [np.nan, 0.0]], [0, 1])
    with pytest.raises(ValueError, match=r"must be \[N, K\]"):
        reliability([0.1, 0.9], [0, 1])
    with pytest.raises(ValueError, match="from 0 to 1, but 2"):
        reliability([[0.5, 0.5]], [2])
    with pytest.raises(ValueError, match="1 whole labels"):
        reliability([[0.5, 0.5]], [0.0])
    with pytest.raises(ValueError, match="at least one bin"):
        reliability([[0.5, 0.5]], [0], num_bins=0)
