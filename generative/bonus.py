"""Exploration bonuses: what an observation is worth because it, or its like, has seldom been seen.

A bonus learns from each batch of observations as it comes, and says of each what an agent is to be paid beside the
environment's reward. `BONUSES` is the only list of them. What they take are observations as arrays: states by number,
vectors, and uint8 images, channels first, of which they see a small grey version, whatever the number of channels.

Strehl and Littman, "An analysis of model-based interval estimation for Markov decision processes" (2008), add
β / sqrt(N) to the reward of what was seen N times; Bellemare et al., "Unifying count-based exploration and intrinsic
motivation" (2016), and Ostrovski et al., "Count-based exploration with neural density models" (2017), put pseudo-counts
in the place of N, which follow from what a density model learns from an observation: see the two functions below.
"""

import importlib
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from palestra.networks.names import named

Array = NDArray[Any]
Floats = NDArray[np.float64]
OFFSET = 0.01  # beside a pseudo-count (Bellemare et al. 2016, section 6): no bonus is above 10


class Bonus(Protocol):
    """What pays for the unfamiliar."""

    def update(self, obs: Array) -> NDArray[np.float32]:
        """Learns from observations `[B, ...]`, one of each of B environments, and returns their bonuses `[B]`."""
        ...

    def state(self) -> dict[str, Any]:
        """Returns all that is needed to go on: nested dicts of arrays, tensors, numbers and strings."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes back what `state` gave to a bonus of the same options; arrays come as NumPy's."""
        ...


class Entry(NamedTuple):
    """Where a bonus is, what it is in a few words, whether it has a network, which may be on a GPU, and its options."""

    module: str
    attribute: str
    what: str
    has_network: bool = False
    options: Mapping[str, Any] = MappingProxyType({})


BONUSES = {  # name on the command line
    "count": Entry("visits", "VisitBonus", "visits of the observation, N^-1/2"),
    "rnd": Entry("distillation", "RNDBonus", "errors of random network distillation (Burda et al. 2019)", True),
    "cts": Entry("cts", "CTSBonus", "pseudo-counts of context tree switching on images (Bellemare et al. 2016)"),
    "pixelcnn": Entry(
        "gain",
        "GainBonus",
        "pseudo-counts of a network on images (Ostrovski et al. 2017)",
        True,
        {"places": False},  # as published
    ),
}


def check_bonus(name: str, scale: float) -> None:
    """Checks an agent's options `bonus`, none or a name of `BONUSES`, and `bonus_scale`.

    Raises:
        ValueError: there is no such bonus, or the scale is not a positive number.
    """
    named(name, {"none": None, **BONUSES}, "bonus")
    if not (scale > 0.0 and math.isfinite(scale)):
        raise ValueError(f"bonus_scale must be positive, but is {scale:g}; bonus=none turns bonuses off")


def bonus_named(name: str, obs_space: gym.Space[Any], seed: int, *, device: Any = "cpu", **options: Any) -> Bonus:
    """Makes a bonus for observations of a space; `device` is where its network is, `options` are the bonus's own.

    Raises:
        ValueError: there is no such bonus or option, or it does not take such observations.
    """
    entry: Entry = named(name, BONUSES, "bonus")
    kind: Any = getattr(importlib.import_module(f"palestra.generative.{entry.module}"), entry.attribute)
    given = {**entry.options, **({"device": device} if entry.has_network else {}), **options}
    try:
        bonus: Bonus = kind(obs_space, seed, **given)
    except TypeError as error:
        if "unexpected keyword" not in str(error):
            raise
        raise ValueError(f"the bonus {name!r} has no option {str(error).split()[-1]}") from None
    return bonus


def pseudo_count(before: Floats, after: Floats) -> Floats:
    """Returns ρ (1 - ρ') / (ρ' - ρ), `[B]`, of log-probabilities `[B]` of the same before and after it was learnt.

    It is infinite where the probability ρ has not grown to a larger ρ'. Bellemare et al. 2016, section 3: of a model
    that counts it is the count. Their (exp(log ρ' - log ρ) - 1)^-1 is the same where ρ' is small, as of most images;
    where it is not it grows too fast.
    """
    return np.where(after > before, -np.expm1(after), 1.0) * _odds(after - before)


def gain_count(gain: Floats, num_updates: int, scale: float) -> Floats:
    """Returns (exp(c n^-1/2 PG) - 1)^-1, `[B]`, of gains PG of log-probability `[B]`, infinite where they are below 0.

    Ostrovski et al. 2017, section 4: `num_updates` is their n and `scale` their c.
    """
    return _odds(scale / math.sqrt(num_updates) * gain)


def count_bonus(count: Floats) -> NDArray[np.float32]:
    """Returns (N + 0.01)^-1/2 of pseudo-counts `[B]`, 0 where they are infinite."""
    return ((count + OFFSET) ** -0.5).astype(np.float32)


def _odds(gain: Floats) -> Floats:
    """Returns 1 / (exp(gain) - 1), which neither overflows nor is negative: infinite where the gain is not positive."""
    positive = np.where(gain > 0.0, gain, 1.0)
    return np.where(gain > 0.0, np.exp(-positive) / -np.expm1(-positive), np.inf)
