"""Planning against published values, linear algebra and enumeration."""

import itertools

import numpy as np
import pytest

from palestra.agents import bellman
from palestra.agents.bellman import (
    expected_model,
    greedy_policy,
    improve,
    optimal_return,
    optimal_value,
    policy_return,
    policy_value,
    sweep,
)
from palestra.envs.mdp import MDP
from tests.mdps import gambler, mdp_of, random_mdp, shortest_path
from tests.naive import naive_sweep, naive_values

pytestmark = pytest.mark.kernel


# Gymnasium 1.4's tables solved to 1e-14 by an independent program.
@pytest.mark.parametrize(
    ("id", "discount", "value"),
    [
        ("FrozenLake-v1", 1.0, 14 / 17),
        ("FrozenLake-v1", 0.99, 0.5420259320),
        ("FrozenLake-v1", 0.9, 0.0688909049),
        ("FrozenLake8x8-v1", 0.999, 0.8926354949),
        ("FrozenLake8x8-v1", 0.99, 0.4146403618),
        ("CliffWalking-v1", 1.0, -13.0),
        ("CliffWalking-v1", 0.99, -12.2478977),
        ("CliffWalkingSlippery-v1", 1.0, -64.70917591),
        ("Taxi-v4", 1.0, 2379 / 300),
        ("Taxi-v4", 0.99, 6.3274643149),
    ],
)
def test_optimal_values_are_the_published_ones(id: str, discount: float, value: float) -> None:
    mdp = mdp_of(id, discount)
    assert mdp.start @ optimal_value(mdp)[0] == pytest.approx(value, abs=2e-8)


def test_frozen_lake_8x8_is_surely_won_without_a_time_limit() -> None:
    mdp = mdp_of("FrozenLake8x8-v1", 1.0)
    assert mdp.start @ optimal_value(mdp)[0] == pytest.approx(1.0, abs=1e-6)  # slow to converge: all actions tie


def test_returns_within_the_time_limit_are_the_published_ones() -> None:
    small, large = mdp_of("FrozenLake-v1", 0.99), mdp_of("FrozenLake8x8-v1", 0.99)
    assert optimal_return(small, 100) == pytest.approx(0.74419029, abs=1e-8)
    assert optimal_return(large, 200) == pytest.approx(0.91322015, abs=1e-8)
    assert policy_return(small, optimal_value(small)[1], 100) == pytest.approx(0.74016490, abs=1e-8)
    assert policy_return(small, np.full((16, 4), 0.25), 100) == pytest.approx(0.01393980, abs=1e-8)
    assert policy_return(large, np.full((64, 4), 0.25), 0) == pytest.approx(0.00190371, abs=1e-8)  # without the limit


def test_returns_without_a_time_limit() -> None:
    assert optimal_return(mdp_of("CliffWalking-v1", 0.5), 0) == pytest.approx(-13.0)
    assert policy_return(shortest_path(), np.ones(4, np.int64), 0) == pytest.approx(-4.0)


def test_first_of_tied_actions_is_greedy() -> None:
    mdp = mdp_of("FrozenLake-v1", 0.99)
    value, policy = optimal_value(mdp)
    left, down, right, up = range(
        4
    )  # the known policy `L U U U / L . L . / U D L . / . R D .`, and state 6 ties L and R
    wanted = {0: left, 1: up, 2: up, 3: up, 4: left, 6: left, 8: up, 9: down, 10: left, 13: right, 14: down}
    assert {s: policy[s] for s in wanted} == wanted
    assert (greedy_policy(mdp, value) == policy).all()


def test_gambler_with_his_stakes_as_allowed_actions() -> None:
    value, policy = optimal_value(gambler(0.4))  # exactly V(25) .16, V(50) .4, V(75) .64, V(1), V(99)
    assert value[[25, 50, 75, 1, 99]] == pytest.approx([0.16, 0.4, 0.64, 0.0020656248, 0.9643329672], abs=1e-9)
    assert (policy[1:] >= 1).all()
    assert (policy[1:] <= np.minimum(np.arange(1, 100), 100 - np.arange(1, 100))).all()


def test_random_policy_of_example_4_1() -> None:
    """Sutton and Barto, 2nd edition, Figure 4.1: the limit under the random policy, −1 a step, two terminal corners."""
    next_state = np.zeros((16, 4, 1), np.int64)
    for s, (a, (d_row, d_col)) in itertools.product(range(16), enumerate([(-1, 0), (1, 0), (0, -1), (0, 1)])):
        row, col = np.clip(s // 4 + d_row, 0, 3), np.clip(s % 4 + d_col, 0, 3)
        next_state[s, a] = row * 4 + col
    ones = np.ones((16, 4, 1))
    mdp = MDP(next_state, ones, -ones, np.isin(next_state, [0, 15]), np.full(16, 1 / 16), ones[:, :, 0] > 0, 1.0)
    value = policy_value(mdp, np.full((16, 4), 0.25))
    wanted = [0, -14, -20, -22, -14, -18, -20, -20, -20, -20, -18, -14, -22, -20, -14, 0]
    assert value[1:15] == pytest.approx(wanted[1:15])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("in_place", [False, True])
def test_a_sweep_equals_its_twin(seed: int, in_place: bool) -> None:
    mdp = random_mdp(seed)
    value = np.random.default_rng(seed).normal(size=mdp.num_states)
    model = expected_model(mdp)
    wanted, wanted_policy = naive_sweep(mdp, value, model.state, in_place)
    policy, changed = np.zeros(mdp.num_states, np.int64), value.copy()
    residual = sweep(model, mdp.discount, changed, policy, in_place=in_place)
    assert changed == pytest.approx(wanted, abs=1e-12)
    assert (policy == wanted_policy).all()
    assert residual == pytest.approx(np.abs(wanted - value).max(), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("largest_dense", [0, 1000])
def test_policies_are_valued_as_linear_algebra_does(
    seed: int, largest_dense: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bellman, "LARGEST_SOLVED", largest_dense)
    mdp = random_mdp(seed)
    mixed = mdp.allowed * np.random.default_rng(seed).random(mdp.allowed.shape)
    mixed /= mixed.sum(axis=1, keepdims=True)
    assert policy_value(mdp, mixed) == pytest.approx(naive_values(mdp, mixed), abs=1e-9)
    actions = mdp.allowed.argmax(axis=1)
    assert policy_value(mdp, actions) == pytest.approx(naive_values(mdp, np.eye(mdp.num_actions)[actions]), abs=1e-9)
    assert optimal_value(mdp)[0] == pytest.approx(naive_values(mdp), abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_improving_keeps_ties_and_counts_changes(seed: int) -> None:
    mdp = random_mdp(seed)
    model, (value, best) = expected_model(mdp), optimal_value(mdp)
    policy = mdp.allowed.argmax(axis=1)
    before = policy.copy()
    changed, residual = improve(model, mdp.discount, value, policy, 1e-9)
    assert (policy == best).all()  # rewards are random, so no two actions tie
    assert changed == (before != best).sum()
    assert residual == pytest.approx(0.0, abs=1e-9)
    assert improve(model, mdp.discount, np.zeros_like(value), policy.copy(), np.inf)[0] == 0


def test_policies_without_a_finite_value_are_named() -> None:
    mdp = shortest_path()
    assert policy_value(mdp, np.ones(4, np.int64)).tolist() == [-4, -3, -2, -1]
    with pytest.raises(ValueError, match=r"from state 0 the policy may never end the episode.*discount below 1"):
        policy_value(mdp, np.array([1, 1, 0, 1]))
    assert policy_value(mdp.with_discount(0.5), np.zeros(4, np.int64)) == pytest.approx([-2.0] * 4)


def test_mdps_without_a_finite_value_are_named() -> None:
    line = shortest_path()
    endless = MDP(
        line.next_state, line.probability, line.reward, np.zeros_like(line.terminated), line.start, line.allowed, 1.0
    )
    with pytest.raises(ValueError, match=r"from state 0 no policy surely ends the episode.*discount below 1"):
        optimal_value(endless)
    assert optimal_value(endless.with_discount(0.5))[0] == pytest.approx([-2.0] * 4)


def test_wrong_policies_and_horizons_are_refused() -> None:
    mdp = gambler(0.4)
    with pytest.raises(ValueError, match="in state 1 that is not allowed"):
        policy_value(mdp, np.zeros(100, np.int64))
    with pytest.raises(ValueError, match="in state 1 that is not allowed"):
        policy_return(mdp, np.where(np.arange(100)[:, None] == 0, np.eye(51)[0], 1 / 51), 5)
    with pytest.raises(ValueError, match=r"a policy of shape \[100\] or \[100, 51\] is wanted, not \(3,\)"):
        policy_value(mdp, np.zeros(3, np.int64))
    with pytest.raises(ValueError, match="sum to one"):
        policy_value(mdp, np.zeros((100, 51)))
    with pytest.raises(ValueError, match="horizon is -1"):
        optimal_return(mdp, -1)
