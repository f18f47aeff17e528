"""Tree search beside OpenSpiel's C++ `MCTSBot`: simulations a second, and matches in connect four and Othello.

Both are UCT with one playout a leaf and proven results, on one thread; ours keeps its tree from move to move (visits
kept count as simulations), theirs starts anew. Rows "uniform" have uniform playouts on both sides and no knowledge of
the game, as the simulations a second have; in the others ours has what it brings for the game. Half of those begin with
the game's first position, the others with random openings, each played once with each colour: many of these are won for
one side, which bounds the score of any player against one that seldom errs. At equal simulations both make as many a
move; at equal time both look at the same clock, by turns in one process. Theirs has the constant of UCT that is best
among those of `--tune`, which lets its bots of several constants play ours. The columns "ms" are what a move took.

Without OpenSpiel (the extra bench brings it) ours is measured alone. A match has games x seeds games, of 100 ms a move
a fifth of that.

    python benchmarks/search.py [--games 50] [--seeds 2] [--only "connect-four, from the start"] [--tune]
"""

import argparse
import importlib
import json
import time
from dataclasses import dataclass
from typing import Any

from palestra.agents.elo import Standing
from palestra.agents.match import PlayedGame, play_game, random_opening, seed_of
from palestra.agents.mcts import Config, Search
from palestra.agents.mcts_player import MCTSPlayer
from palestra.envs.game import Game, State
from palestra.envs.games import make_game

NAMES = {"connect-four": "connect_four", "othello": "othello", "tic-tac-toe": "tic_tac_toe"}  # ours: theirs
PLIES = {"connect-four": 4, "othello": 6}  # of random openings
UNIFORM = {"playouts": "uniform"}
EXPLORATION = {"connect-four": 1.4, "othello": 1.4}  # OpenSpiel's constant of UCT
CONSTANTS = (0.5, 1.0, 1.4, 2.0)
SIMULATIONS = (300, 1000)
SECONDS = (0.01, 0.1)  # OpenSpiel's bot may crash where it gets less
LONG = 0.1  # seconds a move from which on fewer games are played
MEMORY = 1000  # MB that OpenSpiel's tree may take
ROUNDS = 7


@dataclass(frozen=True)
class Budget:
    """What each player has for a move: simulations, or seconds."""

    simulations: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.simulations} simulations" if self.simulations else f"{1000 * self.seconds:g} ms"


class SpielPlayer:
    """OpenSpiel's search as a player."""

    def __init__(self, pyspiel: Any, game: Game, budget: Budget, exploration: float) -> None:
        self.name = "openspiel"
        self._spiel, self._budget, self._exploration = pyspiel, budget, exploration
        self._game = pyspiel.load_game(NAMES[game.name])
        self._state, self._bot = self._game.new_initial_state(), self.bot(0)

    def bot(self, seed: int) -> Any:
        """Makes a bot, whose playouts are drawn from the seed too."""
        evaluator = self._spiel.RandomRolloutEvaluator(1, seed)
        most, seconds = self._budget.simulations or 10**9, self._budget.seconds or -1.0
        options = {"solve": True, "seed": seed, "verbose": False, "max_wall_clock_time": seconds}
        return self._spiel.MCTSBot(self._game, evaluator, self._exploration, most, MEMORY, **options)

    def start(self, game: Game, state: State, seed: int | None = None) -> None:
        """Begins a game."""
        self._state, self._bot = self._game.new_initial_state(), self.bot((seed or 0) % 2**31)

    def choose(self, state: State) -> int:
        """Searches; the numbers of actions are the same on both sides."""
        return int(self._bot.step(self._state))

    def note(self, action: int) -> None:
        """Makes a move on OpenSpiel's board."""
        self._state.apply_action(action)

    def close(self) -> None:
        """Has nothing to end."""


def rates(pyspiel: Any, name: str) -> dict[str, float]:
    """Returns simulations a second of processor time from the start, the best of rounds by turns."""
    game = make_game(name, **(UNIFORM if name in PLIES else {}))
    best = {"palestra": 0.0, "openspiel": 0.0}
    for i in range(ROUNDS + 1):  # the first one compiles
        search = Search(game, Config(simulations=30_000), seed=i)
        begin = time.process_time()
        search.run(game.start)
        spent = time.process_time() - begin
        best["palestra"] = max(best["palestra"], i and search.simulations / spent)
        if pyspiel is not None:
            player = SpielPlayer(pyspiel, game, Budget(2000), EXPLORATION.get(name, 1.4))
            begin = time.process_time()
            player.bot(i).mcts_search(player._state)
            best["openspiel"] = max(best["openspiel"], 2000 / (time.process_time() - begin))
    return best


def play(players: dict[str, Any], game: Game, plies: int, games: int, seed: int) -> list[PlayedGame]:
    """Plays a match with openings of some plies; ours begins in games 0, 2, 4 ..."""
    played = []
    for index in range(games):
        opening = random_opening(game, plies, seed_of(seed, index // 2))
        order = (players["mcts"], players["openspiel"])[:: 1 if index % 2 == 0 else -1]
        played.append(play_game(game, order, opening, seeds=(seed_of(seed, index, 0), seed_of(seed, index, 1))))
    return played


def summary(played: list[PlayedGame]) -> dict[str, Any]:
    """Returns the score of ours with its interval, and what moves took."""
    results = [game.reward * (1 if game.names[0] == "mcts" else -1) for game in played]
    standing = Standing(sum(r > 0 for r in results), sum(r < 0 for r in results), sum(r == 0 for r in results))
    figures: dict[str, Any] = {"wins": standing.wins, "losses": standing.losses, "draws": standing.draws}
    figures |= {"score": standing.score, "interval": standing.interval}
    for side in ("mcts", "openspiel"):
        spent = sum(game.seconds[game.names.index(side)] for game in played)
        figures[f"{side} ms"] = 1000 * spent / sum(game.choices[game.names.index(side)] for game in played)
    return figures


@dataclass(frozen=True)
class Row:
    """A match of the table."""

    name: str
    budget: Budget
    uniform: bool
    """Whether ours has no knowledge of the game."""
    plies: int
    """Length of random openings, 0 for none."""

    def __str__(self) -> str:
        kind = "uniform, " if self.uniform else ""
        return f"{self.name}, {kind}{'random openings' if self.plies else 'from the start'}, {self.budget}"


def rows() -> list[Row]:
    """Returns what is played."""
    listed = []
    for name, plies in PLIES.items():
        simulations, seconds = [Budget(n) for n in SIMULATIONS], [Budget(seconds=s) for s in SECONDS]
        listed += [Row(name, budget, True, plies) for budget in simulations]
        listed += [Row(name, budget, False, p) for p in (0, plies) for budget in simulations + seconds]
    return listed


def match(pyspiel: Any, row: Row, games: int, seeds: int, exploration: float) -> dict[str, Any]:
    """Plays a row's match with each of the seeds."""
    game, budget = make_game(row.name, **(UNIFORM if row.uniform else {})), row.budget
    config = Config(simulations=budget.simulations or 1000, seconds=budget.seconds)
    played = []
    for seed in range(seeds):
        players = {
            "mcts": MCTSPlayer(config, game, seed),
            "openspiel": SpielPlayer(pyspiel, game, budget, exploration),
        }
        played += play(players, game, row.plies, max(games // 5, 2) if budget.seconds >= LONG else games, seed)
    return summary(played)


def show(label: str, figures: dict[str, Any]) -> None:
    """Prints a row."""
    low, high = figures["interval"]
    won = f"{figures['wins']:>6}{figures['losses']:>6}{figures['draws']:>6}"
    spent = f"{figures['mcts ms']:>9.2f}{figures['openspiel ms']:>9.2f}"
    print(f"{label:<56}{won}{figures['score']:>9.1%}  {low:.1%} to {high:.1%}{spent}", flush=True)


def import_peer() -> Any:
    """Imports OpenSpiel; returns None if it is not there."""
    try:
        return importlib.import_module("pyspiel")
    except ImportError:
        return None


def main() -> None:
    """Prints the tables, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", type=int, default=50, help="games of a match and seed")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only", default="", help="matches whose names hold this text, and no simulations a second")
    parser.add_argument("--tune", action="store_true", help="try constants of UCT for OpenSpiel")
    args = parser.parse_args()
    pyspiel = import_peer()
    figures: dict[str, Any] = {"games": args.games, "seeds": args.seeds, "rates": {}, "matches": {}}
    print(f"{'simulations a second':<22}{'ours':>10}{'OpenSpiel':>12}{'ratio':>9}")
    for name in () if args.only else NAMES:
        rate = figures["rates"][name] = rates(pyspiel, name)
        theirs = (
            f"{rate['openspiel']:>12,.0f}{rate['palestra'] / rate['openspiel']:>8.1f}x" if pyspiel else f"{'-':>12}"
        )
        print(f"{name:<22}{rate['palestra']:>10,.0f}{theirs}", flush=True)
    if pyspiel is None:
        print("OpenSpiel is missing: pip install 'palestra[bench]' brings it")
    else:
        print(f"\n{'':56}{'won':>6}{'lost':>6}{'drew':>6}{'score':>9}  95 % interval   ms, ours   theirs")
        for row in (row for row in rows() if args.only in str(row)):
            for constant in CONSTANTS if args.tune else (EXPLORATION[row.name],):
                label = f"{row}{f', c={constant}' if args.tune else ''}"
                figures["matches"][label] = match(pyspiel, row, args.games, args.seeds, constant)
                show(label, figures["matches"][label])
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
