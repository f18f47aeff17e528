import pytest
import torch
from torch import nn
from torch.nn import functional as F

from palestra.networks import create
from palestra.perception.maximisation import maximise
from palestra.perception.scores import Unit
from tests.perception.toys import bars, trained

NO_PRIOR = {"total_variation": 0.0, "decay": 0.0, "blur": 0.0, "jitter": 0}
WEAK_PRIOR = {"total_variation": 0.05, "decay": 0.05, "blur": 0.3}
ZEROS = torch.zeros(1, 1, 20, 20)


def test_a_linear_unit_is_maximised_along_its_weights() -> None:
    network = create("mlp", in_channels=7, num_classes=3, hidden=[])
    x = maximise(network, [0, 2], start=torch.zeros(2, 7), bounds=None, decay=0.0, steps=10, learning_rate=0.1)
    weights = network.get_submodule("head").weight.detach()  # type: ignore[operator]
    assert isinstance(weights, torch.Tensor)
    torch.testing.assert_close(F.cosine_similarity(x, weights[[0, 2]]), torch.ones(2))
    torch.testing.assert_close(x.pow(2).mean(1).sqrt(), torch.ones(2))  # ten steps of 0.1 in that direction


def test_decay_ends_where_it_balances_the_gradient() -> None:
    network = create("mlp", in_channels=7, num_classes=3, hidden=[])
    x = maximise(network, 1, start=torch.zeros(1, 7), bounds=None, decay=0.5, steps=800)
    torch.testing.assert_close(x.pow(2).mean().sqrt(), torch.tensor(2.0))  # 1 - 0.5 |x| = 0


def test_a_unit_of_a_convolution_is_maximised_by_its_filter() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(2, 3, 5))
    x = maximise(network, Unit("0", 1, (4, 6)), start=torch.zeros(1, 2, 16, 16), bounds=None, **NO_PRIOR)  # type: ignore[arg-type]
    seen = x[0, :, 4:9, 6:11]
    weight = network[0].weight[1].detach()  # type: ignore[index]
    assert F.cosine_similarity(seen.flatten(), weight.flatten(), dim=0) > 0.9999  # type: ignore[arg-type]
    torch.testing.assert_close(x.pow(2).sum(), seen.pow(2).sum())  # nothing outside of what the unit sees


def test_each_class_is_recognised_in_its_own_image_and_more_than_in_real_ones() -> None:
    network, (x, y, _) = trained(), bars(300, seed=8)
    made = maximise(network, [0, 1, 2], start=torch.full((3, 1, 20, 20), 0.5), **WEAK_PRIOR)  # type: ignore[arg-type]
    assert 0.0 <= made.min() < made.max() <= 1.0
    with torch.no_grad():
        scores, real = network(made), network(x)
    assert scores.argmax(1).tolist() == [0, 1, 2]
    for k in range(3):
        assert scores[k, k] > real[y == k, k].quantile(0.9)


def test_a_random_network_makes_other_images() -> None:
    torch.manual_seed(5)
    other = type(trained())()
    start = torch.full((3, 1, 20, 20), 0.5)
    first, second = (maximise(n, [0, 1, 2], start=start, steps=40) - 0.5 for n in (trained(), other))
    assert F.cosine_similarity(first.flatten(1), second.flatten(1)).abs().max() < 0.5
    with torch.no_grad():
        assert trained()(second + 0.5).diagonal().mean() < trained()(first + 0.5).diagonal().mean() - 2


def test_the_prior_makes_smooth_images() -> None:
    start = torch.full((3, 1, 20, 20), 0.5)
    with_prior, without = (
        maximise(trained(), [0, 1, 2], start=start, steps=40, **prior)  # type: ignore[arg-type]
        for prior in ({}, NO_PRIOR)
    )
    rough = [sum(x.diff(dim=axis).abs().sum() for axis in (2, 3)) for x in (with_prior, without)]
    assert rough[0] < 0.5 * rough[1]


def test_a_shift_before_a_step_is_undone_after_it() -> None:
    """Where the border is joined to the other side, the shift changes nothing at all."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1, padding_mode="circular"), nn.ReLU())
    start = torch.rand(1, 1, 12, 12)
    prior = {"total_variation": 0.0, "decay": 0.0, "blur": 0.0, "steps": 5, "start": start, "bounds": None}
    still, shaken = (maximise(network, Unit("1", 2, "mean"), jitter=jitter, **prior) for jitter in (0, 3))  # type: ignore[arg-type]
    torch.testing.assert_close(shaken, still)
    assert (still - start).abs().max() > 0.1


def test_the_same_seed_makes_the_same_image_and_the_network_keeps_its_mode() -> None:
    network = create("nature", in_channels=1, num_classes=2, image_size=(36, 36)).train()
    first, second, other = (maximise(network, [0], steps=3, seed=seed) for seed in (1, 1, 2))
    assert first.shape == (1, 1, 36, 36)
    torch.testing.assert_close(first, second, rtol=0, atol=1e-5)  # threads may add up in another order
    assert (first - other).abs().max() > 1e-2
    assert network.training
    assert all(parameter.grad is None for parameter in network.parameters())


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(ValueError, match="does not say what it takes"):
        maximise(nn.Linear(3, 2), 0)
    with pytest.raises(ValueError, match="outputs 0 to 2, but 3"):
        maximise(trained(), 3, start=ZEROS)
    with pytest.raises(ValueError, match="units 0 to 7, but 8"):
        maximise(trained(), Unit("relu1", 8), start=ZEROS)
    with pytest.raises(ValueError, match="must be positive"):
        maximise(trained(), 0, start=ZEROS, steps=0)
