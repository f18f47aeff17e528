"""The partition function of restricted Boltzmann machines: by enumeration, and by annealed importance sampling.

A machine has the energy E(v, h) = -b·v - c·h - h·Wv, with units of 0 or 1: weights W `[H, D]`, biases b `[D]` of the
visible units and c `[..., H]` of the hidden ones, a machine for each index of the leading dimensions.
"""

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from palestra.networks.chance import bernoulli

LARGEST_SIDE = 20  # units whose states are enumerated
CHUNK = 2**12  # states at a time


class LogZ(NamedTuple):
    """Estimates of log Z, and their standard errors."""

    log_z: Tensor  # [...]
    standard_error: Tensor  # [...]


def binary_states(num_units: int, start: int = 0, stop: int | None = None) -> Tensor:
    """Returns the states of binary units whose numbers go from `start` to below `stop`, `[N, num_units]`, as float64.

    The first unit is the lowest digit of a state's number.
    """
    numbers = torch.arange(start, 2**num_units if stop is None else stop)
    return ((numbers[:, None] >> torch.arange(num_units)) & 1).double()


def exact_log_z(weight: Tensor, visible_bias: Tensor, hidden_bias: Tensor) -> Tensor:
    """Returns log Z, `[...]` in float64, as the sum over all states of the side with fewer units.

    Raises:
        ValueError: there are more states than can be enumerated.
    """
    side = min(weight.shape)
    if side > LARGEST_SIDE:
        raise ValueError(
            f"log Z is summed over the states of the smaller side, of at most {LARGEST_SIDE} units, but it has {side}; "
            f"`ais` estimates it"
        )
    w, b, c = weight.double(), visible_bias.double(), hidden_bias.double()
    if weight.shape[0] < weight.shape[1]:
        return _log_sum_over_states(w.T, c, b)
    return _log_sum_over_states(w, b, c)


def _log_sum_over_states(weight: Tensor, bias: Tensor, other_bias: Tensor) -> Tensor:
    """Sums over the states of the side with `bias`; the other side's units are independent given one."""
    total = torch.tensor(-torch.inf, dtype=torch.float64, device=weight.device)
    for start in range(0, 2 ** bias.shape[-1], CHUNK):
        states = binary_states(bias.shape[-1], start, min(start + CHUNK, 2 ** bias.shape[-1])).to(weight.device)
        inputs = F.linear(states, weight) + other_bias[..., None, :]
        log_terms = F.linear(bias, states) + F.softplus(inputs).sum(dim=-1)
        total = torch.logaddexp(total, log_terms.logsumexp(dim=-1))
    return total


@torch.no_grad()
def ais(
    weight: Tensor,
    visible_bias: Tensor,
    hidden_bias: Tensor,
    *,
    num_chains: int = 100,
    num_steps: int = 1000,
    generator: torch.Generator | None = None,
) -> LogZ:
    """Estimates log Z, `[...]` in float64, by annealed importance sampling.

    Neal, "Annealed importance sampling", Statistics and Computing 11 (2001); Salakhutdinov and Murray, "On the
    quantitative analysis of deep belief networks", ICML 2008. `num_chains` chains go in `num_steps` even
    steps from a machine without weights to this one. That machine has the visible biases of this one, where the paper
    takes those of the training data. The mean of the weights is unbiased, so that its logarithm is too small rather
    than too large; its standard error is that of the mean, relative to it.

    Raises:
        ValueError: there are fewer than 2 chains, or no steps.
    """
    if num_chains < 2 or num_steps < 1:
        raise ValueError(f"at least 2 chains and 1 step are wanted, but there are {num_chains} and {num_steps}")
    bias = hidden_bias[..., None, :]
    visible = visible_bias.expand(*hidden_bias.shape[:-1], num_chains, -1)
    v = bernoulli(torch.sigmoid(visible), generator)
    log_weight = torch.zeros(visible.shape[:-1], dtype=torch.float64, device=weight.device)
    for before, after in pairwise(torch.linspace(0.0, 1.0, num_steps + 1).tolist()):
        inputs = F.linear(v, weight) + bias
        log_weight += (F.softplus(after * inputs) - F.softplus(before * inputs)).sum(dim=-1)
        h = bernoulli(torch.sigmoid(after * inputs), generator)
        v = bernoulli(torch.sigmoid(visible + after * (h @ weight)), generator)
    base = F.softplus(visible_bias.double()).sum() + F.softplus(torch.zeros_like(hidden_bias.double())).sum(dim=-1)
    largest = log_weight.max(dim=-1, keepdim=True).values
    ratio = (log_weight - largest).exp()
    mean, deviation = ratio.mean(dim=-1), ratio.std(dim=-1)
    return LogZ(base + largest.squeeze(-1) + mean.log(), deviation / (mean * num_chains**0.5))
