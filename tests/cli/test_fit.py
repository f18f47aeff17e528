"""`palestra fit`, `evaluate` and `predict` on images, from the command line to the saved network."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from palestra.cli.run import Run
from palestra.networks.pretrained import from_pretrained
from palestra.perception.data import load_images
from tests.conftest import CommandLine

QUICK = ("--epochs", "2", "--batch-size", "64")


def fitted(palestra: CommandLine, *words: str) -> str:
    status, out, err = palestra("fit", *words)
    assert status == 0, err
    return out.splitlines()[-1]


def test_a_fit_is_a_run_with_metrics_and_a_network(palestra: CommandLine) -> None:
    assert fitted(palestra, "mlp", "--data", "digits", *QUICK, "--name", "a") == "runs/a"
    run = Run.open("a", "fit")
    assert run.config["network"]["in_channels"] == 64
    assert run.config["steps"] == 2 * 26  # 1,617 images in batches of 64 at most
    rows = run.metrics()
    assert [row["step"] for row in rows] == list(range(1, 53))
    assert {"train/loss", "valid/accuracy", "valid/loss"} <= rows[-1].keys()
    network = from_pretrained("runs/a")
    assert network.config["num_classes"] == 10


def test_it_learns_the_digits_and_says_so_everywhere_alike(palestra: CommandLine) -> None:
    # scikit-learn's linear classifiers get 96 to 97 % of these digits; a small network must get 93 %.
    words = ("mlp", "--data", "digits", "--epochs", "20", "--learning-rate", "0.003", "--name", "a")
    fitted(palestra, *words)
    status, out, _ = palestra("evaluate", "a", "--json")
    report = json.loads(out)
    assert status == 0
    assert report["accuracy"] == Run.open("a").metrics()[-1]["valid/accuracy"] > 0.93
    assert (report["images"], report["part"]) == (180, "held out, split seed 0")
    assert json.loads(Path("runs/a/evaluation.json").read_text()) == report
    held_out = load_images("digits").split(0.1, 0)[1]
    Path("images").mkdir()
    for i in range(20):
        Image.fromarray(held_out.pixels[i, 0].numpy()).save(f"images/{i:02d}.png")
    rows = [json.loads(line) for line in palestra("predict", "a", "images", "--json")[1].splitlines()]
    assert [row["image"] for row in rows] == [f"images/{i:02d}.png" for i in range(20)]
    network = from_pretrained("runs/a").eval()
    expected = network(held_out.pixels[:20].flatten(1) / 255).argmax(dim=1)
    assert [int(row["class"]) for row in rows] == expected.tolist()


@pytest.mark.parametrize("network", ["lenet5", "lstm", "conv-autoencoder"])
def test_images_rows_and_pictures_without_labels_are_fitted(palestra: CommandLine, network: str) -> None:
    words = ("--data-kwargs", "size=36", *QUICK, "--epochs", "1", "--batch-size", "256", "--name", "a")
    fitted(palestra, network, "--data", "digits", *words)
    assert json.loads(palestra("evaluate", "a", "--json")[1])["images"] == 180


def test_a_fit_begins_with_the_trunk_of_another_and_keeps_it(palestra: CommandLine) -> None:
    fitted(palestra, "mlp", "--data", "digits", *QUICK, "--name", "a")
    fitted(palestra, "mlp", "--data", "digits", *QUICK, "--name", "b", "--pretrained", "a", "--freeze", "2")
    a, b = from_pretrained("runs/a"), from_pretrained("runs/b")
    assert all(torch.equal(x, y) for x, y in zip(a.features.parameters(), b.features.parameters(), strict=True))
    assert not torch.equal(a.head.weight, b.head.weight)


def test_a_folder_of_images_is_fitted_and_damaged_files_are_named(palestra: CommandLine) -> None:
    rng = np.random.default_rng(0)
    for i in range(40):
        kind = ("dark", "light")[i % 2]
        Path("data", kind).mkdir(parents=True, exist_ok=True)
        picture = rng.integers(0, 100, (12, 12, 3)) + 150 * (i % 2)
        Image.fromarray(picture.astype(np.uint8)).save(f"data/{kind}/{i}.png")
    fitted(palestra, "mlp", "--data", "data", "--epochs", "30", "--name", "a")
    assert json.loads(palestra("evaluate", "a", "--json")[1])["accuracy"] == 1.0
    assert palestra("predict", "a", "data/dark/0.png")[1].startswith("data/dark/0.png: dark ")
    Path("data/dark/0.png").write_bytes(b"no image")
    status, _, err = palestra("fit", "mlp", "--data", "data")
    assert (status, "data/dark/0.png" in err) == (2, True)
    status, _, err = palestra("fit", "mlp", "--data", "data", "--data-kwargs", "corrupt=skip", *QUICK)
    assert (status, "warning: left out of data: data/dark/0.png" in err) == (0, True)
    assert palestra("predict", "a", "data/dark", "--corrupt", "skip")[0] == 0
    assert palestra("predict", "a", "data/dark")[0] == 2


def test_a_loss_that_is_no_number_stops_the_fit_and_leaves_the_checkpoint(palestra: CommandLine) -> None:
    words = ("mlp", "--data", "digits", "--optimizer", "sgd", "--learning-rate", "1e38", "--checkpoint-every", "1")
    status, _, err = palestra("fit", *words, "--name", "a")
    assert status == 2
    assert "the loss became nan at step 2" in err
    assert "runs/a keeps the checkpoint of step 1" in err
    assert Run.open("a").load()[0] == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "the network is missing"),
        (("mlp",), "--data is missing"),
        (("mpl", "--data", "digits"), "did you mean mlp"),
        (("mlp", "--data", "digit"), "did you mean digits"),
        (("mlp", "--data", "digits", "--epochs", "0"), "epochs must be at least 1, but is 0"),
        (("mlp", "--data", "digits", "--epochs", "few"), "--epochs is 'few', but a number"),
        (("mlp", "--data", "digits", "--loss", "hing"), "did you mean hinge"),
        (("mlp", "--data", "digits", "--optimizer", "adm"), "did you mean adam"),
        (("mlp", "--data", "digits", "--augment", "shif"), "shift"),
        (("mlp", "--data", "digits", "--valid", "1.5"), "valid must be a fraction"),
        (("mlp", "--data", "digits", "--freeze", "9"), "9 stages were to be frozen, but mlp has 2"),
        (("mlp", "--data", "digits", "--network-kwargs", "hiden=3"), "has no option 'hiden'; it has hidden"),
        (("mlp", "--data", "digits", "--pretrained", "nowhere"), "there is no run 'nowhere'"),
        (("nature", "--data", "digits"), "at least 36 x 36, but are 8 x 8"),
        (("mlp", "--data", "frames:palestra/Maze-v0", "--data-kwargs", "num=0"), "num"),
        (("--resume", "nothing"), "there is no run 'nothing'"),
        (("--resume", "a", "--epochs", "3"), "--epochs is fixed by the run"),
    ],
)
def test_mistakes_get_one_sentence(palestra: CommandLine, words: tuple[str, ...], sentence: str) -> None:
    status, out, err = palestra("fit", *words)
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1
    assert not Path("runs").exists()


def test_networks_of_other_sizes_and_kinds_are_refused_with_both_named(palestra: CommandLine) -> None:
    fitted(palestra, "lenet5", "--data", "digits", "--data-kwargs", "size=28", *QUICK, "--name", "a")
    _, _, err = palestra("evaluate", "a", "--data", "digits")
    assert "lenet5 takes 1 x 28 x 28 images, but those of digits are 1 x 8 x 8" in err
    _, _, err = palestra("fit", "mlp", "--data", "digits", "--pretrained", "a")
    assert "are of a lenet5, but the network is a mlp" in err
    for words in (("watch", "a"), ("train", "--resume", "a")):
        status, _, err = palestra(*words)
        assert (status, "a network's run of `palestra fit`" in err) == (2, True)
