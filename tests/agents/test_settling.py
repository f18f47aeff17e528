"""Which policies settle, against enumeration of all policies."""

import itertools

import numpy as np
import pytest

from palestra.agents.bellman import (
    expected_model,
    optimal_value,
)
from palestra.agents.settling import settling_policy
from palestra.envs.mdp import MDP
from tests.mdps import random_mdp
from tests.naive import naive_settles

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("seed", range(30))
def test_settling_policies_are_found_wherever_there_are_any(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mdp = random_mdp(seed, num_states=4, num_actions=2)
    reward = mdp.reward * (rng.random((4, 2, 1)) < 0.6)
    mdp = MDP(mdp.next_state, mdp.probability, reward, rng.random((4, 2, 3)) < 0.1, mdp.start, mdp.allowed, 1.0)
    settles = np.zeros(4, np.bool_)
    for actions in itertools.product(range(2), repeat=4):
        if mdp.allowed[np.arange(4), list(actions)].all():
            settles |= naive_settles(mdp, actions)
    policy = settling_policy(*expected_model(mdp))
    assert ((policy >= 0) == settles).all()
    assert naive_settles(mdp, np.where(policy >= 0, policy, mdp.allowed.argmax(axis=1)))[settles].all()


def test_a_likely_end_is_shunned_where_it_may_lead_into_a_trap() -> None:
    """Action 0 ends or falls into the endless state 1, half each; action 1 slowly but surely reaches 2, which ends."""
    next_state = np.array([[[0, 1], [2, 0]], [[1, 1], [1, 1]], [[2, 2], [2, 2]]])
    probability = np.array([[[0.5, 0.5], [0.1, 0.9]], [[1.0, 0.0]] * 2, [[1.0, 0.0]] * 2])
    ended = np.zeros((3, 2, 2), np.bool_)
    ended[0, 0, 0] = ended[2] = True
    start, allowed = np.array([1.0, 0.0, 0.0]), np.ones((3, 2), np.bool_)
    mdp = MDP(next_state, probability, -np.ones((3, 2, 2)), ended, start, allowed, 1.0)
    assert settling_policy(*expected_model(mdp)).tolist() == [1, -1, 0]


def test_resting_at_no_cost_beats_paying_for_the_end() -> None:
    """One state: staying costs nothing, ending costs one; the best is 0, although -1 solves the equation too."""
    next_state = np.zeros((1, 2, 1), np.int64)
    reward, ended = np.array([[[0.0], [-1.0]]]), np.array([[[False], [True]]])
    mdp = MDP(next_state, np.ones((1, 2, 1)), reward, ended, np.ones(1), np.ones((1, 2), np.bool_), 1.0)
    assert optimal_value(mdp)[0].tolist() == [0.0]
