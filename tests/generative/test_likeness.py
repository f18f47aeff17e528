"""Likeness of samples: closed forms of normal distributions, neighbours by hand, and p-values that are uniform."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from palestra.generative.likeness import frechet_distance, likeness, precision_recall, two_sample_test


def normal(n: int, mean: float = 0.0, spread: float = 1.0, dims: int = 4, seed: int = 0) -> np.ndarray:
    return mean + spread * np.random.default_rng(seed).normal(size=(n, dims))


def test_the_frechet_distance_by_its_equation() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(50, 5)) @ rng.normal(size=(5, 5)), rng.normal(size=(60, 5)) + 1
    c1, c2 = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    difference = one.mean(axis=0) - other.mean(axis=0)
    expected = difference @ difference + np.trace(c1 + c2 - 2 * sqrtm(c1 @ c2).real)
    assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-8)
    assert frechet_distance(one, one) == pytest.approx(0.0, abs=1e-8)
    assert frechet_distance(one[:, :1], other[:, :1]) == pytest.approx(
        difference[0] ** 2 + (c1[0, 0] ** 0.5 - c2[0, 0] ** 0.5) ** 2
    )


def test_precision_and_recall_by_hand() -> None:
    """On a line with k = 1: data at 0, 1, 2 reach as far as 1 each, samples at 0.5, 0.6 as far as 0.1, at 9 as 8.4."""
    real, drawn = np.array([[0.0], [1.0], [2.0]]), np.array([[0.5], [0.6], [9.0]])
    precision, recall = precision_recall(real, drawn, k=1)
    assert precision == pytest.approx(2 / 3)
    assert recall == pytest.approx(2 / 3)  # 1 and 2 lie within 8.4 of 9, 0 does not


def test_few_modes_have_precision_without_recall() -> None:
    real = np.concatenate([normal(100, 0.0), normal(100, 20.0, seed=1)])
    precision, recall = precision_recall(real, normal(200, 0.0, seed=2))
    assert precision > 0.8
    assert recall < 0.6


def test_p_values_are_uniform_where_both_are_the_same() -> None:
    """Of 60 tests at most 9 are below 0.05: more have a chance of 1 in 1,000 (binomial)."""
    found = [two_sample_test(normal(30, seed=2 * s), normal(30, seed=2 * s + 1), seed=s) for s in range(60)]
    assert sum(p <= 0.05 for p in found) <= 9
    assert 0.3 < np.mean(found) < 0.7
    assert min(found) >= 1 / 201


def test_a_difference_is_found() -> None:
    assert two_sample_test(normal(100), normal(100, 1.0, seed=1)) == pytest.approx(1 / 201)
    assert two_sample_test(normal(100), normal(100, 0.0, 2.0, seed=1)) < 0.02
    found = likeness(normal(60), normal(60, 5.0, seed=1))
    assert (found.precision, found.recall) == (0.0, 0.0)
    assert found.frechet > 50
    assert found.p_value < 0.01


def test_features_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match=r"are \[5, 4\] and \[5, 3\]"):
        frechet_distance(normal(5), normal(5, dims=3))
    with pytest.raises(ValueError, match="more than 3 samples"):
        precision_recall(normal(3), normal(9))
