"""What networks on images share: sizes, heads, first weights and layout; `test_alexnet.py` has the normalisation."""

import pytest
import torch
from torch import nn

from palestra.networks.images import SMALL_BELOW, channels_last, draw_linear, he, head, published_only, variant


def test_small_images_want_the_small_variant_unless_one_is_asked_for() -> None:
    assert variant(None, (SMALL_BELOW - 1, 224), 8)
    assert not variant(None, (SMALL_BELOW, SMALL_BELOW), 8)
    assert variant(True, (224, 224), 8)
    assert not variant(False, (32, 32), 8)


@pytest.mark.parametrize(
    ("size", "message"),
    [((7, 9), "images must be at least 8 x 8, but are 7 x 9"), ((9,), "but are 9"), ((9, 9, 9), "but are 9 x 9 x 9")],
)
def test_sizes_that_are_too_small_or_no_pair(size: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        variant(None, size, 8)


def test_the_published_network_wants_larger_images_than_the_small_one() -> None:
    published_only(True, (32, 32), 63)
    published_only(False, (63, 63), 63)
    with pytest.raises(ValueError, match="images of 62 x 70 are too small for the published network; take small=True"):
        published_only(False, (62, 70), 63)


def test_a_head_gives_scores_or_features() -> None:
    x = torch.rand(2, 6)
    assert head(6, 3)(x).shape == (2, 3)
    assert torch.equal(head(6, None)(x), x)
    with pytest.raises(ValueError, match="at least one class, but num_classes is 0"):
        head(6, 0)


@pytest.mark.parametrize(("mode", "fan"), [("fan_out", 128 * 9), ("fan_in", 64 * 9)])
def test_convolutions_are_drawn_with_hes_spread(mode: str, fan: int) -> None:
    # He et al. (2015), equations 10 and 14: the variance is 2 / n.
    network = nn.Sequential(nn.Conv2d(64, 128, 3), nn.Linear(4, 4))
    linear = network[1].weight.detach().clone()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        he(network, mode)
    weight = network[0].weight.detach()
    assert float(weight.var()) == pytest.approx(2 / fan, rel=0.03)  # 73,728 draws: a standard error of 0.5 %
    assert float(weight.mean()) == pytest.approx(0.0, abs=4 * (2 / fan / weight.numel()) ** 0.5)
    assert not network[0].bias.any()
    assert torch.equal(network[1].weight, linear)


@pytest.mark.parametrize(("std", "wanted"), [(0.01, 0.01), (None, (2 / 300) ** 0.5)])
def test_linear_layers_are_drawn_with_a_given_spread_or_hes(std: float | None, wanted: float) -> None:
    network = nn.Sequential(nn.Linear(300, 200), nn.Conv2d(1, 1, 3))
    convolution = network[1].weight.detach().clone()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        draw_linear(network, std)
    assert float(network[0].weight.detach().std()) == pytest.approx(wanted, rel=0.02)
    assert not network[0].bias.any()
    assert torch.equal(network[1].weight, convolution)


def test_channels_last_changes_the_layout_alone() -> None:
    network = nn.Conv2d(3, 4, 3)
    weight, x = network.weight.detach().clone(), torch.rand(2, 3, 9, 9)
    before = network(x)
    channels_last(network)
    assert network.weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(network.weight, weight)
    torch.testing.assert_close(network(x), before)
