"""Hide-and-seek in two dimensions: teams, boxes, ramps and rooms, after Baker et al. (2019)."""

from typing import Any


def parallel_env(scenario: Any = "quadrant", **options: Any) -> Any:
    """Makes hide-and-seek as a PettingZoo `ParallelEnv`: `parallel.py: HideAndSeekEnv`, which has the options."""
    from palestra.envs.hide_and_seek.parallel import HideAndSeekEnv

    return HideAndSeekEnv(scenario, **options)
