"""Hopfield networks: patterns are stored in weights, and recalled from what is near them."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from palestra.networks.density import as_levels, checked_shape
from palestra.networks.names import named


def hebb(weight: Tensor, s: Tensor) -> Tensor:
    """Returns weights `[n, n]` to which a pattern `[n]` of -1 and 1 is added by Hebb's rule.

    Hopfield, "Neural networks and physical systems with emergent collective computational abilities", PNAS 79 (1982);
    divided by n as in Amit, Gutfreund and Sompolinsky (1985). Of random patterns about 0.138 n are kept.
    """
    return weight + (torch.outer(s, s) / len(s)).fill_diagonal_(0.0)


def storkey(weight: Tensor, s: Tensor) -> Tensor:
    """Returns weights `[n, n]` to which a pattern `[n]` of -1 and 1 is added by Storkey's rule.

    Storkey, "Increasing the capacity of a Hopfield network without sacrificing functionality", ICANN 1997: the field of
    each pair of units, without either of them, is unlearnt.
    """
    field = (weight @ s)[:, None] - weight.diagonal()[:, None] * s[:, None] - weight * s
    cross = s[:, None] * field.T
    return weight + ((torch.outer(s, s) - cross - cross.T) / len(s)).fill_diagonal_(0.0)


def pseudo_inverse(weight: Tensor, s: Tensor) -> Tensor:
    """Returns weights `[n, n]` that project on a pattern `[n]` as well as on all before it.

    Personnaz, Guyon and Dreyfus, "Information storage and retrieval in spin-glass like neural networks", Journal de
    Physique Lettres 46 (1985), by their iteration: the part of the pattern that is new is added. Up to n independent
    patterns are kept, whatever they are. The diagonal is that of the projection; it has no part in recall.
    """
    new = s - weight @ s
    size = new @ new
    if size < 1e-9 * len(s):  # it is a sum of others
        return weight
    return weight + torch.outer(new, new) / size


RULES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "hebb": hebb,
    "storkey": storkey,
    "pseudo-inverse": pseudo_inverse,
}


class Hopfield(nn.Module):
    """A Hopfield network of `num_units` units of -1 and 1, without thresholds, that stores patterns by a rule.

    It has no probabilities and no gradients, and so is neither fitted nor sampled: `store` sets its weights at once,
    `recall` runs it. Patterns are what models of binary vectors take, `[B, n]`, bytes, floats or levels, of which the
    upper half of the range is 1 and the lower -1; those recalled are 0 and 1.

    Raises:
        ValueError: there are no units, or there is no such rule.
    """

    weight: Tensor  # [n, n], symmetrical

    def __init__(self, num_units: int, *, rule: str = "hebb") -> None:
        super().__init__()
        if num_units < 1:
            raise ValueError(f"there must be at least 1 unit, but num_units is {num_units}")
        self.rule = named(rule, RULES, "rule")
        self.register_buffer("weight", torch.zeros(num_units, num_units, dtype=torch.float64))

    @torch.no_grad()
    def store(self, patterns: Tensor) -> None:
        """Adds patterns `[B, n]` to those that are stored, one after the other."""
        for s in self._signs(patterns):
            self.weight.copy_(self.rule(self.weight, s))

    @torch.no_grad()
    def energy(self, x: Tensor) -> Tensor:
        """Returns -s·Ws / 2 without the diagonal, `[B]`, of patterns `[B, n]`."""
        s = self._signs(x)
        return -0.5 * (s * (s @ self._coupling())).sum(dim=1)

    @torch.no_grad()
    def recall(self, x: Tensor, max_steps: int = 100, *, generator: torch.Generator | None = None) -> Tensor:
        """Returns what patterns `[B, n]` come to, `[B, n]`: one unit at a time, so that the energy never rises.

        Each of at most `max_steps` sweeps visits all units, in an order drawn anew, and it ends once one changes
        nothing. A unit takes the sign of its field, and stays as it is where that is 0.
        """
        s, coupling = self._signs(x), self._coupling()
        for _ in range(max_steps):
            before = s.clone()
            for i in torch.randperm(len(coupling), generator=generator).tolist():
                field = s @ coupling[i]
                s[:, i] = torch.where(field.abs() > 1e-9, field.sign(), s[:, i])
            if torch.equal(s, before):
                break
        return (s > 0).float()

    def _coupling(self) -> Tensor:
        return self.weight - torch.diag(self.weight.diagonal())

    def _signs(self, x: Tensor) -> Tensor:
        return 2.0 * as_levels(checked_shape(x, self.weight.shape[:1], "hopfield"), 2).to(self.weight) - 1.0
