"""NADE: the neural autoregressive distribution estimator of binary vectors.

Larochelle and Murray, "The neural autoregressive distribution estimator" (2011): the hidden units of a number see the
numbers before it by weights that all share. Numbers come in the order of the vector.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from palestra.networks.chance import uniform
from palestra.networks.density import Exact, checked_condition, checked_input, checked_request, likelihood_loss
from palestra.networks.objectives import Losses


class NADE(nn.Module):
    """NADE on binary vectors `[D]`, with `num_hidden` units; classes, if any, add a bias to the hidden units.

    Raises:
        ValueError: there are no units.
    """

    input_rank: ClassVar[int] = 1
    levels: ClassVar[int] = 2
    fit_defaults: ClassVar[Mapping[str, Any]] = MappingProxyType({"schedule": "cosine"})

    def __init__(self, in_channels: int, num_classes: int | None = None, *, num_hidden: int = 200) -> None:
        super().__init__()
        if num_hidden < 1:
            raise ValueError(f"num_hidden is {num_hidden}, but at least 1 is wanted")
        self.shape, self.num_classes = (in_channels,), num_classes
        bound = in_channels**-0.5
        self.inputs = nn.Parameter(torch.empty(in_channels, num_hidden).uniform_(-bound, bound))
        self.outputs = nn.Parameter(torch.empty(in_channels, num_hidden).uniform_(-bound, bound))
        self.hidden_bias = nn.Parameter(torch.zeros(num_hidden))
        self.output_bias = nn.Parameter(torch.zeros(in_channels))
        self.of_class = nn.Embedding(num_classes, num_hidden) if num_classes else None

    def logits(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Maps levels `[B, D]` to the logits of ones `[B, D]`."""
        before = F.pad(x.to(self.inputs.dtype)[:, :-1, None] * self.inputs[:-1], (0, 0, 1, 0))
        hidden = torch.sigmoid(before.cumsum(dim=1) + self._bias(condition, len(x))[:, None])  # [B, D, H]
        return (hidden * self.outputs).sum(dim=2) + self.output_bias

    def log_prob(self, x: Tensor, condition: Tensor | None = None) -> Exact:
        """Returns the log-probabilities of vectors `[B, D]`, of labels `[B]` where there are classes."""
        x, condition = checked_input(self, x, condition)
        return Exact(bernoulli_nats(self.logits(x, condition), x))

    def objective(self, batch: Sequence[Tensor]) -> Losses:
        """Returns the negative log-probabilities `[B]` of a batch `(x,)` or `(x, label)`, and bits per dimension."""
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
        """Draws vectors `[n, D]` of zeros and ones; what the hidden units have seen is kept if `cached`."""
        checked_request(n, self.shape)
        condition = checked_condition(self, condition, n)
        uniforms = uniform((n, *self.shape), self.inputs.device, generator)
        x = torch.zeros_like(uniforms)
        seen = self._bias(condition, n).expand(n, -1).clone()
        for d in range(self.shape[0]):
            if cached:
                logit = torch.sigmoid(seen) @ self.outputs[d] + self.output_bias[d]
            else:
                logit = self.logits(x, condition)[:, d]
            x[:, d] = (uniforms[:, d] < torch.sigmoid(logit)).float()
            seen += x[:, d, None] * self.inputs[d]
        return x

    def _bias(self, condition: Tensor | None, n: int) -> Tensor:
        """Returns the hidden units' bias `[n or 1, H]`."""
        return self.hidden_bias[None] if self.of_class is None else self.hidden_bias + self.of_class(condition)


def bernoulli_nats(logits: Tensor, x: Tensor) -> Tensor:
    """Returns the log-probabilities `[B]` of zeros and ones `[B, ...]` by the logits of ones."""
    return -F.binary_cross_entropy_with_logits(logits, x.to(logits.dtype), reduction="none").flatten(1).sum(dim=1)
