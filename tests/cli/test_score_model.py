"""`palestra evaluate` on generative models: how like images their samples are, to a classifier."""

import json

import numpy as np
import pytest

from palestra.cli.score_model import measured_model
from palestra.networks import create
from palestra.perception.data import Images
from tests.conftest import CommandLine


@pytest.fixture
def fitted(palestra: CommandLine) -> CommandLine:
    """The command line in a folder with the run `a`, a PixelCNN fitted to the digits for a moment."""
    words = ("--data", "digits", "--epochs", "1", "--network-kwargs", "num_units=8", "num_blocks=1", "kernel=3")
    assert palestra("fit", "pixelcnn", *words, "--name", "a")[0] == 0
    return palestra


def test_samples_are_judged_by_a_classifier(fitted: CommandLine) -> None:
    assert fitted("fit", "mlp", "--data", "digits", "--epochs", "1", "--name", "judge")[0] == 0
    status, out, err = fitted("evaluate", "a", "--features", "judge", "--json")
    assert status == 0, err
    report = json.loads(out)
    assert (report["judge"], report["samples"]) == ("judge", 180)
    assert report["frechet"] > 0
    assert report["p_value"] < 0.05  # a moment of fitting gives nothing like digits
    assert report["precision"] <= 1
    assert report["recall"] <= 1
    status, out, err = fitted("evaluate", "a", "--features", "a")
    assert (status, "a is a pixelcnn, but a classifier is wanted" in err) == (2, True)


def test_lines_say_what_the_figures_say() -> None:
    model = create("vae", in_channels=1, image_size=(4, 4), num_latent=2).eval()
    images = Images(np.random.default_rng(0).integers(0, 2, (30, 1, 4, 4), dtype=np.uint8) * np.uint8(255))
    measured, lines = measured_model(model, images, "", 7)
    assert lines == [
        f"at most {measured['nats']:.2f} nats a sample (standard error {measured['error']:.2f}), "
        f"{measured['bits_per_dim']:.4f} bits per dimension, lower bound log-probabilities"
    ]
    assert measured_model(model, images, "", 30)[0]["kind"] == "lower bound"
