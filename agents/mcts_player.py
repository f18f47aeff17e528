"""Tree search as a player of games: it searches before each move and keeps its tree from move to move."""

from typing import ClassVar

from palestra.agents.leaves import Evaluator
from palestra.agents.mcts import Config as SearchConfig
from palestra.agents.mcts import Search
from palestra.agents.player import RESIGN
from palestra.agents.thoughts import Thoughts, from_children
from palestra.envs.game import Game, State
from palestra.envs.rng import seed_state


class MCTSPlayer:
    """Plays what a search finds best."""

    Config: ClassVar[type] = SearchConfig

    def __init__(self, config: SearchConfig, game: Game, seed: int, evaluator: Evaluator | None = None) -> None:
        self.name, self.config, self._seed, self._evaluator = "mcts", config, seed, evaluator
        self.search = Search(game, config, seed, evaluator)
        self._state = game.start.copy()
        self._no_rng = seed_state(0)

    def start(self, game: Game, state: State, seed: int | None = None) -> None:
        """Begins a game from a state; a seed makes its choices repeatable."""
        if game is not self.search.game or seed is not None:
            self.search = Search(game, self.config, self._seed if seed is None else seed, self._evaluator)
        self.search.reset()
        self._state = state.copy()

    def choose(self, state: State) -> int:
        """Searches, and returns the best action, or RESIGN where its value is too low."""
        self.search.run(state)
        if self.config.resign > -1 and self.search.children()[0].value < self.config.resign:
            return RESIGN
        return self.search.best()

    def thoughts(self, state: State) -> Thoughts:
        """Returns what the last search has found."""
        return from_children(self.search.children(), self.search.game.num_actions)

    def note(self, action: int) -> None:
        """Goes on to the state after a move of either side."""
        game = self.search.game
        game.play(self._state, action, self._no_rng, game.data)
        self.search.advance(action, self._state)

    def close(self) -> None:
        """Frees the tree."""
        self.search.reset()
