"""What players say of the position in which they have chosen."""

import numpy as np
import pytest

from palestra.agents.mcts import Config
from palestra.agents.mcts_player import MCTSPlayer
from palestra.agents.player import RandomPlayer, RandomPlayerConfig
from palestra.agents.root import Child
from palestra.agents.thoughts import Thoughts, from_children, from_logits, thoughts_of
from palestra.envs.games import make_game

GAME = make_game("tic-tac-toe")


def test_a_search_thinks_in_shares_of_its_visits_and_the_value_of_its_best_move() -> None:
    children = [Child(4, 6, 0.5, 0.1, False), Child(0, 2, -0.5, 0.9, False)]
    policy, value = from_children(children, 9)
    assert policy is not None
    assert policy[[4, 0]].tolist() == [0.75, 0.25]
    assert (policy.sum(), value) == (1.0, 0.5)
    assert from_children([], 9) == Thoughts()


def test_a_network_thinks_in_probabilities_of_legal_moves() -> None:
    policy, value = from_logits(np.log([1.0, 3.0, 100.0]), np.array([True, True, False]), 0.2)
    assert policy == pytest.approx([0.25, 0.75, 0.0])
    assert value == 0.2


def test_players_say_what_they_think_or_nothing() -> None:
    player = MCTSPlayer(Config(simulations=200), GAME, 0)
    player.start(GAME, GAME.start, 0)
    action = player.choose(GAME.start)
    policy, value = thoughts_of(player, GAME.start)
    assert policy is not None
    assert policy.argmax() == action
    assert value is not None
    assert -1 <= value <= 1
    assert thoughts_of(RandomPlayer(RandomPlayerConfig(), GAME, 0), GAME.start) == Thoughts()
