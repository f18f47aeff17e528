"""Which network suits which images: its sizes from the data, and the data in the form that it takes."""

import inspect
from typing import Any

import torch
from torch import Tensor, nn

from palestra.networks import MODELS, create, network_class
from palestra.networks.pixels import PIXEL_SCALE
from palestra.networks.stages import name_of
from palestra.perception.data import Images

KINDS = {1: "vectors", 2: "sequences", 3: "images"}


def arguments_for(name: str, images: Images, *, num_classes: int | None = None, **options: Any) -> dict[str, Any]:
    """Returns the arguments of `create` for a network by name, `network`, whose sizes, mean and spread suit images.

    Networks on vectors take all pixels of an image, those on sequences its rows one after the other. Generative models
    take levels: where theirs are those of bytes, as few as hold the images exactly.

    Raises:
        ValueError: there is no such network.
    """
    channels, (height, width) = images.in_channels, images.image_size
    rank = network_class(name).input_rank
    in_channels = {1: channels * height * width, 2: channels * width, 3: channels}[rank]
    if name in MODELS:
        own: dict[str, Any] = {"image_size": (height, width)} if rank == 3 else {}
        if _default_of(name, "levels") == 256 and "levels" not in options:
            own["levels"] = images.num_levels()
        options = {**own, **options}
    elif rank == 3:
        mean, std = images.mean_std()
        own = {"image_size": (height, width), "mean": mean, "std": [spread or 1.0 for spread in std]}
        options = {**own, **options}
    return {"network": name, "in_channels": in_channels, "num_classes": num_classes, **options}


def _default_of(name: str, option: str) -> Any:
    parameter = inspect.signature(network_class(name)).parameters.get(option)
    return parameter and parameter.default


def network_for(name: str, images: Images, *, num_classes: int | None = None, **options: Any) -> nn.Module:
    """Makes a network by name that takes images; see `arguments_for`.

    Raises:
        ValueError: there is no such network, or it does not take such images.
    """
    arguments = arguments_for(name, images, num_classes=num_classes, **options)
    return create(arguments.pop("network"), **arguments)


def inputs_for(network: nn.Module, images: Images) -> Any:
    """Returns images as data of the form that a network takes.

    Raises:
        ValueError: the network was made for images of other channels or another size; both are named.
    """
    config: Any = network.config
    channels, (height, width) = images.in_channels, images.image_size
    rank = network_class(config["network"]).input_rank
    given = {1: channels * height * width, 2: channels * width, 3: channels}[rank]
    size = tuple(config.get("image_size", (height, width)))
    if given != config["in_channels"] or (rank == 3 and size != (height, width)):
        wanted = (
            f"{config['in_channels']} x {size[0]} x {size[1]} images"
            if rank == 3
            else f"{config['in_channels']} inputs"
        )
        raise ValueError(
            f"the network {name_of(network)} takes {wanted}, but those of {images.name} are "
            f"{channels} x {height} x {width}; size=HxW and channels=N of the data change them"
        )
    return images if rank == 3 else Arranged(images, rank)


def arranged(pixels: Tensor, rank: int) -> Tensor:
    """Returns images `[B, C, H, W]` as vectors `[B, C H W]` or sequences of rows `[B, H, C W]`, floats in [0, 1]."""
    x = torch.mul(pixels, PIXEL_SCALE) if pixels.dtype == torch.uint8 else pixels
    return x.flatten(1) if rank == 1 else x.transpose(1, 2).flatten(2)


class Arranged:
    """Images as the vectors or sequences that a network takes."""

    def __init__(self, images: Images, rank: int) -> None:
        self.images, self.rank = images, rank

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, indices: Tensor) -> tuple[Tensor, ...]:
        pixels, *labels = self.images[indices]
        return (arranged(pixels, self.rank), *labels)
