"""Networks explained on images: pages, pictures, and what is refused."""

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import torch

from palestra.networks import create
from palestra.networks.pretrained import save_pretrained
from palestra.perception.data import load_images
from tests.conftest import CommandLine

# imageio's reader leaves its pipes to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
DIGITS = [str(k) for k in range(10)]


@pytest.fixture
def saved(palestra: CommandLine) -> CommandLine:
    """A folder `net` with a network that has seen digits for a moment, and one, `bare`, that says nothing of data."""
    torch.manual_seed(0)
    network = create("convnet", in_channels=1, num_classes=10, image_size=(8, 8))
    save_pretrained(network, "net", data="digits", classes=DIGITS, image=[1, 8, 8])
    save_pretrained(network, "bare")
    return palestra


@pytest.mark.slow
def test_a_page_explains_everything_by_default(saved: CommandLine) -> None:
    status, out, err = saved("explain", "net", "--images", "2")
    assert status == 0
    assert out.strip() == "net/explain/report.html"
    text = Path(out.strip()).read_text()
    assert text.count("<img") == text.count("<h2>") == 12
    assert "Left out" not in text
    assert err.count("drawing ") == 12
    assert "Warning" not in err


@pytest.mark.parametrize("method", ["saliency", "grad-cam", "filters", "patches"])
def test_one_picture_is_drawn(saved: CommandLine, method: str) -> None:
    status, out, _ = saved("explain", "net", "--method", method, "--images", "3")
    assert status == 0
    picture = iio.imread(out.splitlines()[-1])
    assert min(picture.shape[:2]) > 100
    assert np.ptp(picture[..., :3]) > 200


def test_a_unit_and_a_class_can_be_asked_for(saved: CommandLine) -> None:
    for words in (("--target", "7"), ("--stage", "features.5", "--unit", "3")):
        assert saved("explain", "net", "--method", "saliency", *words, "--out", f"{len(words)}.png")[0] == 0
    first, second = (iio.imread(f"{n}.png") for n in (2, 4))
    assert not np.array_equal(first, second)


def test_files_are_explained_in_place_of_data(saved: CommandLine) -> None:
    image = load_images("digits")[torch.tensor([5])][0][0, 0].numpy()
    iio.imwrite("five.png", image)
    iio.imwrite("large.png", image.repeat(4, 0).repeat(4, 1))
    assert saved("explain", "bare", "five.png", "large.png", "--out", "maps.png")[0] == 0
    assert min(iio.imread("maps.png").shape[:2]) > 200


def test_a_run_of_fit_is_explained_on_what_it_held_out(palestra: CommandLine) -> None:
    status, _, _ = palestra("fit", "mlp", "--data", "digits", "--epochs", "1", "--name", "f", "--wandb", "off")
    assert status == 0
    status, _, err = palestra("explain", "f", "--out", "all.png")
    assert status == 0
    assert "grad-cam is left out: Grad-CAM wants a stage with maps" in err
    assert iio.imread("all.png").shape[1] > 500
    assert palestra("explain", "f", "--method", "features", "--stage", "features.1")[0] == 0


def complaints() -> list[tuple[str, str]]:
    return [
        ("explain", "what to explain is missing"),
        ("explain nothing", "there is no run 'nothing'"),
        ("explain net --method salience", "there is no method 'salience'; did you mean saliency?"),
        ("explain net --method grad-cam --stage relu9", "has no module 'relu9'; its stages are features.2"),
        ("explain net --stage features.2 --unit 999", "features.2 has units 0 to"),
        ("explain net --unit -1", "units are counted from 0"),
        ("explain net --target 12", "there is no class '12'; there are 0, 1"),
        ("explain net --method saliency --stage features.2", "saliency reads no stage"),
        ("explain net --out x.mp4", "must end in .png or .html"),
        ("explain net missing.png", "missing.png cannot be read"),
        ("explain net --images 0", "--images and --steps must be at least 1"),
        ("explain net --imags 3", "there is no option --imags; did you mean --images?"),
        ("explain net --data fours.npz", "takes 1 x 8 x 8 images, but those of fours.npz are 1 x 4 x 4"),
        ("explain bare", "name --data or files of images"),
    ]


@pytest.mark.parametrize(("words", "sentence"), complaints())
def test_what_is_wrong_is_said_in_a_sentence(saved: CommandLine, words: str, sentence: str) -> None:
    np.savez("fours.npz", images=np.zeros((4, 4, 4), np.uint8), labels=np.arange(4))
    status, out, err = saved(*words.split())
    assert status == 2
    assert sentence in err
    assert len(err.splitlines()) == 1
    assert out == ""


def test_an_autoencoder_is_explained_where_its_data_have_labels(palestra: CommandLine) -> None:
    assert palestra("fit", "autoencoder", "--data", "digits", "--epochs", "1", "--name", "a")[0] == 0
    status, out, _ = palestra("explain", "a", "--method", "features", "--out", "map.png")
    assert (status, out) == (0, "map.png\n")
    status, _, err = palestra("explain", "a", "--method", "saliency")
    assert (status, "has no classes to explain" in err) == (2, True)
