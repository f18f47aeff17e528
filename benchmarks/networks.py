"""Published networks beside torchvision's: seconds of a forward pass, and of one with its gradients.

Both have the same weights and see the same eight images of 224 x 224 pixels, with as many threads. Ours are as `create`
gives them; theirs as torchvision does, GoogLeNet on both sides without auxiliary heads. Forward passes are those of
evaluation without gradients, the others those of training. Times are medians over rounds taken by turns, ratios
medians over the pairs of a round. The folder with torchvision, which `make check` installs, is PALESTRA_ORACLE.

    PALESTRA_ORACLE=folder python benchmarks/networks.py [rounds [network ...]]
"""

import importlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from palestra.networks import create
from palestra.networks.threads import use_threads

NAMES = ("alexnet_owt", "vgg11", "googlenet", "resnet18", "resnet50", "densenet121")
BATCH_SIZE, SIDE = 8, 224
OPERATORS = ("nms", "qnms")  # declared, as torchvision's compiled part does not load beside every build of torch


def import_torchvision() -> Any:
    """Imports torchvision from the folder PALESTRA_ORACLE, without its compiled operators.

    Raises:
        ValueError: the variable names no folder with torchvision.
    """
    folder = os.environ.get("PALESTRA_ORACLE", "")
    if not os.path.isdir(os.path.join(folder, "torchvision")):
        raise ValueError(f"PALESTRA_ORACLE must name a folder with torchvision, but is {folder!r}")
    library: Any = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for name in OPERATORS:
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    sys.path.append(folder)
    torchvision: Any = importlib.import_module("torchvision")
    torchvision.declarations = library  # which last as long as this
    return torchvision


def pair(torchvision: Any, name: str) -> dict[str, nn.Module]:
    """Makes both networks, with the same weights."""
    googlenet = name == "googlenet"
    ours = create(name, in_channels=3, num_classes=1000, **({"auxiliary_heads": False} if googlenet else {}))
    options = {"aux_logits": False, "init_weights": False} if googlenet else {}
    theirs = torchvision.models.get_model(name.removesuffix("_owt"), weights=None, **options)
    theirs.load_state_dict(ours.state_dict())
    return {"palestra": ours, "torchvision": theirs}


def calls(network: nn.Module, x: Tensor) -> dict[str, Callable[[], Any]]:
    """Returns what is measured of a network."""

    def forward() -> None:
        network.eval()
        with torch.inference_mode():
            network(x)

    def gradients() -> None:
        network.train()
        network.zero_grad()
        network(x).sum().backward()

    return {"forward": forward, "gradients": gradients}


def seconds(call: Callable[[], Any]) -> float:
    """Returns the time of a call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(networks: dict[str, nn.Module], rounds: int) -> dict[str, Any]:
    """Returns the times of both networks and their ratios."""
    x = torch.rand(BATCH_SIZE, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    measured = {side: calls(network, x) for side, network in networks.items()}
    figures: dict[str, Any] = {}
    for kind in ("forward", "gradients"):
        times: dict[str, list[float]] = {side: [] for side in measured}
        for i in range(rounds + 1):  # the first round warms up
            for side in list(measured)[:: 1 if i % 2 else -1]:
                taken = seconds(measured[side][kind])
                times[side] += [taken] if i else []
        figures[kind] = {side: statistics.median(values) for side, values in times.items()}
        each = zip(times["torchvision"], times["palestra"], strict=True)
        figures[kind]["ratio"] = statistics.median(theirs / ours for theirs, ours in each)
    return figures


def main() -> None:
    """Prints the table, and as the last line a JSON object."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    torchvision = import_torchvision()
    figures: dict[str, Any] = {"rounds": rounds, "threads": use_threads(image=True), "batch_size": BATCH_SIZE}
    print(f"{'seconds':14}{'forward':>9}{'theirs':>9}{'ratio':>8}{'gradients':>11}{'theirs':>9}{'ratio':>8}")
    for name in sys.argv[2:] or NAMES:
        figures[name] = measure(pair(torchvision, name), rounds)
        f, g = figures[name]["forward"], figures[name]["gradients"]
        print(
            f"{name:14}{f['palestra']:9.3f}{f['torchvision']:9.3f}{f['ratio']:7.2f}x"
            f"{g['palestra']:11.3f}{g['torchvision']:9.3f}{g['ratio']:7.2f}x",
            flush=True,
        )
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
