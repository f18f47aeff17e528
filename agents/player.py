"""Who plays games (`envs/game.py`) against others: the protocol, the registry, uniform play.

`PLAYERS` is the only list of them. A player is written `name`, `name:option=value,option=value`, or `gtp:COMMAND LINE`.
"""

import dataclasses
import difflib
import importlib
import types
import typing
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from palestra.envs.game import Game, State, legal_mask, no_playout
from palestra.envs.rng import randint, seed_state

RESIGN = -1  # what `choose` returns in place of an action
PATIENCE = 20  # playouts whose first move may be illegal before any legal move is taken
PLAYERS = {  # name on the command line: (module, class, what it is)
    "random": ("player", "RandomPlayer", "uniform over the legal moves; in Go none that fills an own eye"),
    "mcts": ("mcts_player", "MCTSPlayer", "Monte Carlo tree search"),
    "alphago": ("alphago", "AlphaGoPlayer", "AlphaGo's search with a policy network, a value network and rollouts"),
    "gtp": ("gtp_player", "GTPPlayer", "a Go program that speaks GTP, as in gtp:gnugo --mode gtp"),
}
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Player(Protocol):
    """One that chooses moves in games of two players; time and other budgets are its own options."""

    name: str
    """Who plays, for reports and game records."""

    def start(self, game: Game, state: State, seed: int | None = None) -> None:
        """Begins a game from a state that it must not change; a seed makes its choices repeatable."""

    def choose(self, state: State) -> int:
        """Returns an action for the player to move, or RESIGN; `state` is what the notes have led to.

        Raises:
            ForfeitError: it breaks the game's rules or refuses what they allow, and so loses.
        """

    def note(self, action: int) -> None:
        """Takes notice of a move that was made, by either side, its own among them.

        Raises:
            ForfeitError: it refuses the move.
        """

    def close(self) -> None:
        """Ends what it has started; it plays no more."""


class ForfeitError(Exception):
    """A player loses by breaking the rules; the sentence says how."""


@dataclass(frozen=True)
class RandomPlayerConfig:
    """Options of `RandomPlayer`."""

    playouts: bool = True
    """Whether to move as the game's uniform playouts do where it has some: in Go these fill no eyes of their own and
    pass last."""


class RandomPlayer:
    """Plays at random; a game whose moves could go on for ever is ended by its cap on moves."""

    Config: ClassVar[type] = RandomPlayerConfig

    def __init__(self, config: RandomPlayerConfig, game: Game, seed: int) -> None:
        self.name, self.config = "random", config
        self._game, self._rng = game, seed_state(seed)

    def start(self, game: Game, state: State, seed: int | None = None) -> None:
        """Begins a game."""
        self._game = game
        if seed is not None:
            self._rng = seed_state(seed)

    def choose(self, state: State) -> int:
        """Draws a legal move; one of a playout that is not legal (they may be lax, as on superko) is drawn again."""
        game, legal = self._game, legal_mask(self._game, state)
        if self.config.playouts and game.random_playout is not no_playout:
            trace = np.zeros(1 + game.max_plies, np.int64)
            for _ in range(PATIENCE):
                game.random_playout(state.copy(), trace, self._rng, game.data)
                if trace[0] and legal[trace[1]]:
                    return int(trace[1])
        moves = np.flatnonzero(legal)
        return int(moves[randint(self._rng, len(moves))])

    def note(self, action: int) -> None:
        """Remembers nothing."""

    def close(self) -> None:
        """Has nothing to end."""


def make_player(spec: str, game: Game, seed: int, **defaults: Any) -> Player:
    """Makes the player that a command line names; `defaults` are options of any player that has them.

    Raises:
        ValueError: there is no such player or option (the nearest is offered), a value is of the wrong kind, or the
            player cannot play this game.
    """
    name, _, text = spec.partition(":")
    if name not in PLAYERS:
        near = difflib.get_close_matches(name, PLAYERS, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(PLAYERS)}"
        raise ValueError(f"there is no player {name!r}; {hint}")
    module, attribute, _ = PLAYERS[name]
    player_class = getattr(importlib.import_module(f"palestra.agents.{module}"), attribute)
    known = {field.name for field in dataclasses.fields(player_class.Config)}
    options = {key: value for key, value in defaults.items() if key in known}
    options |= {"command": text} if name == "gtp" else read_options(player_class.Config, text, name)
    player: Player = player_class(player_class.Config(**options), game, seed)
    return player


def read_options(config: type, text: str, name: str) -> dict[str, Any]:
    """Reads `option=value,option=value` for the fields of a dataclass; `name` is whose options they are.

    Raises:
        ValueError: an option is unknown or given twice, or its value is of the wrong kind.
    """
    kinds = typing.get_type_hints(config)
    options: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        key, equals, value = part.partition("=")
        field = key.strip().replace("-", "_")
        if field not in kinds:
            near = difflib.get_close_matches(field, kinds, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(kinds) or 'none'}"
            raise ValueError(f"{name} has no option {key.strip()!r}; {hint}")
        if not equals or field in options:
            what = "has no value" if not equals else "is given twice"
            raise ValueError(f"option {field} of {name} {what}; write it once, as {field}=VALUE")
        options[field] = _value(kinds[field], value.strip(), f"option {field} of {name}")
    return options


def _value(kind: Any, text: str, what: str) -> Any:
    """Reads a value of type bool, int, float, str, a Literal of words, or one of these and None."""
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        if text.lower() == "none":
            return None
        kind = next(part for part in typing.get_args(kind) if part is not type(None))
    if typing.get_origin(kind) is typing.Literal:
        kind = str  # the dataclass says which words it takes
    try:
        return _TRUTH[text.lower()] if kind is bool else kind(text)
    except (KeyError, ValueError):
        wanted = {bool: "true or false", int: "a whole number", float: "a number"}[kind]
        raise ValueError(f"{what} is {text!r}, but {wanted} is wanted") from None
