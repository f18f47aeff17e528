"""The published networks: parameter counts, torchvision's keys and outputs, small images, gradients and freezing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from palestra.networks import NETWORKS, create
from palestra.networks.stages import FeatureMaps, freeze, module_at, num_parameters, stages_of
from palestra.networks.weights import PUBLISHED, checksum_of
from tests.networks.oracle import digest

ORACLE = os.environ.get("PALESTRA_ORACLE", "")
MODULES = ("cnn", "lenet", "alexnet", "vgg", "googlenet", "resnet", "densenet")
NAMES = [name for name, entry in NETWORKS.items() if entry.module in MODULES]
SMALL = [name for name in NAMES if NETWORKS[name].module != "cnn"]  # networks with a variant for small images
QUICK = [
    "lenet5",
    "alexnet",
    "alexnet_owt",
    "zfnet",
    "vgg11_lrn",
    "googlenet",
    "googlenet_2014",
    "resnet18",
    "resnet50",
]

TORCHVISION = {  # parameters in torchvision 0.28's documentation; digest of its keys and shapes (oracle.py: digest)
    "alexnet_owt": (61_100_840, "214045a0c08ffc98"),
    "vgg11": (132_863_336, "a4a2a4a84e73de05"),
    "vgg11_bn": (132_868_840, "6aaf84aad4159200"),
    "vgg13": (133_047_848, "9dc9518e7646fe47"),
    "vgg13_bn": (133_053_736, "9a11dd9903f0e3cf"),
    "vgg16": (138_357_544, "6f36a6fd49b61819"),
    "vgg16_bn": (138_365_992, "5f99e428d932f79e"),
    "vgg19": (143_667_240, "e05a894c9ad13251"),
    "vgg19_bn": (143_678_248, "4c042cc97e1d6342"),
    "googlenet": (6_624_904, "e2cf6c5ea7661fad"),  # parameters without auxiliary heads, keys with them
    "resnet18": (11_689_512, "761022b221a39ceb"),
    "resnet34": (21_797_672, "1a060acae7a42530"),
    "resnet50": (25_557_032, "3fa57287149b51c4"),
    "resnet101": (44_549_160, "0e9191dd134cb07d"),
    "resnet152": (60_192_808, "47360b6062c7afaa"),
    "densenet121": (7_978_856, "d52aa585c6714985"),
    "densenet169": (14_149_480, "04c0da21c3018d60"),
    "densenet201": (20_013_928, "8fd3fcb6e2757522"),
}
FAMILIES = [
    ["alexnet_owt", "googlenet"],
    ["vgg11", "vgg11_bn", "vgg13", "vgg13_bn"],
    ["vgg16", "vgg16_bn", "vgg19", "vgg19_bn"],
    ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"],
    ["densenet121", "densenet169", "densenet201"],
]


def blank(name: str, **options: Any) -> nn.Module:
    """Makes a network without memory for its numbers."""
    if name.endswith("_bn"):
        name, options = name.removesuffix("_bn"), {"batch_norm": True, **options}
    with torch.device("meta"):
        return create(name, **{"in_channels": 3, "num_classes": 1000, **options})


@pytest.mark.parametrize("name", TORCHVISION)
def test_parameters_are_those_of_torchvision(name: str) -> None:
    count, keys = TORCHVISION[name]
    assert digest(blank(name).state_dict()) == keys
    alone = {"auxiliary_heads": False} if name == "googlenet" else {}
    assert num_parameters(blank(name, **alone)) == count


def run_oracle(*names: str) -> dict[str, Any]:
    if not Path(ORACLE, "torchvision").is_dir():
        pytest.skip("the variable PALESTRA_ORACLE names no folder with torchvision; make check installs it")
    command = [sys.executable, "-W", "ignore", "-m", "tests.networks.oracle", *names]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("names", FAMILIES, ids=lambda names: names[0])
def test_outputs_are_those_of_torchvision(names: list[str]) -> None:
    for name, found in run_oracle(*names).items():
        assert (found["digest"], found["same"]) == (TORCHVISION[name][1], True), name
        assert max(found["eval"], found["train"], found["normalised"]) < 1e-4, (name, found)


def test_files_and_transforms_are_those_of_torchvision() -> None:
    found = run_oracle()
    assert found.pop("difference") <= 1e-6
    assert found.keys() == PUBLISHED.keys() == TORCHVISION.keys()
    for name, entry in PUBLISHED.items():
        theirs, mine = found[name], entry._asdict()
        assert theirs["url"] == f"https://download.pytorch.org/models/{entry.file}"
        assert theirs["parameters"] == TORCHVISION[name][0]
        same = ("resize", "crop", "interpolation") + (() if name == "googlenet" else ("mean", "std"))
        assert {key: theirs[key] for key in same} == {
            key: list(mine[key]) if isinstance(mine[key], tuple) else mine[key] for key in same
        }
        assert len(checksum_of(entry.file)) == 8


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("side", [8, 28, 32])
def test_small_images_and_any_channels(name: str, side: int) -> None:
    network = blank(name, in_channels=5, num_classes=7, image_size=(side, side + 3))
    assert network.small == (side < 20 or NETWORKS[name].module != "lenet")
    assert network(torch.zeros(2, 5, side, side + 3, device="meta")).shape == (2, 7)


@pytest.mark.parametrize("name", NAMES)
def test_features_stages_and_heads_fit_together(name: str) -> None:
    size = (84, 84) if NETWORKS[name].module in ("cnn", "alexnet") else (64, 64)
    network = blank(name, num_classes=None, image_size=size)
    x = torch.zeros(2, 3, *size, device="meta")
    assert network(x).shape == (2, network.num_features)
    maps = FeatureMaps(network)(x)
    assert len(maps) == len(stages_of(network)) > 2
    classifier = blank(name, num_classes=9, image_size=size)
    assert module_at(classifier, classifier.heads[0]).in_features == network.num_features
    last = stages_of(network)[-1]
    assert not any(last.startswith(head) for head in network.heads)
    freeze(classifier, len(stages_of(classifier)))
    learnt = {key.rpartition(".")[0] for key, p in classifier.named_parameters() if p.requires_grad}
    assert all(key.startswith(classifier.heads) for key in learnt)


@pytest.mark.parametrize("name", SMALL)
def test_modules_are_used_once_and_change_nothing_in_place(name: str) -> None:
    network = blank(name, num_classes=4, image_size=(32, 32)).eval()
    calls: dict[str, int] = {}
    for path, module in network.named_modules():
        assert not getattr(module, "inplace", False), path
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(lambda *_, path=path: calls.update({path: calls.get(path, 0) + 1}))
    network(torch.zeros(2, 3, 32, 32, device="meta"))
    assert set(calls.values()) <= {1}
    unused = {path for path, m in network.named_modules() if isinstance(m, nn.ReLU)} - calls.keys()
    assert all(path.startswith("aux") for path in unused)


@pytest.mark.parametrize("name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in SMALL])
def test_one_step_reaches_all_parameters_and_lowers_the_loss(name: str) -> None:
    torch.manual_seed(0)
    network = create(name, in_channels=1, num_classes=4, image_size=(32, 32))
    x, labels = torch.rand(8, 1, 32, 32), torch.arange(8) % 4

    def loss() -> torch.Tensor:
        torch.manual_seed(1)  # the same units are dropped
        if hasattr(network, "objective"):
            losses: torch.Tensor = network.objective((x, labels))[0]
            return losses.mean()
        return F.cross_entropy(network(x), labels)

    before = loss()
    before.backward()
    gradients = {key: p.grad for key, p in network.named_parameters()}
    still = [key for key, grad in gradients.items() if grad is None or not bool(grad.abs().sum() > 0)]
    assert still == []
    norm = sum(float(grad.square().sum()) for grad in gradients.values() if grad is not None) ** 0.5
    with torch.no_grad():
        for p in network.parameters():
            p -= 1e-2 / norm * p.grad
        assert loss() < before


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("resnet18", {"depth": 19}, "18, 34, 50, 101, 152 layers, not 19"),
        ("densenet121", {"depth": 1}, "121, 169, 201 layers, not 1"),
        ("vgg11", {"configuration": "F"}, "A, A-LRN, B, C, D, E, not 'F'"),
        ("alexnet", {"design": "2011"}, "2012, owt, zf, not '2011'"),
        ("alexnet", {"image_size": (32, 32), "small": False}, "take small=True"),
        ("googlenet", {"wide": 4}, "3 or 5 pixels wide, not 4"),
        ("lenet5", {"connections": "some"}, "table or full, not 'some'"),
        ("lenet5", {"image_size": (12, 12), "small": False}, "at least 16 x 16, but are 12 x 12"),
        ("resnet18", {"image_size": (4, 99)}, "at least 8 x 8, but are 4 x 99"),
        ("resnet18", {"num_classes": 0}, "at least one class, but num_classes is 0"),
        ("resnet18", {"colour": 1}, "has no option 'colour'; it has depth, image_size, small"),
    ],
)
def test_wrong_options_are_named(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        blank(name, **options)
