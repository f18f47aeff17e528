"""How strong the tree search plays 9x9 Go: games against GNU Go at several times a move, and their picture.

Each time a move is one `palestra match` with alternating colours under Chinese rules, komi 7, two threads; GNU Go
counts the finished games. The search resigns below -0.95 and stops a move early where no other move can overtake.

    python benchmarks/go_strength.py [SECONDS[:GAMES] ...]
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

TIMES = ("0.1", "0.5", "2", "5")
GAMES = 60
LEVEL = 10
PICTURE = Path(__file__).parents[1] / "docs" / "images" / "go_strength.png"


def play(seconds: float, games: int, gnugo: str) -> dict[str, Any]:
    """Plays a match and returns its summary."""
    program = f"gtp:{gnugo} --mode gtp --chinese-rules --level {LEVEL}"
    command = [sys.executable, "-m", "palestra.cli", "match", f"mcts:seconds={seconds},threads=2,resign=-0.95", program]
    command += ["--env", "go-9x9", "--komi", "7", "--games", str(games), "--referee", program, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def show(seconds: float, result: dict[str, Any]) -> None:
    """Prints a row."""
    won = f"{result['wins']:>5}{result['losses']:>5}{result['draws']:>5}"
    interval = f"{result['low']:.1%} to {result['high']:.1%}"
    print(f"{seconds:>9g} s{result['games']:>7}{won}{result['score']:>9.1%}  {interval}", flush=True)


def draw(results: dict[float, dict[str, Any]], place: Path) -> None:
    """Draws the score over the time a move, with its intervals."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(5, 3.2), layout="constrained")
    times = sorted(results)
    score = [results[t]["score"] for t in times]
    down = [results[t]["score"] - results[t]["low"] for t in times]
    up = [results[t]["high"] - results[t]["score"] for t in times]
    axes.errorbar(times, score, [down, up], marker="o", capsize=4, color="tab:blue")
    axes.axhline(0.5, color="grey", linewidth=0.8, linestyle=":")
    axes.set(xscale="log", ylim=(0, 1.02), xlabel="seconds a move", ylabel="score", xticks=times, xticklabels=times)
    axes.set_title(f"Tree search against GNU Go 3.8, level {LEVEL}, 9x9", fontsize=10)
    figure.savefig(place, dpi=120)


def main() -> None:
    """Prints the table, draws the picture, and prints as the last line a JSON object."""
    gnugo = shutil.which("gnugo") or shutil.which("gnugo", path="/usr/games")
    if gnugo is None:
        sys.exit("gnugo is not installed; Debian's package gnugo brings it")
    print(f"{'a move':>11}{'games':>7}{'won':>5}{'lost':>5}{'drew':>5}{'score':>9}  95 % interval")
    results = {}
    for word in sys.argv[1:] or TIMES:
        seconds, _, games = word.partition(":")
        results[float(seconds)] = play(float(seconds), int(games or GAMES), gnugo)
        show(float(seconds), results[float(seconds)])
    draw(results, PICTURE)
    print(json.dumps({str(seconds): result for seconds, result in results.items()}))


if __name__ == "__main__":
    main()
