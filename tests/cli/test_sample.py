"""`palestra fit`, `evaluate` and `sample` with generative models, from the command line to the picture."""

import json
import math
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import torch

from palestra.cli.run import Run
from palestra.networks import MODELS, network_class
from palestra.networks.pretrained import from_pretrained
from palestra.perception.data import Images, load_images
from tests.conftest import CommandLine

TINY = ("--network-kwargs", "num_units=8", "num_blocks=1", "kernel=3")


@pytest.fixture
def fitted(palestra: CommandLine) -> CommandLine:
    """The command line in a folder with the run `a`, a PixelCNN fitted to the digits for a moment."""
    status, _, err = palestra("fit", "pixelcnn", "--data", "digits", "--epochs", "1", *TINY, "--name", "a")
    assert status == 0, err
    return palestra


def test_a_density_is_fitted_measured_and_sampled(fitted: CommandLine) -> None:
    run = Run.open("a", "fit")
    assert run.config["network"]["levels"] == 17
    assert run.config["fit_config"]["learning_rate"] == 2e-3  # what the model is usually fitted with
    held_out = Images(load_images("digits").pixels).split(0.1, 0)[1]
    report = json.loads(fitted("evaluate", "a", "--json")[1])
    nats = -from_pretrained("runs/a").eval().log_prob(held_out.pixels).nats.mean()  # type: ignore[operator]
    assert report["nats"] == pytest.approx(float(nats.detach()), rel=1e-4)
    assert report["bits_per_dim"] == pytest.approx(report["nats"] / (64 * math.log(2)))
    assert (report["kind"], report["images"]) == ("exact", 180)
    assert report["nats"] == pytest.approx(run.metrics()[-1]["valid/loss"], rel=1e-4)
    status, out, _ = fitted("sample", "a", "--n", "6", "--out", "grid.png")
    assert (status, out.strip()) == (0, "grid.png")
    assert imageio.imread("grid.png").shape == (2 * 48 + 6, 3 * 48 + 8, 3)


def test_samples_are_drawn_at_each_checkpoint_from_the_same_numbers(palestra: CommandLine) -> None:
    words = ("fit", "made", "--data", "digits", "--epochs", "2", "--samples", "4", "--checkpoint-every", "10")
    assert palestra(*words, "--name", "a")[0] == 0
    drawn = sorted(Path("runs/a/samples").iterdir())
    assert [path.name for path in drawn] == ["10.png", "20.png", "26.png"]
    assert palestra("sample", "a", "--n", "4", "--out", "same.png")[0] == 0
    assert np.array_equal(imageio.imread("same.png"), imageio.imread("runs/a/samples/26.png"))
    assert palestra(*words[:5], "1", "--samples", "0", "--name", "b")[0] == 0
    assert not Path("runs/b/samples").exists()


def test_the_same_seed_gives_the_same_arrays_also_by_the_slow_way(fitted: CommandLine) -> None:
    for seed, out, *more in (("1", "x.npz"), ("1", "y.npz", "--naive"), ("2", "z.npz")):
        assert fitted("sample", "a", "--n", "5", "--seed", seed, "--out", out, *more)[0] == 0
    x, y, z = (np.load(name)["images"] for name in ("x.npz", "y.npz", "z.npz"))
    assert x.shape == (5, 8, 8)
    assert x.dtype == np.uint8
    assert np.array_equal(x, y)
    assert not np.array_equal(x, z)
    assert set(np.unique(x)) <= {round(255 * v / 16 + 1e-6) for v in range(17)}


def test_classes_codes_and_means(palestra: CommandLine) -> None:
    words = ("fit", "vae", "--data", "digits", "--epochs", "1", "--labels", "True", "--name", "v")
    assert palestra(*words)[0] == 0
    assert palestra("sample", "v", "--n", "5", "--labels", "3", "7", "--out", "x.npz")[0] == 0
    assert np.load("x.npz")["labels"].tolist() == [3, 7, 3, 7, 3]
    assert set(np.unique(np.load("x.npz")["images"])) <= {0, 255}
    assert palestra("sample", "v", "--n", "5", "--means", "--out", "m.npz")[0] == 0
    assert len(np.unique(np.load("m.npz")["images"])) > 20
    assert palestra("sample", "v", "--n", "8", "--between", "4", "--out", "b.png")[0] == 0
    assert imageio.imread("b.png").shape == (2 * 48 + 6, 4 * 48 + 10, 3)
    first, second = (json.loads(palestra("evaluate", "v", "--json")[1]) for _ in range(2))
    assert first == second
    assert first["kind"] == "lower bound"


def test_a_file_with_parts_has_its_own_validation_and_test(palestra: CommandLine) -> None:
    rng = np.random.default_rng(0)
    parts = {name: rng.integers(0, 2, (n, 9), dtype=np.uint8) for name, n in (("train", 40), ("valid", 7), ("test", 5))}
    np.savez("coins.npz", **parts)
    assert palestra("fit", "nade", "--data", "coins.npz", "--epochs", "1", "--name", "a")[0] == 0
    assert Run.open("a").config["data"]["images"] == 47
    report = json.loads(palestra("evaluate", "a", "--json")[1])
    assert (report["part"], report["images"]) == ("test", 5)
    nats = -from_pretrained("runs/a").eval().log_prob(torch.from_numpy(parts["test"]).float()).nats  # type: ignore[operator]
    assert report["nats"] == pytest.approx(float(nats.mean().detach()), rel=1e-5)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "the run is missing: palestra sample RUN --out grid.png"),
        (("b",), "there is no run 'b'"),
        (("a", "--n", "0"), "--n is 0, but at least 1 is wanted"),
        (("a", "--out", "grid.txt"), "--out is grid.txt, but a file .png or .npz is wanted"),
        (("a", "--labels", "3"), "the model was fitted without; palestra fit ... --labels True"),
        (("a", "--means"), "--means means nothing to a pixelcnn"),
        (("a", "--between", "3"), "--between needs a model with codes, but a pixelcnn has none"),
        (("a", "--n", "999999999"), "can be drawn at a time"),
        (("a", "--temperature", "2"), "there is no option --temperature"),
    ],
)
def test_mistakes_get_a_sentence(fitted: CommandLine, words: tuple[str, ...], sentence: str) -> None:
    status, out, err = fitted("sample", *words)
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1


def test_networks_that_cannot_be_sampled_say_so(palestra: CommandLine) -> None:
    assert palestra("fit", "mlp", "--data", "digits", "--epochs", "1", "--name", "a")[0] == 0
    status, _, err = palestra("sample", "a")
    assert (status, "a is a mlp, which cannot be sampled" in err) == (2, True)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_fitted_sampled_and_measured_or_says_why_not(palestra: CommandLine, name: str) -> None:
    side = 4 if name == "boltzmann" else 8  # of at most 16 units
    images = np.random.default_rng(0).integers(0, 2, (40, side, side), dtype=np.uint8) * np.uint8(255)
    np.savez("images.npz", images=images, labels=np.arange(40) % 2)
    status, _, err = palestra("fit", name, "--data", "images.npz", "--epochs", "1", "--samples", "4", "--name", "a")
    assert status == 0, err
    assert len(list(Path("runs/a/samples").iterdir())) == 1
    status, _, err = palestra("sample", "a", "--n", "3", "--out", "x.npz")
    assert status == 0, err
    assert np.load("x.npz")["images"].shape == (3, side, side)
    status, out, err = palestra("evaluate", "a", "--json")
    if hasattr(network_class(name), "log_prob"):
        assert json.loads(out)["nats"] > 0
    else:
        assert (status, "has no likelihood; --features RUN compares" in err) == (2, True)
