"""`palestra play GAME`: a game in the terminal against an agent, another person or both sides alone."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import gymnasium as gym
import numpy as np

from palestra.agents.player import RESIGN
from palestra.cli.options import key_values, parse, refuse_given
from palestra.cli.play_match import Match, is_go, outcome, record, side_name
from palestra.cli.players import player_named
from palestra.envs.game import legal_mask
from palestra.envs.games import GAMES, make_game
from palestra.envs.spec import EnvSpec

HELP = """a move is typed as its name: {example}
moves         lists the legal moves
hint          asks the agent what it would play
undo          takes your last move and the answer to it back
board         draws the position again
resign        gives the game up
{more}quit          leaves"""
GO_HELP = """pass          passes; two passes end the game
save FILE     writes the game so far as SGF
"""


@dataclass(frozen=True)
class Options:
    """Plays a game in the terminal; `help` there lists what can be typed."""

    against: str = "mcts"
    """Who plays the other side: an agent as in mcts:simulations=2000, a run, or human for both sides here."""
    color: Literal["black", "white", "first", "second"] = "black"
    """Your side; black and first begin."""
    size: int | None = None
    """Lines of the board, for games that have several."""
    rules: str | None = None
    """Rules of Go: chinese, japanese, aga, tromp-taylor or cgos."""
    komi: float | None = None
    """Points that White gets in Go."""
    game_kwargs: tuple[str, ...] = ()
    """Other options of the game, as key=value."""
    agent: str = "hider_0"
    """The agent that is yours in palestra/HideAndSeek-v0, which is played in a browser."""
    port: int = 0
    """Port of the page of hide-and-seek; a free one if left out."""
    seed: int = 0
    """Root of the agent's randomness."""

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"--seed is {self.seed}, but at least 0 is wanted")
        if not 0 <= self.port < 65536:
            raise ValueError(f"--port is {self.port}, but a number from 0 to 65535 is wanted")


def main(args: Sequence[str]) -> int:
    """Plays one game on stdin and stdout; the end of the input ends it."""
    name = args[0] if args and not args[0].startswith("-") else ""
    if not name and not {"-h", "--help"} & set(args):
        raise ValueError(f"what to play is missing: palestra play GAME, with GAME among {', '.join(GAMES)}")
    options = parse(Options, list(args[1:] if name else args), "palestra play GAME")
    if name in gym.registry and EnvSpec(name).is_teams:
        from palestra.cli import play_teams

        refuse_given(options, ("color", "size", "rules", "komi"), f"is for board games, but {name} is played")
        against = options.against if options.against != Options.against else "fort"
        env = EnvSpec(name, kwargs=key_values(options.game_kwargs))
        return play_teams.play(play_teams.LiveGame(env, options.agent, against, options.seed), options.port)
    refuse_given(options, ("agent", "port"), f"is for palestra/HideAndSeek-v0, but {name} is played")
    match = _begin(name, options)
    try:
        _session(match, name)
    except EOFError:
        pass
    finally:
        if match.player:
            match.player.close()
    return 0


def _begin(name: str, options: Options) -> Match:
    """Sets a game up.

    Raises:
        ValueError: there is no such game, or an option or agent is wrong.
    """
    given = {key: getattr(options, key) for key in ("size", "rules", "komi")}
    kwargs = {key: value for key, value in given.items() if value is not None} | key_values(options.game_kwargs)
    game = make_game(name, **kwargs)
    if game.num_players != 2:
        raise ValueError(f"{name} has {game.num_players} player, but a game of two is wanted")
    player = None if options.against == "human" else player_named(options.against, game, options.seed)
    state = game.start.copy()
    if player:
        player.start(game, state)
    side = int(options.color in ("white", "second"))
    return Match(game, player, side, state, rules=str(kwargs.get("rules", "chinese")))


def _session(match: Match, name: str) -> None:
    """Alternates between the user and the player until the game is over."""
    print(f"{match.game.name}; you play {side_name(match, match.side)}; `help` lists what can be typed", flush=True)
    print(_drawn(match), flush=True)
    told = False
    while True:
        if match.over:
            if not told:
                print(_drawn(match), outcome(match), sep="\n", flush=True)
            told = True
            _command(match, name, _typed("the game is over (undo, save or quit)> "))
            continue
        told = False
        if match.player and match.turn != match.side:
            print(match.answer(), flush=True)
            if not match.over:
                print(_drawn(match), flush=True)
        else:
            _command(match, name, _typed(f"{side_name(match, match.turn)}> "))


def _typed(prompt: str) -> str:
    """Reads a line.

    Raises:
        EOFError: the input ends.
    """
    try:
        print(prompt, end="", flush=True)
        line = sys.stdin.readline() if sys.stdin else ""
    except UnicodeDecodeError:
        return "?"
    except KeyboardInterrupt:
        print(flush=True)
        raise
    if not line:
        print(flush=True)
        raise EOFError
    if not sys.stdin.isatty():
        print(flush=True)
    return "".join(c for c in line if c.isprintable()).strip()


def _command(match: Match, name: str, line: str) -> None:
    """Does what was typed; what cannot be done gets one sentence, and to quit is an EOFError."""
    word, _, rest = line.partition(" ")
    word = word.lower()
    if not word:
        return
    try:
        if word in ("quit", "exit", "q"):
            raise EOFError
        if word in COMMANDS:
            COMMANDS[word](match, rest.strip())
        elif match.over:
            raise ValueError("the game is over; undo, save FILE or quit")
        else:
            match.make(_action(match, line))
            if match.player is None and not match.over:
                print(_drawn(match), flush=True)
    except (ValueError, OSError) as error:
        print(" ".join(str(error).split()), flush=True)


def _action(match: Match, line: str) -> int:
    if len(line) > 40:
        raise ValueError("that is too long for the name of a move; `moves` lists them")
    try:
        return match.game.parse_action(line)
    except ValueError as error:
        raise ValueError(f"{error}; `help` lists what can be typed") from None


def _help(match: Match, rest: str) -> None:
    more = GO_HELP if is_go(match) else ""
    print(HELP.format(example=", ".join(_names(match)[:3]) or "none is legal now", more=more), flush=True)


def _moves(match: Match, rest: str) -> None:
    names = _names(match)
    print(f"{len(names)} legal moves: {' '.join(names)}", flush=True)


def _hint(match: Match, rest: str) -> None:
    if match.player is None or match.over:
        raise ValueError("there is nobody to ask, or nothing left to play")
    action = match.player.choose(match.state)
    said = "would resign" if action == RESIGN else f"would play {match.game.action_name(action)}"
    print(f"{match.player.name} {said}", flush=True)


def _undo(match: Match, rest: str) -> None:
    match.undo()
    print(_drawn(match), flush=True)


def _board(match: Match, rest: str) -> None:
    print(_drawn(match), flush=True)


def _resign(match: Match, rest: str) -> None:
    if match.over:
        raise ValueError("the game is over already")
    match.resigned = match.turn


def _save(match: Match, rest: str) -> None:
    if not is_go(match):
        raise ValueError(f"only games of Go can be saved, not {match.game.name}")
    if not rest:
        raise ValueError("the name of the file is missing, as in save game.sgf")
    from palestra.envs.go.records import write_record

    write_record(rest, record(match))
    print(f"saved in {rest}", flush=True)


COMMANDS: dict[str, Callable[[Match, str], None]] = {
    "help": _help,
    "moves": _moves,
    "hint": _hint,
    "undo": _undo,
    "board": _board,
    "resign": _resign,
    "save": _save,
}


def _names(match: Match) -> list[str]:
    return [match.game.action_name(int(a)) for a in np.flatnonzero(legal_mask(match.game, match.state))]


def _drawn(match: Match) -> str:
    return match.game.describe(match.state)
