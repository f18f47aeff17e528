"""Which network suits which images: its sizes from the data, and the data in the form that it takes."""

from typing import Any

import torch
from torch import Tensor, nn

from palestra.networks import create, network_class
from palestra.networks.pixels import PIXEL_SCALE
from palestra.networks.stages import name_of
from palestra.perception.data import Images

KINDS = {1: "vectors", 2: "sequences", 3: "images"}


def network_for(name: str, images: Images, *, num_classes: int | None = None, **options: Any) -> nn.Module:
    """Makes a network by name whose channels, size, mean and spread are those of images.

    Networks on vectors take all pixels of an image, those on sequences its rows one after the other.

    Raises:
        ValueError: there is no such network, or it does not take such images.
    """
    channels, (height, width) = images.in_channels, images.image_size
    rank = network_class(name).input_rank
    if rank == 1:
        return create(name, in_channels=channels * height * width, num_classes=num_classes, **options)
    if rank == 2:
        return create(name, in_channels=channels * width, num_classes=num_classes, **options)
    if "mean" not in options:
        mean, std = images.mean_std()
        options |= {"mean": mean, "std": [spread or 1.0 for spread in std]}
    return create(name, in_channels=channels, num_classes=num_classes, image_size=(height, width), **options)


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
