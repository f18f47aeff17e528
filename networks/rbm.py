"""Restricted Boltzmann machines: two layers of binary units, with connections between the layers alone."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from palestra.networks.chance import bernoulli, categorical, integers
from palestra.networks.density import (
    Estimate,
    Exact,
    LogProb,
    checked_condition,
    checked_levels,
    checked_request,
)
from palestra.networks.objectives import Losses
from palestra.networks.partition import LogZ, ais, exact_log_z

EXACT = 16  # units of the smaller side up to which log-probabilities are exact


class RBM(nn.Module):
    """A binary restricted Boltzmann machine of `in_channels` visible and `num_hidden` hidden units.

    Hinton, "Training products of experts by minimizing contrastive divergence", Neural Computation 14 (2002): chains
    begin at the data and make `steps` steps of Gibbs sampling. With `persistent` there are `num_chains` that go on from
    where the last update left them (Tieleman, "Training restricted Boltzmann machines using approximations to the
    likelihood gradient", ICML 2008). Weights begin small and biases at 0 (Hinton, "A practical guide to training
    restricted Boltzmann machines", 2010, section 8).

    With `num_classes` a label is one more visible unit, of as many values (Larochelle and Bengio, "Classification using
    discriminative restricted Boltzmann machines", ICML 2008, section 2): it is fitted to samples and labels jointly,
    samples are drawn, and are probable, given a label, and `forward` classifies.

    Raises:
        ValueError: there are no units, steps or chains.
    """

    input_rank: ClassVar[int] = 1
    levels: ClassVar[int] = 2
    fit_defaults: ClassVar[Mapping[str, Any]] = MappingProxyType({"optimizer": "sgd", "learning_rate": 0.05})
    chains: Tensor  # [num_chains, in_channels]
    chain_labels: Tensor | None  # [num_chains]

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        num_hidden: int = 500,
        steps: int = 1,
        persistent: bool = False,
        num_chains: int = 100,
    ) -> None:
        super().__init__()
        if min(in_channels, num_hidden, steps, num_chains, num_classes or 1) < 1 or num_classes == 0:
            raise ValueError(
                f"there must be units, classes, steps and chains, but in_channels={in_channels}, "
                f"num_hidden={num_hidden}, num_classes={num_classes}, steps={steps}, num_chains={num_chains}"
            )
        self.shape, self.num_features, self.num_classes = (in_channels,), num_hidden, num_classes
        self.steps, self.persistent = steps, persistent
        self.weight = nn.Parameter(0.01 * torch.randn(num_hidden, in_channels))
        self.visible_bias = nn.Parameter(torch.zeros(in_channels))
        self.hidden_bias = nn.Parameter(torch.zeros(num_hidden))
        if num_classes:
            self.label_weight = nn.Parameter(0.01 * torch.randn(num_classes, num_hidden))
            self.label_bias = nn.Parameter(torch.zeros(num_classes))
        if persistent:
            self.register_buffer("chains", torch.bernoulli(torch.full((num_chains, in_channels), 0.5)))
            labels = torch.arange(num_chains) % num_classes if num_classes else None
            self.register_buffer("chain_labels", labels)
        self._kept: tuple[Tensor, Tensor] | None = None  # the weights of which a log Z is known, and that

    def forward(self, x: Tensor) -> Tensor:
        """Maps samples `[B, D]` to the log-odds of the classes `[B, num_classes]`, or to codes where there are none."""
        return self.features(self._binary(x))

    def features(self, v: Tensor) -> Tensor:
        """Returns what `forward` does of floats `[B, D]`, unchecked."""
        if not self.num_classes:
            return torch.sigmoid(self.hidden_inputs(v))
        inputs = self.hidden_inputs(v)[:, None] + self.label_weight
        return self.label_bias + F.softplus(inputs).sum(dim=-1)

    def encode(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Returns the probabilities `[B, num_hidden]` that hidden units are on, given samples `[B, D]` and labels."""
        v = self._binary(x)
        return torch.sigmoid(self.hidden_inputs(v, checked_condition(self, condition, len(v))))

    def decode(self, code: Tensor) -> Tensor:
        """Returns the probabilities `[B, D]` that visible units are on, given hidden ones `[B, num_hidden]`."""
        return torch.sigmoid(F.linear(code, self.weight.T, self.visible_bias))

    def reconstruct(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Returns `decode(encode(x, condition))`, `[B, D]`."""
        return self.decode(self.encode(x, condition))

    def free_energy(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Returns -log of the sum over hidden states of e^-E, `[B]`, of samples `[B, D]` and, with classes, labels."""
        v, label = self._binary(x), checked_condition(self, condition, len(x))
        return self._free_energy(v, label, self.hidden_inputs(v, label))

    def objective(self, batch: Sequence[Tensor]) -> Losses:
        """Returns losses `[B]` and metrics `[B]` of a batch `(x,)` or, with classes, `(x, label)`.

        A loss is a sample's free energy less the mean free energy of the chains: its gradient is that of (persistent)
        contrastive divergence. It tells nothing of progress; the metric does, the pseudo-log-likelihood in nats,
        estimated from one unit of each sample, drawn at random.
        """
        x = self._binary(batch[0])
        return self.contrast(
            x, checked_condition(self, batch[1] if self.num_classes and len(batch) > 1 else None, len(x))
        )

    def contrast(self, v: Tensor, label: Tensor | None = None) -> Losses:
        """Returns what `objective` does of floats `[B, D]` of 0 and 1, unchecked."""
        inputs = self.hidden_inputs(v, label)
        with torch.no_grad():
            if self.persistent:
                begin = self.hidden_inputs(self.chains, self.chain_labels)
                chain, chain_label = self.gibbs(begin, self.chain_labels, self.steps)
            else:
                chain, chain_label = self.gibbs(inputs, label, self.steps)
            if self.persistent and self.training:
                self.chains.copy_(chain)
                if self.chain_labels is not None and chain_label is not None:
                    self.chain_labels.copy_(chain_label)
            metrics = {"pseudo_log_likelihood": self._pseudo_log_likelihood(v, inputs)}
        negative = self._free_energy(chain, chain_label, self.hidden_inputs(chain, chain_label)).mean()
        return self._free_energy(v, label, inputs) - negative, metrics

    @torch.no_grad()
    def sample(
        self,
        n: int,
        condition: Tensor | None = None,
        *,
        generator: torch.Generator | None = None,
        steps: int = 1000,
    ) -> Tensor:
        """Returns n samples `[n, D]` of 0 and 1: chains that begin with no hidden unit on, after `steps` Gibbs steps.

        Raises:
            ValueError: there are no steps, too many samples, or labels are missing or wrong.
        """
        checked_request(n, (self.shape[0] + self.num_features,))
        if steps < 1:
            raise ValueError(f"at least 1 step of Gibbs sampling is wanted, but steps is {steps}")
        label = checked_condition(self, condition, n)
        v = bernoulli(torch.sigmoid(self.visible_bias.expand(n, -1)), generator)
        return self.gibbs(self.hidden_inputs(v, label), label, steps, generator, clamped=True)[0]

    @torch.no_grad()
    def gibbs(
        self,
        inputs: Tensor,
        label: Tensor | None,
        steps: int,
        generator: torch.Generator | None = None,
        clamped: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Returns visible states `[B, D]`, and labels, after steps from what gave hidden units `inputs` `[B, H]`.

        Labels are drawn as well, unless they are `clamped`.
        """
        for step in range(steps):
            h = bernoulli(torch.sigmoid(inputs), generator)
            v = bernoulli(self.decode(h), generator)
            if label is not None and not clamped:
                odds = F.linear(h, self.label_weight, self.label_bias)
                label = categorical(odds.softmax(dim=1), 1, generator)[:, 0]
            if step + 1 < steps:
                inputs = self.hidden_inputs(v, label)
        return v, label

    @torch.no_grad()
    def log_z(self) -> Tensor:
        """Returns log Z, a float64, or that of each class, `[num_classes]`, by summing over all states of a side.

        The softmax of those of the classes are the classes' probabilities.

        Raises:
            ValueError: both sides have more than 20 units.
        """
        return self._label_terms() + exact_log_z(self.weight, self.visible_bias, self._hidden_biases())

    @torch.no_grad()
    def ais(self, num_chains: int = 100, num_steps: int = 1000, generator: torch.Generator | None = None) -> LogZ:
        """Estimates log Z, a float64, or that of each class, `[num_classes]`; see `networks/partition.py`.

        Raises:
            ValueError: there are fewer than 2 chains, or no steps.
        """
        found = ais(
            self.weight,
            self.visible_bias,
            self._hidden_biases(),
            num_chains=num_chains,
            num_steps=num_steps,
            generator=generator,
        )
        return LogZ(self._label_terms() + found.log_z, found.standard_error)

    @torch.no_grad()
    def log_prob(self, x: Tensor, condition: Tensor | None = None) -> LogProb:
        """Returns log-probabilities of samples `[B, D]`, given labels where there are classes.

        They are exact where a side has at most 16 units. Else they are estimates, whose log Z is that of `ais` with its
        defaults and the seed 0; either is kept until the weights change.
        """
        free_energy = self.free_energy(x, condition)
        log_z = self.known_log_z()
        nats = -free_energy - (log_z if condition is None else log_z[condition.long()])
        return Exact(nats) if self.is_exact else Estimate(nats)

    @property
    def is_exact(self) -> bool:
        """Says whether log-probabilities are exact."""
        return min(self.weight.shape) <= EXACT

    @torch.no_grad()
    def known_log_z(self) -> Tensor:
        """Returns the log Z, `[]` or `[num_classes]`, of `log_prob`; it is computed anew where weights have changed."""
        weights = torch.cat([p.flatten().cpu().double() for p in self.parameters()])
        if self._kept is None or not torch.equal(self._kept[0], weights):
            generator = torch.Generator().manual_seed(0)
            self._kept = weights, self.log_z() if self.is_exact else self.ais(generator=generator).log_z
        return self._kept[1].to(self.weight.device)

    def hidden_inputs(self, v: Tensor, label: Tensor | None = None) -> Tensor:
        """Returns the log-odds `[B, num_hidden]` that hidden units are on, given floats `[B, D]`, and labels."""
        inputs = F.linear(v, self.weight, self.hidden_bias)
        return inputs if label is None else inputs + self.label_weight[label]

    def _free_energy(self, v: Tensor, label: Tensor | None, inputs: Tensor) -> Tensor:
        energy = -(v @ self.visible_bias) - F.softplus(inputs).sum(dim=1)
        return energy if label is None else energy - self.label_bias[label]

    def _pseudo_log_likelihood(self, v: Tensor, inputs: Tensor) -> Tensor:
        """Returns D times the log-probability of one unit of each sample given the others, `[B]`."""
        unit = integers(v.shape[1], (len(v), 1), v.device)
        change = 1.0 - 2.0 * v.gather(1, unit)
        flipped = inputs + change * self.weight.T[unit[:, 0]]
        gain = change[:, 0] * self.visible_bias[unit[:, 0]] + (F.softplus(flipped) - F.softplus(inputs)).sum(dim=1)
        return v.shape[1] * F.logsigmoid(-gain)

    def _hidden_biases(self) -> Tensor:
        """Returns the biases that hidden units have, `[H]`, or have under each class, `[num_classes, H]`."""
        return self.hidden_bias + self.label_weight if self.num_classes else self.hidden_bias

    def _label_terms(self) -> Tensor:
        return self.label_bias.double() if self.num_classes else self.hidden_bias.new_zeros((), dtype=torch.float64)

    def _binary(self, x: Tensor) -> Tensor:
        return checked_levels(self, x).to(self.weight.dtype)
