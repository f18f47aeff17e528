"""What single units of a network look for: first filters, the patches that excite them most, and maps of features."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from palestra.networks.stages import module_at, name_of, outputs_of
from palestra.perception.scores import evaluating, output_of, prepared

MAPS = ("pca", "tsne")
BATCH = 128  # samples in a forward pass


class Box(NamedTuple):
    """A rectangle of pixels: rows `top` to `bottom` and columns `left` to `right`, the last ones not included."""

    top: int
    left: int
    bottom: int
    right: int

    def cut(self, image: Tensor) -> Tensor:
        """Returns the rectangle of an image `[C, H, W]`."""
        return image[:, self.top : self.bottom, self.left : self.right]


class Patch(NamedTuple):
    """Where a unit answered strongly: the image's number, the unit's answer, and the pixels that it saw."""

    image: int
    activation: float
    box: Box


def first_filters(network: nn.Module) -> Tensor:
    """Returns the weights of the first layer: `[N, C, h, w]` of a convolution, or `[N, inputs]` of a linear one.

    Raises:
        ValueError: the network has neither.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            return module.weight.detach().clone()
    raise ValueError(f"{name_of(network)} has no convolution and no linear layer, so it has no filters")


def features(network: nn.Module, x: Tensor, stage: str | None = None) -> Tensor:
    """Returns features `[B, F]` of inputs `[B, ...]`: a stage's output, maps averaged over their places.

    Without `stage` they are what goes into the last linear layer, or the network's output where it has none; of an
    autoencoder its code.

    Raises:
        ValueError: the network cannot take the inputs, or has no such stage.
    """
    if stage is None and hasattr(network, "encode"):
        return _codes(network, x)
    linear = [m for m in network.modules() if isinstance(m, nn.Linear)]
    layer = module_at(network, stage) if stage is not None else (linear[-1] if linear else network)
    kept: list[Tensor] = []

    def keep(_module: nn.Module, inputs: Any, output: Any) -> None:
        kept.append((inputs[0] if stage is None and linear else output).detach())

    handle = layer.register_forward_hook(keep)
    try:
        with evaluating(network):
            for part in torch.split(x, BATCH):
                output_of(network, prepared(network, part))
    finally:
        handle.remove()
    return torch.cat([out.mean(dim=(2, 3)) if out.dim() == 4 else out.flatten(1) for out in kept])


def _codes(autoencoder: Any, x: Tensor) -> Tensor:
    with evaluating(autoencoder), torch.no_grad():
        return torch.cat([autoencoder.encode(prepared(autoencoder, part)) for part in torch.split(x, BATCH)])


def feature_map(points: Tensor, kind: str = "pca", *, seed: int = 0) -> NDArray[np.float64]:
    """Places features `[B, F]` in the plane, `[B, 2]`: "pca", or "tsne" (van der Maaten & Hinton 2008) by scikit-learn.

    Raises:
        ValueError: there is no such map, or there are too few samples.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    if kind not in MAPS:
        raise ValueError(f"features are mapped by {' or '.join(MAPS)}, not by {kind!r}")
    if len(points) < 4 or points.shape[1] < 2:
        raise ValueError(f"a map wants at least 4 samples of 2 features, but there are {list(points.shape)}")
    values = points.cpu().double().numpy()
    if kind == "pca":
        return np.asarray(PCA(2, svd_solver="full").fit_transform(values))
    perplexity = min(30.0, (len(values) - 1) / 3)
    return np.asarray(TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(values))


def strongest_patches(network: nn.Module, images: Tensor, stage: str, index: int, count: int = 9) -> list[Patch]:
    """Returns the patches `[C, H, W]` images hold that excite a unit of a stage most, strongest first, one an image.

    `images` `[N, C, H, W]` are uint8 or floats in [0, 1]; of N vectors, or where the stage gives vectors, the patch is
    the whole sample.

    Raises:
        ValueError: the network cannot take the images, or has no such stage or unit.
    """
    module_at(network, stage)
    best: list[Tensor] = []
    places: list[Tensor] = []
    width = 0
    with evaluating(network):
        for part in torch.split(images, BATCH):
            with outputs_of(network, [stage]) as outputs:
                output_of(network, prepared(network, part))
            output = outputs[stage]
            if not 0 <= index < output.shape[1]:
                raise ValueError(f"the stage {stage} has units 0 to {output.shape[1] - 1}, but {index} was asked for")
            maps = output[:, index].reshape(len(part), -1)
            width = output.shape[3] if output.dim() == 4 else 0
            values, where = maps.max(dim=1)
            best.append(values)
            places.append(where)
    activation, place = torch.cat(best), torch.cat(places)
    first = activation.argsort(descending=True, stable=True)[:count].tolist()
    if not width:
        whole = Box(0, 0, *(images.shape[2:] if images.dim() == 4 else (1, images.shape[1])))
        return [Patch(i, float(activation[i]), whole) for i in first]
    fields = receptive_fields(
        network, stage, tuple(images.shape[1:]), [divmod(int(place[i]), width) for i in first], index
    )
    return [Patch(i, float(activation[i]), box) for i, box in zip(first, fields, strict=True)]


def receptive_fields(
    network: nn.Module, stage: str, shape: Sequence[int], places: Sequence[tuple[int, int]], index: int | None = None
) -> list[Box]:
    """Returns for each place (row, column) of a stage's maps the smallest box of an image `[C, H, W]` that it sees.

    What is not a number stays none, whatever the weights: rows or columns of the image that hold nothing else are
    found by bisection, from each side, to reach the place or not. So it is exact for any network, branches and borders
    included; where there is dilation, the box has gaps. Only unit `index` is asked if it is given.

    Raises:
        ValueError: the stage gives no maps, or a place sees nothing.
    """
    probe = _Probe(network, stage, tuple(shape), index)
    boxes = []
    with evaluating(network), torch.no_grad(), torch.backends.mkldnn.flags(False, None, None, None):
        for place in places:
            (top, bottom), (left, right) = probe.span(place, 0), probe.span(place, 1)
            boxes.append(Box(top, left, bottom, right))
    return boxes


class _Probe:
    """Asks a network which rows or columns of its input reach which places of a stage."""

    def __init__(self, network: nn.Module, stage: str, shape: tuple[int, ...], index: int | None) -> None:
        self._network, self._stage, self._shape, self._index = network, stage, shape, index
        self._known: dict[tuple[int, int, int], Tensor] = {}
        module_at(network, stage)

    def span(self, place: tuple[int, int], axis: int) -> tuple[int, int]:
        """Returns the first row (column, if `axis` is 1) that the place sees, and the one after the last."""
        length = self._shape[1 + axis]
        if not self._reaches(axis, 0, length, place):
            raise ValueError(f"the place {place} of {self._stage} depends on no pixel")
        low, high = 0, length - 1  # the first row is the smallest end of [0, end] that reaches
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self._reaches(axis, 0, middle + 1, place) else (middle + 1, high)
        first, low, high = low, low, length - 1  # the last row is the largest start of [start, length) that reaches
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._reaches(axis, middle, length, place) else (low, middle - 1)
        return first, low + 1

    def _reaches(self, axis: int, begin: int, end: int, place: tuple[int, int]) -> bool:
        key = (axis, begin, end)
        if key not in self._known:
            image = torch.zeros(1, *self._shape)
            image.narrow(2 + axis, begin, end - begin).fill_(torch.nan)
            with outputs_of(self._network, [self._stage]) as outputs:
                output_of(self._network, prepared(self._network, image))
            self._known[key] = self._not_a_number(outputs[self._stage])
        answer = self._known[key]
        if not (0 <= place[0] < answer.shape[0] and 0 <= place[1] < answer.shape[1]):
            raise ValueError(f"the maps of {self._stage} are {list(answer.shape)}, without a place {place}")
        return bool(answer[place])

    def _not_a_number(self, output: Tensor) -> Tensor:
        if output.dim() != 4:
            raise ValueError(f"{self._stage} gives {list(output.shape[1:])}, not maps [C, H, W]; it sees all pixels")
        if self._index is None:
            return output[0].isnan().any(dim=0)
        if not 0 <= self._index < output.shape[1]:
            raise ValueError(
                f"the stage {self._stage} has units 0 to {output.shape[1] - 1}, but {self._index} was asked for"
            )
        return output[0, self._index].isnan()
