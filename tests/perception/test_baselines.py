"""Baselines: each learns digits, on pixels and on features, and rows are what scikit-learn gives."""

import pytest
from sklearn.neighbors import KNeighborsClassifier

from palestra.networks import create
from palestra.perception.baselines import BASELINES, compare, row_of, table
from palestra.perception.data import load_images
from palestra.perception.features import labels_of, pixels
from palestra.perception.intervals import wilson

TRAIN, TEST = load_images("digits").split(0.25, seed=0)


def test_every_baseline_learns_digits() -> None:
    rows = compare(TRAIN, TEST)
    assert [row.name for row in rows] == list(BASELINES)
    assert min(row.accuracy for row in rows) > 0.93  # a linear classifier reaches 95 to 97 %
    assert {row.name: row for row in rows}["kernel-svm"].accuracy > 0.98  # published with gamma=0.001: 98.9 %


def test_a_row_is_what_scikit_learn_gives() -> None:
    expected = KNeighborsClassifier(3).fit(pixels(TRAIN), labels_of(TRAIN)).score(pixels(TEST), labels_of(TEST))
    (row,) = compare(TRAIN, TEST, ["nearest-neighbours"])
    assert row.accuracy == pytest.approx(expected)
    assert (row.low, row.high) == wilson(round(expected * len(TEST)), len(TEST))


def test_features_of_a_network_can_be_compared() -> None:
    network = create("mlp", in_channels=64, hidden=(100,))
    (row,) = compare(TRAIN, TEST, ["kernel-svm"], network=network)
    assert row.accuracy > 0.9  # random features of a wide layer keep what is on the image


def test_the_table_begins_with_the_best() -> None:
    text = table([row_of("linear-svm", 8, 10, 0.5), row_of("convnet", 9, 10, 12.0)]).splitlines()
    assert [line.split()[0] for line in text[1:]] == ["convnet", "linear-svm"]
    assert "90.00%" in text[1]


def test_an_unknown_baseline_is_named() -> None:
    with pytest.raises(ValueError, match="did you mean linear-svm"):
        compare(TRAIN, TEST, ["linear-sv"])
