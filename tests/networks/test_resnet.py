"""Residual networks: table 1 of the paper, their blocks, and small images."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from palestra.networks import create
from palestra.networks.resnet import BasicBlock, Bottleneck
from palestra.networks.stages import stage_outputs


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_depth_and_maps_are_those_of_table_1(depth: int) -> None:
    with torch.device("meta"):
        network = create(f"resnet{depth}", in_channels=3, num_classes=1000)
    counted = [name for name, m in network.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len([name for name in counted if "downsample" not in name]) == depth
    maps = stage_outputs(network, torch.zeros(1, 3, 224, 224, device="meta")).values()
    widths = (64, 128, 256, 512) if depth < 50 else (256, 512, 1024, 2048)
    assert [tuple(m.shape[1:3]) for m in maps] == [(64, 112), *zip(widths, (56, 28, 14, 7), strict=True)]


@pytest.mark.parametrize(("kind", "last"), [(BasicBlock, "bn2"), (Bottleneck, "bn3")])
def test_blocks_add_to_their_shortcut(kind: type[nn.Module], last: str) -> None:
    torch.manual_seed(0)
    block = kind(8, 8 // kind.expansion, 1).eval()
    x = torch.randn(2, 8, 5, 5)
    norm = block.get_submodule(last)
    with torch.no_grad():
        norm.weight.zero_()
        norm.bias.fill_(0.5)
    torch.testing.assert_close(block(x), F.relu(x + 0.5))
    shrinking = kind(8, 4, 2)
    assert shrinking(x).shape == (2, 4 * kind.expansion, 3, 3)
    assert isinstance(shrinking.downsample, nn.Sequential)


def test_first_weights_are_those_of_he() -> None:
    torch.manual_seed(0)
    network = create("resnet18", in_channels=3)
    convolution = network.layer3[0].conv2
    assert convolution.weight.std().item() == pytest.approx((2 / (9 * 256)) ** 0.5, rel=0.02)


def test_small_images_stay_large_until_the_second_stage() -> None:
    with torch.device("meta"):
        network = create("resnet18", in_channels=1, image_size=(32, 32))
    maps = stage_outputs(network, torch.zeros(1, 1, 32, 32, device="meta")).values()
    assert [m.shape[-1] for m in maps] == [32, 32, 16, 8, 4]


def test_small_can_be_chosen() -> None:
    with torch.device("meta"):
        assert create("resnet18", in_channels=3, image_size=(84, 84), small=True).conv1.kernel_size == (3, 3)
        assert create("resnet18", in_channels=3, image_size=(32, 32), small=False).conv1.kernel_size == (7, 7)
