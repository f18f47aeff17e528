"""AlphaZero against exact knowledge: every line of tic-tac-toe, and a solver's verdict on moves of connect four.

tic-tac-toe: the trained agent plays against all sequences of answers, in both seats; a perfect player never loses.
connect-four: positions of random games and of games of a small tree search, until there are enough in which some moves
are worth less than others; a move agrees if it keeps what the position is worth. Beside the agent: its network alone,
plain tree search with as many simulations, and how often the network's value names the winner, where there is one.

    python benchmarks/alphazero.py tic-tac-toe|connect-four [--steps N] [--run RUN] [--positions 400] [--workers 2]
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from palestra.agents.mcts import Config
from palestra.agents.mcts_player import MCTSPlayer
from palestra.agents.player import Player, RandomPlayer, RandomPlayerConfig
from palestra.cli.run import Run
from palestra.cli.setup import trained_agent
from palestra.envs.connect_four_solver import Solver
from palestra.envs.game import OVER, PLAYER, Game, State, legal_mask
from palestra.envs.games import make_game
from palestra.envs.rng import seed_state
from palestra.perception.intervals import wilson

STEPS = {"tic-tac-toe": 2_000, "connect-four": 23_040}
OPTIONS = {
    "tic-tac-toe": (),
    "connect-four": (
        *("--agent.foresight", "0.2", "--agent.random-plies", "10", "--agent.window", "100000"),
        *("--agent.width", "64", "--agent.batch-size", "256"),
    ),
}
PLIES = (10, 32)  # of connect four: between them a position is picked
SIMULATIONS = (32, 200, 800, 3200)


def train(game: str, options: argparse.Namespace) -> tuple[str, float]:
    """Trains by the command line, and returns the run and the seconds that it took."""
    command = [sys.executable, "-m", "palestra.cli", "train", "alphazero", "--env", game]
    command += ["--steps", str(options.steps or STEPS[game]), "--seed", str(options.seed)]
    command += [f"--agent.workers={options.workers}", *OPTIONS[game], *options.rest]
    begin = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()[-1], time.perf_counter() - begin


def lines_lost(game: Game, player: Player, seat: int) -> tuple[int, int]:
    """Plays against every sequence of answers; returns how many games there were, and how many were lost."""
    no_rng, games, lost = seed_state(0), 0, 0
    stack = [(game.start.copy(), 0.0)]
    while stack:
        state, reward = stack.pop()
        if state[OVER]:
            games, lost = games + 1, lost + ((reward if seat == 0 else -reward) < 0)
            continue
        moves = np.flatnonzero(legal_mask(game, state)).tolist()
        if state[PLAYER] == seat:
            player.start(game, state, 0)
            moves = [player.choose(state)]
        for action in moves:
            after = state.copy()
            result = float(game.play(after, action, no_rng, game.data))
            stack.append((after, result))
    return games, lost


def tic_tac_toe(agent: Any, game: Game, options: argparse.Namespace) -> dict[str, Any]:
    """Prints and returns what was lost."""
    figures: dict[str, Any] = {}
    print(f"{'simulations':>12}{'as':>8}{'games':>7}{'lost':>6}")
    for simulations in (8, 32, 100):
        for seat, name in ((0, "first"), (1, "second")):
            games, lost = lines_lost(game, agent.player(game, 0, simulations=simulations), seat)
            print(f"{simulations:>12}{name:>8}{games:>7}{lost:>6}", flush=True)
            figures[f"{simulations} {name}"] = {"games": games, "lost": lost}
    return figures


Case = tuple[State, dict[int, int]]
"""A position, and what each of its moves is worth."""


def matters(case: Case) -> bool:
    """Says whether some moves are worth less than others."""
    return len(set(case[1].values())) > 1


def positions(game: Game, solver: Solver, count: int) -> list[Case]:
    """Returns positions, of which `count` are such that it matters what is played; by turns after each of these."""
    rng, no_rng = np.random.default_rng(0), seed_state(0)
    makers: list[Player] = [
        RandomPlayer(RandomPlayerConfig(), game, 0),
        MCTSPlayer(Config(simulations=30, temperature=1.0), game, 0),
    ]
    found, enough = list[Case](), 0
    while enough < count:
        maker, plies = makers[enough % 2], int(rng.integers(*PLIES))
        state = game.start.copy()
        maker.start(game, state, int(rng.integers(2**31)))
        for ply in range(plies):
            moves = np.flatnonzero(legal_mask(game, state))
            action = int(rng.choice(moves)) if ply < 4 else maker.choose(state)
            game.play(state, action, no_rng, game.data)
            maker.note(action)
            if state[OVER]:
                break
        if state[OVER]:
            continue
        found.append((state, {int(c): int(v) for c, v in zip(*solver.moves(state), strict=True)}))
        enough += matters(found[-1])
    return found


def named(agent: Any, game: Game, cases: list[Case]) -> tuple[float, float, float]:
    """Returns the share of decided positions whose winner the network's value names, with its 95 % interval."""
    decided = [(state, max(worth.values())) for state, worth in cases if max(worth.values())]
    obs = np.zeros((len(decided), *game.obs_shape), np.float32)
    for row, (state, _) in zip(obs, decided, strict=True):
        game.observe(state, row.reshape(-1), game.data)
    _, values = agent.evaluator()(obs, np.stack([state for state, _ in decided]))
    right = int((np.sign(values) == [best for _, best in decided]).sum())
    return right / len(decided), *wilson(right, len(decided))


def agreement(player: Player, game: Game, cases: list[Case]) -> tuple[float, float, float]:
    """Returns the share of moves that keep what a position is worth, with its 95 % interval."""
    good = 0
    for state, worth in cases:
        player.start(game, state, 0)
        good += worth[player.choose(state)] == max(worth.values())
    return good / len(cases), *wilson(good, len(cases))


class NetworkAlone:
    """Plays the move that the network holds for likeliest."""

    def __init__(self, agent: Any, game: Game) -> None:
        self.name, self._agent, self._game = "network", agent, game

    def start(self, game: Game, state: State, seed: int | None = None) -> None:
        """Has nothing to begin."""

    def choose(self, state: State) -> int:
        """Returns the move."""
        obs = np.zeros((1, *self._game.obs_shape), np.float32)
        self._game.observe(state, obs.reshape(-1), self._game.data)
        mask = legal_mask(self._game, state)[None]
        return int(self._agent.act(obs, np.ones(1, np.bool_), mask, explore=False)[0])

    def note(self, action: int) -> None:
        """Remembers nothing."""

    def close(self) -> None:
        """Has nothing to end."""


def connect_four(agent: Any, game: Game, options: argparse.Namespace) -> dict[str, Any]:
    """Prints and returns the agreements, in positions in which it matters what is played and in all that were drawn."""
    drawn = positions(game, Solver(), options.positions)
    cases = [case for case in drawn if matters(case)]
    players: dict[str, Player] = {"the network alone": NetworkAlone(agent, game)}
    for simulations in SIMULATIONS:
        players[f"alphazero, {simulations} simulations"] = agent.player(game, 0, simulations=simulations)
        players[f"mcts, {simulations} simulations"] = MCTSPlayer(Config(simulations=simulations), game, 0)
    print(f"{len(drawn)} positions of {PLIES[0]} to {PLIES[1] - 1} plies; in {len(cases)} some moves are worth less")
    share, low, high = named(agent, game, drawn)
    print(f"{'winners that its value names':<32}{share:>8.1%}   {low:.1%} to {high:.1%}", flush=True)
    figures: dict[str, Any] = {"drawn": len(drawn), "value": {"agreement": share, "low": low, "high": high}}
    for name, player in players.items():
        share, low, high = agreement(player, game, cases)
        of_all = 1 - (1 - share) * len(cases) / len(drawn)
        print(f"{name:<32}{share:>8.1%}   {low:.1%} to {high:.1%}   of all {of_all:.1%}", flush=True)
        figures[name] = {"agreement": share, "low": low, "high": high, "of all": of_all}
    return figures


def main() -> None:
    """Trains unless a run is given, prints the table, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("game", choices=sorted(STEPS))
    parser.add_argument("--run", help="a run to measure in place of training one")
    parser.add_argument("--steps", type=int, help="games to train")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--positions", type=int, default=400)
    options, rest = parser.parse_known_args()
    options.rest = rest
    run, seconds = (options.run, 0.0) if options.run else train(options.game, options)
    agent: Any = trained_agent(Run.open(run, "agent"))
    print(f"{Path(run)}: {agent.step:,} games" + (f" in {seconds:.0f} s" if seconds else ""))
    measure = {"tic-tac-toe": tic_tac_toe, "connect-four": connect_four}[options.game]
    figures = measure(agent, make_game(options.game), options)
    print(json.dumps({"game": options.game, "games": agent.step, "seconds": seconds, "figures": figures}))


if __name__ == "__main__":
    main()
