"""Densely connected networks: table 1 of the paper, their blocks, and small images."""

import pytest
import torch
from torch import nn

from palestra.networks import create
from palestra.networks.densenet import DenseBlock
from palestra.networks.stages import stage_outputs


@pytest.mark.parametrize(("depth", "channels"), [(121, 1024), (169, 1664), (201, 1920)])
def test_depth_and_maps_are_those_of_table_1(depth: int, channels: int) -> None:
    with torch.device("meta"):
        network = create(f"densenet{depth}", in_channels=3, num_classes=1000)
    assert sum(isinstance(m, nn.Conv2d | nn.Linear) for m in network.modules()) == depth
    maps = stage_outputs(network, torch.zeros(1, 3, 224, 224, device="meta")).values()
    assert [m.shape[-1] for m in maps] == [112, 56, 28, 14, 7]
    assert network.num_features == list(maps)[-1].shape[1] == channels


def test_layers_see_all_that_came_before() -> None:
    torch.manual_seed(0)
    block = DenseBlock(5, 3).eval()
    x = torch.randn(2, 5, 4, 4)
    found = block(x)
    assert found.shape == (2, 5 + 3 * 32, 4, 4)
    torch.testing.assert_close(found[:, :5], x)
    for i, layer in enumerate(block.children()):
        seen = 5 + 32 * i
        narrow = layer.conv1(torch.relu(layer.norm1(found[:, :seen])))
        expected = layer.conv2(torch.relu(layer.norm2(narrow)))
        torch.testing.assert_close(found[:, seen : seen + 32], expected)


def test_small_images_are_not_pooled_first() -> None:
    with torch.device("meta"):
        network = create("densenet121", in_channels=1, image_size=(32, 32))
    maps = stage_outputs(network, torch.zeros(1, 1, 32, 32, device="meta")).values()
    assert [m.shape[-1] for m in maps] == [32, 32, 16, 8, 4]
