"""A search tree as arrays, one entry a node, and what is done to single nodes of it.

A node is a move and what is known of it; the moves that follow are a block of nodes side by side, so that choosing
among them reads memory in order. Values are sums of results as the player who chose the node sees them.

Where moves have several outcomes, each state that one led to has a node too, which owns what follows and is found by
the state. Ways that lead to the same state after as many moves share that node, as in UCT1 of Childs et al.,
"Transpositions and move groups in Monte Carlo tree search" (2008); in a small MDP a simulation then soon knows every
state that it comes to.
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
    key: NDArray[np.int64]  # [C], or [1] where moves have one outcome: hash of a state that chance led to
    table: NDArray[np.int32]  # [2 C] or [1], the nodes of such states, from the place on that their hash says


def new_tree(capacity: int, deterministic: bool = True) -> Tree:
    """Makes a tree with room for a number of nodes; memory is taken as it fills."""
    integers = [np.zeros(capacity, np.int32) for _ in range(5)]
    reals = [np.zeros(capacity, np.float32) for _ in range(6)]
    states = [
        np.zeros(1 if deterministic else capacity, np.int64),
        np.zeros(1 if deterministic else 2 * capacity, np.int32),
    ]
    head: list[Any] = [np.array([1, 0], np.int64), np.array([np.inf, -np.inf])]
    sums: list[Any] = [np.zeros(capacity, np.int8), np.zeros(capacity)]
    return Tree._make([*head, *integers, *sums, *reals, *states])


def bytes_per_node(tree: Tree) -> float:
    """Returns how many bytes of memory a node takes."""
    return sum(array.nbytes for array in tree[2:] if len(array) >= len(tree.action)) / len(tree.action)


@njit(cache=True, nogil=True)
def clear_node(tree, node):  # type: ignore[no-untyped-def]
    """Makes a node new."""
    tree.first[node] = tree.num_children[node] = tree.visits[node] = tree.pending[node] = tree.proven[node] = 0
    tree.value[node] = tree.policy[node] = tree.prior_value[node] = tree.prior_visits[node] = 0.0
    tree.amaf_value[node] = tree.amaf_visits[node] = tree.estimate[node] = 0.0


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
def _hash(state, used):  # type: ignore[no-untyped-def]
    """Returns 62 bits of a state: two polynomials in halves of its words modulo primes, so that nothing overflows."""
    a, b = np.int64(0), np.int64(0)
    for i in range(used):
        for half in (state[i] & 0xFFFFFFFF, (state[i] >> 32) & 0xFFFFFFFF):
            a, b = (a * 1000003 + half + 1) % 2147483647, (b * 69621 + half + 1) % 2147483629
    return (a << 31) | b


@njit(cache=True, nogil=True)
def node_of(tree, state, used):  # type: ignore[no-untyped-def]
    """Returns the node of a state that chance has led to, a new one if need be; 0 if there is no room."""
    key = _hash(state, used)
    place = key % len(tree.table)
    while tree.table[place]:
        if tree.key[tree.table[place]] == key:
            return tree.table[place]
        place = (place + 1) % len(tree.table)
    node = np.int32(tree.info[NODES])
    if node == len(tree.action):
        tree.info[FULL] = 1
        return np.int32(0)
    tree.info[NODES] += 1
    clear_node(tree, node)
    tree.action[node], tree.key[node], tree.table[place] = -1, key, node
    return node


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


@njit(cache=True, nogil=True)
def keep_subtree(tree, root, fresh):  # type: ignore[no-untyped-def]
    """Copies what follows a node into an empty tree of the same size, whose root it becomes; without chance only."""
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
        node += 1
    fresh.info[NODES], fresh.info[FULL] = used, 0
    fresh.bounds[:] = tree.bounds
