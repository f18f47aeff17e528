"""Schedules: how a number such as ε falls from a first to a last value while an agent learns."""

import math

from numba import njit

LINEAR, EXPONENTIAL = 0, 1
SCHEDULES = {"linear": LINEAR, "exponential": EXPONENTIAL}


@njit(cache=True)
def scheduled(kind, start, end, num_steps, step):  # type: ignore[no-untyped-def]
    """Returns the value at `step`: from `start` at 0 to `end` at `num_steps` and after it; constant if they are equal.

    `kind` is LINEAR or EXPONENTIAL (a straight line of the logarithm, so that `start` and `end` must be positive).
    """
    if step >= num_steps:
        return end
    part = step / num_steps
    if kind == EXPONENTIAL:
        return start * math.exp(part * math.log(end / start))
    return start + (end - start) * part


def check_schedule(name: str, kind: str, start: float, end: float, num_steps: int) -> None:
    """Checks a schedule of a probability called `name`.

    Raises:
        ValueError: the kind is unknown, a value is no probability, an exponential one starts or ends at zero, or the
            number of steps is negative.
    """
    if kind not in SCHEDULES:
        raise ValueError(f"the schedule of {name} is {kind!r}, but one of {', '.join(SCHEDULES)} is wanted")
    for value in (start, end):
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"{name} is to go from {start} to {end}, but both must lie between 0 and 1")
    if kind == "exponential" and min(start, end) <= 0.0:
        raise ValueError(f"{name} is to go from {start} to {end} exponentially, but both must be positive")
    if num_steps < 0:
        raise ValueError(f"{name} is to change for {num_steps} steps, but a number of at least 0 is wanted")
