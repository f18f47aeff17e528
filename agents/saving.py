"""Generators as numbers and strings, and back to the bit."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def generator_state(rng: np.random.Generator) -> dict[str, Any]:
    """Returns the state of a PCG64 generator."""
    state: Any = rng.bit_generator.state
    words = {name: str(word) for name, word in state["state"].items()}  # 128 bits, too many for most formats
    return words | {"has_uint32": state["has_uint32"], "uinteger": state["uinteger"]}


def restore_generator(rng: np.random.Generator, saved: Mapping[str, Any]) -> None:
    """Takes back what `generator_state` gave."""
    words = {name: int(saved[name]) for name in ("state", "inc")}
    rest = {name: int(saved[name]) for name in ("has_uint32", "uinteger")}
    rng.bit_generator.state = {"bit_generator": "PCG64", "state": words, **rest}
