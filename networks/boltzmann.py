"""Boltzmann machines small enough that all states can be summed over: every unit is connected to every other."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from palestra.networks.chance import bernoulli, categorical
from palestra.networks.density import Exact, checked_condition, checked_input, checked_request, likelihood_loss
from palestra.networks.objectives import Losses
from palestra.networks.partition import binary_states

LARGEST = 16  # units


class BoltzmannMachine(nn.Module):
    """A fully connected Boltzmann machine of `in_channels` visible and `num_hidden` hidden binary units.

    Ackley, Hinton and Sejnowski, "A learning algorithm for Boltzmann machines", Cognitive Science 9 (1985). A state s
    of 0 and 1, visible units first, has the energy E(s) = -b·s - the sum over pairs i < j of w_ij s_i s_j. What the
    paper estimates from samples is exact here, by the sum over all states, so that there are at most 16 units.

    Raises:
        ValueError: there are classes, no visible units, or too many units.
    """

    input_rank: ClassVar[int] = 1
    levels: ClassVar[int] = 2
    fit_defaults: ClassVar[Mapping[str, Any]] = MappingProxyType({"learning_rate": 0.02})

    def __init__(self, in_channels: int, num_classes: int | None = None, *, num_hidden: int = 0) -> None:
        super().__init__()
        if num_classes is not None:
            raise ValueError(
                f"a Boltzmann machine has no classes, but num_classes is {num_classes}; an rbm can have some"
            )
        num_units = in_channels + num_hidden
        if in_channels < 1 or num_hidden < 0 or num_units > LARGEST:
            raise ValueError(
                f"a Boltzmann machine has 1 to {LARGEST} units in all, but in_channels is {in_channels} and num_hidden "
                f"{num_hidden}; an rbm may be larger"
            )
        self.shape, self.num_classes = (in_channels,), None
        self.num_hidden = num_hidden
        self.weight = nn.Parameter(0.01 * torch.randn(num_units, num_units).triu(1))  # above the diagonal
        self.bias = nn.Parameter(torch.zeros(num_units))

    def energy(self, states: Tensor) -> Tensor:
        """Returns the energies `[N]` of states `[N, in_channels + num_hidden]` of 0 and 1."""
        s = states.to(self.weight.dtype)
        return -(s @ self.weight.triu(1) * s).sum(dim=1) - s @ self.bias

    def log_z(self) -> Tensor:
        """Returns the logarithm of the sum of e^-E over all states, a number."""
        return (-self._energies()).logsumexp(dim=(0, 1))

    def log_prob(self, x: Tensor, condition: Tensor | None = None) -> Exact:
        """Returns log-probabilities of samples `[B, in_channels]`, whose hidden units are summed over."""
        v, _ = checked_input(self, x, condition)
        number = v @ 2 ** torch.arange(v.shape[1], device=v.device)
        marginal = (-self._energies()).logsumexp(dim=0)
        return Exact(marginal[number] - marginal.logsumexp(dim=0))

    def objective(self, batch: Sequence[Tensor]) -> Losses:
        """Returns the exact negative log-likelihoods `[B]` of a batch `(x,)`, and bits per dimension."""
        return likelihood_loss(self, batch)

    @torch.no_grad()
    def sample(
        self,
        n: int,
        condition: Tensor | None = None,
        *,
        generator: torch.Generator | None = None,
        steps: int | None = None,
    ) -> Tensor:
        """Returns n visible states `[n, in_channels]` of 0 and 1: independent ones, or by `steps` sweeps of `gibbs`.

        Raises:
            ValueError: there are too many samples, or labels.
        """
        checked_condition(self, condition, n)
        checked_request(n, self.bias.shape)
        if steps is None:
            p = (-self._energies().flatten()).softmax(dim=0)
            states = self._states()[categorical(p, n, generator)]
        else:
            coins = torch.full((n, len(self.bias)), 0.5, device=self.bias.device)
            states = self.gibbs(bernoulli(coins, generator), steps, generator)
        return states[:, : self.shape[0]].to(self.weight.dtype)

    @torch.no_grad()
    def gibbs(self, states: Tensor, steps: int, generator: torch.Generator | None = None) -> Tensor:
        """Returns states `[N, units]` after so many sweeps that draw each unit in turn, given all others."""
        upper = self.weight.triu(1)
        weight, states = upper + upper.T, states.to(self.weight.dtype, copy=True)
        for _ in range(steps):
            for i in range(len(weight)):
                p = torch.sigmoid(states @ weight[i] + self.bias[i])
                states[:, i] = bernoulli(p, generator)
        return states

    def _states(self) -> Tensor:
        return binary_states(len(self.bias)).to(self.bias.device)

    def _energies(self) -> Tensor:
        """Returns the energies of all states, `[hidden states, visible states]`, each in the order of its number."""
        return self.energy(self._states()).view(2**self.num_hidden, -1)
