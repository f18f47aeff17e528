"""What a network has to beat: classifiers of scikit-learn on the same images, in one table."""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from palestra.networks.names import named
from palestra.perception.features import Table, features, labels_of, pixels
from palestra.perception.intervals import wilson


def _linear_svm(seed: int) -> Any:
    from sklearn.svm import LinearSVC

    return LinearSVC(C=0.1, max_iter=10_000, random_state=seed)


def _kernel_svm(seed: int) -> Any:
    from sklearn.svm import SVC

    return SVC(C=10.0, gamma="scale", random_state=seed)


def _random_forest(seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_estimators=300, random_state=seed)


def _nearest_neighbours(seed: int) -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(n_neighbors=3)


BASELINES: dict[str, Callable[[int], Any]] = {  # name: makes a classifier from a seed
    "linear-svm": _linear_svm,
    "kernel-svm": _kernel_svm,
    "random-forest": _random_forest,
    "nearest-neighbours": _nearest_neighbours,
}


@dataclass(frozen=True)
class Row:
    """What a classifier reaches on the test data, and the seconds of its training, NaN where nobody measured them."""

    name: str
    accuracy: float
    low: float  # 95 % interval of the accuracy (Wilson's)
    high: float
    seconds: float


def compare(
    train: Any,
    test: Any,
    names: Iterable[str] = tuple(BASELINES),
    *,
    network: nn.Module | None = None,
    stage: str | None = None,
    seed: int = 0,
) -> list[Row]:
    """Fits classifiers by name to the pixels in [0, 1] of training data, and counts what they get right in the test.

    With a network they see its features instead, those of `stage` or of its last layer; scaled to unit spread over all.

    Raises:
        ValueError: there is no such classifier or stage, or data have no labels.
    """
    makers = {name: named(name, BASELINES, "baseline") for name in names}
    tables = [pixels(data) if network is None else features(network, data, stage) for data in (train, test)]
    spread = 1.0 if network is None else max(float(tables[0].std()), 1e-12)
    known, wanted = labels_of(train), labels_of(test)
    return [
        _row(name, make(seed), tables[0] / spread, known, tables[1] / spread, wanted) for name, make in makers.items()
    ]


def _row(name: str, classifier: Any, x: Table, y: Any, x_test: Table, y_test: Any) -> Row:
    begin = time.monotonic()
    classifier.fit(x, y)
    seconds = time.monotonic() - begin
    return row_of(name, int((classifier.predict(x_test) == y_test).sum()), len(y_test), seconds)


def row_of(name: str, hits: int, count: int, seconds: float) -> Row:
    """Returns the row of a classifier that got `hits` of `count` right, for the table of all."""
    return Row(name, hits / count, *wilson(hits, count), seconds)


def table(rows: Sequence[Row]) -> str:
    """Returns rows as lines for people, the best first."""
    width = max(10, *(len(row.name) for row in rows))
    lines = [f"{'classifier':<{width}}  accuracy  95 % interval       seconds"]
    for row in sorted(rows, key=lambda row: -row.accuracy):
        spread = f"{row.low:.2%} to {row.high:.2%}"
        seconds = "" if math.isnan(row.seconds) else f"{row.seconds:.1f}"
        lines.append(f"{row.name:<{width}}  {row.accuracy:>8.2%}  {spread:<18}  {seconds:>7}".rstrip())
    return "\n".join(lines)
