"""The next move of a node: numbers computed by hand from the papers' formulas."""

import math
from typing import Any

import numpy as np
import pytest

from palestra.agents.tree import DRAWN, LOST, WON, Tree, add_children, new_tree
from palestra.agents.tree_policy import GUMBEL, PUCT, UCT, improved_policy, scaled, select
from tests.naive_mcts import SETTINGS

ALL = np.ones(3, np.bool_)
NO_PRIOR = np.zeros((2, 3))


def node(visits: list[int], means: list[float], policy: tuple[float, ...] = (1, 1, 1), **arrays: Any) -> Tree:
    """Returns a tree whose root has three moves with as many visits and such mean results."""
    tree = new_tree(64)
    add_children(tree, 0, ALL, NO_PRIOR, np.array(policy, np.float64))
    tree.visits[0] = sum(visits)
    tree.visits[1:4], tree.value[1:4] = visits, np.multiply(visits, means)
    for name, values in arrays.items():
        getattr(tree, name)[1:4] = values
    return tree


def choice(tree: Tree, **options: Any) -> int:
    return int(select(tree, 0, SETTINGS._replace(**options))) - 1


@pytest.mark.kernel
def test_uct_adds_the_bound_of_its_paper() -> None:
    """Move 1 is worth 0.3 + c sqrt(ln 10 / 2), move 0 0.5 + c sqrt(ln 10 / 8): equal at c = 0.2 / 0.5364 = 0.3728."""
    tree = node([8, 2, 0], [0.5, 0.3, 0.0])
    limit = 0.2 / (math.sqrt(math.log(10) / 2) - math.sqrt(math.log(10) / 8))
    assert limit == pytest.approx(0.3728, abs=1e-4)
    assert [choice(tree, exploration=limit + d, first_play=-9.0) for d in (-1e-3, 1e-3)] == [0, 1]
    assert choice(tree, exploration=0.4, first_play=10.0) == 2
    assert choice(tree, exploration=0.0, first_play=0.4) == 0


@pytest.mark.kernel
def test_virtual_results_count_as_visits() -> None:
    tree = node([4, 4, 4], [0.0, 0.0, 0.0], prior_value=[0, 6, -6], prior_visits=[0, 8, 8])
    assert choice(tree, exploration=0.0) == 1
    # 0 + c sqrt(ln 12 / 4) against 0.5 + c sqrt(ln 12 / 12): equal at c = 0.5 / (0.7882 - 0.4551) = 1.501
    assert [choice(tree, exploration=c) for c in (1.49, 1.51)] == [1, 0]
    untried = node([4, 4, 0], [0.0, 0.0, 0.0], prior_value=[0, 0, 0], prior_visits=[0, 0, 3])
    assert choice(untried, exploration=0.1) == 2  # 3 results are fewer than 4


@pytest.mark.kernel
def test_rave_weighs_later_results_by_equivalence() -> None:
    """With n = later = 10 and 10 visits of equivalence the weight is 10 / (10 + 10 + 10) = 1/3."""
    tree = node([10, 10, 10], [0.6, 0.0, 0.38], amaf_value=[-5.0, 9.0, 3.9], amaf_visits=[10, 10, 10])
    # 0.6 * 2/3 - 0.5 / 3 = 0.2333; 0.3; 0.38 * 2/3 + 0.39 / 3 = 0.3833
    assert choice(tree, rave=10.0, exploration=0.0) == 2
    assert choice(tree, rave=0.0, exploration=0.0) == 0
    assert choice(tree, rave=1e9, exploration=0.0) == 1  # weight 1/2: 0.05, 0.45, 0.385
    assert choice(node([1, 0, 0], [0.9, 0, 0], amaf_value=[1, 2, 1], amaf_visits=[1, 2, 2]), rave=10.0) == 1


@pytest.mark.kernel
def test_rave_of_many_later_results() -> None:
    tree = node([10, 10, 10], [0.6, 0.0, 0.38], amaf_value=[-500.0, 900.0, 390.0], amaf_visits=[1000] * 3)
    # weights 1000 / (1010 + 10000 / rave): at 1e9 all but 1, at 10 as good as 1/2: 0.05, 0.45, 0.385
    assert choice(tree, rave=10.0, exploration=0.0) == 1
    assert choice(tree, rave=1.0, exploration=0.0) == 0  # 1/11: 0.5, 0.08, 0.38


@pytest.mark.kernel
def test_puct_adds_the_bonus_of_its_paper() -> None:
    """Q + c P sqrt(9) / (1 + n): 0.4 + c 0.3 / 7 against 0.1 + c 1.8 / 4: equal at c = 0.3 / 0.4071 = 0.7368."""
    tree = node([6, 3, 0], [0.4, 0.1, 0.0], (0.1, 0.6, 0.3))
    assert [choice(tree, rule=PUCT, exploration=c, first_play=9.0) for c in (0.73, 0.75)] == [0, 1]
    # the mean is (2.4 + 0.3) / 9 = 0.3; the untried move is worth 0.3 - f sqrt(0.7): 0.4 at f = -0.1195
    assert [choice(tree, rule=PUCT, exploration=0.0, first_play=f) for f in (-0.12, -0.119)] == [2, 0]


@pytest.mark.kernel
def test_puct_without_visits_takes_the_most_probable() -> None:
    assert choice(node([0, 0, 0], [0, 0, 0], (0.2, 0.3, 0.5)), rule=PUCT, exploration=1.25) == 2


@pytest.mark.kernel
@pytest.mark.parametrize("rule", [UCT, PUCT])
def test_visits_that_wait_count_as_losses(rule: int) -> None:
    tree = node([4, 4, 4], [0.5, 0.4, 0.3], pending=[1, 0, 0])  # (2 - 1) / 5 = 0.2
    assert choice(tree, rule=rule, exploration=0.0) == 1
    assert choice(tree, rule=rule, exploration=0.0, virtual_loss=0.0) == 0
    tree.bounds[:] = 0.4, 9.0  # (2 + 0.4) / 5 = 0.48: a loss is what was worst so far
    assert choice(tree, rule=rule, exploration=0.0, rescale=True) == 0


@pytest.mark.kernel
def test_values_are_scaled_by_the_returns_seen() -> None:
    assert [scaled(v, 10.0, 30.0) for v in (10.0, 20.0, 30.0)] == [-1.0, 0.0, 1.0]
    assert scaled(7.0, 3.0, 3.0) == scaled(7.0, np.inf, -np.inf) == 7.0
    tree = node([10, 2, 1], [25.0, 20.0, 10.0])
    tree.bounds[:] = 10.0, 30.0
    scaled_tree = node([10, 2, 1], [0.5, 0.0, -1.0])
    for c in np.linspace(0, 2, 20):
        assert choice(tree, exploration=c, rescale=True) == choice(scaled_tree, exploration=c)


@pytest.mark.kernel
@pytest.mark.parametrize("rule", [UCT, PUCT, GUMBEL])
def test_proven_losses_are_never_gone_down_to_if_another_is_left(rule: int) -> None:
    tree = node([9, 1, 1], [0.9, 0.0, -0.5], proven=[LOST, LOST, DRAWN])
    assert choice(tree, rule=rule) == 2
    tree.proven[3] = LOST
    assert choice(tree, rule=rule) == 0  # all are lost
    tree.proven[0], tree.proven[2] = LOST, WON  # lost for who chose it, as move 1 wins
    assert choice(tree, rule=rule) == 1


@pytest.mark.kernel
def test_the_improved_policy_by_hand() -> None:
    """Own value 0.2; visited moves' mean by probability (0.5 * 0.4 + 0.2 * -0.1) / 0.7; total visits 3, most 2."""
    tree, out = node([2, 1, 0], [0.4, -0.1, 0.0], (0.5, 0.2, 0.3)), np.empty(3)
    tree.estimate[0] = 0.2
    mixed = (0.2 + 3 * (0.5 * 0.4 + 0.2 * -0.1) / 0.7) / 4
    logits = [math.log(p) + 52 * (q + 1) / 2 for p, q in ((0.5, 0.4), (0.2, -0.1), (0.3, mixed))]
    improved_policy(tree, 0, SETTINGS, out)
    weights = np.exp(np.array(logits) - max(logits))
    assert out == pytest.approx(weights / weights.sum(), rel=1e-5)
    # the move whose share of visits is most behind: 2/4, 1/4 and 0 of them
    assert choice(tree, rule=GUMBEL) == int(np.argmax(out - np.array([2, 1, 0]) / 4))


@pytest.mark.kernel
def test_the_improved_policy_of_an_mdp_scales_the_estimate_too() -> None:
    tree, twin = node([2, 1, 0], [24.0, 19.0, 0.0]), node([2, 1, 0], [0.4, -0.1, 0.0])
    tree.bounds[:], tree.estimate[0], twin.estimate[0] = (10.0, 30.0), 22.0, 0.2
    out, wanted = np.empty(3), np.empty(3)
    improved_policy(tree, 0, SETTINGS._replace(rescale=True), out)
    improved_policy(twin, 0, SETTINGS, wanted)
    assert out == pytest.approx(wanted, rel=1e-4)
