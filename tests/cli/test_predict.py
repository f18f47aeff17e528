"""`palestra predict`: lines for people, objects for programs, and files that are no images."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import CommandLine


@pytest.fixture
def fitted(palestra: CommandLine) -> CommandLine:
    """The command line in a folder with the run `a`, an mlp fitted to the digits for a moment."""
    assert palestra("fit", "mlp", "--data", "digits", "--epochs", "3", "--name", "a")[0] == 0
    return palestra


def picture(path: str, size: tuple[int, int] = (8, 8)) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)).save(path)


def test_probabilities_of_all_classes_add_up_to_one(fitted: CommandLine) -> None:
    picture("one.png", (30, 20))  # scaled to the size that the network was fitted to
    status, out, _ = fitted("predict", "a", "one.png", "--top", "99", "--json")
    row = json.loads(out)
    assert status == 0
    assert sum(row["probabilities"].values()) == pytest.approx(1.0, abs=1e-5)
    assert list(row["probabilities"].values()) == sorted(row["probabilities"].values(), reverse=True)
    assert row["class"] == next(iter(row["probabilities"]))


def test_what_is_no_image_is_refused_or_skipped_by_name(fitted: CommandLine) -> None:
    Path("pictures").mkdir()
    picture("pictures/a.png")
    Path("pictures/b.png").write_bytes(b"nothing")
    status, out, err = fitted("predict", "a", "pictures")
    assert (status, "pictures/b.png" in err) == (2, True)
    status, out, err = fitted("predict", "a", "pictures", "--corrupt", "skip")
    assert (status, out.startswith("pictures/a.png: ")) == (0, True)
    assert "skipped: pictures/b.png" in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("a",), "what to look at is missing"),
        ((), "what to look at is missing"),
        (("a", "none.png"), "there is no file or folder none.png"),
        (("b", "none.png"), "there is no run 'b'"),
        (("a", "runs/a/checkpoint"), "holds no images"),
        (("a", "runs", "--top", "0"), "--top is 0"),
        (("a", "runs", "--tap", "1"), "did you mean --top"),
    ],
)
def test_mistakes_get_one_sentence(fitted: CommandLine, words: tuple[str, ...], sentence: str) -> None:
    status, out, err = fitted("predict", *words)
    assert (status, out) == (2, "")
    assert sentence in err.splitlines()[-1]


def test_a_network_without_classes_predicts_nothing(palestra: CommandLine) -> None:
    palestra("fit", "autoencoder", "--data", "digits", "--epochs", "1", "--name", "a")
    picture("one.png")
    status, _, err = palestra("predict", "a", "one.png")
    assert (status, "autoencoder without classes" in err) == (2, True)
