"""What exploration bonuses are worth where exploration decides: DQN in deep sea, without one and with each.

Deep sea of N x N cells pays 0.99 for one way in 2^N, at most 0 for all others; see `envs/deep_sea.py`. Every agent sees
the same pictures, has the same network, an mlp, and takes the same steps; seeds draw the sea too. In the table `solved`
is the fraction of seeds whose last network, acting greedily, finds the treasure; `return` the mean over the seeds, with
a 95 % interval (Student), of the mean return of the last tenth of the episodes; `first` the mean step at which a seed
first found the treasure, over those that did, and `found` how many did. With `--choose` each bonus gets that of the
scales by which two other seeds have the highest return, the mean over all episodes; without it, what was chosen so.

    python benchmarks/exploration.py [--size 16] [--steps 30000] [--seeds 5] [--bonuses NAME...] [--choose]
"""

import argparse
import json
import time
from typing import Any

import numpy as np

from palestra.agents.dqn import DQN, DQNConfig
from palestra.agents.evaluation import evaluate, interval
from palestra.envs.spec import EnvSpec

NUM_ENVS = 4
CHOICE, OTHER_SEEDS = (0.02, 0.05, 0.1, 0.2), (1000, 1001)
SCALES = {"none": 1.0, "count": 0.05, "rnd": 0.2, "cts": 0.02, "pixelcnn": 0.02}  # bonus_scale
FOUND = 0.9  # return of an episode that found the treasure


def config(bonus: str, scale: float, steps: int) -> DQNConfig:
    """Returns the same options for all, but for the bonus: little random play, so that the bonus decides."""
    return DQNConfig(
        learning_rate=1e-3, buffer_size=steps, learning_starts=200, batch_size=64, train_freq=4, n_step=3,
        target_update_interval=100, exploration_steps=steps // 10, exploration_final_eps=0.02, encoder="mlp",
        hidden=(128,), device="cpu", bonus=bonus, bonus_scale=scale,
    )  # fmt: skip


def train(bonus: str, scale: float, *, size: int, steps: int, seed: int) -> dict[str, Any]:
    """Trains once, and returns what became of it."""
    kwargs = {"size": size, "mapping_seed": seed, "observation": "image"}
    env = EnvSpec("palestra/DeepSea-v0", NUM_ENVS, seed, kwargs)
    single = env.make()
    agent: Any = DQN(config(bonus, scale, steps), single.observation_space, single.action_space, seed)
    begin, first, returns = time.monotonic(), None, []
    for step, metrics in agent.train(env, steps):
        ended = np.asarray(metrics.get("rollout/ep_rew_mean", ()))
        returns += ended.tolist()
        if first is None and (ended > FOUND).any():
            first = step
    greedy = float(evaluate(agent, env, 1, seed).returns[0])
    late = float(np.mean(returns[-max(1, len(returns) // 10) :]))
    seconds = time.monotonic() - begin
    whole = float(np.mean(returns))
    return {"first": first, "whole": whole, "late": late, "solved": greedy > FOUND, "seconds": seconds}


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the figures of a row."""
    late = np.array([run["late"] for run in runs])
    low, high = interval(late)
    firsts = [run["first"] for run in runs if run["first"] is not None]
    return {
        "solved": float(np.mean([run["solved"] for run in runs])),
        "return": float(late.mean()),
        "low": low,
        "high": high,
        "first": float(np.mean(firsts)) if firsts else None,
        "found": len(firsts),
        "seconds": float(np.mean([run["seconds"] for run in runs])),
    }


def chosen(bonus: str, size: int, steps: int) -> float:
    """Returns the scale that is best by other seeds, and prints what each came to; without a bonus there is none."""
    if bonus == "none":
        return SCALES[bonus]
    returns = {}
    for scale in CHOICE:
        runs = [train(bonus, scale, size=size, steps=steps, seed=seed) for seed in OTHER_SEEDS]
        returns[scale] = float(np.mean([run["whole"] for run in runs]))
        print(f"{bonus} at {scale}: mean return {returns[scale]:.4f}", flush=True)
    return max(returns, key=lambda scale: returns[scale])


def main() -> None:
    """Prints the table, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=16)
    parser.add_argument("--steps", type=int, default=30_000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--bonuses", nargs="+", choices=SCALES, default=list(SCALES))
    parser.add_argument("--choose", action="store_true")
    options = parser.parse_args()
    size, steps, seeds = options.size, options.steps, options.seeds
    scales = {b: chosen(b, size, steps) if options.choose else SCALES[b] for b in options.bonuses}
    print(f"DQN in deep sea of {size} x {size}, {steps:,} steps, {seeds} seeds")
    print(
        f"{'bonus':10}{'scale':>6}{'solved':>8}{'return':>9}{'95 % interval':>18}{'first':>9}{'found':>7}{'seconds':>9}"
    )
    figures: dict[str, Any] = {"size": size, "steps": steps, "seeds": seeds}
    for bonus, scale in scales.items():
        runs = [train(bonus, scale, size=size, steps=steps, seed=seed) for seed in range(seeds)]
        row = figures[bonus] = summary(runs) | {"scale": scale, "runs": runs}
        spread = "" if row["low"] is None else f"{row['low']:.3f} to {row['high']:.3f}"
        first = "" if row["first"] is None else f"{row['first']:.0f}"
        print(
            f"{bonus:10}{scale:6}{row['solved']:8.2f}{row['return']:9.3f}{spread:>18}{first:>9}{row['found']:7}"
            f"{row['seconds']:9.1f}",
            flush=True,
        )
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
