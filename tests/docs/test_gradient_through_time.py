"""The lesson on gradients through time: its numbers against an unrolled Jacobian and the bounds of the theory."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import torch

FILE = Path(__file__).parents[2] / "docs" / "lessons" / "gradient_through_time.py"


@pytest.fixture(scope="module")
def lesson() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gradient_through_time", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_norms_are_products_of_jacobians(lesson: ModuleType) -> None:
    # d h_t / d h_(t-1) = diag(1 - h_t^2) W, so the row vector of the loss is multiplied by one of them a step.
    torch.manual_seed(0)
    states, weights = lesson.unroll("RNN", torch.randn(6, 2, 3), 5)
    weigh = torch.randn(2, 5)
    row, expected = weigh, [weigh.norm(dim=1).mean()]
    for (hidden,) in reversed(states[1:]):
        row = (row * (1 - hidden.detach() ** 2)) @ weights
        expected.append(row.norm(dim=1).mean())
    torch.testing.assert_close(lesson.norms_back(states, weigh), torch.stack(expected))


def test_plain_network_falls_as_its_weights_say(lesson: ModuleType) -> None:
    norms, spectral_norm, radius = lesson.measure(steps=60, seeds=range(3))
    plain = norms["RNN"]
    torch.testing.assert_close(plain[:, 0], torch.ones(3))
    assert (plain <= spectral_norm[:, None] ** torch.arange(61) * 1.0001).all()
    # The circular law: entries of variance 1 / (3 H) give a radius near the root of 1/3, here with H = 64 and 3 seeds.
    assert abs(float(radius.mean()) - 3**-0.5) < 0.08
    assert 0.85 * radius.mean() < lesson.fall(plain) < radius.mean()


def test_memory_lasts_with_the_forget_gate_open(lesson: ModuleType) -> None:
    norms = lesson.measure(steps=60, seeds=range(3)).norms
    falls = {name: lesson.fall(rows) for name, rows in norms.items()}
    # The memory alone keeps sigmoid(bias) a step; the gates add to it.
    assert falls["LSTM, forget bias 1"] > 0.73 > falls["LSTM, forget bias 0"] > 0.5
    assert (norms["LSTM, forget bias 1"][:, 60] > 1e6 * norms["LSTM, forget bias 0"][:, 60]).all()
    assert (norms["LSTM, forget bias 0"][:, 60] > norms["RNN"][:, 60]).all()


def test_prints_and_draws(lesson: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lesson.main(["--out", str(tmp_path / "new" / "picture.png")])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines[1:4]] == list(lesson.NETWORKS)
    assert lines[-1] == str(tmp_path / "new" / "picture.png")
    assert 10_000 < (tmp_path / "new" / "picture.png").stat().st_size < 100_000
