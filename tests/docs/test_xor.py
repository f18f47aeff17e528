"""The lesson on exclusive or: what lines can and cannot, counted, and what hidden units add."""

from itertools import product
from pathlib import Path
from types import ModuleType

import pytest


def test_a_line_learns_14_of_16_labellings_and_never_exclusive_or(lesson: ModuleType) -> None:
    # Cover 1965: 2 (1 + 3 + 3) = 14 labellings of 4 points in the plane, of which no 3 are on a line.
    found = lesson.measure(widths=(), seeds=())
    assert set(product((0, 1), repeat=4)) - set(found.separable) == {(0, 1, 1, 0), (1, 0, 0, 1)}
    assert found.best_linear == 0.75
    assert len(found.perceptron) == 100
    assert max(found.perceptron) <= 0.75


def test_hidden_units_solve_it_and_a_single_one_cannot(lesson: ModuleType) -> None:
    # What follows one hidden unit divides its range at one place, which is a line again.
    assert lesson.measure(widths=(1, 4), seeds=range(3)).solved == {1: 0.0, 4: 1.0}


def test_prints_and_draws(
    lesson: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = lesson.measure(widths=(2,), seeds=(0,))
    monkeypatch.setattr(lesson, "measure", lambda: measured)
    lesson.main(["--out", str(tmp_path / "new" / "picture.png")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("14 of 16")
    assert lines[-1] == str(tmp_path / "new" / "picture.png")
    assert 10_000 < (tmp_path / "new" / "picture.png").stat().st_size < 120_000
