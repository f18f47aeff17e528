"""Generative stochastic networks: a chain that mends what it has spoilt, and so walks among samples like the data.

It is an implicit model: its distribution is the one in which the chain settles, for which there is no formula, so that
samples have no `log_prob`.
"""

from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from palestra.networks.chance import bernoulli, normal, uniform
from palestra.networks.density import checked_condition, checked_levels, checked_request
from palestra.networks.objectives import Losses


class GSN(nn.Module):
    """A Markov chain on binary vectors `[B, in_channels]` and layers of noisy hidden units, learnt by backpropagation.

    Bengio, Thibodeau-Laufer, Alain and Yosinski, "Deep generative stochastic networks trainable by backprop" (ICML
    2014). A step of the chain spoils the sample by salt-and-pepper noise, a fraction `corruption` of its bits, updates
    the odd hidden layers from their neighbours and then the even ones, as a deep Boltzmann machine would (section 4.1),
    and draws the sample's bits anew, from the first hidden layer. Hidden units are tanh(a + noise) + noise, with
    Gaussian noise of a standard deviation of `noise` before and after; weights upwards and downwards are the same.

    It is trained by walkback (section 3.2, and Bengio et al. 2013): `num_walkback` steps of the chain are made from
    data, and each is to lead back to them. We take the mean over the steps, not their sum. `sample` makes `num_steps`
    steps from independent bits, each as often 1 as in the data seen in training: from fair coins chains may settle far
    from all data, where training never led them.

    Raises:
        ValueError: a size or an option is out of range, or classes are wanted.
    """

    input_rank: ClassVar[int] = 1
    levels: ClassVar[int] = 2
    frequency: Tensor
    seen: Tensor

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        hidden: Sequence[int] = (256, 256),
        num_walkback: int = 4,
        num_steps: int = 100,
        noise: float = 0.3,
        corruption: float = 0.2,
    ) -> None:
        super().__init__()
        if num_classes is not None:
            raise ValueError(f"a generative stochastic network has no classes, but num_classes is {num_classes}")
        if not hidden or min(in_channels, *hidden, num_walkback, num_steps) < 1:
            raise ValueError(
                f"there must be a hidden layer, and sizes and steps must be at least 1, but in_channels is "
                f"{in_channels}, hidden {hidden}, num_walkback {num_walkback} and num_steps {num_steps}"
            )
        if not (0.0 <= corruption <= 1.0 and noise >= 0.0):
            raise ValueError(
                f"corruption must be a fraction and noise not negative, but they are {corruption} and {noise}"
            )
        self.shape, self.num_classes = (in_channels,), None
        self.hidden = tuple(hidden)
        self.layers = nn.ModuleList(nn.Linear(*sizes) for sizes in pairwise((in_channels, *hidden)))
        self.visible_bias = nn.Parameter(torch.zeros(in_channels))
        for layer in self.layers:
            nn.init.xavier_uniform_(layer.weight), nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        self.register_buffer("frequency", torch.full(self.shape, 0.5))  # of ones in the data
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))  # samples in training
        self.num_walkback, self.num_steps = num_walkback, num_steps
        self.noise, self.corruption = noise, corruption

    def objective(self, batch: Sequence[Tensor]) -> Losses:
        """Returns losses `[B]`, the mean cross-entropy of the data over the steps of the walkback, and metrics `[B]`.

        The metric `first` is the cross-entropy after the first step.

        Raises:
            ValueError: the samples are not what the model takes.
        """
        x = self._bits(batch[0])
        if self.training:
            self.seen += len(x)
            self.frequency += (x.mean(dim=0) - self.frequency) * (len(x) / self.seen)
        losses: list[Tensor] = []
        now, hidden = x, self._silence(len(x))
        for _ in range(self.num_walkback):
            logits, hidden = self._step(now, hidden)
            losses.append(F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1))
            now = bernoulli(torch.sigmoid(logits.detach()))
        return torch.stack(losses).mean(dim=0), {"first": losses[0].detach()}

    @torch.no_grad()
    def sample(self, n: int, condition: Tensor | None = None, *, generator: torch.Generator | None = None) -> Tensor:
        """Draws samples `[n, in_channels]`, zeros and ones: where n chains are after `num_steps` steps.

        Raises:
            ValueError: there are none, too many, or there is a condition.
        """
        checked_condition(self, condition, n)
        checked_request(n, self.shape)
        start = bernoulli(self.frequency.expand(n, -1), generator)
        *_, last = islice(self.walk(start, generator=generator), self.num_steps)
        return last

    def walk(self, x: Tensor, *, generator: torch.Generator | None = None) -> Iterator[Tensor]:
        """Returns the samples `[B, in_channels]` after each step of chains from `x`, without end.

        Raises:
            ValueError: the samples are not what the model takes.
        """
        return self._walk(self._bits(x), generator)

    def reconstruct(self, x: Tensor) -> Tensor:
        """Returns the probabilities of the bits `[B, in_channels]` by a pass up and down through silent hidden units.

        Raises:
            ValueError: the samples are not what the model takes.
        """
        x = self._bits(x)
        hidden = self._silence(len(x))
        for _ in self.layers:  # a step carries what is known one or two layers up
            logits, hidden = self._step(x, hidden, noisy=False)
        return torch.sigmoid(logits)

    @torch.no_grad()
    def _walk(self, x: Tensor, generator: torch.Generator | None) -> Iterator[Tensor]:
        hidden = self._silence(len(x))
        while True:
            logits, hidden = self._step(x, hidden, generator)
            x = bernoulli(torch.sigmoid(logits), generator)
            yield x

    def _step(
        self, x: Tensor, hidden: list[Tensor], generator: torch.Generator | None = None, noisy: bool = True
    ) -> tuple[Tensor, list[Tensor]]:
        """Returns the logits of the bits `[B, in_channels]` and the hidden layers after a step."""
        noise = self.noise if noisy else 0.0
        layers = [_spoilt(x, self.corruption, generator) if noisy else x, *hidden]
        for i in (*range(1, len(layers), 2), *range(2, len(layers), 2)):
            total = self.layers[i - 1](layers[i - 1])
            if i + 1 < len(layers):
                total = total + layers[i + 1] @ self.layers[i].weight
            layers[i] = _noisy(torch.tanh(_noisy(total, noise, generator)), noise, generator)
        return layers[1] @ self.layers[0].weight + self.visible_bias, layers[1:]  # type: ignore[operator]

    def _bits(self, x: Tensor) -> Tensor:
        return checked_levels(self, x).to(self.visible_bias.dtype)

    def _silence(self, n: int) -> list[Tensor]:
        return [self.visible_bias.new_zeros(n, size) for size in self.hidden]


def _spoilt(x: Tensor, fraction: float, generator: torch.Generator | None) -> Tensor:
    draw = uniform(x.shape, x.device, generator)
    return torch.where(draw < fraction, (draw < 0.5 * fraction).to(x), x)


def _noisy(x: Tensor, deviation: float, generator: torch.Generator | None) -> Tensor:
    if not deviation:
        return x
    return x + deviation * normal(x.shape, x.device, generator).to(x.dtype)
