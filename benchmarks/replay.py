"""Replay memory: bytes a transition, and adding and drawing transitions, beside stable-baselines3's `ReplayBuffer`.

Both hold the same random 84 x 84 frames in stacks of four, in episodes of 1,000 steps. Ours stores each frame once,
theirs both stacks of each transition: `optimize_memory_usage` halves that, but not together with truncated episodes.
Times are medians over rounds taken by turns.

    python benchmarks/replay.py [rounds]
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete
from stable_baselines3.common.buffers import ReplayBuffer

from palestra.agents.agent import Transition
from palestra.agents.replay import Replay, bytes_needed

CAPACITY = 10_000
EPISODE = 1_000  # steps
BATCH_SIZE = 32
CALLS = 200  # of each kind in a round
MILLION = 1_000_000
SHAPE = (4, 84, 84)


def transitions() -> list[Transition]:
    """Makes an episode of random frames."""
    frames = np.random.default_rng(0).integers(0, 256, (EPISODE + 4, *SHAPE[1:]), np.uint8)
    stacks = [frames[i : i + 4][None] for i in range(EPISODE + 1)]
    action, reward, no = np.array([1]), np.array([1.0]), np.array([False])
    ends = [np.array([i == EPISODE - 1]) for i in range(EPISODE)]
    return [Transition(stacks[i], action, reward, stacks[i + 1], ends[i], no, None, None) for i in range(EPISODE)]


def microseconds(call: Callable[[int], Any]) -> float:
    """Returns the time of a call, on the average of `CALLS`."""
    start = time.perf_counter()
    for i in range(CALLS):
        call(i)
    return (time.perf_counter() - start) / CALLS * 1e6


def subjects() -> dict[str, dict[str, Callable[[int], Any]]]:
    """Returns what is measured of ours and of theirs, on full memories."""
    episode = transitions()
    ours = Replay(CAPACITY, SHAPE, np.uint8, frame_stack=4)
    theirs = ReplayBuffer(CAPACITY, Box(0, 255, SHAPE, np.uint8), Discrete(6), device="cpu")

    def add_ours(i: int) -> None:
        ours.add(episode[i % EPISODE])

    def add_theirs(i: int) -> None:
        t = episode[i % EPISODE]
        theirs.add(t.obs, t.next_obs, t.action, t.reward, t.terminated, [{}])

    for i in range(CAPACITY + EPISODE):
        add_ours(i)
        add_theirs(i)
    return {
        "palestra": {"add": add_ours, "sample": lambda _: ours.sample(BATCH_SIZE)},
        "stable-baselines3": {"add": add_theirs, "sample": lambda _: theirs.sample(BATCH_SIZE)},
    }


def main() -> None:
    """Prints the table, and as the last line a JSON object."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    stack = int(np.prod(SHAPE))
    memory = {
        "palestra": bytes_needed(MILLION, SHAPE, np.uint8, frame_stack=4) / 1e9,
        "stable-baselines3": MILLION * (2 * stack + 8 + 4 + 4 + 4) / 1e9,
    }
    times: dict[str, dict[str, list[float]]] = {}
    measured = subjects()
    for _ in range(rounds):
        for name, calls in measured.items():
            for kind, call in calls.items():
                times.setdefault(name, {}).setdefault(kind, []).append(microseconds(call))
    print(f"{'memory':20}{'GB a million':>14}{'add, us':>10}{f'sample of {BATCH_SIZE}, us':>20}")
    figures: dict[str, Any] = {"rounds": rounds}
    for name, kinds in times.items():
        middle = {kind: statistics.median(values) for kind, values in kinds.items()}
        figures[name] = {"gigabytes_a_million": memory[name], **{f"{kind}_us": us for kind, us in middle.items()}}
        print(f"{name:20}{memory[name]:14.2f}{middle['add']:10.1f}{middle['sample']:20.1f}")
    for kind in ("add", "sample"):
        pairs = zip(times["stable-baselines3"][kind], times["palestra"][kind], strict=True)
        figures[f"{kind}_ratio"] = statistics.median(theirs / ours for theirs, ours in pairs)
    figures["memory_ratio"] = memory["stable-baselines3"] / memory["palestra"]
    print(f"times as fast: add {figures['add_ratio']:.2f}, sample {figures['sample_ratio']:.2f}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
