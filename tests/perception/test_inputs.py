"""Images in the form that a network takes: as they are, as vectors, or row by row."""

import numpy as np
import pytest
import torch

from palestra.perception.data import Images
from palestra.perception.inputs import arguments_for, inputs_for, network_for

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 3, 4, 5), dtype=np.uint8)
IMAGES = Images(PIXELS, np.arange(6) % 2, name="made up")


@pytest.mark.parametrize(("name", "in_channels", "shape"), [("mlp", 60, (60,)), ("lstm", 15, (4, 15))])
def test_vectors_and_sequences_hold_the_pixels(name: str, in_channels: int, shape: tuple[int, ...]) -> None:
    network = network_for(name, IMAGES, num_classes=2)
    assert network.config["in_channels"] == in_channels
    x, y = inputs_for(network, IMAGES)[torch.tensor([4, 1])]
    expected = PIXELS[[4, 1]] / 255
    expected = expected.reshape(2, 60) if name == "mlp" else expected.transpose(0, 2, 1, 3).reshape(2, 4, 15)
    assert x.shape[1:] == shape
    np.testing.assert_allclose(x, expected, rtol=1e-6)
    assert y.tolist() == [0, 1]
    assert network(x).shape == (2, 2)


def test_networks_on_images_get_size_mean_and_spread() -> None:
    network = network_for("convnet", IMAGES, num_classes=2, widths=[[4]])
    assert network.config["image_size"] == (4, 5)
    scaled = PIXELS / 255
    np.testing.assert_allclose(network.config["mean"], scaled.mean(axis=(0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(network.config["std"], scaled.std(axis=(0, 2, 3)), rtol=1e-6)
    assert inputs_for(network, IMAGES) is IMAGES


def test_a_channel_without_spread_is_left_as_it_is() -> None:
    flat = Images(np.full((2, 1, 8, 8), 7, np.uint8))
    assert network_for("convnet", flat, num_classes=2).config["std"] == [1.0]


def test_images_of_another_size_are_refused_with_both_named() -> None:
    network = network_for("mlp", IMAGES, num_classes=2)
    with pytest.raises(ValueError, match="mlp takes 60 inputs, but those of small are 1 x 2 x 2"):
        inputs_for(network, Images(np.zeros((1, 1, 2, 2), np.uint8), name="small"))


@pytest.mark.parametrize(
    ("values", "levels"),
    [([0, 255], 2), ([0, 128, 255], 3), ([0, 16, 128, 239], 17), ([0, 1], 172), (list(range(256)), 256)],
)
def test_generative_models_get_as_few_levels_as_hold_the_images(values: list[int], levels: int) -> None:
    # 255 / 171 is the first quotient below 1.5, so that 172 levels are the fewest of which one is rounded to 1
    images = Images(np.array(values, np.uint8)[:, None, None, None].repeat(4, axis=2))
    assert images.num_levels() == levels
    found = arguments_for("pixelcnn", images)
    assert found == {
        "network": "pixelcnn",
        "in_channels": 1,
        "num_classes": None,
        "image_size": (4, 1),
        "levels": levels,
    }
    assert arguments_for("pixelcnn", images, levels=5)["levels"] == 5
    assert "levels" not in arguments_for("vae", images)  # two of them where nobody says otherwise
    assert arguments_for("made", images) == {"network": "made", "in_channels": 4, "num_classes": None}
