from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from palestra.networks import create
from palestra.perception.attribution import METHODS, attribute, blurred, last_maps
from palestra.perception.scores import Unit
from tests.perception.toys import SIDE, Shapes, bars, trained


@pytest.fixture
def linear() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(2 * 6 * 6, 3))


def images(count: int = 4, channels: int = 2, side: int = 6) -> Tensor:
    return torch.rand(count, channels, side, side, generator=torch.Generator().manual_seed(1))


def weights_of(linear: nn.Sequential, target: int) -> Tensor:
    layer = linear[1]
    assert isinstance(layer, nn.Linear)
    return layer.weight[target].detach().view(2, 6, 6)


def test_the_gradient_of_a_linear_model_is_its_weights(linear: nn.Sequential) -> None:
    maps = attribute(linear, images(), 1, per_channel=True)
    assert torch.equal(maps, weights_of(linear, 1).expand(4, 2, 6, 6))
    assert torch.equal(attribute(linear, images(), 1), weights_of(linear, 1).abs().amax(0).expand(4, 6, 6))


@pytest.mark.parametrize("baseline", [0.0, 0.5])
def test_occlusion_of_a_linear_model_is_the_sum_of_weights_times_what_is_covered(
    linear: nn.Sequential, baseline: float
) -> None:
    x = images()
    maps = attribute(linear, x, 2, method="occlusion", window=2, stride=2, baseline=baseline)
    change = (weights_of(linear, 2) * (x - baseline)).sum(1)  # [B, 6, 6], both channels are covered
    tiles = change.unfold(1, 2, 2).unfold(2, 2, 2).sum((3, 4))
    torch.testing.assert_close(maps, tiles.repeat_interleave(2, 1).repeat_interleave(2, 2))


def test_windows_that_overlap_are_averaged(linear: nn.Sequential) -> None:
    x = images(1)
    maps = attribute(linear, x, 0, method="occlusion", window=3, stride=3, baseline=torch.zeros(2, 6, 6))
    halves = attribute(linear, x, 0, method="occlusion", window=4, stride=2)
    change = (weights_of(linear, 0) * x[0]).sum(0)
    torch.testing.assert_close(maps[0, 0, 0], change[:3, :3].sum())
    torch.testing.assert_close(halves[0, 0, 0], change[:4, :4].sum())  # only the first window covers the corner
    windows = [change[:4, :4].sum(), change[:4, 2:].sum(), change[2:, :4].sum(), change[2:, 2:].sum()]
    torch.testing.assert_close(halves[0, 2, 2], torch.stack(windows).mean())


def test_integrated_gradients_add_up_to_the_difference_of_the_scores() -> None:
    network, (x, y, _) = trained(), bars(8, seed=2)
    maps = attribute(network, x, y, method="integrated-gradients", steps=400)
    with torch.no_grad():
        difference = (network(x) - network(torch.zeros_like(x))).gather(1, y[:, None]).squeeze(1)
    torch.testing.assert_close(maps.sum((1, 2)), difference, rtol=0.05, atol=0.1)  # the axiom of completeness


def test_perturbation_of_a_linear_model_is_half_the_square_of_what_blurring_changes(linear: nn.Sequential) -> None:
    x = images(3)
    maps = attribute(linear, x, 0, method="perturbation", stride=1, spread=1e-3, blur=1.0)
    change = weights_of(linear, 0) * (x - blurred(x, 1.0))  # so narrow a bump blurs one pixel
    torch.testing.assert_close(maps, 0.5 * change.sum(1) ** 2)


def test_perturbation_without_a_target_asks_all_outputs(linear: nn.Sequential) -> None:
    x = images(3)
    each = [attribute(linear, x, target, method="perturbation", stride=2) for target in range(3)]
    torch.testing.assert_close(attribute(linear, x, method="perturbation", stride=2), torch.stack(each).sum(0))


def test_blurring_keeps_the_mean_of_a_plain_image_and_spreads_a_point() -> None:
    torch.testing.assert_close(blurred(torch.full((1, 2, 9, 9), 0.3), 1.5), torch.full((1, 2, 9, 9), 0.3))
    point = torch.zeros(1, 1, 31, 31)
    point[0, 0, 15, 15] = 1
    rows = torch.arange(31.0) - 15
    spread = (blurred(point, 2.0)[0, 0].sum(1) * rows**2).sum()
    torch.testing.assert_close(spread, torch.tensor(4.0), rtol=0.05, atol=0.0)  # the variance of a Gaussian


def test_grad_cam_is_maps_times_their_mean_gradients_rectified() -> None:
    network, (x, y, _) = trained(), bars(5, seed=4)
    maps = attribute(network, x, y, method="grad-cam", stage="relu1")
    pixels = network.relu1(network.conv1(x)).detach().requires_grad_()
    out = network.head(network.most(network.relu2(network.conv2(network.pool(pixels)))).flatten(1))
    (gradient,) = torch.autograd.grad(out.gather(1, y[:, None]).sum(), pixels)
    expected = (gradient.mean((2, 3), keepdim=True) * pixels).sum(1).clamp(min=0)
    torch.testing.assert_close(maps, expected.detach())


def test_guided_grad_cam_is_the_product() -> None:
    network, (x, y, _) = trained(), bars(5, seed=4)
    cam = attribute(network, x, y, method="grad-cam", per_channel=True)
    guided = attribute(network, x, y, method="guided-backpropagation", per_channel=True)
    product = attribute(network, x, y, method="guided-grad-cam", per_channel=True)
    torch.testing.assert_close(product, cam * guided)


def test_the_stage_of_grad_cam_is_the_last_with_maps_before_the_unit() -> None:
    network, (x, _, _) = trained(), bars(2)
    assert last_maps(network, x) == "relu2"
    assert last_maps(network, x, Unit("relu2", 0)) == "pool"
    cam = attribute(network, x, Unit("relu2", 0), method="grad-cam")
    assert torch.equal(cam, attribute(network, x, Unit("relu2", 0), method="grad-cam", stage="pool"))


@pytest.mark.parametrize("method", METHODS)
def test_targets_of_all_kinds_agree(method: str) -> None:
    network, (x, y, _) = trained(), bars(6, seed=5)
    expected = attribute(network, x, y, method=method)
    assert expected.shape == (6, SIDE, SIDE)
    by_function = attribute(network, x, lambda out: out.gather(1, y[:, None]).squeeze(1), method=method)
    torch.testing.assert_close(by_function, expected)
    for i in range(3):
        torch.testing.assert_close(attribute(network, x[i : i + 1], int(y[i]), method=method), expected[i : i + 1])


@pytest.mark.parametrize("method", METHODS)
def test_bytes_and_floats_are_the_same_image(method: str) -> None:
    network, (x, y, _) = trained(), bars(3, seed=6)
    as_bytes = (x * 255).round().to(torch.uint8)
    of_floats = attribute(network, as_bytes / 255, y, method=method)
    torch.testing.assert_close(attribute(network, as_bytes, y, method=method), of_floats)


@pytest.mark.parametrize("method", METHODS)
def test_the_network_is_left_as_it_was(method: str) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2))
    network.train()
    network[1].eval()
    network[0].requires_grad_(False)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    x = images(3, 1, 8)
    original = x.clone()
    with torch.inference_mode():
        attribute(network, x, method=method)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert [module.training for module in network.children()] == [True, False, True, True, True]
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
    assert torch.equal(x, original)
    assert not x.requires_grad


@pytest.mark.parametrize("method", ["saliency", "guided-backpropagation", "deconvolution", "occlusion"])
def test_vectors_have_a_number_an_input(method: str) -> None:
    network = create("mlp", in_channels=5, num_classes=3, hidden=[16])
    assert attribute(network, torch.rand(4, 5), method=method).shape == (4, 5)


def test_every_sample_is_explained_as_if_it_were_alone_in_a_batch_of_any_mode() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(), nn.Flatten(), nn.Linear(144, 2))
    x = images(3, 1, 8)
    alone = torch.cat([attribute(network, x[i : i + 1], 0) for i in range(3)])
    torch.testing.assert_close(attribute(network, x, 0), alone)


def complaints() -> Iterator[tuple[dict[str, object], str]]:
    yield {"method": "salience"}, "there is no method 'salience'; did you mean saliency?"
    yield {"method": "grad-cam", "stage": "relu3"}, "has no module 'relu3'; its stages are relu1, pool, relu2"
    yield {"method": "grad-cam", "stage": "head"}, "wants a stage with maps"
    yield {"stage": "relu2"}, "saliency reads no stage"
    yield {"target": 3}, "outputs 0 to 2, but 3 was asked for"
    yield {"target": -1}, "outputs 0 to 2, but -1 was asked for"
    yield {"target": Unit("relu2", 16)}, "units 0 to 15, but 16 was asked for"
    yield {"target": Unit("relu2", 0, (10, 0))}, r"maps of relu2 are \[10, 10\]"
    yield {"target": Unit("relu9", 0)}, "has no module 'relu9'"
    yield {"target": lambda out: out}, r"must make \[2\] of the output \[2, 3\]"
    yield {"target": Unit("relu1", 0), "method": "grad-cam", "stage": "relu2"}, "does not depend on the stage relu2"
    yield {"method": "occlusion", "window": 21}, "must fit in"
    yield {"method": "occlusion", "size": 2}, "has no option 'size'"


@pytest.mark.parametrize(("arguments", "sentence"), list(complaints()))
def test_what_is_wrong_is_said(arguments: dict[str, object], sentence: str) -> None:
    network = Shapes()
    with pytest.raises(ValueError, match=sentence):
        attribute(network, bars(2)[0], **arguments)  # type: ignore[arg-type]


def test_images_of_another_size_are_refused() -> None:
    network = create("nature", in_channels=4, num_classes=6)
    with pytest.raises(ValueError, match=r"nature takes inputs of shape \[4, 84, 84\], but was given \[4, 40, 40\]"):
        attribute(network, torch.rand(1, 4, 40, 40))
    with pytest.raises(ValueError, match=r"but was given \[3, 84, 84\]"):
        attribute(network, torch.rand(1, 3, 84, 84))
    with pytest.raises(ValueError, match="at least one sample"):
        attribute(network, torch.rand(0, 4, 84, 84))


def test_grad_cam_of_vectors_is_refused() -> None:
    network = create("mlp", in_channels=5, num_classes=3)
    with pytest.raises(ValueError, match="mlp has none"):
        attribute(network, torch.rand(1, 5), method="grad-cam")
