"""Context tree switching on images of few levels, and pseudo-counts of it.

Veness et al., "Context tree switching" (DCC 2012), section 3, for the mixture; Bellemare et al., "Unifying count-based
exploration and intrinsic motivation" (2016), section 6, for its use: every pixel has a tree of its own whose contexts
are the pixels to its left, above, above to the left and above to the right, in this order, 0 beyond the border. A node
predicts by (n_x + 1/L) / (n + 1), Dirichlet's rule with a total weight of one, which for two levels is the estimator of
Krichevsky and Trofimov that the first paper has; the second does not say which it takes.
"""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from numba import config, njit
from numpy.typing import NDArray

from palestra.generative.bonus import Array, Floats, count_bonus, pseudo_count
from palestra.generative.frames import LARGEST, Shrink

DEPTH = 4  # pixels of a context
PROBES = 32  # places where a node may be in the table
GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio (Knuth, volume 3, section 6.4)


class CTS:
    """A density of images `[H, W]` of levels, learnt image by image.

    The nodes of all trees lie in one hash table of `num_nodes` places. Where it is full new contexts are not learnt:
    they are predicted by the shorter ones, of which the last gives way to even chances.

    Raises:
        ValueError: there are less than two levels, or more than 256, or `num_nodes` is no power of two above 15.
    """

    def __init__(self, image_size: tuple[int, int], *, levels: int = 8, num_nodes: int = 2**20) -> None:
        if not 2 <= levels <= 256:
            raise ValueError(f"levels must be 2 to 256, but are {levels}")
        if num_nodes < 16 or num_nodes & (num_nodes - 1):
            raise ValueError(f"num_nodes must be a power of two of at least 16, but is {num_nodes}")
        self.shape, self.levels = tuple(image_size), levels
        self._keys = np.zeros(num_nodes, np.int64)  # pixel, depth and context of a node, 0 where there is none
        self._counts = np.zeros((num_nodes, levels), np.uint32)
        self._totals = np.zeros(num_nodes, np.int64)
        self._stop = np.zeros(num_nodes)  # weight of a node's own prediction; the rest is of its child's

    def log_prob(self, frames: NDArray[np.int64]) -> Floats:
        """Returns the logarithms of the probabilities of images `[B, H, W]`, `[B]`."""
        return self._run(frames, False)[0]

    def learn(self, frames: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Learns images `[B, H, W]` one after the other, and returns `log_prob` `[B]` just before and after each."""
        return self._run(frames, True)

    def state(self) -> dict[str, Any]:
        """Returns the nodes that there are, and their places in the table."""
        used = np.flatnonzero(self._keys)
        return {"slots": used, "keys": self._keys[used], "counts": self._counts[used], "stop": self._stop[used]}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes back what `state` gave to a model of the same sizes."""
        self._keys[:] = 0
        self._counts[:] = 0
        self._totals[:] = 0
        used = state["slots"]
        self._keys[used], self._counts[used], self._stop[used] = state["keys"], state["counts"], state["stop"]
        self._totals[used] = self._counts[used].sum(axis=1)

    def _run(self, frames: NDArray[np.int64], learn: bool) -> tuple[Floats, Floats]:
        if frames.ndim != 3 or frames.shape[1:] != self.shape:
            raise ValueError(f"images must have shape {['B', *self.shape]}, but have {list(frames.shape)}")
        if frames.size and not 0 <= frames.min() <= frames.max() < self.levels:
            raise ValueError(f"levels go from 0 to {self.levels - 1}, but one of {frames.min()} to {frames.max()} came")
        out = np.zeros((2, len(frames)))
        frames_kernel(frames.astype(np.int64), learn, self._keys, self._counts, self._totals, self._stop, out)
        return out[0], out[1]


class CTSBonus:
    """(N + 0.01)^-1/2, where N is the pseudo-count of a small grey image under `CTS` (Bellemare et al. 2016).

    Raises:
        ValueError: the observations are no images, or an option is out of range.
    """

    def __init__(
        self,
        obs_space: gym.Space[Any],
        seed: int,
        *,
        image_size: tuple[int, int] = LARGEST,
        levels: int = 8,
        num_nodes: int = 2**20,
    ) -> None:
        self._shrink = Shrink(obs_space, "cts", image_size)
        self.model = CTS(self._shrink.size, levels=levels, num_nodes=num_nodes)

    def update(self, obs: Array) -> NDArray[np.float32]:
        """Learns images `[B, C, H, W]`, one after the other, and returns their bonuses `[B]`."""
        return count_bonus(pseudo_count(*self.model.learn(self._shrink.levels(obs, self.model.levels))))

    def state(self) -> dict[str, Any]:
        """Returns the model's state."""
        return self.model.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes back what `state` gave."""
        self.model.restore(state)


@njit(cache=True)
def _place(key, num_nodes):  # type: ignore[no-untyped-def]
    """Returns where the search for a key begins."""
    return np.int64((np.uint64(key) * GOLDEN) >> np.uint64(32)) & (num_nodes - 1)


if config.DISABLE_JIT:  # type: ignore[attr-defined]  # NumPy warns where machine words wrap around
    _place = np.errstate(over="ignore")(_place)


@njit(cache=True)
def _find(keys, stop, key, create):  # type: ignore[no-untyped-def]
    """Returns the place of a node, which is made where it is not there and `create` says so, or -1."""
    place = _place(key, keys.shape[0])
    for _ in range(PROBES):
        if keys[place] == key:
            return place
        if keys[place] == 0:
            if not create:
                return -1
            keys[place], stop[place] = key, 0.5
            return place
        place = (place + 1) & (keys.shape[0] - 1)
    return -1


@njit(cache=True)
def _walk(frame, row, column, create, keys, stop, levels, path):  # type: ignore[no-untyped-def]
    """Puts the places of the nodes of a pixel's contexts, from none to all of the neighbours, into `path`."""
    width = frame.shape[1]
    context, found = 0, True
    for depth in range(DEPTH + 1):
        if depth > 0:
            r = row if depth == 1 else row - 1
            c = (column - 1, column, column - 1, column + 1)[depth - 1]
            inside = r >= 0 and c >= 0 and c < width
            context = context * levels + (frame[r, c] if inside else 0)
        key = (((row * width + column) * (DEPTH + 1) + depth + 1) << 32) | context
        path[depth] = _find(keys, stop, key, create) if found else -1
        found = path[depth] >= 0


@njit(cache=True)
def _mix(path, x, counts, totals, stop, own, mixed):  # type: ignore[no-untyped-def]
    """Puts what the nodes of a path say of level x, alone and with those below, into `own` and `mixed`."""
    even = 1.0 / counts.shape[1]
    below = even
    for depth in range(DEPTH, -1, -1):
        node = path[depth]
        if node < 0:
            own[depth] = mixed[depth] = even
        else:
            own[depth] = (counts[node, x] + even) / (totals[node] + 1.0)
            weight = 1.0 if depth == DEPTH else stop[node]
            mixed[depth] = weight * own[depth] + (1.0 - weight) * below
        below = mixed[depth]


@njit(cache=True)
def frames_kernel(frames, learn, keys, counts, totals, stop, out):  # type: ignore[no-untyped-def]
    """Adds up the log-probabilities of `frames` `[B, H, W]` before and, with `learn`, after each, in `out` `[2, B]`.

    The nodes change where it learns. Of the weights only their shares are kept: Veness et al. 2012, algorithm 1,
    divided by the mixture, with the switching rate 1 / n of the n-th symbol that a node sees.
    """
    path = np.empty(DEPTH + 1, np.int64)
    own, mixed = np.empty(DEPTH + 1), np.empty(DEPTH + 1)
    for b in range(frames.shape[0]):
        for row in range(frames.shape[1]):
            for column in range(frames.shape[2]):
                x = frames[b, row, column]
                _walk(frames[b], row, column, learn, keys, stop, counts.shape[1], path)
                _mix(path, x, counts, totals, stop, own, mixed)
                out[0, b] += np.log(mixed[0])
                if not learn:
                    continue
                for depth in range(DEPTH + 1):
                    node = path[depth]
                    if node < 0:
                        break
                    rate = 1.0 / (totals[node] + 2.0)
                    stop[node] = rate + (1.0 - 2.0 * rate) * stop[node] * own[depth] / mixed[depth]
                    counts[node, x] += 1
                    totals[node] += 1
                _mix(path, x, counts, totals, stop, own, mixed)
                out[1, b] += np.log(mixed[0])
