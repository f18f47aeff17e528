"""The ablation of AlphaGo on a small board: seven choices of its parts against each other and against GNU Go, as Elo.

Silver et al. (Nature 529, 2016, Extended Data Table 7) give the strength of policy network (p), value network (v) and
rollouts (r), alone and together, at five seconds a move on 19x19. Here each pair of the seven, and of these with GNU
Go's levels 1 and 10, plays a number of games with equal time a move (GNU Go takes what it takes) and alternating
colours under Chinese rules; games that both pass in are counted with dead stones off. Each pair of games has a random
opening of two plies. The order is reported as it comes out. GNU Go's level 10 has Elo 431, as in the paper.

    python benchmarks/alphago.py --policy RUN --value RUN --rollout RUN [--seconds 0.1] [--games 60] [--processes 2]
"""

import argparse
import itertools
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from palestra.agents.elo import elo_table
from palestra.agents.match import PlayedGame, random_opening, seed_of
from palestra.agents.match_jobs import MatchPlan, play_match
from palestra.cli.counting import dead_at_end, lead_without
from palestra.envs.go.position import Position
from palestra.envs.go.rules import Rules, rules_named

PAPER = {"rvp": 2890, "rp": 2416, "vp": 2177, "rv": 2077, "v": 1655, "p": 1517, "r": 1457, "gnugo 10": 431}
VARIANTS = ("r", "p", "v", "rv", "vp", "rp", "rvp")
PARTS = {"r": "rollout", "v": "value", "p": "policy"}
LEVELS = (1, 10)
ANCHOR = "gnugo 10"


def players(options: argparse.Namespace, gnugo: str) -> dict[str, str]:
    """Returns how the players are written."""
    made = {}
    for variant in VARIANTS:
        parts = [f"{PARTS[letter]}={getattr(options, PARTS[letter])}" for letter in variant]
        made[variant] = f"alphago:{','.join(parts)},seconds={options.seconds}"
    program = f"gtp:{gnugo} --mode gtp --chinese-rules --level"
    return made | {f"gnugo {level}": f"{program} {level}" for level in LEVELS}


def black_result(game: PlayedGame, rules: Rules) -> float:
    """Returns what Black got: by the board with dead stones off, unless somebody gave up or lost by forfeit."""
    if game.end in ("resignation", "forfeit"):
        return game.reward
    position = Position(rules)
    for action in game.moves:
        position.play(action)
    return float(np.sign(lead_without(position.state, dead_at_end(position.state, rules))))


def match(pair: tuple[str, str], specs: dict[str, str], options: argparse.Namespace) -> tuple[int, int, int]:
    """Plays a pair and returns what the first won, lost and drew."""
    rules = rules_named("chinese", size=options.size, komi=options.komi)
    plan = MatchPlan((specs[pair[0]], specs[pair[1]]), f"go-{options.size}x{options.size}", rules, options.games)
    openings = [random_opening(plan.game(), 2, seed_of(0, k)) for k in range(options.games // 2 + 1)]
    plan = MatchPlan(plan.players, plan.env, rules, options.games, openings=tuple(openings))
    won, lost, drew = 0, 0, 0
    for index, game in enumerate(play_match(plan, options.processes)):
        result = black_result(game, rules) * (-1 if index % 2 else 1)
        won, lost, drew = won + (result > 0), lost + (result < 0), drew + (result == 0)
    return won, lost, drew


def main() -> None:
    """Prints the results as they come, the table, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for part in ("policy", "value", "rollout"):
        parser.add_argument(f"--{part}", required=True, help=f"run of the {part}")
    parser.add_argument("--seconds", type=float, default=0.1, help="time a move")
    parser.add_argument("--games", type=int, default=60, help="games of each pair")
    parser.add_argument("--size", type=int, default=9)
    parser.add_argument("--komi", type=float, default=7.0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, help="file to which results are written, and from which they go on")
    options = parser.parse_args()
    gnugo = shutil.which("gnugo", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/games"]))
    if gnugo is None:
        sys.exit("gnugo is not installed; Debian's package of that name is wanted")
    specs, begun = players(options, gnugo), time.perf_counter()
    results: dict[tuple[str, str], tuple[int, int, int]] = {}
    if options.out and options.out.exists():
        results = {tuple(pair): tuple(result) for pair, result in json.loads(options.out.read_text())}
    for pair in itertools.combinations(specs, 2):
        if pair not in results:
            results[pair] = match(pair, specs, options)
            if options.out:
                options.out.write_text(json.dumps(list(results.items())))
        won, lost, drew = results[pair]
        print(f"{pair[0]:>9} {pair[1]:>9}{won:>5}{lost:>5}{drew:>5}", flush=True)
    table = elo_table(results, anchor=ANCHOR, prior=1)
    print(f"\n{'':10}{'Elo':>6}  95 % interval   in the paper, 19x19")
    figures: dict[str, Any] = {"seconds": options.seconds, "games": options.games}
    for row in table:
        elo, low, high = (value + PAPER[ANCHOR] for value in (row.elo, row.low, row.high))
        figures[row.name] = {"elo": elo, "low": low, "high": high}
        print(f"{row.name:10}{elo:>6.0f}{low:>8.0f} to {high:<8.0f}{PAPER.get(row.name, ''):>8}")
    figures |= {"wall": time.perf_counter() - begun, "results": [[*pair, *result] for pair, result in results.items()]}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
