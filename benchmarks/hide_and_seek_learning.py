"""What MAPPO learns in hide-and-seek in a given time: statistics, phases, and scores against the scripted ladder.

One training from nothing, on all cores, with copies at times that double. The copies, and a network that has learnt
nothing, play each script as both teams: pairs of episodes with sides swapped. The picture shows rewards, statistics and
phases over the training, as `palestra explain RUN` draws them. What is there is not made again.

    python benchmarks/hide_and_seek_learning.py [--minutes 120] [--scenario quadrant] [--games 400] [--agent.OPTION ...]
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from timed_training import rows_of, train_for

from palestra.agents.hide_scripts import SCRIPTS
from palestra.cli.run import runs_folder

ENDLESS = 10**10  # steps
DOUBLINGS = 3
USED = ("--agent.repeat", "4", "--agent.epochs", "2", "--agent.learning-rate", "1e-3")  # fewer, larger updates
ENV = "palestra/HideAndSeek-v0"
PICTURE = Path(__file__).parents[1] / "docs" / "images" / "hide_phases.png"


def palestra(*words: str) -> str:
    """Runs a command and returns what it prints."""
    command = [sys.executable, "-m", "palestra.cli", *words]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def match(run: Path, script: str, options: argparse.Namespace) -> dict[str, Any]:
    """Plays a match, unless it was played before, and returns its report."""
    out = runs_folder() / "matches" / f"{run.name}-{script}"
    if not (out / "match.json").exists():
        shutil.rmtree(out, ignore_errors=True)
        words = ["--env", ENV, "--env-kwargs", f"scenario={options.scenario}", "--games", str(options.games)]
        palestra("match", str(run), script, *words, "--out", str(out), "--json")
    report: dict[str, Any] = json.loads((out / "match.json").read_text())
    return report


def main() -> None:
    """Prints the table, and as the last line a JSON object; other options go to the training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--scenario", default="quadrant")
    parser.add_argument("--games", type=int, default=400, help="of a match")
    parser.add_argument("--num-envs", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--name", default="hide", help="of the training's run")
    options, rest = parser.parse_known_args()
    words = ["mappo", "--env", ENV, "--env-kwargs", f"scenario={options.scenario}", "--steps", str(ENDLESS)]
    words += ["--num-envs", str(options.num_envs), "--seed", str(options.seed), *USED, *rest]
    copies: dict[float, Path] = {}
    for minutes in (0.0, *(options.minutes / 2**k for k in range(DOUBLINGS, -1, -1))):
        copy = runs_folder() / f"{options.name}-{minutes:g}"
        if not copy.exists():
            if minutes:
                shutil.copytree(train_for(options.name, minutes, words), copy)
            else:  # one update
                palestra("train", *words, "--name", copy.name, "--steps", "1")
        copies[minutes] = copy
    figures: dict[str, Any] = {}
    print(f"{'minutes':>8}{'steps':>13}  {'against':8}{'score':>7}   95 % interval   as hider   as seeker")
    for minutes, copy in copies.items():
        for script in SCRIPTS:
            report = match(copy, script, options)
            means = [report["by_team"][team]["A"]["mean"] for team in ("hider", "seeker")]
            print(
                f"{minutes:>8.3g}{rows_of(copy)[-1]['step']:>13,.0f}  {script:8}{report['score']:>7.1%}"
                f"   {report['low']:.1%} to {report['high']:.1%}   {means[0]:>8.1f}{means[1]:>12.1f}",
                flush=True,
            )
            figures[f"{minutes:g} {script}"] = {name: report[name] for name in ("score", "low", "high")}
    rows = rows_of(runs_folder() / options.name)
    environment = sum(row["time/environment"] for row in rows) / len(rows)
    palestra("explain", str(runs_folder() / options.name), "--out", str(PICTURE))
    print(f"{rows[-1]['step'] / rows[-1]['seconds']:,.0f} steps a second, {environment:.1%} of the time in the worlds")
    print(json.dumps({"minutes": options.minutes, "environment": environment, "figures": figures}))


if __name__ == "__main__":
    main()
