"""Playouts and tree search of Go beside OpenSpiel's C++, over board sizes and threads, and what a node takes.

playouts      whole games from the empty board, uniform over the moves that fill no eye, or with patterns
OpenSpiel     its `MCTSBot` with one rollout a leaf (uniform over all legal moves, so that games are longer), on its own
              Go; ours beside it is UCT with uniform playouts and no RAVE, and the playouts alone
threads       simulations a second of wall time, each thread with a tree of its own
memory        bytes of a node, and nodes in use after so many simulations

All but the threads is measured on one core in processor time, medians over rounds taken by turns. Without OpenSpiel
(the extra bench brings it) ours is measured alone.

    python benchmarks/go.py [rounds [seconds a measurement]]
"""

import importlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from palestra.agents.mcts import Config, Search
from palestra.agents.tree import bytes_per_node
from palestra.envs.game import Game
from palestra.envs.go.game import go_game
from palestra.envs.go.pattern_playout import pattern_playout
from palestra.envs.go.playout import playout
from palestra.envs.go.rules import Rules
from palestra.envs.rng import seed_state

SIZES = (5, 7, 9, 13, 19, 25)
BESIDE = (9, 19)  # sizes on which OpenSpiel is measured
SIMULATIONS = 20_000
THREADS = (1, 2, 4)
MEMORY = 1000  # MB that OpenSpiel's tree may take
NO_DATA = np.zeros(1)
PEER = "OpenSpiel MCTSBot"

Work = Callable[[], int]  # does something a number of times and returns that number


@njit(cache=True)
def uniform_games(start, trial, trace, rng, data, n):  # type: ignore[no-untyped-def]
    """Plays n uniform playouts from a state and returns how many moves they had."""
    moves = 0
    for _ in range(n):
        trial[:] = start
        playout(trial, trace, rng, data)
        moves += trace[0]
    return moves


@njit(cache=True)
def pattern_games(start, trial, trace, rng, data, n):  # type: ignore[no-untyped-def]
    """Plays n pattern playouts from a state and returns how many moves they had."""
    moves = 0
    for _ in range(n):
        trial[:] = start
        pattern_playout(trial, trace, rng, data)
        moves += trace[0]
    return moves


class Playouts:
    """Playouts of a kind on a board, a hundred at a time."""

    def __init__(self, games: Any, size: int) -> None:
        start = go_game(Rules(size)).start
        self.moves, self.played = 0, 0
        self._games, self._rng = games, seed_state(size)
        self._arrays = (start, start.copy(), np.zeros(3 * size * size + 1, np.int64))

    def __call__(self) -> int:
        """Plays them."""
        self.moves += self._games(*self._arrays, self._rng, NO_DATA, 100)
        self.played += 100
        return 100


def searching(game: Game, **options: Any) -> Work:
    """Returns what grows a tree from the empty board, an empty one each time."""
    search = Search(game, Config(**options))

    def work() -> int:
        search.reset()
        search.run(game.start, simulations=SIMULATIONS)
        return search.simulations

    return work


def openspiel(size: int) -> dict[str, Work]:
    """Returns what is measured of OpenSpiel on a board.

    Raises:
        ImportError: it is not installed.
    """
    spiel: Any = importlib.import_module("pyspiel")
    game = spiel.load_game("go", {"board_size": size, "komi": 7.5})
    state = game.new_initial_state()

    def simulations() -> int:
        evaluator, options = spiel.RandomRolloutEvaluator(1, 0), {"solve": True, "seed": 0, "verbose": False}
        spiel.MCTSBot(game, evaluator, 1.4, 500, MEMORY, **options).mcts_search(state)
        return 500

    return {PEER: simulations}


def ours(size: int) -> dict[str, Work]:
    """Returns what is measured of ours on a board."""
    rules = Rules(size)
    return {
        "uniform playouts": Playouts(uniform_games, size),
        "pattern playouts": Playouts(pattern_games, size),
        "UCT, uniform": searching(go_game(rules, playouts="uniform"), rave=0.0),
        "RAVE, patterns": searching(go_game(rules)),
    }


def rate(work: Work, seconds: float, clock: Callable[[], float] = time.process_time) -> float:
    """Returns how often something is done in a second."""
    done, begin = 0, clock()
    while (spent := clock() - begin) < seconds:
        done += work()
    return done / spent


def measure(works: dict[str, Work], rounds: int, seconds: float) -> dict[str, float]:
    """Returns the median rate of each."""
    for work in works.values():
        work()
    rates = [{name: rate(work, seconds) for name, work in works.items()} for _ in range(rounds)]
    return {name: statistics.median(row[name] for row in rates) for name in works}


def by_size(rounds: int, seconds: float, figures: dict[str, Any]) -> None:
    """Prints rates on all boards, and the ratios to OpenSpiel where it is measured."""
    for size in SIZES:
        works = ours(size)
        if size in BESIDE:
            try:
                works |= openspiel(size)
            except ImportError:
                print("OpenSpiel is missing: pip install 'palestra[bench]' brings it")
        rates = figures[f"{size}x{size}"] = measure(works, rounds, seconds)
        print(f"\n{size}x{size}")
        for name, value in rates.items():
            work = works[name]
            told = f"{1e9 / value / work.moves * work.played:>8.0f} ns a move" if isinstance(work, Playouts) else ""
            print(f"{name:<22}{value:>12,.0f} a second{told}", flush=True)
        for name in ("uniform playouts", "UCT, uniform") if PEER in rates else ():
            ratio = figures[f"{size}x{size}, {name} to {PEER}"] = rates[name] / rates[PEER]
            print(f"{name} to {PEER}: {ratio:.1f}x")


def by_threads(rounds: int, seconds: float, figures: dict[str, Any]) -> None:
    """Prints simulations a second of wall time with several threads."""
    print(f"\n9x9, {len(os.sched_getaffinity(0))} cores   UCT, uniform   RAVE, patterns   a second")
    for threads in THREADS:
        row = {}
        for name, playouts, options in (("uniform", "uniform", {"rave": 0.0}), ("patterns", "pattern", {})):
            work = searching(go_game(Rules(9), playouts=playouts), threads=threads, **options)
            work()
            row[name] = statistics.median(rate(work, seconds, time.perf_counter) for _ in range(rounds))
        figures[f"{threads} threads"] = row
        print(f"{threads:>2} threads{row['uniform']:>21,.0f}{row['patterns']:>16,.0f}", flush=True)


def memory(figures: dict[str, Any]) -> None:
    """Prints what nodes and states take."""
    print("\nmemory   bytes a node   nodes after 100,000 simulations   bytes of a state")
    for size in BESIDE:
        game = go_game(Rules(size))
        search = Search(game, Config())
        search.run(game.start, simulations=100_000)
        row = {"node": bytes_per_node(search._trees[0]), "nodes": search.nodes, "state": game.start.nbytes}
        figures[f"memory {size}x{size}"] = row
        print(f"{size}x{size:<6}{row['node']:>13.0f}{row['nodes']:>34,}{row['state']:>19,}")


def main() -> None:
    """Prints the tables, and as the last line a JSON object."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    figures: dict[str, Any] = {"rounds": rounds}
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    by_size(rounds, seconds, figures)
    os.sched_setaffinity(0, cores)
    by_threads(rounds, seconds, figures)
    memory(figures)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
