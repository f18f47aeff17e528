"""AlphaZero on a small board of Go: how strong it gets with training time, and what Wu's switches are worth.

curve: one training, copied at times that double; each copy plays the two before it and GNU Go, and the first two play
at random too. Elo is above random play.
switches: trainings that take the same time and differ in one option, with several seeds, against those without it.

All play by the search of their own games, without noise; games begin with two random plies, each opening is played
twice with colours swapped. The step size stays the same, as how many games there will be is not known. The switches are
those of Wu, "Accelerating self-play learning in Go" (2019), whose networks and searches are far larger, and the returns
that the value learns. Trainings and results that are there are not made again.

    python benchmarks/alphazero_go.py curve|switches [--minutes 60] [--games 60] [--seeds 2] [--size 9]
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from timed_training import rows_of, train_for

from palestra.agents.elo import Rating, Standing, elo_table
from palestra.cli.run import runs_folder

ENDLESS = 10**8  # games
HALVINGS = 5  # of the time, back to the first copy
LEVELS = (1, 10)
GNUGO = "gtp:{} --mode gtp --chinese-rules --level {}"
PICTURE = Path(__file__).parents[1] / "docs" / "images" / "alphazero_go.png"
SWITCHES: dict[str, tuple[str, tuple[str, ...]]] = {  # name: (what it is compared with, options)
    "gumbel": ("", ()),
    "playout caps": ("gumbel", ("--agent.full-share", "0.25")),
    "global pooling": ("gumbel", ("--agent.pooling",)),
    "ownership and lead": ("gumbel", ("--agent.owner", "1.5", "--agent.lead", "0.1")),
    "puct": ("gumbel", ("--agent.rule", "puct")),
    "forced playouts": ("puct", ("--agent.rule", "puct", "--agent.forced", "2")),
    "lambda-returns": ("gumbel", ("--agent.foresight", "0.2")),
}


def train(name: str, minutes: float, seed: int, words: Sequence[str], options: argparse.Namespace) -> Path:
    """Trains until a time, going on where the run is, and returns its folder."""
    command = ["alphazero", "--env", f"go-{options.size}x{options.size}", "--env-kwargs", f"komi={options.komi}"]
    command += ["--steps", str(ENDLESS), "--seed", str(seed), "--checkpoint-every", "8192"]
    command += ["--agent.workers", str(options.workers), *options.rest, *words]
    return train_for(name, minutes, command)


def match(first: str, second: str, options: argparse.Namespace, *, rules: str = "tromp-taylor") -> dict[str, Any]:
    """Plays a match, unless it was played before, and returns its summary."""
    out = runs_folder() / "matches" / "-".join(Path(name.partition(" ")[0]).name for name in (first, second))
    if second.startswith("gtp:"):
        out = out.with_name(f"{out.name}-{second.rpartition(' ')[2]}")
    if not (out / "result.json").exists():
        shutil.rmtree(out, ignore_errors=True)
        command = [sys.executable, "-m", "palestra.cli", "match", first, second, "--rules", rules, "--openings", "2"]
        command += ["--env", f"go-{options.size}x{options.size}", "--komi", str(options.komi), "--jobs", "2"]
        command += ["--games", str(options.games), "--out", str(out), "--json"]
        command += ["--referee", second] if second.startswith("gtp:") else []
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        (out / "result.json").write_text(done.stdout)
    result: dict[str, Any] = json.loads((out / "result.json").read_text())
    return result


def counts(result: dict[str, Any]) -> tuple[int, int, int]:
    """Returns wins, losses and draws of the first."""
    return result["wins"], result["losses"], result["draws"]


def curve(options: argparse.Namespace) -> dict[str, Any]:
    """Prints, draws and returns Elo over training time."""
    gnugo = shutil.which("gnugo") or shutil.which("gnugo", path="/usr/games")
    if gnugo is None:
        sys.exit("gnugo is not installed; Debian's package of that name is wanted")
    times = [options.minutes / 2**k for k in range(HALVINGS, -1, -1)]
    copies: dict[str, Path] = {}
    for minutes in times:
        copy = runs_folder() / f"curve-{minutes:g}"
        if not copy.exists():
            shutil.copytree(train("curve", minutes, options.seed, (), options), copy)
        copies[f"{minutes:g} min"] = copy
    names, results = list(copies), dict[tuple[str, str], tuple[int, int, int]]()
    for i, name in enumerate(names):
        for other in names[max(i - 2, 0) : i]:
            results[name, other] = counts(match(str(copies[name]), str(copies[other]), options))
        if i < 2:
            results[name, "random"] = counts(match(str(copies[name]), "random", options))
        for level in LEVELS if i >= len(names) - 2 else LEVELS[:1]:
            program = GNUGO.format(gnugo, level)
            results[name, f"GNU Go {level}"] = counts(match(str(copies[name]), program, options, rules="chinese"))
    table = {row.name: row for row in elo_table(results, anchor="random", prior=1)}
    logged = {name: rows_of(run)[-1] for name, run in copies.items()}
    print(f"{'':10}{'games':>8}{'Elo':>7}   95 % interval")
    for name, row in sorted(table.items(), key=lambda item: item[1].elo):
        games = f"{logged[name]['step']:,.0f}" if name in logged else ""
        print(f"{name:10}{games:>8}{row.elo:>7.0f}{row.low:>8.0f} to {row.high:.0f}")
    draw([(logged[name]["seconds"] / 60, table[name]) for name in names], [table[f"GNU Go {n}"] for n in LEVELS])
    return {name: {"elo": row.elo, "low": row.low, "high": row.high} for name, row in table.items()} | {
        "results": [[*pair, *result] for pair, result in results.items()]
    }


def draw(points: list[tuple[float, Rating]], levels: list[Rating]) -> None:
    """Draws Elo over minutes, and GNU Go's levels as lines."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(5, 3.2), layout="constrained")
    minutes, elo, low, high = np.array([(at, row.elo, row.low, row.high) for at, row in points]).T
    axes.errorbar(minutes, elo, [elo - low, high - elo], marker="o", capsize=4)
    for row in levels:
        axes.axhline(row.elo, color="grey", linewidth=0.8, linestyle=":")
        axes.annotate(row.name, (minutes[0], row.elo), fontsize=8, va="bottom")
    axes.set(xscale="log", xlabel="minutes of training on two cores", ylabel="Elo above random play")
    axes.set(xticks=minutes, xticklabels=[f"{at:.3g}" for at in minutes])
    axes.minorticks_off()
    figure.savefig(PICTURE, dpi=120)


def switches(options: argparse.Namespace) -> dict[str, Any]:
    """Prints and returns what each switch is worth."""
    figures: dict[str, Any] = {}
    print(f"{'':20}{'beside':>8}{'games':>8}{'of it':>8}{'score':>8}   95 % interval{'Elo':>6}   by seed")
    for name, (beside, words) in SWITCHES.items():
        runs = [
            train(f"{name.replace(' ', '-')}-{seed}", options.minutes, seed, words, options)
            for seed in range(options.seed, options.seed + options.seeds)
        ]
        if not beside:
            continue
        others = [runs_folder() / f"{beside.replace(' ', '-')}-{run.name.rpartition('-')[2]}" for run in runs]
        results = [counts(match(str(run), str(other), options)) for run, other in zip(runs, others, strict=True)]
        total = Standing(*(sum(part) for part in zip(*results, strict=True)))
        played, compared = (sum(rows_of(run)[-1]["step"] for run in group) for group in (runs, others))
        low, high = total.interval
        seeds = " ".join(f"{Standing(*result).score:.1%}" for result in results)
        print(
            f"{name:20}{beside:>8}{played:>8,.0f}{compared:>8,.0f}{total.score:>8.1%}   {low:.1%} to {high:.1%}"
            f"{total.elo:>6.0f}   {seeds}",
            flush=True,
        )
        figures[name] = {"score": total.score, "low": low, "high": high, "results": results}
    return figures


def main() -> None:
    """Prints the table, and as the last line a JSON object; other options go to the trainings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("curve", "switches"))
    parser.add_argument("--minutes", type=float, default=60.0, help="of each training")
    parser.add_argument("--games", type=int, default=60, help="of a match")
    parser.add_argument("--size", type=int, default=9)
    parser.add_argument("--komi", type=float, default=7.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=2, help="trainings of each kind, with switches")
    options, rest = parser.parse_known_args()
    options.rest = rest
    figures = {"curve": curve, "switches": switches}[options.what](options)
    print(json.dumps({"minutes": options.minutes, "figures": figures}))


if __name__ == "__main__":
    main()
