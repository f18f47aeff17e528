"""What all games share: stand-ins, addresses, Ω and moves that are checked; `test_games.py` has the games."""

import dataclasses
import re

import numpy as np
import pytest
from numba import config

from palestra.envs.game import (
    HEADER,
    OVER,
    PLAYER,
    PLY,
    USED,
    check_playouts,
    functions,
    legal_mask,
    move,
    no_observation,
    no_playout,
    no_priors,
)
from palestra.envs.games import make_game
from palestra.envs.rng import seed_state
from tests.games import keep_turn


def test_the_words_that_every_game_keeps_come_first() -> None:
    assert sorted((PLAYER, OVER, PLY, USED)) == list(range(HEADER))


def test_stand_ins_change_nothing() -> None:
    game = keep_turn()
    state, mask, prior = game.start.copy(), np.ones(3, np.bool_), np.full((2, 3), 7.0)
    trace, obs, data = np.full(10, 7), np.full(1, 7.0, np.float32), np.zeros(1)
    assert no_priors(state, mask, prior, data) == 0
    assert no_playout(state, trace, seed_state(0), data) == 0.0
    assert no_observation(state, obs, data) == 0
    assert (state == game.start).all()
    assert mask.all()
    assert (prior == 7.0).all()
    assert (trace == 7).all()
    assert (obs == 7.0).all()


def test_a_game_has_a_playout_of_its_own_or_none() -> None:
    assert not keep_turn().has_playout
    assert make_game("connect-four").has_playout
    assert not dataclasses.replace(make_game("connect-four"), playout=no_playout).has_playout


def test_the_mask_is_what_is_legal() -> None:
    game = keep_turn(2)
    assert legal_mask(game, game.start).tolist() == [True, True, False]


def test_moves_and_their_rewards_by_hand() -> None:
    # Nim with a heap of five: one, two (who moves again), two.
    game, rng = keep_turn(5), seed_state(0)
    state = game.start.copy()
    assert move(game, state, 0, rng) == 0.0
    assert (state[PLAYER], state[PLY], state[OVER]) == (1, 1, 0)
    assert move(game, state, 1, rng) == 0.0
    assert state[PLAYER] == 1
    assert move(game, state, 1, rng) == -1.0  # the second player has won
    assert state[OVER] == 1
    before = state.copy()
    with pytest.raises(ValueError, match="keep-turn is over: no move can be made; start a new game"):
        move(game, state, 0, rng)
    assert (state == before).all()


@pytest.mark.parametrize(("action", "name"), [(2, "2"), (3, "3"), (-1, "-1"), (99, "99")])
def test_a_move_that_is_not_legal_changes_nothing(action: int, name: str) -> None:
    game = keep_turn(2)
    state = game.start.copy()
    with pytest.raises(ValueError, match=f"^{re.escape(name)} is not a legal move of keep-turn here$"):
        move(game, state, action, seed_state(0))
    assert (state == game.start).all()


def test_a_move_is_named_as_people_write_it() -> None:
    game, state = make_game("tic-tac-toe"), make_game("tic-tac-toe").start.copy()
    move(game, state, 4, seed_state(0))
    with pytest.raises(ValueError, match=f"{game.action_name(4)} is not a legal move of tic-tac-toe here"):
        move(game, state, 4, seed_state(0))


def test_playouts_are_of_a_name_that_is_known() -> None:
    assert check_playouts("sound", "sound", "uniform") == "sound"
    with pytest.raises(ValueError, match="playouts are sound or uniform, but 'loud' is given"):
        check_playouts("loud", "sound", "uniform")


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="about compiled functions")
def test_functions_are_addresses_that_are_made_once() -> None:
    first, again = functions(make_game("connect-four")), functions(make_game("connect-four"))
    assert all(a is b for a, b in zip(first, again, strict=True))
    other = functions(make_game("tic-tac-toe"))
    assert first.play.address != other.play.address
    assert functions(keep_turn()).playout.address == functions(keep_turn(3)).playout.address  # the stand-in
