"""How like samples are to data, by features `[N, D]` of a network: its name belongs beside each of these numbers.

They compare with nothing that was measured by another network, an Inception of other weights for instance.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float64]


@dataclass(frozen=True)
class Likeness:
    """How like two sets of features are."""

    frechet: float
    precision: float
    recall: float
    p_value: float


def likeness(real: Features, drawn: Features, *, k: int = 3, seed: int = 0) -> Likeness:
    """Compares features of data and of samples by all that follows."""
    precision, recall = precision_recall(real, drawn, k)
    return Likeness(frechet_distance(real, drawn), precision, recall, two_sample_test(real, drawn, seed=seed))


def frechet_distance(one: Features, other: Features) -> float:
    """Returns |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) of means and covariances.

    Heusel et al., "GANs trained by a two time-scale update rule" (2017), equation 6. It is biased upwards by about the
    number of features over that of samples.

    Raises:
        ValueError: the features are not `[N, D]` with one D, or there are fewer than two samples.
    """
    _check(one, other)
    first, second = (np.cov(x, rowvar=False).reshape(x.shape[1], -1) for x in (one, other))
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    # the eigenvalues of C1 C2 are those of C1^(1/2) C2 C1^(1/2), which is symmetric
    inside = np.linalg.eigvalsh(root @ second @ root).clip(0)
    difference = one.mean(axis=0) - other.mean(axis=0)
    return float(difference @ difference + np.trace(first) + np.trace(second) - 2 * np.sqrt(inside).sum())


def precision_recall(real: Features, drawn: Features, k: int = 3) -> tuple[float, float]:
    """Returns which share of samples lies where data do, and which share of data where samples do.

    A point lies where others do if it is as close to one of them as that one's k-th neighbour: Kynkaanniemi et al.,
    "Improved precision and recall metric for assessing generative models" (2019), section 2.

    Raises:
        ValueError: the features are not `[N, D]` with one D, or there are not more than k of each.
    """
    _check(real, drawn)
    if min(len(real), len(drawn)) <= k or k < 1:
        raise ValueError(f"more than {k} samples of each are wanted, and k at least 1, not {len(real)}, {len(drawn)}")
    across = _squared_distances(real, drawn)
    of_real, of_drawn = (np.partition(_squared_distances(x, x), k, axis=1)[:, k] for x in (real, drawn))
    precision = (across <= of_real[:, None]).any(axis=0).mean()
    recall = (across <= of_drawn[None]).any(axis=1).mean()
    return float(precision), float(recall)


def two_sample_test(one: Features, other: Features, *, permutations: int = 200, seed: int = 0) -> float:
    """Returns the p-value of both being drawn from one distribution, by the energy distance of permuted samples.

    Szekely and Rizzo, "Testing for equal distributions in high dimension" (2004). Each p is at least
    1 / (permutations + 1).

    Raises:
        ValueError: the features are not `[N, D]` with one D, or there are fewer than two samples.
    """
    _check(one, other)
    both, n = np.concatenate([one, other]), len(one)
    distances = np.sqrt(_squared_distances(both, both))
    rng = np.random.default_rng(seed)
    signs = np.where(np.arange(len(both)) < n, 1.0 / n, -1.0 / (len(both) - n))
    seen = float(-signs @ distances @ signs)
    drawn = [rng.permutation(signs) for _ in range(permutations)]
    beyond = sum(float(-s @ distances @ s) >= seen - 1e-12 for s in drawn)
    return (1 + beyond) / (permutations + 1)


def _squared_distances(one: Features, other: Features) -> Features:
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None]
    distances: Features = (squares - 2 * one @ other.T).clip(0)
    if one is other:
        np.fill_diagonal(distances, 0)
    return distances


def _check(one: Features, other: Features) -> None:
    if one.ndim != 2 or other.ndim != 2 or one.shape[1] != other.shape[1] or min(len(one), len(other)) < 2:
        raise ValueError(
            f"features [N, D] of at least two samples each are wanted, but are {list(one.shape)} "
            f"and {list(other.shape)}"
        )
