"""How much of a network's speed AlphaGo's search uses: leaves evaluated a second beside the bare network's positions.

The bare network gets planes that lie ready, in batches of the same size from as many threads; the search has to go down
its tree, make planes, turn them, and bring values back up. One by one means batches of one in one thread.

    python benchmarks/alphago_speed.py [--policy RUN] [--size 9] [--seconds 5]
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch

from palestra.agents.alphago import AlphaGoConfig, Judge
from palestra.agents.mcts import Config, Search
from palestra.envs.go.features import feature_set
from palestra.envs.go.game import go_game
from palestra.envs.go.rules import rules_named
from palestra.networks import create
from palestra.networks.pretrained import save_pretrained

SETTINGS = ((1, 1), (4, 1), (8, 1), (16, 1), (32, 1), (8, 2), (16, 2), (32, 2))  # batch, threads


def untrained(folder: Path, size: int, width: int, blocks: int) -> str:
    """Writes a policy network with random weights, and returns its path."""
    shape = feature_set("alphago", size)[1]
    network = create(
        "board", in_channels=shape[0], num_classes=size**2 + 1, image_size=shape[1:], width=width, blocks=blocks
    )
    save_pretrained(network, folder / "network", agent="alphago-sl", features="alphago")
    return str(folder)


def bare(judge: Judge, size: int, batch: int, threads: int, seconds: float) -> float:
    """Returns positions a second of the network alone."""
    assert judge.policy is not None
    shape = feature_set(judge.policy.features, size)[1]
    planes = (torch.rand(batch, *shape) < 0.3).float()
    policy, end = judge.policy, time.perf_counter() + seconds

    def work(_: int) -> int:
        done = 0
        while time.perf_counter() < end:
            policy(planes, 0)
            done += batch
        return done

    policy(planes, 0)
    begin = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        done = sum(pool.map(work, range(threads)))
    return done / (time.perf_counter() - begin)


def searched(judge: Judge, size: int, batch: int, threads: int, seconds: float) -> float:
    """Returns leaves a second that a search evaluates, from the empty board."""
    game = go_game(rules_named("chinese", size=size, komi=7.0))
    count: list[int] = []

    def counted(obs: Any, states: Any) -> Any:
        count.append(len(states))
        return judge(obs, states)

    search = Search(game, Config(rule="puct", batch=batch, threads=threads, early=False), 0, counted)
    search.run(game.start, simulations=4 * batch)
    search.reset()
    count.clear()
    begin = time.perf_counter()
    search.run(game.start, seconds=seconds)
    return sum(count) / (time.perf_counter() - begin)


def best_of(measure: Callable[..., float], *args: Any, times: int = 3) -> float:
    """Returns the median of a few measurements."""
    return float(np.median([measure(*args) for _ in range(times)]))


def main() -> None:
    """Prints the table, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", help="run of alphago-sl; a network with random weights if left out")
    parser.add_argument("--size", type=int, default=9)
    parser.add_argument("--width", type=int, default=64, help="planes of the random network")
    parser.add_argument("--blocks", type=int, default=5, help="blocks of the random network")
    parser.add_argument("--seconds", type=float, default=4.0, help="time of a measurement")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        policy = options.policy or untrained(Path(folder), options.size, options.width, options.blocks)
        judge = Judge(AlphaGoConfig(policy=policy), options.size, 0)
        figures: dict[str, dict[str, float]] = {}
        print(f"{'batch':>6}{'threads':>9}{'network':>10}{'search':>9}{'share':>8}{'of one by one':>16}   positions/s")
        for batch, threads in SETTINGS:
            alone = best_of(bare, judge, options.size, batch, threads, options.seconds)
            used = best_of(searched, judge, options.size, batch, threads, options.seconds)
            first = figures.setdefault("1x1", {"network": alone, "search": used})
            times = used / first["search"]
            print(f"{batch:>6}{threads:>9}{alone:>10,.0f}{used:>9,.0f}{used / alone:>8.1%}{times:>15.2f}x", flush=True)
            figures[f"{batch}x{threads}"] = {"network": alone, "search": used, "share": used / alone, "times": times}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
