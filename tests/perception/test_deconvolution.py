import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from palestra.networks import create
from palestra.perception.attribution import attribute
from palestra.perception.deconvolution import check_rectifiers, deconvolve
from palestra.perception.scores import Unit
from tests.perception.toys import Shapes

RULES = ("guided-backpropagation", "deconvolution")


class Small(nn.Module):
    """A network whose rectifiers are what a test says."""

    def __init__(self, rectify: nn.Module | None = None) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3)
        self.rectify = rectify
        self.act = nn.ReLU()
        self.head = nn.Linear(4 * 16, 2)

    def between(self, x: Tensor) -> Tensor:
        assert self.rectify is not None
        return self.rectify(x)  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        x = self.between(self.conv1(x))
        return self.head(self.act(self.conv2(x)).flatten(1))  # type: ignore[no-any-return]


def images(count: int = 3) -> Tensor:
    return torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def by_hand(network: Small, x: Tensor, target: int, guided: bool) -> Tensor:
    """Goes back layer by layer: transposed convolutions and the rules of the papers."""
    first = network.conv1(x)
    second = network.conv2(first.relu())
    signal = network.head.weight[target].expand(len(x), -1).reshape(second.shape).clamp(min=0)
    signal = signal * (second > 0) if guided else signal
    signal = F.conv_transpose2d(signal, network.conv2.weight).clamp(min=0)
    signal = signal * (first > 0) if guided else signal
    return F.conv_transpose2d(signal, network.conv1.weight).detach()


@pytest.mark.parametrize("method", RULES)
def test_the_rules_are_those_of_the_papers(method: str) -> None:
    torch.manual_seed(0)
    network = Small(nn.ReLU())
    maps = attribute(network, images(), 1, method=method, per_channel=True)
    torch.testing.assert_close(maps, by_hand(network, images(), 1, method == RULES[0]))
    plain = attribute(network, images(), 1, per_channel=True)
    assert (maps - plain).abs().max() > 1e-3  # so the test would see the plain gradient


def test_a_unit_goes_back_by_switches_from_its_activation() -> None:
    """The deconvnet written out: unpooling to the switches, rectification, transposed filters."""
    torch.manual_seed(0)
    network, unit = Shapes(), Unit("relu2", 3)
    x = torch.rand(2, 1, 20, 20)
    first = network.relu1(network.conv1(x))
    pooled, switches = F.max_pool2d(first, 2, return_indices=True)
    second = network.relu2(network.conv2(pooled))
    maps = second[:, 3].flatten(1)
    signal = torch.zeros_like(second)
    signal[:, 3] = (
        torch.zeros_like(maps).scatter(1, maps.argmax(1, keepdim=True), maps.amax(1, keepdim=True)).view(2, 10, 10)
    )
    signal = F.conv_transpose2d(signal.clamp(min=0), network.conv2.weight, padding=1)
    signal = F.max_unpool2d(signal, switches, 2).clamp(min=0)
    expected = F.conv_transpose2d(signal, network.conv1.weight, padding=2)
    torch.testing.assert_close(deconvolve(network, x, unit), expected.detach())


class Residual(Small):
    """What goes into the ReLU also goes around it."""

    def between(self, x: Tensor) -> Tensor:
        assert self.rectify is not None
        return x + self.rectify(x)  # type: ignore[no-any-return]


def test_a_path_around_a_rectifier_keeps_its_gradient() -> None:
    torch.manual_seed(0)
    network = Residual(nn.ReLU())
    x = images()
    first = network.conv1(x)
    second = network.conv2(first + first.relu())
    signal = network.head.weight[0].expand(len(x), -1).reshape(second.shape).clamp(min=0) * (second > 0)
    signal = F.conv_transpose2d(signal, network.conv2.weight)
    signal = signal + signal.clamp(min=0) * (first > 0)
    expected = F.conv_transpose2d(signal, network.conv1.weight).detach()
    torch.testing.assert_close(attribute(network, x, 0, method="guided-backpropagation", per_channel=True), expected)


class Functional(Small):
    """Rectifies by a function."""

    way = "relu"

    def between(self, x: Tensor) -> Tensor:
        ways = {
            "relu": lambda: F.relu(x),
            "torch": lambda: torch.relu(x),
            "method": lambda: x.relu(),
            "in-place": lambda: F.relu(x, inplace=True),
            "clamp": lambda: x.clamp(min=0),
            "clamp_min": lambda: x.clamp_min(0.0),
            "maximum": lambda: torch.maximum(x, torch.zeros_like(x)),
            "mask": lambda: x * (x > 0),
            "where": lambda: torch.where(x > 0, x, 0.0),
            "gelu": lambda: F.gelu(x),
            "forward": lambda: nn.ReLU().forward(x),
        }
        return ways[self.way]()


@pytest.mark.parametrize(
    "way",
    [
        "relu",
        "torch",
        "method",
        "in-place",
        "clamp",
        "clamp_min",
        "maximum",
        "mask",
        "where",
        "gelu",
        "forward",
    ],
)
@pytest.mark.parametrize("method", [*RULES, "guided-grad-cam"])
def test_functions_are_refused(way: str, method: str) -> None:
    network = Functional()
    network.way = way
    arguments = {"stage": "conv2"} if method == "guided-grad-cam" else {}
    with pytest.raises(ValueError, match=r"Functional cannot be explained .* outside of nn.ReLU modules"):
        attribute(network, images(), method=method, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", RULES)
def test_other_modules_than_plain_ones_are_refused(method: str) -> None:
    for other, sentence in (
        (nn.ReLU(inplace=True), "its ReLU rectify works in place"),
        (nn.LeakyReLU(), "it calls leaky_relu outside"),
        (nn.ReLU6(), "it calls hardtanh outside"),
    ):
        with pytest.raises(ValueError, match=sentence):
            attribute(Small(other), images(), method=method)
    reused = Small()
    reused.rectify = reused.act
    with pytest.raises(ValueError, match=r"its ReLU (act|rectify) runs 2 times"):
        attribute(reused, images(), method=method)
    with pytest.raises(ValueError, match=r"it runs no nn.ReLU"):
        attribute(nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), images(), method=method)


def test_what_is_no_rectifier_is_not_refused() -> None:
    class Normalised(Small):
        def between(self, x: Tensor) -> Tensor:
            assert self.rectify is not None
            mask = torch.arange(x.shape[1]) > 0  # numbers of channels, no activations
            return F.normalize(self.rectify(x)) * mask.view(-1, 1, 1) + x.mean().tanh()

    check_rectifiers(Normalised(nn.ReLU()), images())
    check_rectifiers(create("nature", in_channels=4, num_classes=2), torch.rand(1, 4, 84, 84))


def test_hooks_are_gone_also_after_a_refusal() -> None:
    network = Functional()
    with pytest.raises(ValueError, match="cannot be explained"):
        attribute(network, images(), method="deconvolution")
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


@pytest.mark.parametrize("method", ["saliency", "grad-cam", "occlusion", "integrated-gradients"])
def test_rectifiers_in_place_do_not_disturb_the_other_methods(method: str) -> None:
    torch.manual_seed(0)
    plain, in_place = Small(nn.ReLU()), Small(nn.ReLU(inplace=True))
    in_place.load_state_dict(plain.state_dict())
    stage = {"stage": "rectify"} if method == "grad-cam" else {}
    expected = attribute(plain, images(), 1, method=method, **stage)  # type: ignore[arg-type]
    torch.testing.assert_close(attribute(in_place, images(), 1, method=method, **stage), expected)  # type: ignore[arg-type]
