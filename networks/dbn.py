"""Deep belief networks: a restricted Boltzmann machine, and below it layers of units that are drawn top down."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from palestra.networks.chance import bernoulli
from palestra.networks.density import (
    Bound,
    Estimate,
    LogProb,
    checked_condition,
    checked_levels,
)
from palestra.networks.objectives import Losses
from palestra.networks.rbm import RBM


class DBN(nn.Module):
    """A deep belief network with `in_channels` visible units and layers of `hidden` binary units.

    Hinton, Osindero and Teh, "A fast learning algorithm for deep belief nets", Neural Computation 18 (2006), section 4,
    without the fine-tuning of its section 5. Each layer is an `RBM`, with `steps`, `persistent` and `num_chains`, that
    is fitted to what the layer below draws. The paper fits one after the other, and begins each with the weights of the
    one below; here they begin small, and all are fitted at once, each to the layer below as it is by then, so that one
    fit is all it takes. With `layerwise` only the layer `stage` is fitted, and `advance` moves on to the next. Labels
    of `num_classes` are visible units of the top layer, as there.

    Raises:
        ValueError: there are no layers, or a layer has no units.
    """

    input_rank: ClassVar[int] = 1
    levels: ClassVar[int] = 2
    fit_defaults: ClassVar[Mapping[str, Any]] = MappingProxyType({"optimizer": "sgd", "learning_rate": 0.05})
    stage: Tensor  # the layer that is fitted, an int64; -1 for all

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        hidden: Sequence[int] = (500, 500),
        steps: int = 1,
        persistent: bool = False,
        num_chains: int = 100,
        layerwise: bool = False,
    ) -> None:
        super().__init__()
        if not hidden:
            raise ValueError("a deep belief network has at least 1 layer of hidden units, but hidden is empty")
        sizes, classes = (in_channels, *hidden), [None] * (len(hidden) - 1) + [num_classes]
        self.layers = nn.ModuleList(
            RBM(size, k, num_hidden=above, steps=steps, persistent=persistent, num_chains=num_chains)
            for size, above, k in zip(sizes, hidden, classes, strict=False)
        )
        self.shape, self.num_features, self.num_classes = (in_channels,), sizes[-1], num_classes
        self.stages = tuple(f"layers.{k}" for k in range(len(hidden)))
        self.register_buffer("stage", torch.tensor(0 if layerwise else -1))

    def advance(self) -> None:
        """Moves on to fitting the next layer, where layers are fitted one after the other.

        Raises:
            ValueError: all layers are fitted at once, or the last one was being fitted.
        """
        if not 0 <= int(self.stage) < len(self.layers) - 1:
            fitted = "all at once" if self.stage < 0 else f"up to the last, {int(self.stage)}"
            raise ValueError(f"there is no layer to move on to: the {len(self.layers)} layers are fitted {fitted}")
        self.stage += 1

    def objective(self, batch: Sequence[Tensor]) -> Losses:
        """Returns losses `[B]` and metrics `[B]` of a batch `(x,)` or, with classes, `(x, label)`.

        The loss is the sum of the layers', each with its own gradient alone; see `RBM.objective`.
        """
        v = self._binary(batch[0])
        label = checked_condition(self, batch[1] if self.num_classes and len(batch) > 1 else None, len(v))
        loss, metrics = v.new_zeros(len(v)), dict[str, Tensor]()
        stage = int(self.stage)
        for k, rbm in enumerate(self._rbms()):
            if stage in (k, -1):
                own, found = rbm.contrast(v, label if rbm.num_classes else None)
                loss = loss + own
                metrics |= {f"{name}_{k + 1}": value for name, value in found.items()}
            if k == stage:
                break
            v = _drawn(rbm.hidden_inputs(v).detach(), None)
        return loss, metrics

    def forward(self, x: Tensor) -> Tensor:
        """Maps samples `[B, D]` to the log-odds of the classes `[B, num_classes]`, or to codes where there are none.

        Probabilities take the place of states in the layers between.
        """
        *below, top = self._rbms()
        v = self._binary(x)
        for rbm in below:
            v = rbm.features(v)
        return top.features(v)

    def encode(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Returns the probabilities `[B, hidden[-1]]` of the top units, given those of each layer below."""
        v, label = self._binary(x), checked_condition(self, condition, len(x))
        for rbm in self._rbms():
            v = torch.sigmoid(rbm.hidden_inputs(v, label if rbm.num_classes else None))
        return v

    def decode(self, code: Tensor) -> Tensor:
        """Returns the probabilities `[B, D]` of visible units, given those of the top ones `[B, hidden[-1]]`."""
        for rbm in reversed(self._rbms()):
            code = rbm.decode(code)
        return code

    def reconstruct(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Returns `decode(encode(x, condition))`, `[B, D]`."""
        return self.decode(self.encode(x, condition))

    @torch.no_grad()
    def sample(
        self,
        n: int,
        condition: Tensor | None = None,
        *,
        generator: torch.Generator | None = None,
        steps: int = 1000,
    ) -> Tensor:
        """Returns n samples `[n, D]` of 0 and 1: `steps` Gibbs steps in the top layer, then each layer down, drawn.

        Raises:
            ValueError: there are no steps, too many samples, or labels are missing or wrong.
        """
        *below, top = self._rbms()
        v = top.sample(n, checked_condition(self, condition, n), generator=generator, steps=steps)
        for rbm in reversed(below):
            v = bernoulli(rbm.decode(v), generator)
        return v

    @torch.no_grad()
    def log_prob(
        self,
        x: Tensor,
        condition: Tensor | None = None,
        *,
        num_draws: int = 10,
        generator: torch.Generator | None = None,
    ) -> LogProb:
        """Returns variational bounds of log-probabilities of samples `[B, D]`, given labels where there are classes.

        Salakhutdinov and Murray, "On the quantitative analysis of deep belief networks", ICML 2008: the mean of
        log p(x, h) - log q(h | x) over `num_draws` draws of hidden units on the way up, from a generator that is seeded
        with 0 where none is given. It is a `Bound` where the top layer's log Z is exact, and else an `Estimate`
        of the bound; see `RBM.log_prob`. The paper has the entropy of q in closed form, where ours is that of the
        draws, whose noise is 0 where the bound is tight.

        Raises:
            ValueError: there are no draws, or samples or labels are wrong.
        """
        if num_draws < 1:
            raise ValueError(f"at least 1 draw is wanted, but num_draws is {num_draws}")
        v, label = self._binary(x), checked_condition(self, condition, len(x))
        generator = generator or torch.Generator().manual_seed(0)
        top = self._rbms()[-1]
        log_z = top.known_log_z() if label is None else top.known_log_z()[label]
        terms = sum((self._log_weight(v, label, generator) for _ in range(num_draws)), torch.zeros_like(v[:, 0]))
        return (Bound if top.is_exact else Estimate)(terms / num_draws - log_z)

    def _log_weight(self, v: Tensor, label: Tensor | None, generator: torch.Generator) -> Tensor:
        """Returns log p(v, h) - log q(h | v) + log Z, `[B]`, for hidden units h drawn from q."""
        *below, top = self._rbms()
        total = torch.zeros_like(v[:, 0])
        for rbm in below:
            up = rbm.hidden_inputs(v)
            h = _drawn(up, generator)
            down = F.linear(h, rbm.weight.T, rbm.visible_bias)
            total += _log_bernoulli(v, down) - _log_bernoulli(h, up)
            v = h
        return total - top.free_energy(v, label)

    def _rbms(self) -> list[RBM]:
        return cast(list[RBM], list(self.layers))

    def _binary(self, x: Tensor) -> Tensor:
        return checked_levels(self, x).to(self._rbms()[0].weight.dtype)


def _drawn(log_odds: Tensor, generator: torch.Generator | None) -> Tensor:
    return bernoulli(torch.sigmoid(log_odds), generator)


def _log_bernoulli(states: Tensor, log_odds: Tensor) -> Tensor:
    """Returns the log-probabilities `[B]` of states `[B, N]` of independent units."""
    return (states * log_odds - F.softplus(log_odds)).sum(dim=1)
