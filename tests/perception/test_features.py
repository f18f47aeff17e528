"""Tables of pixels and features: what each row holds, pooling, and what is refused."""

import numpy as np
import pytest
import torch

from palestra.networks import create
from palestra.networks.stages import stage_outputs
from palestra.perception.data import Images
from palestra.perception.features import features, labels_of, pixels


def images(count: int = 5) -> Images:
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(256, (count, 1, 8, 8), dtype=torch.uint8, generator=generator)
    return Images(x, torch.arange(count) % 3, name="noise")


def test_pixels_come_to_lie_between_0_and_1() -> None:
    data = images()
    np.testing.assert_allclose(pixels(data), data.pixels.flatten(1).numpy() / 255, rtol=1e-6)
    x = torch.randn(4, 6)
    np.testing.assert_array_equal(pixels((x,)), x)
    assert labels_of(data).tolist() == [0, 1, 2, 0, 1]


def test_features_are_what_the_last_layer_is_given() -> None:
    network = create("convnet", in_channels=1, num_classes=3, image_size=(8, 8), dropout=0.5)
    found = torch.from_numpy(features(network, images(300)))  # more than go through the network at once
    with torch.no_grad():
        torch.testing.assert_close(network.head(found), network(images(300).pixels))


def test_features_of_a_network_without_classes_are_its_output() -> None:
    network = create("mlp", in_channels=64, hidden=(7,))
    expected = network(torch.from_numpy(pixels(images())))
    np.testing.assert_allclose(features(network, images()), expected.detach(), rtol=1e-6)


def test_features_of_several_tasks_are_those_of_the_trunk() -> None:
    for tasks in ({"a": 2, "b": 3}, None):
        network = create("multitask", in_channels=1, tasks=tasks, image_size=(8, 8)).eval()
        np.testing.assert_allclose(features(network, images()), network.trunk(images().pixels).detach(), rtol=1e-5)


def test_stages_are_flattened_or_averaged_over_a_grid() -> None:
    network = create("convnet", in_channels=1, image_size=(8, 8), widths=((4,), (6,))).eval()
    maps = stage_outputs(network, images().pixels, ["features.2"])["features.2"]  # [5, 4, 8, 8]
    np.testing.assert_allclose(features(network, images(), "features.2"), maps.flatten(1), rtol=1e-6)
    np.testing.assert_allclose(features(network, images(), "features.2", grid=1), maps.mean(dim=(2, 3)), rtol=1e-5)
    quarters = maps.reshape(5, 4, 2, 4, 2, 4).mean(dim=(3, 5)).flatten(1)
    np.testing.assert_allclose(features(network, images(), "features.2", grid=2), quarters, rtol=1e-5)


def test_what_is_not_there_is_named() -> None:
    network = create("mlp", in_channels=64)
    with pytest.raises(ValueError, match="no module 'layer9'"):
        features(network, images(), "layer9")
    with pytest.raises(ValueError, match="data have none"):
        labels_of((torch.zeros(3, 2),))
    with pytest.raises(ValueError, match="neither heads nor stages"):
        features(torch.nn.ReLU(), (torch.zeros(3, 2),))
