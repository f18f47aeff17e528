"""What a root says: moves in order, several trees added up, the move to make."""

from collections import Counter

import numpy as np
import pytest

from palestra.agents.root import Child, child_with, children_of, chosen, expected_result, lead_of, variation_of
from palestra.agents.tree import DRAWN, LOST, WON, Tree, add_children, new_tree


def root(
    visits: list[int], means: list[float], proven: list[int] | None = None, policy: list[float] | None = None
) -> Tree:
    tree, count = new_tree(64), len(visits)
    add_children(tree, 0, np.ones(count, np.bool_), np.zeros((2, count)), np.array(policy or [1.0] * count))
    children = slice(1, 1 + count)
    tree.visits[children], tree.value[children] = visits, np.multiply(visits, means)
    tree.proven[children] = proven or [0] * count
    return tree


def test_proven_wins_are_first_then_visits_and_proven_losses_last() -> None:
    tree = root([5, 9, 1, 40, 7], [0.1, 0.2, 0.0, 0.9, 0.3], [0, 0, WON, LOST, DRAWN])
    children = children_of([tree])
    assert [child.action for child in children] == [2, 1, 4, 0, 3]
    assert [child.value for child in children] == pytest.approx([1.0, 0.2, 0.0, 0.1, -1.0])
    assert [child.proven for child in children] == [True, False, True, False, True]


def test_equal_visits_are_ordered_by_value_and_then_by_probability() -> None:
    assert [c.action for c in children_of([root([3, 3, 3], [0.1, 0.3, 0.2])])] == [1, 2, 0]
    assert [c.action for c in children_of([root([0, 0, 0], [0, 0, 0], policy=[1, 2, 5])])] == [2, 1, 0]


@pytest.mark.parametrize(
    ("visits", "means", "proven", "chance", "expected"),
    [
        ([4, 6], [0.5, -0.25], [0, 0], [0.8, 0.2], 0.8 * 0.5 - 0.2 * 0.25),
        ([4, 0, 6], [0.5, 0.0, -0.25], [0, 0, 0], [0.4, 0.5, 0.1], (0.4 * 0.5 - 0.1 * 0.25) / 0.5),  # one never tried
        ([4, 6], [0.5, -0.25], [0, WON], [0.0, 1.0], 1.0),
        ([4, 6], [0.5, 0.5], [LOST, DRAWN], [0.0, 1.0], 0.0),
        ([4, 0], [0.5, 0.0], [LOST, LOST], [0.5, 0.5], -1.0),
        ([0, 0], [0.0, 0.0], [0, 0], [0.5, 0.5], 0.0),
    ],
)
def test_what_is_expected_of_the_learnt_policy(
    visits: list[int], means: list[float], proven: list[int], chance: list[float], expected: float
) -> None:
    """By hand: the mean of the moves' values, proven ones for certain, weighted by their chances."""
    tree = root(visits, means, proven)
    actions = np.arange(len(visits), dtype=np.int32)
    assert expected_result(tree, actions, np.array(chance)) == pytest.approx(expected)


def test_trees_side_by_side_are_added_up() -> None:
    one, two = root([6, 2], [0.5, -1.0]), root([2, 8], [-0.5, 0.25], [0, LOST])
    children = children_of([one, two])
    assert [(c.action, c.visits) for c in children] == [(0, 8), (1, 10)]
    assert children[0].value == pytest.approx((6 * 0.5 - 2 * 0.5) / 8)
    assert (children[1].value, children[1].proven) == (-1.0, True)  # what one tree has proven is so
    assert children_of([]) == children_of([new_tree(64)]) == []


def test_a_temperature_draws_by_visits() -> None:
    """4,000 draws in proportion to 8, 4 and 0 visits, and to their squares at temperature 1/2: 5 standard errors."""
    children = children_of([root([8, 4, 0], [0.1, 0.1, 0.9])])
    rng = np.random.default_rng(0)
    for temperature, share in ((1.0, 2 / 3), (0.5, 0.8)):
        counts = Counter(chosen(children, temperature, rng).action for _ in range(4000))
        assert counts[0] == pytest.approx(4000 * share, abs=5 * np.sqrt(4000 * share * (1 - share)))
        assert counts[2] == 0
    assert {chosen(children, 0.0, rng).action for _ in range(20)} == {0}
    assert {chosen(children, 1e-9, rng).action for _ in range(20)} == {0}


def test_a_temperature_draws_no_proven_loss_and_no_other_move_than_a_win() -> None:
    rng = np.random.default_rng(0)
    lost = children_of([root([90, 5, 5], [0.9, 0.0, 0.0], [LOST, 0, DRAWN])])
    assert {chosen(lost, 1.0, rng).action for _ in range(100)} == {1, 2}
    won = children_of([root([90, 5, 5], [0.9, 0.0, 0.0], [0, WON, 0])])
    assert {chosen(won, 1.0, rng).action for _ in range(20)} == {1}
    hopeless = children_of([root([3, 1], [-1, -1], [LOST, LOST])])
    assert {chosen(hopeless, 1.0, rng).action for _ in range(100)} == {0, 1}


def test_without_visits_a_temperature_draws_by_probability() -> None:
    children, rng = [Child(a, 0, 0.0, p, False) for a, p in enumerate((0.7, 0.3, 0.0))], np.random.default_rng(0)
    counts = Counter(chosen(children, 1.0, rng).action for _ in range(2000))
    assert counts[0] == pytest.approx(1400, abs=5 * np.sqrt(2000 * 0.21))
    assert counts[2] == 0


def test_the_lead_is_over_the_second_that_is_not_lost() -> None:
    assert lead_of(root([9, 4, 6], [0, 0, 0])) == 3
    assert lead_of(root([9, 4, 6], [0, 0, 0], [0, 0, LOST])) == 5
    assert lead_of(root([9, 4], [0, 0], [LOST, 0])) == lead_of(root([4], [0])) == 4
    assert lead_of(new_tree(64)) == 0


def test_variations_follow_the_most_visited() -> None:
    tree = root([5, 9], [0, 0])
    two = np.ones(2, np.bool_)
    add_children(tree, 2, two, np.zeros((2, 2)), np.ones(2))
    tree.visits[3:5] = 3, 5
    add_children(tree, 4, two, np.zeros((2, 2)), np.ones(2))  # not visited: the end
    assert variation_of(tree, 1, 12) == [1, 1]
    assert variation_of(tree, 1, 1) == [1]
    assert variation_of(tree, 0, 12) == [0]
    assert variation_of(tree, 7, 12) == [7]
    assert (child_with(tree, 0, 1), child_with(tree, 0, 7), child_with(tree, 3, 0)) == (2, 0, 0)
