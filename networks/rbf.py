"""Radial-basis networks: a layer of units that answer to the distance from a centre, and a linear layer."""

import math
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn

from palestra.networks.mlp import as_vectors, vector_size
from palestra.networks.names import named
from palestra.networks.pixels import Pixels

BASES: dict[str, Callable[[Tensor], Tensor]] = {  # of the squared distance in units of the width
    "gaussian": lambda squared: torch.exp(-0.5 * squared),
    "multiquadric": lambda squared: torch.sqrt(1.0 + squared),
    "inverse-multiquadric": lambda squared: torch.rsqrt(1.0 + squared),
}


class RadialBasis(nn.Module):
    """Maps vectors `[B, D]` to a function of their distances to K centres, `[B, K]`; centres and widths are learnt."""

    def __init__(self, num_inputs: int, num_centres: int, width: float, basis: str) -> None:
        super().__init__()
        self.basis = named(basis, BASES, "radial basis")
        self.centres = nn.Parameter(torch.randn(num_centres, num_inputs))
        self.log_width = nn.Parameter(torch.full((num_centres,), math.log(width)))

    def forward(self, x: Tensor) -> Tensor:
        """Maps `[B, D]` to `[B, K]`."""
        squared = (x[:, None] - self.centres).square().sum(dim=2)
        return self.basis(squared * torch.exp(-2.0 * self.log_width))  # type: ignore[no-any-return]


class RBF(nn.Module):
    """A radial-basis network `[B, in_channels] -> [B, num_classes]` with `num_centres` units and a linear layer.

    Broomhead and Lowe, "Multivariable functional interpolation and adaptive networks", Complex Systems 2 (1988).
    Centres are drawn from a normal distribution until `set_centres` puts them where data are; then `solve` gives the
    linear layer of the least squared error, as there, and gradients change everything. Without `num_classes` the
    output is the units', `[B, num_centres]`. With `image_size` it takes images `[B, in_channels, H, W]`.

    Raises:
        ValueError: there is no centre, the width is not positive, or there is no such basis.
    """

    input_rank: int = 1  # 3 with image_size
    heads: ClassVar[tuple[str, ...]] = ("head",)
    stages: ClassVar[tuple[str, ...]] = ("features",)

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        num_centres: int = 64,
        width: float = 1.0,
        basis: str = "gaussian",
        image_size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        if num_centres < 1 or not width > 0:
            raise ValueError(
                f"there must be at least 1 centre, of positive width, but there are {num_centres} of {width}"
            )
        self.input_rank = 3 if image_size else 1
        self.num_features = num_centres
        self.pixels = Pixels()
        self.features = RadialBasis(vector_size(in_channels, image_size), num_centres, width, basis)
        self.head = nn.Identity() if num_classes is None else nn.Linear(num_centres, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Maps vectors `[B, in_channels]`, of any number type, or images to `[B, num_classes]`."""
        return self.head(self.features(as_vectors(self, x)))  # type: ignore[no-any-return]


@torch.no_grad()
def set_centres(network: RBF, x: Tensor, seed: int = 0) -> None:
    """Sets the centres to those of k-means on samples `[N, ...]`, and each width to the distance to the nearest other.

    Moody and Darken, "Fast learning in networks of locally-tuned processing units", Neural Computation 1 (1989). As
    many different samples as centres become the centres themselves.

    Raises:
        ValueError: there are fewer different samples than centres.
    """
    from sklearn.cluster import KMeans

    vectors, num_centres = as_vectors(network, x), network.num_features
    different = torch.unique(vectors, dim=0)
    if len(different) < num_centres:
        raise ValueError(f"{num_centres} centres need as many different samples, but there are {len(different)}")
    if len(different) > num_centres:
        found = KMeans(num_centres, n_init=4, random_state=seed).fit(vectors.cpu().numpy()).cluster_centers_
        different = torch.as_tensor(found)
    network.features.centres.copy_(different)
    if num_centres > 1:
        centres = network.features.centres
        nearest = torch.cdist(centres, centres).fill_diagonal_(math.inf).min(dim=1).values
        network.features.log_width.copy_(nearest.log())


@torch.no_grad()
def solve(network: RBF, x: Tensor, target: Tensor) -> float:
    """Sets the linear layer to that of the least squared error on samples `[N, ...]` and targets `[N, num_classes]`.

    Returns the mean squared error that is left. It is 0 with the samples as centres: the network then interpolates.

    Raises:
        ValueError: the network has no linear layer.
    """
    head = network.head
    if not isinstance(head, nn.Linear):
        raise ValueError("the linear layer is to be solved for, but the network was made without num_classes")
    units = network.features(as_vectors(network, x)).double()
    target = target.double().reshape(len(units), head.out_features)
    ones = torch.ones_like(units[:, :1])
    weight = torch.linalg.lstsq(torch.cat([units, ones], dim=1).cpu(), target.cpu(), driver="gelsd").solution
    head.weight.copy_(weight[:-1].T)
    head.bias.copy_(weight[-1])
    return float((head(units.to(head.weight.dtype)).double() - target).square().mean())
