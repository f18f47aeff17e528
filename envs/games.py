"""The games that search plays. `GAMES` is the only list of them."""

import difflib
import importlib
import inspect
import re
from collections.abc import Callable

from palestra.envs.game import Game

GAMES = {  # name: (module, function, what it is)
    "tic-tac-toe": ("tic_tac_toe", "tic_tac_toe", "three in a row"),
    "connect-four": ("connect_four", "connect_four", "four in a row, stones fall; seven columns of six; playouts"),
    "othello": ("othello", "othello", "Othello, or Reversi, on 8x8; playouts"),
    "gomoku": ("gomoku", "gomoku", "five in a row on 15x15; gomoku-9x9 and other sizes from 5 to 25; exact"),
    "go": ("games", "go", "Go on 19x19; go-9x9 and other sizes from 2 to 25; rules, komi, playouts"),
}


def is_game(name: str) -> bool:
    """Says whether a name is that of a game, with or without the size of its board."""
    return name in GAMES or re.sub("-[0-9]{1,4}x[0-9]{1,4}$", "", name) in GAMES


def make_game(name: str, **options: object) -> Game:
    """Returns a game by its name, which may end in the size of the board: gomoku-9x9 is gomoku with `size=9`.

    Raises:
        ValueError: there is no such game, size or option; the nearest name is offered.
    """
    base, size = name, re.fullmatch(r"(.+)-([0-9]{1,4})x([0-9]{1,4})", name)
    if size and name not in GAMES:
        base = size[1]
        if size[2] != size[3]:
            raise ValueError(f"the board of {name!r} is not square: a name like {base}-9x9 is wanted")
        if "size" in options:
            raise ValueError(f"{name!r} and size={options['size']!r} both give a size: one of them is wanted")
        options = {"size": int(size[2]), **options}
    if base not in GAMES:
        near = difflib.get_close_matches(base, GAMES, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(GAMES)}"
        raise ValueError(f"there is no game {name!r}; {hint}")
    module, function, _ = GAMES[base]
    builder: Callable[..., Game] = getattr(importlib.import_module(f"palestra.envs.{module}"), function)
    accepted = inspect.signature(builder).parameters
    for option in options:
        if option not in accepted:
            wanted = f"it has {', '.join(accepted)}" if accepted else "it has none"
            raise ValueError(f"{base} has no option {option!r}; {wanted}")
    return builder(**options)


def go(size: int = 19, rules: str = "chinese", komi: float | None = None, playouts: str = "pattern") -> Game:
    """Returns Go under rules by name; without `komi` those of the rules.

    Raises:
        ValueError: there are no such rules, no such board, or no such playouts.
    """
    named = importlib.import_module("palestra.envs.go.rules").rules_named(rules, size=size, komi=komi)
    game: Game = importlib.import_module("palestra.envs.go.game").go_game(named, playouts)
    return game
