"""The lesson on deep autoencoders: principal components as the oracle of linear ones, and what depth gains."""

from pathlib import Path
from types import ModuleType

import pytest
import torch

from palestra.networks.autoencoder import Autoencoder


def test_linear_is_pca_and_deep_is_better(lesson: ModuleType) -> None:
    found = lesson.measure(sizes=(8,), seeds=(0,))
    x, held_out = lesson.digits()
    axes = torch.linalg.svd(x - x.mean(dim=0), full_matrices=False).Vh[:8]
    centred = held_out - x.mean(dim=0)
    pca = (centred - centred @ axes.T @ axes).square().sum(dim=1).mean().item()
    assert found.pca.item() == pytest.approx(pca, rel=1e-4)
    # Baldi and Hornik 1989: the plane of the principal components is the only minimum. Held out, it may be passed.
    assert found.errors["linear"].item() == pytest.approx(pca, rel=0.05)
    assert found.errors["deep"].item() < 0.65 * pca  # measured: 0.55
    assert found.shown[2].sub(found.shown[0]).square().sum() < found.shown[1].sub(found.shown[0]).square().sum()


def test_prints_and_draws(
    lesson: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lesson, "fit", lambda kind, size, seed, x: Autoencoder(64, num_features=size))
    lesson.main(["--out", str(tmp_path / "new" / "picture.png")])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines[1:-1]] == ["2", "4", "8", "16"]
    assert lines[-1] == str(tmp_path / "new" / "picture.png")
    assert 10_000 < (tmp_path / "new" / "picture.png").stat().st_size < 120_000
