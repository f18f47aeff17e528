"""The games of a match, one after another or in several processes, in the same order and with the same seeds."""

import multiprocessing as mp
import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from palestra.agents.match import PlayedGame, play_game, seed_of
from palestra.agents.player import Player, make_player
from palestra.envs.game import Game
from palestra.envs.games import make_game
from palestra.envs.go.game import go_game
from palestra.envs.go.rules import Rules
from palestra.networks.threads import cores

PATIENCE = 5.0  # seconds in which a process must end that is told to


@dataclass(frozen=True)
class MatchPlan:
    """What is played: the first player begins in games 0, 2, 4 ..., and games 2k and 2k + 1 have one opening."""

    players: tuple[str, str]
    """How they are written; see `agents/player.py`."""
    env: str
    """The game's name."""
    rules: Rules | None = None
    """Rules of Go."""
    games: int = 1
    seed: int = 0
    openings: tuple[tuple[int, ...], ...] = ((),)
    """Used in turn."""
    max_plies: int = 0
    """Moves after which a game is cut off; 0 leaves it to the game."""
    timeout: float = 600.0
    """Seconds in which a program must answer."""
    make: Callable[..., Player] = make_player
    """Makes a player of how it is written."""

    def game(self) -> Game:
        """Makes the game."""
        return go_game(self.rules) if self.rules else make_game(self.env)


def play_match(plan: MatchPlan, jobs: int = 1) -> Generator[PlayedGame]:
    """Plays a match and yields its games in order; players stay the same from game to game, in each of the processes.

    Raises:
        ValueError: a player cannot be made, or fails.
    """
    if jobs == 1:
        with closing_players(plan) as players:
            for index in range(plan.games):
                yield _play(plan, players, index)
        return
    workers = [_start(plan, first, jobs) for first in range(min(jobs, plan.games))]
    try:
        for index in range(plan.games):
            yield _receive(*workers[index % len(workers)])
    finally:
        for process, connection in workers:
            process.terminate()
            connection.close()
        for process, _ in workers:
            process.join(PATIENCE)
            process.kill()
            process.join()


@contextmanager
def closing_players(plan: MatchPlan) -> Iterator[tuple[Game, Player, Player]]:
    """Makes game and players, and closes them in the end."""
    game = plan.game()
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(closing(plan.make(spec, game, seed_of(plan.seed, 0, i), timeout=plan.timeout)))
            for i, spec in enumerate(plan.players)
        )
        yield game, first, second


def _play(plan: MatchPlan, players: tuple[Game, Player, Player], index: int) -> PlayedGame:
    """Plays one game, which depends on its index and on nothing that was played before."""
    game, first, second = players
    seats = (second, first) if index % 2 else (first, second)
    seeds = (seed_of(plan.seed, 1, index, 0), seed_of(plan.seed, 1, index, 1))
    opening = plan.openings[(index // 2) % len(plan.openings)]
    return play_game(game, seats, opening, seeds=seeds, max_plies=plan.max_plies)


def _start(plan: MatchPlan, first: int, step: int) -> tuple[BaseProcess, Connection]:
    """Starts a process that plays games first, first + step ...; Ctrl-C is not for it but for who receives them."""
    context = mp.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(plan, first, step, there), daemon=True)
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process.start()
    finally:
        signal.signal(signal.SIGINT, handler)
    there.close()
    return process, here


def _work(plan: MatchPlan, first: int, step: int, results: Connection) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores() // step)))  # before torch is loaded, which reads it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that players are closed
    try:
        with closing_players(plan) as players:
            for index in range(first, plan.games, step):
                results.send(_play(plan, players, index))
    except (ValueError, OSError, MemoryError) as error:
        with suppress(OSError):  # nobody receives any more
            results.send(str(error))
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _receive(process: BaseProcess, results: Connection) -> PlayedGame:
    try:
        played: PlayedGame | str = results.recv()
    except EOFError:
        process.join()
        raise ValueError(f"a process of the match ended with status {process.exitcode}") from None
    if isinstance(played, str):
        raise ValueError(played)
    return played
