"""What networks on images share: which variant an image size wants, usual layers, first weights and layout."""

from collections.abc import Sequence

import torch
from torch import nn

PUBLISHED_SIZE = (224, 224)
SMALL_BELOW = 64  # pixels of the shorter side


def variant(small: bool | None, image_size: Sequence[int], least: int) -> bool:
    """Returns whether the small-image variant is meant: as asked, or by the size of the images where that is None.

    Raises:
        ValueError: the image size is no pair, or has a side below `least` pixels.
    """
    if len(image_size) != 2 or min(image_size) < least:
        given = " x ".join(map(str, image_size))
        raise ValueError(f"images must be at least {least} x {least}, but are {given}")
    return min(image_size) < SMALL_BELOW if small is None else small


def published_only(small: bool, image_size: Sequence[int], least: int) -> None:
    """Checks the size of the images of a network that is not the small variant.

    Raises:
        ValueError: they vanish before its last layer.
    """
    if not small and min(image_size) < least:
        given = " x ".join(map(str, image_size))
        raise ValueError(f"images of {given} are too small for the published network; take small=True")


def head(num_features: int, num_classes: int | None) -> nn.Module:
    """Returns the last layer, or one that changes nothing where features are wanted.

    Raises:
        ValueError: there are no classes.
    """
    if num_classes is not None and num_classes < 1:
        raise ValueError(f"there must be at least one class, but num_classes is {num_classes}")
    return nn.Identity() if num_classes is None else nn.Linear(num_features, num_classes)


def response_norm() -> nn.LocalResponseNorm:
    """Returns the normalisation over five neighbouring channels of Krizhevsky et al. (2012), section 3.3.

    They divide by (2 + 1e-4 * sum of squares)^0.75; torch takes the mean of the squares, hence the factor of five.
    """
    return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)


def he(network: nn.Module, mode: str = "fan_out") -> None:
    """Draws the weights of convolutions as He et al. (2015) do, with biases at 0; other layers stay as they are."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode=mode, nonlinearity="relu")  # type: ignore[arg-type]
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def draw_linear(network: nn.Module, std: float | None) -> None:
    """Draws the weights of linear layers with a spread of `std`, or with He's where that is None, and biases at 0."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=(2 / module.in_features) ** 0.5 if std is None else std)
            nn.init.zeros_(module.bias)


def channels_last(network: nn.Module) -> None:
    """Lays the weights of convolutions out with channels last, which makes them faster; the values stay the same."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
