"""What simulations play, in the form that compiled code takes cheaply.

Numba looks at a tuple of functions anew at each call, for a tenth of a millisecond; a structure in memory has its type.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import config, njit, types
from numba.experimental import structref
from numpy.typing import NDArray

from palestra.envs.game import SIGNATURES, Functions


class World(NamedTuple):
    """A game's functions, its randomness, and what does not change."""

    game: Functions
    rng: NDArray[np.uint64]  # [4], advanced
    data: NDArray[np.float64]


@structref.register
class SealedType(types.StructRef):
    """Numba's type of a sealed world."""


class Sealed(structref.StructRefProxy):
    """A world in memory: `sealed` makes it, and compiled code opens it."""


structref.define_boxing(SealedType, Sealed)  # type: ignore[no-untyped-call]
_FIELDS = {name: types.FunctionType(signature) for name, signature in SIGNATURES.items()}
_TYPE = SealedType([*_FIELDS.items(), ("rng", types.uint64[::1]), ("data", types.float64[::1])])  # type: ignore[no-untyped-call]


@njit(cache=True)
def _sealed(play, legal, priors, playout, observe, rng, data):  # type: ignore[no-untyped-def]
    memory: Any = structref.new(_TYPE)  # type: ignore[call-arg]
    memory.play = play
    memory.legal = legal
    memory.priors = priors
    memory.playout = playout
    memory.observe = observe
    memory.rng = rng
    memory.data = data
    return memory


@njit(cache=True, nogil=True)
def _opened(memory):  # type: ignore[no-untyped-def]
    game = Functions(memory.play, memory.legal, memory.priors, memory.playout, memory.observe)
    return World(game, memory.rng, memory.data)


def _same(world: Any) -> Any:
    return world


def sealed(world: World) -> Any:
    """Returns a world as `opened` takes it."""
    return world if config.DISABLE_JIT else _sealed(*world.game, world.rng, world.data)  # type: ignore[attr-defined]


opened = _same if config.DISABLE_JIT else _opened  # type: ignore[attr-defined]
