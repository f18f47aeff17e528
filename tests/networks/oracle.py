"""Run as a program beside a folder with torchvision: our networks and its own on the same weights and images.

    PALESTRA_ORACLE=folder python -m tests.networks.oracle NAME...

Prints a JSON object: for each network the digest of torchvision's keys and shapes, whether ours are the same and in the
same order, and the largest difference of outputs, relative to the largest output, in evaluation, in training, and on
images that are normalised as the published weights want, by torchvision outside of the network and by ours inside.
A name such as `vgg11_bn` is our `vgg11` with batch normalisation.
"""

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from palestra.networks import create
from palestra.networks.weights import PUBLISHED, normalize_as_published, resize_and_crop

OPERATORS = ("nms", "qnms")  # declared, as torchvision's compiled part does not load beside every build of torch


def import_torchvision() -> Any:
    """Imports torchvision from the folder PALESTRA_ORACLE, without its compiled operators."""
    library = torch.library.Library("torchvision", "DEF")
    for name in OPERATORS:
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    sys.path.insert(0, os.environ["PALESTRA_ORACLE"])
    import torchvision

    torchvision.declarations = library  # which last as long as this
    return torchvision


def digest(weights: Mapping[str, Tensor]) -> str:
    """Returns the SHA-256 of keys and shapes in order, 16 digits of it."""
    lines = "".join(f"{name} {tuple(value.shape)}\n" for name, value in weights.items())
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


@torch.no_grad()
def theirs(torchvision: Any, name: str) -> nn.Module:
    """Makes torchvision's network, with statistics of batch normalisation that are not the ones they begin with."""
    options = {"alexnet_owt": {}, "googlenet": {"aux_logits": True, "init_weights": False}}.get(name, {})
    torch.manual_seed(0)
    network: nn.Module = torchvision.models.get_model(name.removesuffix("_owt"), weights=None, **options)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for name, value in module.named_parameters():
                nn.init.uniform_(value, *{"weight": (0.5, 1.5), "bias": (-0.1, 0.1)}[name])
            for name, value in module.named_buffers():
                value.copy_(torch.rand(value.shape) + (0.5 if name == "running_var" else -0.5))
    return network


def ours(name: str, weights: Mapping[str, Tensor]) -> nn.Module:
    """Makes our network with the same weights."""
    options = {"batch_norm": True} if name.endswith("_bn") else {}
    with torch.device("meta"):
        network = create(name.removesuffix("_bn"), in_channels=3, num_classes=1000, **options)
    network.load_state_dict(weights, strict=True, assign=True)
    return network


def outputs(network: nn.Module, x: Tensor, train: bool) -> list[Tensor]:
    """Returns a network's outputs, and in training those of auxiliary heads."""
    network.train(train)
    torch.manual_seed(1)  # of dropout
    if train and hasattr(network, "auxiliary"):
        return list(network.auxiliary(x))
    found = network(x)
    return [found] if isinstance(found, Tensor) else [found.logits, found.aux_logits1, found.aux_logits2]


@torch.no_grad()
def compare(torchvision: Any, name: str) -> dict[str, Any]:
    """Returns what is printed of a network."""
    peer = theirs(torchvision, name)
    weights = peer.state_dict()
    network = ours(name, weights)
    x = torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    found: dict[str, Any] = {"digest": digest(weights), "same": digest(network.state_dict()) == digest(weights)}
    for key, train in (("eval", False), ("train", True)):
        pairs = zip(outputs(peer, x, train), outputs(network, x, train), strict=True)
        found[key] = max(float((a - b).abs().max() / a.abs().max()) for a, b in pairs)
    t = published_transforms(torchvision, name)
    mean, std = (torch.tensor(v)[:, None, None] for v in (t.mean, t.std))
    peer.transform_input = True  # as where torchvision loads published weights; only its GoogLeNet looks at it
    normalize_as_published(network, Path(PUBLISHED[name].file))
    (a,), (b,) = outputs(peer, (x - mean) / std, False), outputs(network, x, False)
    found["normalised"] = float((a - b).abs().max() / a.abs().max())
    return found


def published_transforms(torchvision: Any, name: str) -> Any:
    """Returns torchvision's transforms of its first weights."""
    return torchvision.models.get_model_weights(name.removesuffix("_owt")).IMAGENET1K_V1.transforms()


def transforms(torchvision: Any) -> dict[str, Any]:
    """Returns the files of torchvision's first weights and what they want of images, and an image so transformed."""
    found: dict[str, Any] = {}
    for name in PUBLISHED:
        weights = torchvision.models.get_model_weights(name.removesuffix("_owt")).IMAGENET1K_V1
        t = published_transforms(torchvision, name)
        found[name] = {
            "url": weights.url, "resize": t.resize_size[0], "crop": t.crop_size[0], "mean": t.mean, "std": t.std,
            "interpolation": t.interpolation.value, "parameters": weights.meta["num_params"],
        }  # fmt: skip
    image = torch.randint(0, 256, (2, 3, 301, 400), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    t = published_transforms(torchvision, "resnet18")
    mean, std = (torch.tensor(v)[:, None, None] for v in (t.mean, t.std))
    mine = (resize_and_crop(image, PUBLISHED["resnet18"]) / 255 - mean) / std
    found["difference"] = float((t(image) - mine).abs().max())
    return found


def main() -> None:
    """Compares the networks of the command line, or the transforms where it names none."""
    torchvision = import_torchvision()
    names = sys.argv[1:]
    print(json.dumps({name: compare(torchvision, name) for name in names} if names else transforms(torchvision)))


if __name__ == "__main__":
    main()
