"""Steps of worlds a second of hide-and-seek, beside VMAS's `discovery` and PettingZoo's pursuit, in the same run.

All agents act as drawn before, observations and rewards are made, episodes that end begin anew. Ours runs on all
cores; so does VMAS, by torch's threads (`discovery`: five agents with lidar; 100 steps an episode). Pursuit (eight
pursuers, thirty evaders on a grid) is stepped one world at a time, as it comes. Time is the clock's, figures are
medians over repetitions by turns.

    python benchmarks/hide_and_seek.py [--repetitions 3] [--seconds 2]
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from palestra.envs.hide_and_seek.batch import HideAndSeekBatch
from palestra.envs.hide_and_seek.scenario import SCENARIOS, Scenario

SIZES = (1, 2, 8, 32, 128, 512, 1024, 2048, 4096, 8192)
PEER_SIZES = (1, 32, 512, 4096)
BOXES = (0, 2, 4, 8, 16)
Work = Callable[[], int]  # takes a step and returns how many steps of worlds that is


def ours(scenario: Scenario, worlds: int, **options: Any) -> Work:
    """Returns a step of our worlds."""
    batch, rng = HideAndSeekBatch(scenario, worlds, **options), np.random.default_rng(0)
    batch.reset(0)
    shape, turn = (worlds, scenario.agents), [0]
    given = [
        np.concatenate([rng.integers(scenario.buckets, size=(*shape, 3)), rng.integers(2, size=(*shape, 2))], axis=2)
        for _ in range(8)
    ]

    def step() -> int:
        turn[0] += 1
        batch.step(given[turn[0] % len(given)])
        return worlds

    return step


def vmas(worlds: int) -> Work:
    """Returns a step of VMAS's discovery."""
    import torch
    from vmas import make_env

    env = make_env(scenario="discovery", num_envs=worlds, device="cpu", continuous_actions=True, n_agents=5, seed=0)
    env.reset()
    given = [torch.rand(worlds, 2) * 2 - 1 for _ in env.agents]
    count = [0]

    def step() -> int:
        env.step(given)
        count[0] += 1
        if count[0] % 100 == 0:
            env.reset()
        return worlds

    return step


def pursuit() -> Work:
    """Returns a step of PettingZoo's pursuit."""
    from pettingzoo.sisl import pursuit_v5

    env = pursuit_v5.parallel_env()
    env.reset(seed=0)
    rng = np.random.default_rng(0)

    def step() -> int:
        env.step({agent: int(rng.integers(5)) for agent in env.agents})
        if not env.agents:
            env.reset()
        return 1

    return step


def rate(work: Work, seconds: float) -> float:
    """Returns steps of worlds a second."""
    done, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        done += work()
    return done / (time.perf_counter() - begin)


def measured(works: dict[str, Work], options: argparse.Namespace) -> dict[str, float]:
    """Returns the median rate of each, measured by turns after a warm-up."""
    for work in works.values():
        rate(work, 0.2)
    rates: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(options.repetitions):
        for name, work in works.items():
            rates[name].append(rate(work, options.seconds))
    return {name: statistics.median(values) for name, values in rates.items()}


def main() -> None:
    """Prints the tables, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="of a measurement")
    options = parser.parse_args()
    figures: dict[str, dict[str, float]] = {}
    print(f"{'worlds':>8}" + "".join(f"{name:>12}" for name in SCENARIOS) + f"{'discovery':>12}   steps of worlds/s")
    for size in SIZES:
        works = {name: ours(scenario, size) for name, scenario in SCENARIOS.items()}
        if size in PEER_SIZES:
            works["discovery"] = vmas(size)
        found = figures[str(size)] = measured(works, options)
        print(
            f"{size:>8}"
            + "".join(f"{found[name]:>12,.0f}" if name in found else "" for name in [*SCENARIOS, "discovery"]),
            flush=True,
        )
    best = {name: max(row.get(name, 0.0) for row in figures.values()) for name in [*SCENARIOS, "discovery"]}
    at_32 = figures["32"]["quadrant"] / figures["32"]["discovery"]
    ratio = best["quadrant"] / best["discovery"]
    print(f"quadrant is {at_32:.1f}x discovery at 32 worlds, {ratio:.1f}x at each one's best")
    one = measured({"quadrant": ours(SCENARIOS["quadrant"], 1), "pursuit": pursuit()}, options)
    ratio = one["quadrant"] / one["pursuit"]
    print(f"one world: quadrant {one['quadrant']:,.0f}, pursuit {one['pursuit']:,.0f}: {ratio:.1f}x")
    print(f"\n{'boxes':>8}{'steps/s':>12}   full game, 1,024 worlds, so many boxes in each")
    for boxes in BOXES:
        scenario = replace(SCENARIOS["full"], boxes=(boxes, boxes), elongated=(0, boxes))
        figures[f"{boxes} boxes"] = found = measured({"full": ours(scenario, 1024)}, options)
        print(f"{boxes:>8}{found['full']:>12,.0f}", flush=True)
    print(json.dumps({"figures": figures, "at 32": at_32, "best": best, "one": one}))


if __name__ == "__main__":
    main()
