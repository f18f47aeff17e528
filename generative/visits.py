"""Counts of visits: of states by number, of vectors by cells, of images by their grey levels."""

import hashlib
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray

from palestra.generative.bonus import Array
from palestra.generative.frames import Shrink, is_image

BOUND = 1e6  # of a number in a vector, beyond which it counts as unbounded


class VisitBonus:
    """N^-1/2 for the N-th visit of an observation (Strehl and Littman 2008, of states here, not of pairs).

    States are counted by number. Each number of a vector is cut into `bins` cells between its bounds; one without
    bounds goes through x / (1 + |x|) first. Images are counted by their small grey version with 8 `levels`. The
    counters are `slots` of 4 bytes, and what is no state finds its own by a hash: with K kinds of observations a
    newcomer shares one with another, and is taken for it, with probability below K / slots.

    Raises:
        ValueError: the observations are none of these, or an option is below one.
    """

    def __init__(
        self, obs_space: gym.Space[Any], seed: int, *, bins: int = 16, levels: int = 8, slots: int = 2**22
    ) -> None:
        for name, value in {"bins": bins, "levels": levels, "slots": slots}.items():
            if value < 1:
                raise ValueError(f"{name} must be at least 1, but is {value}")
        vector = isinstance(obs_space, Box) and len(obs_space.shape) == 1
        if not (isinstance(obs_space, Discrete) or vector or is_image(obs_space)):
            raise ValueError(
                f"the bonus count takes states, vectors and uint8 images, but observations are {obs_space}"
            )
        self._space, self._bins, self._levels = obs_space, bins, levels
        self._shrink = Shrink(obs_space, "count") if is_image(obs_space) else None
        slots = min(slots, int(obs_space.n)) if isinstance(obs_space, Discrete) else slots
        self.counts = np.zeros(slots, np.uint32)

    def update(self, obs: Array) -> NDArray[np.float32]:
        """Counts observations `[B, ...]`, one after the other, and returns N^-1/2, `[B]`."""
        visits = np.empty(len(obs))
        for i, slot in enumerate(self._slots(np.asarray(obs))):
            self.counts[slot] += 1
            visits[i] = self.counts[slot]
        return (visits**-0.5).astype(np.float32)

    def state(self) -> dict[str, Any]:
        """Returns the counters that are not 0."""
        used = np.flatnonzero(self.counts)
        return {"slots": used, "counts": self.counts[used]}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes back what `state` gave."""
        self.counts[:] = 0
        self.counts[state["slots"]] = state["counts"]

    def _slots(self, obs: Array) -> list[int]:
        if isinstance(self._space, Discrete):
            states: list[int] = ((obs - self._space.start) % len(self.counts)).tolist()
            return states
        if self._shrink is not None:
            cells = self._shrink.levels(obs, self._levels)
        else:
            cells = _cells(obs, self._space, self._bins)  # type: ignore[arg-type]
        hashes = (hashlib.blake2b(row.tobytes(), digest_size=8).digest() for row in cells)
        return [int.from_bytes(word, "little") % len(self.counts) for word in hashes]


def _cells(obs: Array, space: Box, bins: int) -> NDArray[np.int64]:
    """Returns the cell of each number of vectors `[B, N]`, 0 to `bins` - 1."""
    bounded = (np.abs(space.low) < BOUND) & (np.abs(space.high) < BOUND) & (space.high > space.low)
    low, width = np.where(bounded, space.low, -1.0), np.where(bounded, space.high - space.low, 2.0)
    x = np.where(bounded, obs, obs / (1.0 + np.abs(obs)))
    return np.clip(np.floor((x - low) / width * bins), 0, bins - 1).astype(np.int64)
