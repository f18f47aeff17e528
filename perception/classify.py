"""How good a classifier is: accuracy with its interval, each class, the confusions, and calibration."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from palestra.perception.calibration import Floats, Reliability, checked_labels, probabilities_of, reliability
from palestra.perception.intervals import wilson

TINY = 1e-12  # the least probability that is counted, so that no surprise is infinite


@dataclass(frozen=True)
class Report:
    """What came of N predictions of K classes; ratios without a sample to count are 0."""

    classes: tuple[str, ...]  # K names
    confusion: NDArray[np.int64]  # [K, K] samples: the row is the label, the column the prediction
    reliability: Reliability
    nats: float  # mean of -log of the label's probability

    @property
    def count(self) -> int:
        """Samples, N."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """The share of predictions that is right."""
        return int(self.confusion.trace()) / self.count

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy (Wilson's)."""
        return wilson(int(self.confusion.trace()), self.count)

    @property
    def support(self) -> NDArray[np.int64]:
        """Samples of each class, `[K]`."""
        return np.asarray(self.confusion.sum(axis=1))

    @property
    def precision(self) -> Floats:
        """Of the predictions of each class, the share that is right, `[K]`."""
        return _ratio(self.confusion.diagonal(), self.confusion.sum(axis=0))

    @property
    def recall(self) -> Floats:
        """Of the samples of each class, the share that is found, `[K]`."""
        return _ratio(self.confusion.diagonal(), self.support)

    @property
    def f1(self) -> Floats:
        """The harmonic mean of precision and recall, `[K]`."""
        return _ratio(2 * self.confusion.diagonal(), self.support + self.confusion.sum(axis=0))

    @property
    def calibration_error(self) -> float:
        """The expected calibration error; its bins are those of `reliability`."""
        return self.reliability.error

    def confused(self, most: int = 3) -> list[tuple[str, str, int]]:
        """Returns the commonest errors: label, prediction, samples."""
        errors = self.confusion - np.diag(self.confusion.diagonal())
        order = np.argsort(-errors, axis=None, kind="stable")[:most]
        pairs = [np.unravel_index(i, errors.shape) for i in order]
        return [(self.classes[i], self.classes[j], int(errors[i, j])) for i, j in pairs if errors[i, j]]

    def summary(self) -> dict[str, Any]:
        """Returns everything as plain numbers and lists."""
        low, high = self.interval
        return {
            "accuracy": self.accuracy,
            "low": low,
            "high": high,
            "count": self.count,
            "nats": self.nats,
            "calibration_error": self.calibration_error,
            "calibration_bins": len(self.reliability.count),
            "classes": list(self.classes),
            **{name: getattr(self, name).tolist() for name in ("precision", "recall", "f1", "support", "confusion")},
        }

    def __str__(self) -> str:
        low, high = self.interval
        width = max(5, *(len(name) for name in self.classes))
        rows = zip(self.classes, self.precision, self.recall, self.f1, self.support, strict=True)
        lines = [
            f"accuracy {self.accuracy:.2%}, 95 % interval {low:.2%} to {high:.2%}, {self.count:,} samples",
            f"{self.nats:.4f} nats; calibration error {self.calibration_error:.2%}, "
            f"{len(self.reliability.count)} bins of equal width",
            f"{'class':<{width}}  precision  recall      f1  samples",
            *(f"{name:<{width}}  {p:>9.3f}  {r:>6.3f}  {f:>6.3f}  {n:>7,}" for name, p, r, f, n in rows),
        ]
        if errors := self.confused():
            lines.append("taken for another: " + ", ".join(f"{a} for {b} {n} times" for a, b, n in errors))
        return "\n".join(lines)


def report(outputs: Any, labels: Any, classes: Sequence[str] | None = None, num_bins: int = 15) -> Report:
    """Compares outputs `[N, K]`, logits or probabilities, with labels `[N]`; calibration has `num_bins` bins.

    Rows that are all distributions are taken as probabilities, anything else as logits.

    Raises:
        ValueError: shapes do not fit, a label is no class, or an output is not finite.
    """
    probabilities = probabilities_of(outputs)
    num_samples, num_classes = probabilities.shape
    names = tuple(map(str, range(num_classes))) if classes is None else tuple(classes)
    if len(names) != num_classes:
        raise ValueError(f"there are {num_classes} outputs a sample, but {len(names)} classes: {', '.join(names)}")
    wanted = checked_labels(labels, num_samples, num_classes)
    pairs = wanted * num_classes + probabilities.argmax(axis=1)
    confusion = np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)
    likely = probabilities[np.arange(num_samples), wanted].clip(TINY)
    return Report(names, confusion, reliability(probabilities, wanted, num_bins), -float(np.log(likely).mean()))


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> Floats:
    return np.asarray(part / np.maximum(whole, 1), np.float64)
