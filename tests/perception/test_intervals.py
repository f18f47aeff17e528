"""Intervals against published figures and scipy."""

import numpy as np
import pytest
from scipy import stats

from palestra.perception.intervals import student, wilson


@pytest.mark.parametrize(("hits", "count"), [(0, 10), (1, 29), (81, 263), (15, 148), (56, 56), (999, 1000)])
def test_wilson_is_scipys(hits: int, count: int) -> None:
    expected = stats.binomtest(hits, count).proportion_ci(method="wilson")
    assert wilson(hits, count) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_by_hand() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 81 of 263 gives 0.2553 to 0.3662.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_student_is_scipys() -> None:
    values = [0.91, 0.94, 0.9, 0.97]
    assert student(values) == pytest.approx(stats.t.interval(0.95, 3, np.mean(values), stats.sem(values)))
    assert student([0.5]) == (0.5, 0.5)


def test_what_has_no_interval_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one trial"):
        wilson(0, 0)
    with pytest.raises(ValueError, match="0 to 3 hits"):
        wilson(4, 3)
    with pytest.raises(ValueError, match="no values"):
        student([])
