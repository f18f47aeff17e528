"""Games as search sees them: the rules as compiled functions on a state, an array of fixed length.

A state `[W] int64` begins with four words that every game keeps: whose turn it is, whether the game is over, how many
moves were made, and how many of its words are in use (what lies behind need not be copied). All else is the game's own.
Rewards are player 0's; what player 1 gets is their negative. An `MDP` is a game of one player (`envs/mdp_game.py`).

`functions` gives them to compiled code as addresses of one type each, so that a search, compiled once, is found in the
disk cache for whatever game it plays; a call costs some ten nanoseconds more. What is hot inside a game (a whole
playout) is therefore one function of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numba import cfunc, config, njit, types
from numpy.typing import NDArray

PLAYER, OVER, PLY, USED = 0, 1, 2, 3  # the words of a state that every game keeps
HEADER = 4  # where its own words begin

State = NDArray[np.int64]

_STATE, _TABLE, _RNG = types.int64[::1], types.float64[::1], types.uint64[::1]
SIGNATURES = {
    "play": types.float64(_STATE, types.int64, _RNG, _TABLE),
    "legal": types.int64(_STATE, types.boolean[::1], _TABLE),
    "priors": types.int64(_STATE, types.boolean[::1], types.float64[:, ::1], _TABLE),
    "playout": types.float64(_STATE, types.int64[::1], _RNG, _TABLE),
    "observe": types.int64(_STATE, types.float32[::1], _TABLE),
}


class Functions(NamedTuple):
    """A game's functions as compiled code calls them, by address: the same types for every game."""

    play: Any
    legal: Any
    priors: Any
    playout: Any
    observe: Any


@njit(cache=True)
def no_priors(state, mask, prior, data):  # type: ignore[no-untyped-def]
    """Stands for a game's knowledge of its moves where it has none."""
    return 0


@njit(cache=True)
def no_playout(state, trace, rng, data):  # type: ignore[no-untyped-def]
    """Stands for a game's own playout where search is to play `legal` moves at random."""
    return 0.0


@njit(cache=True)
def no_observation(state, obs, data):  # type: ignore[no-untyped-def]
    """Stands for the planes of a game that networks do not look at."""
    return 0


@dataclass(frozen=True, eq=False)
class Game:
    """The rules of a game for one player (an MDP) or two (zero-sum, perfect information).

    The functions are compiled and change what they are given in place; none checks its arguments.
    """

    name: str
    """The environment's name, as in go-9x9."""
    start: State
    """The state before the first move, `[W]`; every state has W words."""
    num_actions: int
    """Actions are 0 to num_actions - 1 in every state."""
    play: Any
    """`(state, action, rng, data) -> reward`: makes a legal move; the reward is player 0's."""
    legal: Any
    """`(state, mask, data) -> count`: writes Ω into `mask [num_actions] bool`; none is legal once the game is over."""
    describe: Callable[[State], str]
    """Draws a state as text."""
    action_name: Callable[[int], str]
    """Names an action as people write it, as in D4."""
    parse_action: Callable[[str], int]
    """Reads the name of an action; raises a ValueError that says what is wanted."""
    max_plies: int
    """No game is longer, counted in moves."""
    num_players: int = 2
    deterministic: bool = True
    """Whether a move leads to one state only."""
    discount: float = 1.0
    priors: Any = no_priors
    """`(state, mask, prior, data) -> count`: adds virtual results to `prior [2, num_actions]` (row 0 their sum in
    [-1, 1] each for the player to move, row 1 their number) and may strike moves of `mask` not worth a look."""
    playout: Any = no_playout
    """`(state, trace, rng, data) -> reward`: plays to the end; `trace [1 + max_plies]` gets the number of moves, then
    the moves."""
    random_playout: Any = no_playout
    """The same without knowledge of what is good, where uniform moves would be senseless: what `random` plays."""
    observe: Any = no_observation
    """`(state, obs, data) -> 0`: writes planes `obs_shape`, flattened, as the player to move sees them."""
    obs_shape: tuple[int, ...] = ()
    symmetry: Literal["none", "mirror", "square"] = "none"
    """What leaves the rules as they are: the exchange of left and right (actions are columns, from the left), or the
    eight symmetries of a square (actions are points, row by row, and perhaps a pass)."""
    rave: float = 0.0
    """Visits at which a search takes results of a move made later for as good as the move's own; 0: they say little."""
    data: NDArray[np.float64] = field(default_factory=lambda: np.zeros(1))
    """What does not change during a game and all functions get: tables, weights of a playout policy."""

    @property
    def has_playout(self) -> bool:
        """Whether the game brings a playout of its own."""
        return self.playout is not no_playout


def check_playouts(name: str, *known: str) -> str:
    """Returns the name of playouts that a game has.

    Raises:
        ValueError: there are none of that name.
    """
    if name not in known:
        raise ValueError(f"playouts are {' or '.join(known)}, but {name!r} is given")
    return name


def functions(game: Game) -> Functions:
    """Returns the functions of a game for compiled code."""
    return Functions(*(_address(name, getattr(game, name)) for name in Functions._fields))


@cache
def _address(name: str, function: Any) -> Any:
    if config.DISABLE_JIT:  # type: ignore[attr-defined]
        return function
    return cfunc(SIGNATURES[name], cache=True)(getattr(function, "py_func", function))


def legal_mask(game: Game, state: State) -> NDArray[np.bool_]:
    """Returns Ω `[num_actions]` of a state."""
    mask = np.zeros(game.num_actions, np.bool_)
    game.legal(state, mask, game.data)
    return mask


def move(game: Game, state: State, action: int, rng: NDArray[np.uint64]) -> float:
    """Makes a move in place and returns player 0's reward.

    Raises:
        ValueError: the game is over, or the move is not legal.
    """
    if state[OVER]:
        raise ValueError(f"{game.name} is over: no move can be made; start a new game")
    if not 0 <= action < game.num_actions or not legal_mask(game, state)[action]:
        name = game.action_name(action) if 0 <= action < game.num_actions else str(action)
        raise ValueError(f"{name} is not a legal move of {game.name} here")
    return float(game.play(state, action, rng, game.data))
