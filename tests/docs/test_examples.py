"""The examples on vision run as documented, on little data: what they print, and that they draw."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def drawn(path: Path) -> bool:
    return 5_000 < path.stat().st_size < 500_000


@pytest.mark.slow
def test_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example("report").main(["--epochs", "5", "--out", str(tmp_path / "report.png")])
    text = capsys.readouterr().out
    assert text.startswith("accuracy 9")
    assert text.splitlines()[-1] == str(tmp_path / "report.png")
    assert {"convnet", "linear-svm", "kernel-svm", "random-forest", "nearest-neighbours"} <= set(text.split())
    assert drawn(tmp_path / "report.png")


@pytest.mark.slow
def test_transfer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example("transfer").main(["--seeds", "1", "--updates", "20", "--out", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split()[:5] == ["stages", "BnB", "BnB+", "AnB", "AnB+"] for line in lines)
    assert lines[-2:] == [str(tmp_path / "transfer.png"), str(tmp_path / "probes.png")]
    assert drawn(tmp_path / "transfer.png")
    assert drawn(tmp_path / "probes.png")


@pytest.mark.slow
def test_protocols(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "protocols.png"
    words = "--labels 20 50 --seeds 1 --epochs 1 --updates 10 --out"
    example("protocols").main([*words.split(), str(out)])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[-4:-1]] == ["labels", "20", "50"]
    assert drawn(out)


@pytest.mark.slow
def test_unsupervised(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example("unsupervised").main(["--atoms", "16", "--passes", "1", "--out", str(tmp_path)])
    text = capsys.readouterr().out
    assert "16 atoms of natural scenes" in text
    assert all(drawn(tmp_path / name) for name in ("parts.png", "views.png", "scenes.png"))
