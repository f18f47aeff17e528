"""Each method must change with the weights, mark the object, and mark what decides."""

import pytest
import torch

from palestra.perception.attribution import METHODS, attribute
from palestra.perception.sanity import deletion, randomisation_check
from tests.perception.toys import bars, trained


@pytest.mark.parametrize("method", METHODS)
def test_random_weights_change_the_map(method: str) -> None:
    """A method that shows edges of the image, whatever the network, would keep a correlation of 1."""
    x, y, _ = bars(16, seed=1)
    before = {name: value.clone() for name, value in trained().state_dict().items()}
    figures = randomisation_check(trained(), x, y, method=method)
    assert list(figures) == ["head", "conv2", "conv1"]
    assert figures["conv1"] < 0.9
    assert min(figures.values()) < 0.85
    assert all(torch.equal(value, before[name]) for name, value in trained().state_dict().items())


@pytest.mark.parametrize("method", METHODS)
def test_the_map_lies_on_the_object(method: str) -> None:
    x, y, masks = bars(64, seed=1)
    maps = attribute(trained(), x, y, method=method).clamp(min=0)
    share = (maps * masks).sum((1, 2)) / maps.sum((1, 2))
    assert share.mean() > 4 * masks.mean()  # the square is 9 % of the image


@pytest.mark.parametrize("method", METHODS)
def test_deleting_what_is_marked_lowers_the_score_more_than_deleting_random_pixels(method: str) -> None:
    x, y, masks = bars(64, seed=1)
    random = torch.rand(masks.shape, generator=torch.Generator().manual_seed(0))
    chance = deletion(trained(), x, random, y).mean()
    assert deletion(trained(), x, attribute(trained(), x, y, method=method), y).mean() > 3 * chance
    assert deletion(trained(), x, masks, y).mean() > 3 * chance  # so the object does decide


def test_deletion_of_everything_is_the_score_of_the_baseline() -> None:
    x, y, masks = bars(4)
    with torch.no_grad():
        black = trained()(torch.zeros_like(x)).gather(1, y[:, None]).squeeze(1)
        full = trained()(x).gather(1, y[:, None]).squeeze(1)
    torch.testing.assert_close(deletion(trained(), x, masks, y, fraction=1.0), full - black)


def test_a_fraction_out_of_range_and_a_map_of_another_size_are_refused() -> None:
    x, y, masks = bars(4)
    with pytest.raises(ValueError, match="between 0 and 1"):
        deletion(trained(), x, masks, y, fraction=0.0)
    with pytest.raises(ValueError, match="do not fit"):
        deletion(trained(), x, masks[:, :5], y)
