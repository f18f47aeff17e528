"""MADE: an autoencoder whose masks make it a product of conditional probabilities, in any order of the numbers.

Germain et al., "MADE: masked autoencoder for distribution estimation" (2015). With several masks the model is their
mixture: the logarithm of the mean of the probabilities under each mask, which is a probability again; the mean of the
conditionals, sometimes reported, is none. In training each batch takes one mask (section 4.3).
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from palestra.networks.activations import activation_named
from palestra.networks.chance import integers, uniform
from palestra.networks.density import (
    Exact,
    checked_condition,
    checked_input,
    checked_request,
    device_of,
    likelihood_loss,
)
from palestra.networks.nade import bernoulli_nats
from palestra.networks.objectives import Losses


class MADE(nn.Module):
    """MADE on binary vectors `[D]` with layers of `hidden` units, drawn from `mask_seed` with `num_masks` masks.

    The order of the numbers is that of the vector (`natural`), or drawn for each mask (`random`). With `direct`
    weights, outputs see the earlier inputs also past the layers. Classes, if any, are inputs of all layers that nothing
    hides.

    Raises:
        ValueError: there are no units or masks, too many masks, or no such order.
    """

    input_rank: ClassVar[int] = 1
    levels: ClassVar[int] = 2
    fit_defaults: ClassVar[Mapping[str, Any]] = MappingProxyType({"schedule": "cosine"})

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        hidden: Sequence[int] = (500,),
        num_masks: int = 1,
        order: str = "natural",
        mask_seed: int = 0,
        direct: bool = True,
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if min((*hidden, num_masks), default=0) < 1 or not hidden or in_channels < 1:
            raise ValueError(f"hidden is {tuple(hidden)} and num_masks {num_masks}, but at least 1 of each is wanted")
        if order not in ("natural", "random"):
            raise ValueError(f"order is {order!r}, but natural or random is wanted")
        self.shape, self.num_classes, self.num_masks = (in_channels,), num_classes, num_masks
        sizes = (in_channels, *hidden, in_channels)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.direct = nn.Linear(in_channels, in_channels, bias=False) if direct else None
        self.of_class = nn.ModuleList(nn.Embedding(num_classes, b) for b in sizes[1:]) if num_classes else None
        self.activation, self.dropout = activation_named(activation), nn.Dropout(dropout)
        self.degrees = [_degrees(in_channels, hidden, order, mask_seed + k) for k in range(num_masks)]

    def logits(self, x: Tensor, condition: Tensor | None = None, mask: int = 0) -> Tensor:
        """Maps levels `[B, D]` to the logits of ones `[B, D]` under one of the masks."""
        x = x.to(self.layers[0].weight.dtype)  # type: ignore[arg-type]
        h, degrees = x, [degree.to(x.device) for degree in self.degrees[mask]]
        last = len(self.layers) - 1
        for i, layer in enumerate(self.layers):
            allowed = _allowed(degrees[i], degrees[0] if i == last else degrees[i + 1], strict=i == last)
            h = F.linear(h, layer.weight * allowed, layer.bias)  # type: ignore[operator, arg-type]
            if self.of_class is not None:
                h = h + self.of_class[i](condition)
            if i < last:
                h = self.dropout(self.activation(h))
        if self.direct is not None:
            h = h + F.linear(x, self.direct.weight * _allowed(degrees[0], degrees[0], strict=True))
        return h

    def log_prob(self, x: Tensor, condition: Tensor | None = None) -> Exact:
        """Returns the log-probabilities of vectors `[B, D]`, of labels `[B]` where there are classes."""
        x, condition = checked_input(self, x, condition)
        each = [bernoulli_nats(self.logits(x, condition, k), x) for k in range(self.num_masks)]
        return Exact(torch.logsumexp(torch.stack(each), dim=0) - math.log(self.num_masks))

    def objective(self, batch: Sequence[Tensor]) -> Losses:
        """Returns the negative log-probabilities `[B]` of a batch `(x,)` or `(x, label)`, and bits per dimension.

        In training they are those under one mask, drawn from torch's global generator.
        """
        if self.training and self.num_masks > 1:
            x, condition = checked_input(self, batch[0], batch[1] if self.num_classes else None)
            mask = int(torch.randint(self.num_masks, ()))
            found = Exact(bernoulli_nats(self.logits(x, condition, mask), x))
            return -found.nats, {"bits_per_dim": found.bits_per_dim(self.shape).detach()}
        return likelihood_loss(self, batch)

    @torch.inference_mode()
    def sample(
        self,
        n: int,
        condition: Tensor | None = None,
        *,
        generator: torch.Generator | None = None,
        cached: bool = True,
    ) -> Tensor:
        """Draws vectors `[n, D]` of zeros and ones, each under a mask drawn for it.

        If `cached`, each unit is computed once, as soon as all that it sees is known.
        """
        checked_request(n, self.shape)
        condition = checked_condition(self, condition, n)
        masks = integers(self.num_masks, (n,), torch.device("cpu"), generator)
        uniforms = uniform((n, *self.shape), device_of(self), generator)
        x = torch.zeros_like(uniforms)
        was_training = self.training
        self.eval()
        for k in sorted(set(masks.tolist())):
            rows = (masks == k).nonzero()[:, 0]
            labels = None if condition is None else condition[rows]
            x[rows] = self._drawn(uniforms[rows], labels, k, cached)
        self.train(was_training)
        return x

    def _drawn(self, uniforms: Tensor, condition: Tensor | None, mask: int, cached: bool) -> Tensor:
        """Draws vectors number by number, in the order of a mask."""
        x = torch.zeros_like(uniforms)
        units = _Units(self, mask, condition, len(x)) if cached else None
        for d in self.degrees[mask][0].argsort().tolist():
            logit = self.logits(x, condition, mask)[:, d] if units is None else units.logit(d)
            x[:, d] = (uniforms[:, d] < torch.sigmoid(logit)).float()
            if units is not None:
                units.know(d, x[:, d])
        return x


class _Units:
    """The units of a MADE that are known so far: those of a degree, once the number of that degree is."""

    def __init__(self, model: MADE, mask: int, condition: Tensor | None, n: int) -> None:
        self._model, self._degrees = model, model.degrees[mask]
        self._values = [torch.zeros(n, len(degree), device=device_of(model)) for degree in self._degrees]
        self._classes = None if model.of_class is None else [embed(condition) for embed in model.of_class]
        # units that are not known yet are zero, so that of a layer's weights no more need be hidden
        self._of_degree = [{int(v): (degree == v).nonzero()[:, 0] for v in degree} for degree in self._degrees]

    def logit(self, d: int) -> Tensor:
        """Returns the logits `[n]` of a number whose earlier ones are known."""
        out = self._sums(len(self._model.layers) - 1, torch.tensor([d]))[:, 0]
        direct = self._model.direct
        return out if direct is None else out + self._values[0] @ direct.weight[d]

    def know(self, d: int, value: Tensor) -> None:
        """Takes note of a number `[n]`."""
        self._values[0][:, d] = value
        degree = int(self._degrees[0][d])
        for i in range(1, len(self._degrees)):
            units = self._of_degree[i].get(degree)
            if units is not None:
                self._values[i][:, units] = self._model.activation(self._sums(i - 1, units))

    def _sums(self, layer: int, units: Tensor) -> Tensor:
        module: Any = self._model.layers[layer]
        out = self._values[layer] @ module.weight[units].T + module.bias[units]
        sums: Tensor = out if self._classes is None else out + self._classes[layer][:, units]
        return sums


def _degrees(num_inputs: int, hidden: Sequence[int], order: str, seed: int) -> list[Tensor]:
    """Returns the place in the order, from 1 on, of each number, and the last place that each unit of a layer sees.

    Units have the places 1 to D - 1 in equal shares, shuffled where there is anything to draw (`random`).
    """
    rng = np.random.default_rng(seed)
    places = np.arange(1, num_inputs + 1)
    degrees = [rng.permutation(places) if order == "random" else places]
    for size in hidden:
        share = 1 + np.arange(size) % max(1, num_inputs - 1)
        degrees.append(rng.permutation(share))
    return [torch.from_numpy(degree) for degree in degrees]


def _allowed(seen: Tensor, seeing: Tensor, *, strict: bool) -> Tensor:
    """Returns what units of some degrees may see of others, `[seeing, seen]`; an output sees only earlier ones."""
    allowed = seeing[:, None] > seen if strict else seeing[:, None] >= seen
    return allowed.float()
