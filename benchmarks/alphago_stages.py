"""AlphaGo's stages from game records, each trained by its command and measured on what it has not seen.

policy: moves of games held out that the network names first, or among its first five, by the number of the move.
rollout: the same of the fast policy, and what a move of its playouts takes.
self-play: what the policy that played against itself scores against the one that it began as; both draw their moves.
value: squared error of the result on games learnt and on games held out, at the end and where it was lowest, with one
position of each game record, with all of them, and both of many games that the policy plays against itself, over the
updates, as a picture (Silver et al., 2016: 0.19 and 0.37 with all positions of records, 0.226 and 0.234 with one of
each game of its own, of which they had 30 million).

Runs and games that are there already are measured and not made again.

    python benchmarks/alphago_stages.py --games PATH [policy rollout self-play value] [--features alphago]
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from palestra.agents.alphago import load_weights
from palestra.cli.run import runs_folder
from palestra.envs.go.game import go_game
from palestra.envs.go.rollout import rollout
from palestra.envs.go.rules import Rules
from palestra.envs.rng import seed_state

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "alphago_value.png"
ROUNDS, PLAYOUTS = 7, 300
KINDS = {
    "one": "one position of each record",
    "all": "all positions of the records",
    "own": "one position of each own game",
    "own-all": "all positions of the own games",
}


def command(*words: str) -> str:
    """Runs a command of palestra and returns what it printed."""
    return subprocess.run(
        [sys.executable, "-m", "palestra.cli", *words], stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def trained(options: argparse.Namespace, agent: str, name: str, *words: str) -> tuple[str, float]:
    """Trains unless there is such a run, and returns its path and the seconds that training took."""
    place = runs_folder() / name
    if not (place / "config.json").exists():
        command("train", agent, "--env-kwargs", f"size={options.size}", *words, "--name", name)
    rows = [json.loads(line) for line in (place / "metrics.jsonl").read_text().splitlines()]
    return str(place), max(row.get("time/elapsed", 0.0) for row in rows)


def policy(options: argparse.Namespace) -> dict[str, Any]:
    """Measures the policy network."""
    words = (f"features={options.features}", "--games", options.games, "--steps", str(options.updates))
    run, seconds = trained(options, "alphago-sl", "policy", *words)
    found = json.loads(command("evaluate", run, "--episodes", "2", "--no-baselines", "--json"))
    print(f"policy: {seconds / 60:.1f} min of training; of {found['positions']:,} positions held out")
    print(f"{'moves':>12}{'positions':>11}{'first':>8}{'of five':>9}")
    for move, count, first, five in [*found["by_move"], ["all", found["positions"], found["top1"], found["top5"]]]:
        name = move if move == "all" else f"{move + 1} to {move + 10}"
        print(f"{name:>12}{count:>11,}{first:>8.1%}{five:>9.1%}")
    return {"seconds": seconds, **{key: found[key] for key in ("top1", "top5", "positions", "by_move")}}


def rollouts(options: argparse.Namespace) -> dict[str, Any]:
    """Measures the rollout policy and its playouts."""
    run, seconds = trained(options, "alphago-rollout", "rollout", "--games", options.games)
    found = json.loads(command("evaluate", run, "--episodes", "2", "--no-baselines", "--json"))
    times = microseconds(load_weights(run), options.size)
    print(
        f"rollout: {seconds:.0f} s of training; {found['top1']:.1%} first, {found['top5']:.1%} of five; "
        f"{np.median(times):.2f} us a move ({min(times):.2f} to {max(times):.2f})"
    )
    return {"seconds": seconds, "top1": found["top1"], "top5": found["top5"], "microseconds": float(np.median(times))}


def microseconds(weights: Any, size: int) -> list[float]:
    """Returns what a move of a playout from the empty board takes, in several rounds."""
    start, rng = go_game(Rules(size)).start, seed_state(0)
    trace, times = np.zeros(3 * size * size + 1, np.int64), []
    rollout(start.copy(), trace, rng, weights)
    for _ in range(ROUNDS):
        moves, begin = 0, time.perf_counter()
        for _ in range(PLAYOUTS):
            rollout(start.copy(), trace, rng, weights)
            moves += int(trace[0])
        times.append((time.perf_counter() - begin) / moves * 1e6)
    return times


def values(options: argparse.Namespace) -> dict[str, Any]:
    """Measures value networks that learnt one position of each game or all, of the records or of own games."""
    figures, curves = {}, {}
    for name, title in KINDS.items():
        games, words = options.games, ["--steps", str(options.value_updates), "--log-every", "50"]
        if name.startswith("own"):
            games = str(runs_folder() / "own.sgf")
            words_of_play = ("--games", str(options.own), "--komi", str(options.komi), "--out", games)
            command("self-play", str(runs_folder() / "stronger"), *words_of_play)
        kind = "all" if name.endswith("all") else "one"
        words += ["--games", games, "--agent.positions-per-game", kind, "--agent.width", "64", "--agent.blocks", "5"]
        run, seconds = trained(options, "alphago-value", f"value-{name}", *words)
        found = json.loads(command("evaluate", run, "--episodes", "2", "--no-baselines", "--json"))
        errors = f"{found['mse_train']:.3f} on those learnt, {found['mse_test']:.3f} on {found['positions']:,} held out"
        rows = curves[name] = [json.loads(line) for line in (Path(run) / "metrics.jsonl").read_text().splitlines()]
        lowest = min([found["mse_test"], *(row["valid/loss"] for row in rows if "valid/loss" in row)])
        print(
            f"value, {title}: {seconds / 60:.1f} min; squared error {errors}, where it was lowest {lowest:.3f}",
            flush=True,
        )
        figures[name] = {"train": found["mse_train"], "test": found["mse_test"], "lowest": lowest, "seconds": seconds}
    draw(curves, figures, PICTURE)
    return figures


def draw(curves: dict[str, list[dict[str, float]]], figures: dict[str, dict[str, float]], place: Path) -> None:
    """Draws the squared errors over the updates."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(curves), figsize=(13, 3.2), sharey=True, layout="constrained")
    for panel, (name, title) in zip(panels, KINDS.items(), strict=True):
        rows = curves[name]
        last = [{"step": rows[-1]["step"], "valid/loss": figures[name]["test"]}]
        for key, label in (("train/loss", "learnt"), ("valid/loss", "held out")):
            points = [(row["step"], row[key]) for row in [*rows, *last] if key in row]
            panel.plot(*np.array(points).T, marker="." if key == "valid/loss" else "", label=label)
        panel.set(title=title, xlabel="updates", ylim=(0, 1.25))
    panels[0].set(ylabel="squared error of the result")
    panels[0].legend()
    figure.savefig(place, dpi=110)


def self_play(options: argparse.Namespace) -> dict[str, Any]:
    """Measures the policy that learnt by self-play against its parent."""
    parent = runs_folder() / "policy"
    words = (
        f"features={options.features}",
        f"komi={options.komi}",
        "--policy",
        str(parent),
        "--steps",
        str(options.self_play),
    )
    run, seconds = trained(options, "alphago-rl", "stronger", *words)
    players = [f"alphago:policy={path},softness=1,temperature=1" for path in (run, parent)]
    result = json.loads(
        command(
            "match", *players, "--env", f"go-{options.size}x{options.size}", "--rules", "tromp-taylor",
            "--komi", str(options.komi), "--games", str(options.matches), "--jobs", "2", "--json",
        )
    )  # fmt: skip
    print(
        f"self-play: {seconds / 60:.1f} min; {result['score']:.1%} against its parent in {result['games']} games "
        f"({result['low']:.1%} to {result['high']:.1%})"
    )
    return {
        "seconds": seconds,
        **{key: result[key] for key in ("games", "wins", "losses", "draws", "score", "low", "high")},
    }


STAGES: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "policy": policy,
    "rollout": rollouts,
    "self-play": self_play,
    "value": values,
}


def main(words: Sequence[str] | None = None) -> None:
    """Prints what each stage is worth, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stages", nargs="*", choices=[[], *STAGES], help="all of them if left out")
    parser.add_argument("--games", required=True, help="SGF file, archive or folder")
    parser.add_argument("--features", default="alphago", help="planes of the policy network")
    parser.add_argument("--size", type=int, default=9)
    parser.add_argument("--komi", type=float, default=7.0)
    parser.add_argument("--updates", type=int, default=31_000, help="of the policy network")
    parser.add_argument("--value-updates", type=int, default=10_000)
    parser.add_argument("--self-play", type=int, default=20_000, help="games from which the policy gets stronger")
    parser.add_argument("--own", type=int, default=40_000, help="games of its own that the value network learns from")
    parser.add_argument("--matches", type=int, default=400, help="games against the parent")
    options = parser.parse_args(words)
    figures = {name: STAGES[name](options) for name in options.stages or STAGES}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
