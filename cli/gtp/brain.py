"""Who thinks behind a GTP engine: any player, and where it searches, its search for moves and for analysis."""

import math
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from palestra.agents.player import RESIGN, Player
from palestra.envs.game import Game, State
from palestra.envs.go.game import go_game
from palestra.envs.go.rules import Rules

SLICE = 0.05  # seconds of search between two looks at the clock or the input
SLICE_SIMULATIONS = 256


class Candidate(Protocol):
    """A move of the root, as `agents/mcts.py` has it."""

    @property
    def action(self) -> int: ...
    @property
    def visits(self) -> int: ...
    @property
    def value(self) -> float: ...
    @property
    def prior(self) -> float: ...


class Searcher(Protocol):
    """What analysis needs of a search; `agents/mcts.py` has it."""

    config: Any
    simulations: int

    @property
    def visits(self) -> int: ...
    def run(self, state: State, simulations: int | None = None, seconds: float | None = None) -> None: ...
    def advance(self, action: int, state: State) -> None: ...
    def children(self) -> Any: ...
    def best(self) -> int: ...
    def variation(self, action: int) -> list[int]: ...
    def reset(self) -> None: ...


@dataclass(frozen=True)
class Choice:
    """A move, `RESIGN` among them, and what is known of it."""

    action: int
    value: float = math.nan
    """Expected result for the player to move, in [-1, 1]."""
    visits: int = 0


MakePlayer = Callable[[Game], Player]


class Brain:
    """A player for whatever game is set; made when first needed, and anew for other rules.

    `resign` is the value below which a search resigns.
    """

    def __init__(self, name: str, make: MakePlayer, searches: bool, resign: float) -> None:
        self.name, self.searches, self.resign = name, searches, resign
        self._make = make
        self._rules: Rules | None = None
        self._game: Game | None = None
        self._player: Player | None = None
        self._at: State | None = None  # where a player that does not search has been told that the game is

    def begin(self, rules: Rules) -> None:
        """Sets the rules; other ones than before end the player."""
        if rules != self._rules:
            self.close()
            self._rules, self._game = rules, go_game(rules)

    def close(self) -> None:
        """Ends the player."""
        player, self._player, self._at = self._player, None, None
        if player is not None:
            player.close()

    @property
    def player(self) -> Player:
        """The player of the game that is set."""
        if self._game is None:
            raise ValueError("no game is set")
        if self._player is None:
            self._player = self._make(self._game)
        return self._player

    @property
    def search(self) -> Searcher:
        """Its search.

        Raises:
            ValueError: it does not search.
        """
        search: Searcher | None = getattr(self.player, "search", None)
        if search is None:
            raise ValueError(f"{self.name} does not search, so there is nothing to analyse")
        return search

    def played(self, before: State, action: int, after: State) -> None:
        """Takes notice of a move, so that what was thought of it is kept."""
        if self._player is None:
            return
        if self.searches:
            self.search.advance(action, after)
        elif self._at is not None and np.array_equal(self._at, before):
            self._player.note(action)
            self._at = after.copy()

    def choose(self, state: State, seconds: float = math.inf, avoid: Collection[int] = ()) -> Choice:
        """Chooses a move for the player to move, none of `avoid` if a search has others."""
        if self.searches:
            if math.isinf(seconds):
                self.search.run(state)
            for _ in self.slices(state, seconds) if math.isfinite(seconds) else ():
                pass
            return self.pick(avoid)
        if self._game is None:
            raise ValueError("no game is set")
        if self._at is None or not np.array_equal(self._at, state):
            self.player.start(self._game, state)
            self._at = state.copy()
        return Choice(self.player.choose(state))

    def slices(self, state: State, seconds: float = math.inf) -> Iterator[None]:
        """Searches as long as the options say, at most for some seconds, and yields now and then."""
        search = self.search
        limit = search.config.seconds or math.inf
        end = time.perf_counter() + min(limit, seconds)
        wanted = search.config.simulations if math.isinf(limit) else 0
        search.run(state, simulations=1)  # puts the tree at the state; what was known of it counts
        while not (wanted and search.visits >= wanted) and (left := end - time.perf_counter()) > 0:
            if wanted:
                search.run(state, simulations=min(SLICE_SIMULATIONS, wanted - search.visits))
            else:
                search.run(state, seconds=min(SLICE, left))
            yield
            if not search.simulations:  # nothing is left to find out
                return

    def pick(self, avoid: Collection[int] = ()) -> Choice:
        """Returns what the search prefers now."""
        search = self.search
        children = {child.action: child for child in search.children()}
        action = search.best()
        if action in avoid:
            action = next((a for a in children if a not in avoid), action)
        child = children[action]
        if child.visits and child.value < self.resign:
            return Choice(RESIGN, child.value, child.visits)
        return Choice(action, child.value, child.visits)
