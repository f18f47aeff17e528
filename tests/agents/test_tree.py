"""Single nodes of a search tree: children, states that chance leads to, proofs, and what is kept of a tree."""

from itertools import product

import numpy as np
import pytest
from numba import config

from palestra.agents.tree import (
    DRAWN,
    FULL,
    LOST,
    NODES,
    WON,
    Tree,
    add_children,
    bytes_per_node,
    keep_subtree,
    new_tree,
    node_of,
    prove,
)

MASK = np.array([True, False, True, True])
PRIOR = np.array([[0.1, 0.2, 0.3, 0.4], [1.0, 2.0, 3.0, 4.0]])
POLICY = np.array([2.0, 9.0, 5.0, 1.0])
KEPT = ["action", "num_children", "visits", "proven", "value", "policy", "prior_value", "prior_visits"]
KEPT += ["amaf_value", "amaf_visits", "estimate"]


def grown(seed: int, num_nodes: int, capacity: int = 200) -> Tree:
    """Returns a tree of random shape and numbers."""
    random, tree = np.random.default_rng(seed), new_tree(capacity)
    while tree.info[NODES] < num_nodes:
        leaves = np.flatnonzero(tree.first[: tree.info[NODES]] == 0)
        add_children(tree, int(random.choice(leaves)), random.random(4) < 0.6, random.random((2, 4)), random.random(4))
    used = tree.info[NODES]
    for name in ("pending", *KEPT[2:]):
        tree.nodes[name][:used] = random.integers(1, 100, used)
    return tree


def told(tree: Tree, node: int) -> list:
    """Tells all that is known of a node and of what follows it, but for what waits."""
    first, count = int(tree.first[node]), int(tree.num_children[node])
    own = [tree.nodes[name][node].item() for name in KEPT]
    return [own, [told(tree, child) for child in range(first, first + count)]]


def size(tree: Tree, node: int) -> int:
    first, count = int(tree.first[node]), int(tree.num_children[node])
    return 1 + sum(size(tree, child) for child in range(first, first + count))


@pytest.mark.kernel
def test_children_are_the_moves_of_the_mask() -> None:
    tree = new_tree(64)
    tree.visits[:] = 7  # of a tree that was there before
    assert add_children(tree, 0, MASK, PRIOR, POLICY)
    children = slice(1, 4)
    assert (tree.first[0], tree.num_children[0], tree.info[NODES]) == (1, 3, 4)
    assert tree.action[children].tolist() == [0, 2, 3]
    assert tree.visits[children].tolist() == [0, 0, 0]
    assert tree.policy[children] == pytest.approx([0.25, 0.625, 0.125])
    assert tree.prior_value[children] == pytest.approx([0.1, 0.3, 0.4])
    assert tree.prior_visits[children].tolist() == [1, 3, 4]
    assert add_children(tree, 2, MASK, PRIOR, np.zeros(4))
    assert tree.policy[tree.first[2]] == pytest.approx(1 / 3)  # no probability at all: all are alike


@pytest.mark.kernel
def test_a_tree_without_room_says_so_and_stays_as_it_is() -> None:
    tree = new_tree(6)
    assert add_children(tree, 0, MASK, PRIOR, POLICY)
    assert not add_children(tree, 1, np.zeros(4, np.bool_), PRIOR, POLICY)  # no moves: no lack of room
    assert tree.info.tolist() == [4, 0]
    assert not add_children(tree, 1, MASK, PRIOR, POLICY)
    assert tree.info.tolist() == [4, 1]
    assert tree.first[1] == tree.num_children[1] == 0
    assert add_children(tree, 2, np.array([True, False, False, True]), PRIOR, POLICY)  # fewer still fit
    assert tree.info[NODES] == 6


@pytest.mark.kernel
def test_a_state_has_one_node_however_it_was_come_by() -> None:
    tree, random = new_tree(500, deterministic=False), np.random.default_rng(0)
    states = np.unique(random.integers(-3, 3, (100 if config.DISABLE_JIT else 400, 6)), axis=0)
    nodes = [int(node_of(tree, state, 6)) for state in states]
    assert nodes == list(range(1, len(states) + 1))
    assert [int(node_of(tree, state, 6)) for state in states] == nodes
    assert tree.info[NODES] == len(states) + 1
    assert int(node_of(tree, states[0], 5)) not in nodes  # fewer words are another state


@pytest.mark.kernel
@pytest.mark.parametrize("bit", range(0, 64, 3))
def test_states_that_differ_in_one_bit_are_two(bit: int) -> None:
    tree, state = new_tree(64, deterministic=False), np.array([3, -1, 1 << 40, 0])
    one = node_of(tree, state, 4)
    for word in range(4):
        other = state.copy()
        other[word] ^= np.int64(np.uint64(1 << bit).astype(np.int64))
        assert node_of(tree, other, 4) != one


@pytest.mark.kernel
def test_without_room_a_state_gets_no_node() -> None:
    tree = new_tree(3, deterministic=False)
    states = np.arange(4).reshape(4, 1)
    assert [int(node_of(tree, state, 1)) for state in states] == [1, 2, 0, 0]
    assert tree.info[FULL] == 1
    assert int(node_of(tree, states[1], 1)) == 2


@pytest.mark.kernel
@pytest.mark.parametrize("again", [False, True])
def test_proofs_are_the_values_of_minimax(again: bool) -> None:
    """All results of three children: -1, 0 and 1 are those of games, None is not known."""
    for results in product((None, -1, 0, 1), repeat=3):
        tree = new_tree(64)
        add_children(tree, 0, MASK, PRIOR, POLICY)
        tree.proven[1:4] = [0 if result is None else result + DRAWN for result in results]
        known = 1 in results or None not in results
        assert prove(tree, 0, again) == known
        best = max((result for result in results if result is not None), default=0)
        assert tree.proven[0] == ((best if again else -best) + DRAWN if known else 0)
    assert (LOST, DRAWN, WON) == (1, 2, 3)


@pytest.mark.kernel
@pytest.mark.parametrize("seed", range(10))
def test_what_is_kept_is_the_subtree_with_all_its_counts(seed: int) -> None:
    tree = grown(seed, 60)
    for root in (0, *range(int(tree.first[0]), int(tree.first[0] + tree.num_children[0])), int(tree.info[NODES]) - 1):
        tree.bounds[:] = -3.0, 5.0
        fresh = new_tree(200)
        keep_subtree(tree, root, fresh)
        assert told(fresh, 0) == told(tree, root)
        assert fresh.bounds.tolist() == [-3.0, 5.0]
        assert fresh.info.tolist() == [size(tree, root), 0]
        assert not fresh.pending.any()  # visits that wait belong to a search that is over


def test_bytes_of_a_node() -> None:
    """Six words of four bytes, six numbers of four and a sum of eight; with chance a hash and its places."""
    assert bytes_per_node(new_tree(1000)) == 6 * 4 + 6 * 4 + 8
    assert bytes_per_node(new_tree(1000, deterministic=False)) == 56 + 8 + 8
