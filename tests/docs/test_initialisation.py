"""The lesson on initial weights: activations over depth against the theory of wide networks."""

from pathlib import Path
from types import ModuleType

import pytest
import torch


def test_theory_is_its_closed_forms(lesson: ModuleType) -> None:
    # E[relu(z)^2] = 1/2, so a layer multiplies by gain / 2; tanh(z)^2 = z^2 - 2/3 z^4 + ..., so q' = q - 2 q^2 and
    # q goes to 1 / (2 depth).
    layers = torch.arange(21)
    torch.testing.assert_close(lesson.theory("relu", 2.0, 20), torch.ones(21))
    torch.testing.assert_close(lesson.theory("relu", 1.0, 20), 0.5**layers)
    assert lesson.theory("tanh", 1.0, 2000)[-1].item() == pytest.approx(1 / 4000, rel=0.01)
    assert lesson.theory("tanh", 0.0, 3).tolist() == [1.0, 0.0, 0.0, 0.0]


def test_networks_follow_the_theory(lesson: ModuleType) -> None:
    found = lesson.measure(depth=10, seeds=range(5))
    for (activation, name), rows in found.items():
        expected = lesson.theory(activation, lesson.GAINS[name](512), 10)
        # Each layer of N ReLU units adds a relative variance of 5 / N, so 10 of them in 5 seeds a spread of 0.14.
        tolerance = 0.4 if activation == "relu" else 0.1
        torch.testing.assert_close(rows.mean(dim=0), expected, rtol=tolerance, atol=0.0)


def test_rules_do_what_they_are_for(lesson: ModuleType) -> None:
    found = {key: rows.mean(dim=0) for key, rows in lesson.measure(depth=20, seeds=range(5)).items()}
    assert 0.6 < found["relu", "he"][-1] < 1.7
    assert found["tanh", "xavier"][-1] > 0.02
    halvings = (found["relu", "xavier"][-1] / found["relu", "xavier"][0]).log2()
    assert halvings == pytest.approx(-20, abs=1)
    for activation in ("tanh", "relu"):
        assert found[activation, "small"][-1] < 1e-20
        assert not found[activation, "zero"][1:].any()


def test_prints_and_draws(lesson: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lesson.measure.__kwdefaults__["seeds"] = range(2)
    lesson.main(["--out", str(tmp_path / "new" / "picture.png")])
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "new" / "picture.png")
    assert 10_000 < (tmp_path / "new" / "picture.png").stat().st_size < 120_000
