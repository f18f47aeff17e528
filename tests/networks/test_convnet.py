"""The small convolutional network: its size, its features, and what it refuses."""

import pytest
import torch

from palestra.networks import create


def test_parameter_count() -> None:
    # Convolutions have 9 x in x out weights and batch normalisation 2 a channel: 9 x 3 x 4 + 8 and 9 x 4 x 8 + 16.
    # 2 x 2 pixels of 8 channels are left of 8 x 8: 32 x 5 weights and 10; the head has 6 x 2.
    network = create("convnet", in_channels=3, num_classes=2, widths=[[4], [8]], hidden=5, image_size=(8, 8))
    assert sum(p.numel() for p in network.parameters()) == (108 + 8) + (288 + 16) + (160 + 10) + 12


def test_gives_features_without_classes_and_takes_oblong_images() -> None:
    network = create("convnet", in_channels=1, widths=[[4], [8]], hidden=5, image_size=(9, 17)).eval()
    assert network.num_features == 5
    x = torch.randint(256, (2, 1, 9, 17), dtype=torch.uint8)
    assert network(x).shape == (2, 5)
    torch.testing.assert_close(network(x), network(x / 255))


def test_stages_are_the_layers_that_can_be_frozen() -> None:
    network = create("convnet", in_channels=1, widths=[[4, 4], [8]], image_size=(8, 8))
    assert network.stages == ("features.2", "features.5", "features.10", "hidden")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"widths": ((4,), (4,), (4,), (4,)), "image_size": (8, 8)}, "halve 8 x 8 pixels to nothing"),
        ({"widths": ((4, 0),)}, "at least one unit"),
        ({"widths": ((4,), ())}, "at least one unit"),
        ({"widths": ()}, "at least one unit"),
        ({"hidden": 0}, "at least one unit"),
    ],
)
def test_wrong_arguments_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        create("convnet", in_channels=1, **options)
