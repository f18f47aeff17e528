"""The lesson on universal approximation: its statistics against closed forms, and that the error falls."""

from pathlib import Path
from types import ModuleType

import pytest
import torch
from scipy.stats import t as student_t


def test_error_falls_with_the_width(lesson: ModuleType) -> None:
    # Barron 1993: networks of N units exist with an error of at most C / sqrt(N), a slope of -1/2.
    widths = (1, 4, 32)
    found = lesson.measure(widths=widths, activations=("tanh",), seeds=range(3), steps=1500)
    mean = found.errors["tanh"].log().mean(dim=1).exp()
    assert mean[0] < found.spread
    assert (mean[1:] < 0.6 * mean[:-1]).all()
    assert lesson.slope(found.errors["tanh"], widths) < -0.5


def test_spread_is_the_error_of_the_best_constant(lesson: ModuleType) -> None:
    # The mean square of sin(3x) + |x| on [-2, 2] less its mean: 1/2 - sin(12)/24 + 4/3 - 1, the product being odd.
    expected = (0.5 - torch.sin(torch.tensor(12.0)) / 24 + 4 / 3 - 1) ** 0.5
    found = lesson.measure(widths=(1,), activations=("tanh",), seeds=(0,), steps=1)
    assert found.spread == pytest.approx(float(expected), rel=0.01)


def test_seeds_do_not_touch_each_other(lesson: ModuleType) -> None:
    x = torch.linspace(-2, 2, 20)[:, None]
    together, alone = (lesson.fit(8, "relu", seeds, 30)(x).detach()[-1] for seeds in ((0, 1), (1,)))
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=0)


def test_slope_and_interval(lesson: ModuleType) -> None:
    widths = (1, 2, 4, 8)
    power = torch.tensor(widths)[:, None] ** -0.7 * torch.tensor([1.0, 2.0, 4.0])
    assert lesson.slope(power, widths) == pytest.approx(-0.7, abs=1e-6)
    mean, low, high = lesson.interval(power)
    torch.testing.assert_close(mean, power[:, 1])  # the geometric mean of 1, 2 and 4
    half = student_t.ppf(0.975, 2) * torch.tensor(2.0).log() / 3**0.5  # logarithms are log 2 apart
    torch.testing.assert_close((high / low).log(), (2 * half).expand(4), rtol=1e-3, atol=0)
    for seeds, quantile in lesson.STUDENT_T.items():
        assert quantile == pytest.approx(student_t.ppf(0.975, seeds - 1), abs=1e-3)


def test_prints_and_draws(
    lesson: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = lesson.measure(seeds=range(3), steps=10)
    monkeypatch.setattr(lesson, "measure", lambda: measured)
    lesson.main(["--out", str(tmp_path / "new" / "picture.png")])
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "new" / "picture.png")
    assert 10_000 < (tmp_path / "new" / "picture.png").stat().st_size < 120_000
