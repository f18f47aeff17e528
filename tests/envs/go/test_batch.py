"""The loops over many games."""

import numpy as np
import pytest
from numba import config

from palestra.envs.go.batch import checked_actions, draw_legal, run_all
from palestra.envs.go.position import from_rows
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import PLY, new_state
from palestra.envs.rng import seed_state
from tests.envs.go.checks import NO_DATA

DRAWS = 300 if config.DISABLE_JIT else 6000


@pytest.mark.kernel
def test_each_legal_move_and_the_pass_are_drawn_equally_often() -> None:
    """Black has just taken in a ko at B3, so that White may not play there, nor in the corner A4.

    Chi-square of 8 degrees of freedom at 0.1 %.
    """
    position = from_rows([".XO.", "XO.O", ".XO.", "...."], Rules(size=4))
    position.play(6)
    legal = [3, 8, 11, 12, 13, 14, 15, 16]
    assert np.flatnonzero(position.legal()).tolist() == legal
    counts, rng = np.zeros(17), seed_state(0)
    for _ in range(DRAWS):
        counts[draw_legal(position.state, rng)] += 1
    assert counts.nonzero()[0].tolist() == legal
    expected = DRAWS / len(legal)
    assert ((counts[legal] - expected) ** 2 / expected).sum() < 26.12


@pytest.mark.kernel
def test_games_that_end_begin_anew() -> None:
    """Each of 3 games is cut off after 7 moves at the latest: 20 moves end at least 2 of each."""
    start = new_state(Rules(size=3, max_moves=7))
    states, rngs = np.tile(start, (3, 1)), np.stack([seed_state(i) for i in range(3)])
    assert run_all(states, start, rngs, 20, NO_DATA) >= 6
    assert (states[:, PLY] < 7).all()
    assert run_all(states, start, rngs, 0, NO_DATA) == 0


def test_actions_are_checked_before_any_move() -> None:
    rules = Rules(size=3)
    states = np.tile(new_state(rules), (2, 1))
    assert checked_actions(rules, states, np.array([9, 0], np.int32)).tolist() == [9, 0]
    for wrong in (np.zeros(3, int), np.zeros(2), [[0, 0]]):
        with pytest.raises(ValueError, match="actions must be 2 integers, but are"):
            checked_actions(rules, states, wrong)
    with pytest.raises(ValueError, match="action 10 in game 1 is not legal: actions are 0 to 9"):
        checked_actions(rules, states, np.array([0, 10]))
