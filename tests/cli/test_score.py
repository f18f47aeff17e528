"""`palestra evaluate` on fitted networks: what it measures on, and what it refuses."""

import json
from pathlib import Path

import pytest

from palestra.cli.run import Run
from tests.conftest import CommandLine


@pytest.fixture
def fitted(palestra: CommandLine) -> CommandLine:
    """The command line in a folder with the run `a`, an mlp fitted to the digits for a moment."""
    assert palestra("fit", "mlp", "--data", "digits", "--epochs", "3", "--name", "a")[0] == 0
    return palestra


def test_the_report_is_printed_drawn_and_kept(fitted: CommandLine) -> None:
    status, out, err = fitted("evaluate", "a", "--out", "report.png", "--baselines")
    assert (status, "180 images" in err) == (0, True)
    assert "95 % interval" in out
    assert "nearest-neighbours" in out
    assert Path("report.png").stat().st_size > 10_000
    report = json.loads(Path("runs/a/evaluation.json").read_text())
    # scikit-learn's k-nearest neighbours get 98.8 % in ten folds of the digits; on 180 of them at least 95 %.
    assert report["baselines"]["nearest-neighbours"] > 0.95


def test_other_images_and_saved_folders_are_measured(fitted: CommandLine) -> None:
    status, out, _ = fitted("evaluate", "runs/a/network", "--data", "digits", "--json")
    report = json.loads(out)
    assert (status, report["images"], report["part"]) == (0, 1797, "all")
    assert not Path("runs/a/evaluation.json").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("runs/a/network",), "--data is missing"),
        (("a", "--data", "digit"), "did you mean digits"),
        (
            ("a", "--data", "digits", "--data-kwargs", "size=9"),
            "mlp takes 64 inputs, but those of digits are 1 x 9 x 9",
        ),
        (("a", "--data", "frames:palestra/Maze-v0", "--data-kwargs", "num=4", "size=8x8"), "at least 60x60 pixels"),
        (("a", "--batch-size", "0"), "--batch-size is 0"),
        (("runs/a/network", "--data", "digits", "--baselines"), "--baselines needs its run"),
    ],
)
def test_mistakes_get_one_sentence(fitted: CommandLine, words: tuple[str, ...], sentence: str) -> None:
    status, out, err = fitted("evaluate", *words)
    assert (status, out) == (2, "")
    assert sentence in err.splitlines()[-1]


def test_what_learnt_without_labels_is_measured_on_what_it_held_out(palestra: CommandLine) -> None:
    """Images without labels are split otherwise than those with them: none that was fitted to may be measured."""
    words = ("fit", "autoencoder", "--data", "digits", "--epochs", "1", "--name", "a")
    assert palestra(*words)[0] == 0
    report = json.loads(palestra("evaluate", "a", "--json")[1])
    assert report["loss"] == pytest.approx(Run.open("a").metrics()[-1]["valid/loss"], rel=1e-5)
