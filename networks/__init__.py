"""PyTorch modules that agents draw on and that work alone. `NETWORKS` is the only list of them."""

import difflib
import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

NETWORKS = {  # name on the command line: (module, class, what it is)
    "mlp": ("mlp", "MLP", "fully connected layers on vectors"),
    "nature": ("cnn", "NatureCNN", "the three convolutions of the Nature DQN (Mnih et al. 2015) on 84x84 frames"),
}


def network_class(name: str) -> Any:
    """Imports and returns the class of a network; its `input_rank` is 1 for vectors and 3 for images.

    Raises:
        ValueError: there is no such network; the nearest name is offered.
    """
    if name not in NETWORKS:
        near = difflib.get_close_matches(name, NETWORKS, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(NETWORKS)}"
        raise ValueError(f"there is no network {name!r}; {hint}")
    module, attribute, _ = NETWORKS[name]
    return getattr(importlib.import_module(f"palestra.networks.{module}"), attribute)


def create(name: str, *, in_channels: int, num_classes: int | None = None, **options: Any) -> "nn.Module":
    """Builds a network: `num_classes` outputs a sample, or its features, `num_features` of them, where that is None.

    `in_channels` counts the numbers of a vector or the planes of an image; `options` are the network's own.

    Raises:
        ValueError: there is no such network, or a size is wrong.
    """
    network: nn.Module = network_class(name)(in_channels, num_classes, **options)
    return network
