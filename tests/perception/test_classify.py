"""Reports of classifiers: a case by hand, scikit-learn's figures, and what is refused."""

import json
import math

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

from palestra.perception.classify import report
from palestra.perception.intervals import wilson


def test_a_case_by_hand() -> None:
    # Labels a a a b b c, predictions a a b b a a.
    outputs = torch.nn.functional.one_hot(torch.tensor([0, 0, 1, 1, 0, 0]), 3).double()
    found = report(outputs, torch.tensor([0, 0, 0, 1, 1, 2]), ("a", "b", "c"))
    assert found.confusion.tolist() == [[2, 1, 0], [1, 1, 0], [1, 0, 0]]
    assert found.accuracy == 0.5
    assert found.interval == wilson(3, 6)
    assert found.precision == pytest.approx([2 / 4, 1 / 2, 0])
    assert found.recall == pytest.approx([2 / 3, 1 / 2, 0])
    assert found.f1 == pytest.approx([4 / 7, 1 / 2, 0])
    assert found.support.tolist() == [3, 2, 1]
    assert found.calibration_error == 0.5  # always sure, half of the time right
    assert found.confused(2) == [("a", "b", 1), ("b", "a", 1)]


def test_scikit_learn_gives_the_same() -> None:
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(300, 5)), rng.integers(5, size=300)
    found = report(logits, labels)
    guess = logits.argmax(axis=1)
    np.testing.assert_array_equal(found.confusion, confusion_matrix(labels, guess))
    expected = precision_recall_fscore_support(labels, guess)
    for ours, theirs in zip((found.precision, found.recall, found.f1, found.support), expected, strict=True):
        np.testing.assert_allclose(ours, theirs)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert found.nats == pytest.approx(log_loss(labels, probabilities))


def test_the_summary_is_plain_and_the_text_names_the_classes() -> None:
    found = report([[2.0, 0.0], [0.0, 2.0], [3.0, 0.0]], [0, 1, 1], ("cat", "dog"))
    summary = json.loads(json.dumps(found.summary()))
    assert summary["accuracy"] == pytest.approx(2 / 3)
    assert summary["low"] < summary["accuracy"] < summary["high"]
    assert summary["confusion"] == [[1, 0], [1, 1]]
    text = str(found)
    assert "accuracy 66.67%" in text
    assert "dog for cat 1 times" in text
    assert sum(line.startswith(("cat", "dog")) for line in text.splitlines()) == 2


def test_an_impossible_label_costs_much_but_not_everything() -> None:
    assert math.isfinite(report([[1.0, 0.0]], [1]).nats)


def test_wrong_shapes_are_named() -> None:
    with pytest.raises(ValueError, match="2 outputs a sample, but 3 classes"):
        report([[0.0, 1.0]], [0], ("a", "b", "c"))
    with pytest.raises(ValueError, match="from 0 to 1, but 5"):
        report([[0.0, 1.0]], [5])
    with pytest.raises(ValueError, match="2 whole labels"):
        report([[0.0, 1.0], [1.0, 0.0]], [0])
