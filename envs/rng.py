"""Random numbers inside compiled kernels: xoshiro256++ on an explicit state, `[4] uint64`.

Blackman and Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47 (2021), section 5; reference
implementation at prng.di.unimi.it. A kernel takes the state as an argument and changes it in place, so that the same
state gives the same run and the state can be saved with a checkpoint.
"""

import numpy as np
from numba import config, njit
from numpy.typing import NDArray

State = NDArray[np.uint64]


def seed_state(*entropy: int) -> State:
    """Returns a fresh generator state `[4] uint64` for one or several non-negative integers."""
    return np.random.SeedSequence(entropy).generate_state(4, np.uint64).astype(np.uint64)


@njit(cache=True, inline="always")
def _rotate_left(x, k):  # type: ignore[no-untyped-def]
    return (x << np.uint64(k)) | (x >> np.uint64(64 - k))


@njit(cache=True)
def next_uint64(state):  # type: ignore[no-untyped-def]
    """Returns 64 random bits and advances `state` `[4]`."""
    result = _rotate_left(state[0] + state[3], 23) + state[0]
    t = state[1] << np.uint64(17)
    state[2] ^= state[0]
    state[3] ^= state[1]
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= t
    state[3] = _rotate_left(state[3], 45)
    return result


if config.DISABLE_JIT:  # type: ignore[attr-defined]  # NumPy warns where machine words wrap around
    next_uint64 = np.errstate(over="ignore")(next_uint64)


@njit(cache=True)
def uniform(state):  # type: ignore[no-untyped-def]
    """Returns a float64 in [0, 1) with 53 random bits."""
    return (next_uint64(state) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit(cache=True)
def randint(state, n):  # type: ignore[no-untyped-def]
    """Returns an int64 in [0, n); n must be below 2**31.

    Multiply-shift on 32 bits (Lemire 2019, section 3, without its rejection: the bias is below n / 2**32).
    """
    return np.int64(((next_uint64(state) >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))


@njit(cache=True)
def categorical(state, probability):  # type: ignore[no-untyped-def]
    """Returns an index drawn from `probability` `[K]`, which sums to one; never one whose probability is zero."""
    u = uniform(state)
    last = 0
    for k in range(probability.shape[0]):
        if probability[k] > 0.0:
            last = k
            u -= probability[k]
            if u < 0.0:
                return k
    return last
