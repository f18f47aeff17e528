"""A search tree as arrays, one entry a node, and what is done to single nodes of it.

A node is a move and what is known of it; the moves that follow are a block of nodes side by side, so that choosing
among them reads memory in order. Values are sums of results as the player who chose the node sees them. Where moves
have several outcomes, a node also heads a list of nodes, one for each state that it led to, which own what follows.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

LOST, DRAWN, WON = 1, 2, 3  # proven results of a node for the player who chose it; 0 is unknown
NODES, FULL = 0, 1  # words of `Tree.info`


class Tree(NamedTuple):
    """C nodes, of which `info[NODES]` are in use; node 0 is the root."""

    info: NDArray[np.int64]  # [2], nodes in use, whether there was no room for more
    bounds: NDArray[np.float64]  # [2], the least and the largest return so far
    action: NDArray[np.int32]  # [C]
    first: NDArray[np.int32]  # [C], the first of its children, 0 while it has none
    num_children: NDArray[np.int32]  # [C]
    visits: NDArray[np.int32]  # [C]
    pending: NDArray[np.int32]  # [C], visits that wait for a network
    proven: NDArray[np.int8]  # [C]
    value: NDArray[np.float64]  # [C], sum of results
    policy: NDArray[np.float32]  # [C], probability of the move, as a network or the game says
    prior_value: NDArray[np.float32]  # [C], sum of virtual results
    prior_visits: NDArray[np.float32]  # [C], number of virtual results
    amaf_value: NDArray[np.float32]  # [C], sum of results of simulations in which the move came later
    amaf_visits: NDArray[np.float32]  # [C]
    estimate: NDArray[np.float32]  # [C], what a network says of it, as the player to move there sees it
    outcome: NDArray[np.int32]  # [C], or [1] where moves have one outcome: the first of its outcomes
    sibling: NDArray[np.int32]  # likewise, the next outcome
    key: NDArray[np.int64]  # likewise, hash of the outcome's state


def new_tree(capacity: int, deterministic: bool = True) -> Tree:
    """Makes a tree with room for a number of nodes; memory is taken as it fills."""
    outcomes = 1 if deterministic else capacity
    integers = [np.zeros(capacity, np.int32) for _ in range(5)]
    reals = [np.zeros(capacity, np.float32) for _ in range(6)]
    links = [np.zeros(outcomes, np.int32) for _ in range(2)]
    head: list[Any] = [np.array([1, 0], np.int64), np.array([np.inf, -np.inf])]
    sums: list[Any] = [np.zeros(capacity, np.int8), np.zeros(capacity)]
    return Tree._make([*head, *integers, *sums, *reals, *links, np.zeros(outcomes, np.int64)])


def bytes_per_node(tree: Tree) -> float:
    """Returns how many bytes of memory a node takes."""
    return sum(array.nbytes for array in tree[2:] if len(array) == len(tree.action)) / len(tree.action)


@njit(cache=True, nogil=True)
def clear_node(tree, node):  # type: ignore[no-untyped-def]
    """Makes a node new."""
    tree.first[node] = tree.num_children[node] = tree.visits[node] = tree.pending[node] = tree.proven[node] = 0
    tree.value[node] = tree.policy[node] = tree.prior_value[node] = tree.prior_visits[node] = 0.0
    tree.amaf_value[node] = tree.amaf_visits[node] = tree.estimate[node] = 0.0
    if len(tree.outcome) > 1:
        tree.outcome[node] = tree.sibling[node] = 0


@njit(cache=True, nogil=True)
def add_children(tree, node, mask, prior, policy):  # type: ignore[no-untyped-def]
    """Gives a node the moves of `mask` `[A]` as children; says False if there is no room.

    `prior` `[2, A]` holds their virtual results, `policy` `[A]` their probabilities, which are scaled to sum to one.
    """
    count, total = 0, 0.0
    for action in range(len(mask)):
        if mask[action]:
            count += 1
            total += policy[action]
    child = tree.info[NODES]
    if count == 0:
        return False
    if child + count > len(tree.action):
        tree.info[FULL] = 1
        return False
    tree.info[NODES] = child + count
    tree.num_children[node] = count
    tree.first[node] = child
    for action in range(len(mask)):
        if mask[action]:
            clear_node(tree, child)
            tree.action[child] = action
            tree.policy[child] = policy[action] / total if total > 0.0 else 1.0 / count
            tree.prior_value[child], tree.prior_visits[child] = prior[0, action], prior[1, action]
            child += 1
    return True


@njit(cache=True, nogil=True)
def outcome_of(tree, node, state, used):  # type: ignore[no-untyped-def]
    """Returns the node of the state that a move led to, a new one if need be; the move's own if there is no room."""
    key = np.int64(0)
    for i in range(used):
        for half in (state[i] & 0xFFFFFFFF, (state[i] >> 32) & 0xFFFFFFFF):
            key = ((key ^ half) * 1000003 + i) & ((1 << 40) - 1)
    last, outcome = 0, tree.outcome[node]
    while outcome and tree.key[outcome] != key:
        last, outcome = outcome, tree.sibling[outcome]
    if outcome == 0:
        outcome = np.int32(tree.info[NODES])
        if outcome == len(tree.action):
            tree.info[FULL] = 1
            return np.int32(node)
        tree.info[NODES] += 1
        clear_node(tree, outcome)
        tree.action[outcome], tree.key[outcome] = -1, key
        if last:
            tree.sibling[last] = outcome
        else:
            tree.outcome[node] = outcome
    return outcome


@njit(cache=True, nogil=True)
def prove(tree, node, again):  # type: ignore[no-untyped-def]
    """Proves a node from its children, if they suffice: the best result is known if one wins or all are proven.

    `again` says that who chose the node moves again there; what is best for the other player is worst for him.
    """
    best, first = 0, tree.first[node]
    for child in range(first, first + tree.num_children[node]):
        if tree.proven[child] == WON:
            best = WON
            break
        if tree.proven[child] == 0:
            best = 4
        elif best < 4:
            best = max(best, tree.proven[child])
    if 0 < best < 4:
        tree.proven[node] = best if again else LOST + WON - best
        return True
    return False


@njit(cache=True, nogil=True)
def _copy_node(tree, node, fresh, to):  # type: ignore[no-untyped-def]
    fresh.action[to], fresh.num_children[to], fresh.visits[to] = (
        tree.action[node],
        tree.num_children[node],
        tree.visits[node],
    )
    fresh.proven[to], fresh.value[to], fresh.policy[to] = tree.proven[node], tree.value[node], tree.policy[node]
    fresh.prior_value[to], fresh.prior_visits[to] = tree.prior_value[node], tree.prior_visits[node]
    fresh.amaf_value[to], fresh.amaf_visits[to] = tree.amaf_value[node], tree.amaf_visits[node]
    fresh.pending[to], fresh.estimate[to] = 0, tree.estimate[node]
    fresh.first[to] = tree.first[node]  # of the old tree until its children are copied
    if len(tree.outcome) > 1:
        fresh.outcome[to], fresh.sibling[to], fresh.key[to] = tree.outcome[node], 0, tree.key[node]


@njit(cache=True, nogil=True)
def keep_subtree(tree, root, fresh):  # type: ignore[no-untyped-def]
    """Copies what follows a node into an empty tree of the same size, whose root it becomes."""
    _copy_node(tree, root, fresh, 0)
    used = 1
    node = 0
    while node < used:
        first, fresh.first[node] = fresh.first[node], 0
        if first:
            fresh.first[node] = used
            for i in range(fresh.num_children[node]):
                _copy_node(tree, first + i, fresh, used + i)
            used += fresh.num_children[node]
        if len(tree.outcome) > 1:
            old, fresh.outcome[node], last = fresh.outcome[node], 0, 0
            while old:
                _copy_node(tree, old, fresh, used)
                if last:
                    fresh.sibling[last] = used
                else:
                    fresh.outcome[node] = used
                last, old = used, tree.sibling[old]
                used += 1
        node += 1
    fresh.info[NODES], fresh.info[FULL] = used, 0
    fresh.bounds[:] = tree.bounds
