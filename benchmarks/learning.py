"""What agents learn with their defaults, and in what time: each by `palestra train`, then `palestra evaluate`.

The tabular agents are timed from the start of the process to its end, with the compiled kernels in the disk cache
(each training is run once before it is timed). Deep agents are trained with several seeds; the score is the final
network's, never the best checkpoint's. PPO is stable-baselines3's.

    python benchmarks/learning.py [tabular|cartpole]
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TABULAR = {  # environment: (episodes, what is demanded of the mean return)
    "FrozenLake8x8-v1": (1000, 0.80),
    "Taxi-v4": (1000, 7.5),
    "CliffWalking-v1": (100, -13.0),
}
DEEP = {"dqn": 50_000, "ppo": 100_000}  # steps on CartPole-v1, demanded: 475
SEEDS = (0, 1, 2)


def palestra(folder: Path, *words: str) -> str:
    """Runs the command line in a folder and returns what it prints."""
    command = [sys.executable, "-m", "palestra.cli", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def learn(folder: Path, agent: str, env: str, seed: int, episodes: int, *options: str) -> dict[str, Any]:
    """Trains and evaluates once; `seconds` is the wall time of the training's process."""
    name = f"{agent}-{env}-{seed}-{time.monotonic_ns()}"
    begin = time.monotonic()
    palestra(folder, "train", agent, "--env", env, "--seed", str(seed), "--name", name, *options)
    seconds = time.monotonic() - begin
    words = ("evaluate", name, "--episodes", str(episodes), "--seed", str(seed), "--json", "--no-baselines")
    report = json.loads(palestra(folder, *words))
    return {key: report[key] for key in ("mean", "low", "high")} | {"seconds": seconds}


def show(label: str, demanded: float, results: list[dict[str, Any]]) -> None:
    """Prints a row for each seed."""
    for seed, result in enumerate(results):
        spread = f"{result['low']:.4g} to {result['high']:.4g}"
        row = f"{result['mean']:>9.4g}  {spread:<20}{demanded:>9.4g}{result['seconds']:>10.1f}"
        print(f"{label:<32}{seed:>5}{row}", flush=True)


def main() -> None:
    """Prints the table, and as the last line a JSON object."""
    wanted = sys.argv[1:] or ["tabular", "cartpole"]
    figures: dict[str, Any] = {}
    print(f"{'':<32}{'seed':>5}{'mean':>9}  {'95 % interval':<20}{'demanded':>9}{'seconds':>10}")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if "tabular" in wanted:
            for env, (episodes, demanded) in TABULAR.items():
                learn(folder, "q-learning", env, 0, 1)  # warms the cache
                figures[env] = [learn(folder, "q-learning", env, seed, episodes) for seed in SEEDS]
                show(f"q-learning {env}", demanded, figures[env])
        if "cartpole" in wanted:
            for agent, steps in DEEP.items():
                options = ("--steps", str(steps))
                figures[agent] = [learn(folder, agent, "CartPole-v1", seed, 20, *options) for seed in SEEDS]
                show(f"{agent} CartPole-v1, {steps:,} steps", 475, figures[agent])
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
