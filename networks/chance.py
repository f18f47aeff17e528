"""Random numbers for models: drawn where the generator is, so that from one on the CPU come the same on any device.

Without a generator they come from torch's global one of the device.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def uniform(
    shape: Sequence[int],
    device: torch.device,
    generator: torch.Generator | None = None,
    *,
    dtype: torch.dtype | None = None,
) -> Tensor:
    """Returns numbers of a shape, uniform in [0, 1)."""
    return torch.rand(*shape, generator=generator, device=_home(generator, device), dtype=dtype).to(device)


def normal(shape: Sequence[int], device: torch.device, generator: torch.Generator | None = None) -> Tensor:
    """Returns standard normal numbers of a shape."""
    return torch.randn(*shape, generator=generator, device=_home(generator, device)).to(device)


def bernoulli(probability: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Returns ones, with these probabilities, and zeros, of the same shape."""
    there = probability.to(_home(generator, probability.device))
    return torch.bernoulli(there, generator=generator).to(probability.device)


def categorical(probabilities: Tensor, num: int, generator: torch.Generator | None = None) -> Tensor:
    """Returns `num` indices by probabilities `[K]`, `[num]`, or `[..., K]`, `[..., num]`, with replacement."""
    there = probabilities.to(_home(generator, probabilities.device))
    return torch.multinomial(there, num, replacement=True, generator=generator).to(probabilities.device)


def integers(
    below: int, shape: Sequence[int], device: torch.device, generator: torch.Generator | None = None
) -> Tensor:
    """Returns integers from 0 to `below` - 1 of a shape, int64."""
    return torch.randint(below, tuple(shape), generator=generator, device=_home(generator, device)).to(device)


def _home(generator: torch.Generator | None, device: torch.device) -> torch.device:
    return device if generator is None else generator.device
