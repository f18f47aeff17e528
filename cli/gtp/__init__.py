"""`palestra gtp AGENT|RUN`: an engine that plays Go with GUIs, servers and other programs, by the Go Text Protocol."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from palestra.agents.player import PLAYERS, Player
from palestra.cli.gtp.brain import Brain
from palestra.cli.gtp.engine import Lines, add_commands, serve
from palestra.cli.gtp.json_protocol import Analyst
from palestra.cli.gtp.rules import named_rules
from palestra.cli.gtp.session import Session
from palestra.cli.gtp.table import Table
from palestra.cli.options import parse
from palestra.cli.players import board_size, player_named
from palestra.envs.game import Game
from palestra.envs.go.game import go_game

USUAL_SIZE = 19  # lines of the board that is played where nobody says


@dataclass(frozen=True)
class Options:
    """Answers the commands of the Go Text Protocol on stdin, until `quit` or the end of input.

    AGENT is a player as in `palestra match`: random, mcts, or with options of its own, as in mcts:rave=1000; or a run
    of an agent that was trained in palestra/Go-v0.
    """

    size: int | None = None
    """Lines of the board until a command says otherwise, 2 to 25; 19, or what a run was trained on, if left out."""
    rules: str = "chinese"
    """tromp-taylor, chinese, japanese, aga, cgos or new-zealand."""
    komi: float | None = None
    """Points that White gets; those of the rules if left out."""
    simulations: int | None = None
    """Simulations a move, for players that search."""
    seconds: float | None = None
    """Seconds a move, in place of a number of simulations; a clock set by commands may shorten them."""
    threads: int | None = None
    """Threads of the search."""
    seed: int = 0
    """Root of the randomness."""
    protocol: Literal["gtp", "json"] = "gtp"
    """json: KataGo's analysis engine, which KaTrain speaks."""
    resign: float = -0.9
    """Expected result, from -1 (lost) to 1, below which a search resigns; -1 never does."""

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"--seed is {self.seed}, but at least 0 is wanted")


def main(args: Sequence[str]) -> int:
    """Serves a controller; its leaving, in whatever way, ends the engine quietly."""
    spec = args[0] if args and not args[0].startswith("-") else ""
    if not spec and not {"-h", "--help"} & set(args):
        raise ValueError(
            f"who is to play is missing: palestra gtp AGENT, with AGENT among {', '.join(PLAYERS)} or a run"
        )
    options = parse(Options, list(args[1:] if spec else args), "palestra gtp AGENT")
    session = new_session(spec, options)
    if sys.stdin is None or sys.stdout is None:  # closed before the start
        return 0
    lines = Lines(sys.stdin.fileno())
    session.waiting = lines.waiting
    try:
        if options.protocol == "gtp":
            serve(session, lines, _write)
        else:
            Analyst(session, lines, _write).serve()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    finally:
        session.brain.close()
    return 0


def new_session(spec: str, options: Options) -> Session:
    """Makes the engine of an agent, to which input is always waiting.

    Raises:
        ValueError: there is no such agent, or an option is wrong.
    """
    if not -1 <= options.resign <= 1:
        raise ValueError(f"--resign is {options.resign}, but a number from -1 (never) to 1 is wanted")
    size = (board_size(spec) or USUAL_SIZE) if options.size is None else options.size
    rules = named_rules(options.rules, size, options.komi)
    known = {name: getattr(options, name) for name in ("simulations", "seconds", "threads")}
    given = {name: value for name, value in known.items() if value is not None}
    seeds = np.random.SeedSequence(options.seed)

    def make(game: Game) -> Player:
        return player_named(spec, game, int(seeds.spawn(1)[0].generate_state(1)[0]), **given)

    player = make(go_game(rules))  # so that what is wrong with the agent is said at once
    player.close()
    if options.protocol == "json" and not hasattr(player, "search"):
        raise ValueError(f"{player.name} does not search, so there is nothing to analyse; mcts does")
    brain = Brain(player.name, make, hasattr(player, "search"), options.resign)
    session = Session(brain, Table(rules), lambda seconds: True)
    add_commands(session)
    return session


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
