"""The VGG networks: table 1 and 2 of the paper, and what becomes of poolings in small images."""

import pytest
import torch
from torch import nn

from palestra.networks import create
from palestra.networks.stages import num_parameters, stage_outputs

NAMES = ["vgg11", "vgg11_lrn", "vgg13", "vgg16_c", "vgg16", "vgg19"]


@pytest.mark.parametrize(("name", "millions"), [*zip(NAMES, [133, 133, 133, 134, 138, 144], strict=True)])
def test_parameter_counts_are_those_of_table_2(name: str, millions: int) -> None:
    with torch.device("meta"):
        network = create(name, in_channels=3, num_classes=1000)
    assert round(num_parameters(network) / 1e6) == millions


@pytest.mark.parametrize(("name", "layers"), [*zip(NAMES, [11, 11, 13, 16, 16, 19], strict=True)])
def test_layers_are_those_of_table_1(name: str, layers: int) -> None:
    with torch.device("meta"):
        network = create(name, in_channels=3, num_classes=1000)
    found = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(found) == layers
    narrow = [i for i, m in enumerate(found) if isinstance(m, nn.Conv2d) and m.kernel_size == (1, 1)]
    assert narrow == ([6, 9, 12] if name == "vgg16_c" else [])
    norms = [i for i, m in enumerate(network.features) if isinstance(m, nn.LocalResponseNorm)]
    assert norms == ([2] if name == "vgg11_lrn" else [])
    maps = list(stage_outputs(network, torch.zeros(1, 3, 224, 224, device="meta")).values())
    assert [(m.shape[1], m.shape[2]) for m in maps[:5]] == [(64, 224), (128, 112), (256, 56), (512, 28), (512, 14)]


@pytest.mark.parametrize(("side", "left"), [(8, 2), (28, 3), (32, 2), (63, 3)])
def test_small_images_keep_two_pixels(side: int, left: int) -> None:
    with torch.device("meta"):
        network = create("vgg11", in_channels=1, num_classes=3, image_size=(side, side))
    assert network.features(torch.zeros(1, 1, side, side, device="meta")).shape == (1, 512, left, left)
    assert network.num_features == 512


def test_batch_norm_follows_each_convolution() -> None:
    with torch.device("meta"):
        network = create("vgg13", in_channels=3, batch_norm=True)
    kinds = [type(m) for m in network.features if not isinstance(m, nn.MaxPool2d)]
    assert kinds == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU] * 10


def test_first_weights_keep_the_spread_of_activations() -> None:
    # He et al. 2015, section 2.2: with a variance of 2 / fan-in the second moment stays what it is.
    torch.manual_seed(0)
    network = create("vgg19", in_channels=3, image_size=(96, 96), small=True).eval()
    x = torch.rand(1, 3, 96, 96)
    for path, m in list(stage_outputs(network, x).items())[:5]:
        assert 1 / 5 < float(m.square().mean() / x.square().mean()) < 5, path
