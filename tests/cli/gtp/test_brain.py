import math

import numpy as np
import pytest

from palestra.agents.mcts import Config, Search
from palestra.agents.player import RESIGN
from palestra.cli.gtp.brain import Brain, Choice
from palestra.envs.game import Game, State
from palestra.envs.go.rules import Rules
from tests.cli.gtp.doubles import DoublePlayer


class Noting:
    """A player that writes down what it is told."""

    name = "noting"

    def __init__(self) -> None:
        self.heard: list[str] = []

    def start(self, game: Game, state: State, seed: int | None = None) -> None:
        self.heard.append("start")

    def choose(self, state: State) -> int:
        self.heard.append("choose")
        return 0

    def note(self, action: int) -> None:
        self.heard.append(f"note {action}")

    def close(self) -> None:
        self.heard.append("close")


def test_a_player_is_told_of_moves_and_begins_anew_where_it_lost_track() -> None:
    player = Noting()
    brain = Brain("noting", lambda game: player, False, -1.0)
    brain.begin(Rules(3))
    state = brain._game.start.copy()  # type: ignore[union-attr]
    assert brain.choose(state) == Choice(0)
    after = state.copy()
    after[0] = 1
    brain.played(state, 0, after)
    brain.choose(after)
    brain.choose(state)  # a move was taken back
    brain.begin(Rules(3))
    brain.choose(state)
    brain.begin(Rules(4))
    assert player.heard == ["start", "choose", "note 0", "choose", "start", "choose", "choose", "close"]
    with pytest.raises(ValueError, match="does not search"):
        _ = brain.search


def test_simulations_kept_from_before_count() -> None:
    brain = Brain("double", DoublePlayer, True, -0.9)
    brain.begin(Rules(3))
    state = brain._game.start  # type: ignore[union-attr]
    assert brain.choose(state).visits == 32  # of 64
    assert brain.choose(state, seconds=1e6).visits == 32  # one more was needed to look


def test_moves_to_avoid_and_resignation() -> None:
    brain = Brain("double", lambda game: DoublePlayer(game, -0.5), True, -0.4)
    brain.begin(Rules(3))
    assert brain.choose(brain._game.start).action == RESIGN  # type: ignore[union-attr]
    brain.resign = -0.6
    assert brain.pick(avoid=(0, 1)).action == 2
    assert brain.pick(avoid=range(10)).action == 0  # nothing else is left


class MCTS:
    """A player around the search."""

    name = "mcts"

    def __init__(self, config: Config, game: Game) -> None:
        self.search = Search(game, config, 0)

    def start(self, game: Game, state: State, seed: int | None = None) -> None: ...
    def choose(self, state: State) -> int:
        return 0

    def note(self, action: int) -> None: ...
    def close(self) -> None: ...


def test_a_real_search_in_slices() -> None:
    brain = Brain("mcts", lambda game: MCTS(Config(simulations=600), game), True, -0.9)
    brain.begin(Rules(5, komi=0.5))
    state = brain._game.start.copy()  # type: ignore[union-attr]
    slices = sum(1 for _ in brain.slices(state))
    assert slices == 3  # 1 + 256 + 256 + 87
    assert brain.search.visits == 600
    choice = brain.pick()
    assert 0 <= choice.action <= 25
    assert not math.isnan(choice.value)
    assert np.isfinite(choice.visits)
    timed = Brain("mcts", lambda game: MCTS(Config(seconds=0.02), game), True, -0.9)
    timed.begin(Rules(5))
    assert timed.choose(state).visits > 0
    assert timed.choose(state, seconds=0.01).visits > 0
