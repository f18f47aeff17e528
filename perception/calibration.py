"""Whether a classifier is right as often as it says: calibration error, reliability, and temperature scaling.

Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017, sections 2 and 4.2.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
SUM_ERROR = 1e-4  # by which rows of probabilities may miss 1
COLDEST, HOTTEST = 1e-2, 1e2  # temperatures that are searched


@dataclass(frozen=True)
class Reliability:
    """How often predictions of each confidence are right, in M bins of equal width, (i / M, (i + 1) / M].

    Confidence is the probability of the predicted class. Means of empty bins are 0.
    """

    count: Labels  # [M] predictions in each bin
    confidence: Floats  # [M] their mean confidence
    accuracy: Floats  # [M] the share of them that is right

    @property
    def error(self) -> float:
        """The expected calibration error: |accuracy - confidence|, averaged over predictions (equation 3)."""
        return float(self.count @ np.abs(self.accuracy - self.confidence) / self.count.sum())

    @property
    def worst(self) -> float:
        """The maximum calibration error: that of the worst bin (equation 4)."""
        return float(np.abs(self.accuracy - self.confidence).max())


def probabilities_of(outputs: Any) -> Floats:
    """Returns probabilities `[N, K]` of outputs `[N, K]`: themselves if each row is a distribution, else softmax.

    A single output is the logit of the second of two classes, unless all of them are in [0, 1].

    Raises:
        ValueError: outputs are of another shape, empty, or not finite.
    """
    values = checked_outputs(outputs)
    if values.shape[1] == 1:
        positive = values if values.min() >= 0 and values.max() <= 1 else 1 / (1 + np.exp(-values))
        return np.concatenate([1 - positive, positive], axis=1)
    if values.min() >= 0 and np.abs(values.sum(axis=1) - 1).max() <= SUM_ERROR:
        return values
    return np.asarray(softmax(values, axis=1))


def checked_outputs(outputs: Any) -> Floats:
    """Returns outputs as floats `[N, K]`.

    Raises:
        ValueError: outputs are of another shape, empty, or not finite.
    """
    values = np.asarray(outputs.detach().cpu() if hasattr(outputs, "detach") else outputs, np.float64)
    if values.ndim != 2 or not values.size:
        raise ValueError(f"outputs must be [N, K], but have the shape {list(values.shape)}")
    if not np.isfinite(values).all():
        raise ValueError(f"the outputs of sample {int(np.argmin(np.isfinite(values).all(axis=1)))} are not finite")
    return values


def checked_labels(labels: Any, num_samples: int, num_classes: int) -> Labels:
    """Returns labels as integers `[N]`.

    Raises:
        ValueError: they are no integers, not as many as samples, or one is no class.
    """
    values = np.asarray(labels)
    if values.dtype.kind not in "iu" or values.shape != (num_samples,):
        raise ValueError(f"{num_samples} whole labels are wanted, but {values.dtype} {list(values.shape)} was given")
    wrong = values[(values < 0) | (values >= num_classes)]
    if wrong.size:
        raise ValueError(f"labels must be from 0 to {num_classes - 1}, but {wrong[0]} was given")
    return values.astype(np.int64)


def reliability(outputs: Any, labels: Any, num_bins: int = 15) -> Reliability:
    """Sorts the predictions that outputs `[N, K]` make for labels `[N]` into bins by confidence.

    Raises:
        ValueError: shapes or labels are wrong, or there is no bin.
    """
    if num_bins < 1:
        raise ValueError(f"there must be at least one bin, but num_bins is {num_bins}")
    probabilities = probabilities_of(outputs)
    wanted = checked_labels(labels, *probabilities.shape)
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == wanted
    bins = np.clip(np.ceil(confidence * num_bins).astype(np.int64) - 1, 0, num_bins - 1)
    count = np.bincount(bins, minlength=num_bins)
    means = [np.bincount(bins, values, num_bins) / np.maximum(count, 1) for values in (confidence, right)]
    return Reliability(count, *means)


def temperature(logits: Any, labels: Any) -> float:
    """Returns T for which softmax(logits / T) gives held-out labels `[N]` the highest likelihood.

    Dividing logits `[N, K]` by T changes no prediction, only how sure they are. T is searched from 0.01 to 100.

    Raises:
        ValueError: shapes or labels are wrong.
    """
    values = checked_outputs(logits)
    if values.shape[1] == 1:
        values = np.concatenate([np.zeros_like(values), values], axis=1)
    wanted = checked_labels(labels, *values.shape)[:, None]

    def surprise(log_t: float) -> float:
        return -float(np.take_along_axis(log_softmax(values * np.exp(-log_t), axis=1), wanted, axis=1).mean())

    found = minimize_scalar(surprise, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return float(np.exp(found.x))
