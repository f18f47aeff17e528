"""GoogLeNet: table 1 of the paper, its auxiliary heads, and the loss that they add to."""

import pytest
import torch
from torch.nn import functional as F

from palestra.networks import create
from palestra.networks.googlenet import INCEPTIONS
from palestra.networks.stages import num_parameters, stage_outputs

CHANNELS = (256, 480, 512, 512, 512, 528, 832, 832, 1024)
SIDES = (28, 28, 14, 14, 14, 14, 14, 7, 7)


def test_maps_are_those_of_table_1() -> None:
    with torch.device("meta"):
        network = create("googlenet_2014", in_channels=3, num_classes=1000)
    maps = stage_outputs(network, torch.zeros(1, 3, 224, 224, device="meta"))
    for name, channels, side in zip(INCEPTIONS, CHANNELS, SIDES, strict=True):
        assert maps[f"inception{name}"].shape == (1, channels, side, side), name
    assert maps["conv1"].shape == (1, 64, 112, 112)
    assert maps["conv3"].shape == (1, 192, 56, 56)
    # The table's parameters (of 1,024) for the first two modules; further down it does not follow from its own sizes.
    counts = [num_parameters(network.get_submodule(f"inception{name}")) / 1024 for name in ("3a", "3b")]
    assert counts == pytest.approx([159, 380], abs=1)


def test_parameter_count_is_that_of_the_published_caffe_model() -> None:
    # bvlc_googlenet: 6,998,552 to classify and 13,378,280 to train. An auxiliary head has (C + 1) x 128 parameters in
    # its convolution, 2,049 x 1,024 and 1,025 x 1,000; C is 512 and 528.
    with torch.device("meta"):
        alone = create("googlenet_2014", in_channels=3, num_classes=1000, auxiliary_heads=False)
        network = create("googlenet_2014", in_channels=3, num_classes=1000)
    heads = (513 + 529) * 128 + 2 * (2049 * 1024 + 1025 * 1000)
    assert num_parameters(alone) == 6_998_552
    assert num_parameters(network) == 6_998_552 + heads == 13_378_280


def test_objective_adds_the_auxiliary_losses_in_training_only() -> None:
    torch.manual_seed(0)
    network = create("googlenet", in_channels=1, num_classes=5, image_size=(8, 8))
    x, labels = torch.rand(6, 1, 8, 8), torch.arange(6) % 5
    torch.manual_seed(1)
    losses, metrics = network.objective((x, labels))
    torch.manual_seed(1)
    main, first, second = network.auxiliary(x)
    each = [F.cross_entropy(output, labels, reduction="none") for output in (main, first, second)]
    torch.testing.assert_close(losses, each[0] + 0.3 * each[1] + 0.3 * each[2])
    torch.testing.assert_close(metrics["accuracy"], (main.argmax(1) == labels).float())
    network.eval()
    torch.testing.assert_close(network.objective((x, labels))[0], F.cross_entropy(network(x), labels, reduction="none"))
    torch.testing.assert_close(network.auxiliary(x)[0], network(x))


def test_outputs_are_one_tensor_in_training_too() -> None:
    network = create("googlenet", in_channels=1, num_classes=5, image_size=(8, 8)).train()
    assert network(torch.rand(2, 1, 8, 8)).shape == (2, 5)


def test_heads_can_be_left_out() -> None:
    network = create("googlenet", in_channels=1, num_classes=5, image_size=(8, 8), auxiliary_heads=False)
    losses, _ = network.objective((torch.rand(2, 1, 8, 8), torch.tensor([0, 4])))
    assert losses.shape == (2,)
    with pytest.raises(ValueError, match="without auxiliary heads"):
        network.auxiliary(torch.rand(2, 1, 8, 8))
    with pytest.raises(ValueError, match="labels must lie between 0 and 4"):
        network.objective((torch.rand(2, 1, 8, 8), torch.tensor([0, 5])))
