"""Pictures: each is drawn, shows what it is given, and leaves nothing open."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot as plt

from palestra.perception import learning_pictures as pictures
from palestra.perception.classify import report
from palestra.perception.learning_pictures import _mosaic
from palestra.perception.protocols import PROTOCOLS
from palestra.perception.protocols import Row as ProtocolRow
from palestra.perception.training import Accuracies
from palestra.perception.transfer import KINDS, Probe
from palestra.perception.transfer import Row as TransferRow

SOME = Accuracies((0.8, 0.9))


def drawn(out: Path) -> bool:
    """Whether there is a picture of more than one colour, and no figure is left open."""
    colours = (255 * plt.imread(out)[..., :3]).round().astype(np.int64) @ (1, 256, 65536)
    return not plt.get_fignums() and len(np.unique(colours)) > 10


def test_every_picture_is_drawn(tmp_path: Path) -> None:
    out = tmp_path / "picture.png"
    rng = np.random.default_rng(0)
    found = report(rng.normal(size=(200, 3)), rng.integers(3, size=200), ("cat", "dog", "a very long name indeed"))
    pictures.draw_report(found, out)
    assert drawn(out)
    pictures.draw_report(report(rng.normal(size=(500, 60)), rng.integers(60, size=500)), out)
    assert drawn(out)
    pictures.draw_protocols([ProtocolRow(p, n, SOME, 1.0) for p in PROTOCOLS for n in (50, 500)], out, "digits")
    assert drawn(out)
    rows = [TransferRow(None, 0, SOME), *(TransferRow(k, n, SOME) for k in KINDS for n in (1, 2))]
    pictures.draw_transfer(rows, out)
    assert drawn(out)
    pictures.draw_probe({"learnt": [Probe("pixels", 64, 0.9), Probe("hidden", 5, 0.95)]}, out)
    assert drawn(out)
    pictures.draw_tiles({"one": rng.normal(size=(5, 4, 4)), "two": rng.random((9, 3, 3))}, out)
    assert drawn(out)
    pictures.draw_map({"PCA": rng.normal(size=(30, 2))}, rng.integers(3, size=30), ("a", "b", "c"), out)
    assert drawn(out)


def test_tiles_are_side_by_side_with_lines_between() -> None:
    tiles = np.array([[[-2.0, 1.0]], [[0.0, 4.0]], [[0.0, 0.0]]])  # [3, 1, 2]
    wall = _mosaic(tiles, signed=True)
    assert wall.shape == (2 * 2 + 1, 2 * 3 + 1)
    assert wall[1, 1:3].tolist() == [0.0, 0.75]  # -2 and 1 between -2 and 2
    assert wall[1, 4:6].tolist() == [0.5, 1.0]
    assert wall[3, 1:3].tolist() == [0.5, 0.5]
    assert (wall[0] == 1).all()
    assert (wall[:, 3] == 1).all()
    assert _mosaic(tiles, signed=False)[1, 4:6].tolist() == [0.0, 1.0]


def test_other_kinds_of_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.png, \.svg or \.pdf"):
        pictures.draw_tiles({"one": np.zeros((1, 2, 2))}, tmp_path / "picture.gif")
    assert not plt.get_fignums()
