"""Codes: what lies between two of them, and what adding one to another does."""

from typing import Any

import torch
from torch import Tensor


def between(begin: Tensor, end: Tensor, steps: int, *, spherical: bool = False) -> Tensor:
    """Returns codes `[steps, N, K]` from `begin` to `end` `[N, K]`, both among them.

    Along straight lines, or with `spherical` along great arcs, with lengths in between: where codes are normal vectors,
    those on a line between two of them are shorter than any that the model has met (White, "Sampling generative
    networks", 2016, section 2.1).

    Raises:
        ValueError: there are less than two steps, or the codes differ in shape.
    """
    if steps < 2 or begin.shape != end.shape:
        raise ValueError(
            f"at least 2 steps between codes of one shape are wanted, but {steps} between {list(begin.shape)} and "
            f"{list(end.shape)} were given"
        )
    share = torch.linspace(0.0, 1.0, steps, dtype=begin.dtype)[:, None, None]
    if not spherical:
        return torch.lerp(begin[None], end[None], share)
    lengths = torch.lerp(begin.norm(dim=1, keepdim=True)[None], end.norm(dim=1, keepdim=True)[None], share)
    one, other = torch.nn.functional.normalize(begin, dim=1), torch.nn.functional.normalize(end, dim=1)
    angle = (one * other).sum(dim=1, keepdim=True).clamp(-1, 1).arccos()
    straight = torch.lerp(one[None], other[None], share)
    arc = (torch.sin((1 - share) * angle) * one + torch.sin(share * angle) * other) / torch.sin(angle).clamp(min=1e-6)
    return lengths * torch.where(angle > 1e-4, arc, straight)


@torch.no_grad()
def attribute(model: Any, with_it: Tensor, without: Tensor) -> Tensor:
    """Returns the direction `[K]` of an attribute: the mean code of samples that have it minus that of those that do
    not.

    Adding it to a code and decoding gives the sample the attribute (Larsen et al., "Autoencoding beyond pixels", 2016,
    section 4.1).
    """
    direction: Tensor = model.encode(with_it).mean(dim=0) - model.encode(without).mean(dim=0)
    return direction
