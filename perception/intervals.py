"""95 % intervals: of a fraction of samples (Wilson), and of a mean over seeds (Student)."""

import math
from collections.abc import Sequence

import numpy as np

Z = 1.959963984540054  # the standard normal's 97.5 % quantile


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Returns the 95 % score interval of a probability of which `hits` successes in `count` trials were seen.

    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).

    Raises:
        ValueError: there are no trials, or more successes than trials.
    """
    if not 0 <= hits <= count or count < 1:
        raise ValueError(f"there must be 0 to {count} hits in at least one trial, but {hits} of {count} were given")
    share, extra = hits / count, Z**2 / count
    middle = (share + extra / 2) / (1 + extra)
    half = Z * math.sqrt(share * (1 - share) / count + extra / (4 * count)) / (1 + extra)
    return max(0.0, middle - half), min(1.0, middle + half)


def student(values: Sequence[float]) -> tuple[float, float]:
    """Returns Student's 95 % interval of the mean of values; of one value, that value twice.

    Raises:
        ValueError: there is no value.
    """
    if not len(values):
        raise ValueError("the mean of no values has no interval")
    mean = float(np.mean(values))
    if len(values) == 1:
        return mean, mean
    from scipy.special import stdtrit

    half = float(stdtrit(len(values) - 1, 0.975) * np.std(values, ddof=1) / math.sqrt(len(values)))
    return mean - half, mean + half
