"""Visits that are forced at the root, and what of a search a network learns: Wu (2019), section 3.2, by hand."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from palestra.agents.root import learnt_policy, pruned_visits
from palestra.agents.root_plan import RootPlan, forced_children
from palestra.agents.tree import LOST, WON, Tree
from palestra.agents.tree_policy import GUMBEL, PUCT, improved_policy
from tests.agents.test_root import root
from tests.naive_mcts import SETTINGS

PUCT_SETTINGS = SETTINGS._replace(rule=PUCT, exploration=1.0)


def options(**given: Any) -> Any:
    return SimpleNamespace(
        **{"rule": "puct", "forced": 2.0, "noise": 0.0, "noise_total": 10.0, "temperature": 1.0, "considered": 4}
        | given
    )


def test_moves_that_lack_visits_are_forced_those_first_that_lack_most() -> None:
    """100 visits, probabilities 0.02, 0.5, 0.08, 0.4: at least 2, 10, 4, 8.9 visits; a move never tried needs none."""
    tree = root([1, 95, 1, 3], [0.0] * 4, policy=[0.02, 0.5, 0.08, 0.4])
    assert forced_children(tree, 2.0).tolist() == [4, 3, 1]
    tree.pending[4] = 6
    assert forced_children(tree, 2.0).tolist() == [3, 1]
    tree.proven[3] = LOST
    assert forced_children(tree, 2.0).tolist() == [1]
    assert forced_children(root([0, 100], [0.0] * 2, policy=[0.5, 0.5]), 2.0).tolist() == []


def test_a_plan_forces_them_only_while_it_explores() -> None:
    tree = root([1, 95, 1, 3], [0.0] * 4, policy=[0.02, 0.5, 0.08, 0.4])
    plan = RootPlan(options(), PUCT_SETTINGS, 4, 0)
    assert plan.take(tree, 5, 5).tolist() == [4, 3, 1, -1, -1]
    assert plan.take(tree, 2, 5).tolist() == [4, 3]
    plan.exploring = False
    assert plan.take(tree, 3, 5).tolist() == [-1, -1, -1]
    assert RootPlan(options(forced=0.0), PUCT_SETTINGS, 4, 0).take(tree, 2, 5).tolist() == [-1, -1]


def test_noise_comes_once_a_root_and_not_without_exploring() -> None:
    tree = root([1, 1], [0.0] * 2, policy=[0.5, 0.5])
    plan = RootPlan(options(noise=0.25, forced=0.0), PUCT_SETTINGS, 2, 0)
    plan.exploring = False
    plan.take(tree, 1, 1)
    assert tree.policy[1:3].tolist() == [0.5, 0.5]
    plan.exploring = True
    plan.take(tree, 1, 1)
    noised = tree.policy[1:3].tolist()
    assert noised != [0.5, 0.5]
    assert sum(noised) == pytest.approx(1.0)
    plan.take(tree, 1, 1)
    assert tree.policy[1:3].tolist() == noised


def puct(tree: Tree, visits: float, child: int) -> float:
    q = tree.value[child] / tree.visits[child]
    return float(q + tree.policy[child] * np.sqrt(tree.visits[1:5].sum()) / (1 + visits))


def test_forced_visits_are_pruned_as_long_as_puct_would_not_prefer_the_move() -> None:
    """A plain loop takes them off one by one, at most as many as were forced."""
    rng = np.random.default_rng(0)
    changed = 0
    for _ in range(200):
        visits = rng.integers(1, 40, 4)
        tree = root(visits.tolist(), rng.uniform(-1, 1, 4).tolist(), policy=rng.uniform(0.05, 1, 4).tolist())
        best = int(visits.argmax())
        wanted = visits.astype(float)
        for k in range(4):
            if k == best:
                continue
            for _ in range(int(np.sqrt(2.0 * tree.policy[1 + k] * visits.sum()))):
                if wanted[k] > 0 and puct(tree, wanted[k] - 1, 1 + k) <= puct(tree, visits[best], 1 + best):
                    wanted[k] -= 1
            wanted[k] = 0 if wanted[k] <= 1 else wanted[k]
        given = pruned_visits(tree, PUCT_SETTINGS, 2.0)
        assert given.tolist() == wanted.tolist()
        changed += given.tolist() != visits.tolist()
    assert changed > 100


def test_what_a_network_learns_is_shares_of_visits_and_no_proven_loss() -> None:
    actions, chance = learnt_policy(root([6, 2, 0], [0.0] * 3), PUCT_SETTINGS)
    assert (actions.tolist(), chance.tolist()) == ([0, 1, 2], [0.75, 0.25, 0.0])
    assert learnt_policy(root([6, 2, 2], [0.0] * 3, [LOST, 0, 0]), PUCT_SETTINGS)[1] == pytest.approx([0, 0.5, 0.5])
    assert learnt_policy(root([6, 2, 2], [0.0] * 3, [0, WON, 0]), PUCT_SETTINGS)[1].tolist() == [0, 1, 0]
    assert learnt_policy(root([3, 1], [0.0] * 2, [LOST, LOST]), PUCT_SETTINGS)[1].tolist() == [0.75, 0.25]
    assert learnt_policy(root([0, 0], [0.0] * 2), PUCT_SETTINGS)[1].tolist() == [0.5, 0.5]
    assert learnt_policy(root([5, 0, 0], [0.0] * 3, [LOST, 0, 0]), PUCT_SETTINGS)[1] == pytest.approx([0, 0.5, 0.5])


def test_under_gumbels_rule_it_is_the_improved_policy() -> None:
    settings = SETTINGS._replace(rule=GUMBEL)
    tree = root([3, 1, 0], [0.2, -0.1, 0.0], policy=[0.5, 0.3, 0.2])
    wanted = np.empty(3)
    improved_policy(tree, 0, settings, wanted)
    assert learnt_policy(tree, settings)[1] == pytest.approx(wanted)
