"""A search tree as an array of nodes, and what is done to single nodes of it.

A node is a move and what is known of it; the moves that follow are a block of nodes side by side, so that choosing
among them reads memory in order. Values are sums of results as the player who chose the node sees them.

Where moves have several outcomes, each state that one led to has a node too, which owns what follows and is found by
the state. Ways that lead to the same state after as many moves share that node, as in UCT1 of Childs et al.,
"Transpositions and move groups in Monte Carlo tree search" (2008); in a small MDP a simulation then soon knows every
state that it comes to.

A node is one record and not an entry in each of many arrays: compiled code counts the references to every array that
a function is given, which took longer than the search of a small game itself.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

LOST, DRAWN, WON = 1, 2, 3  # proven results of a node for the player who chose it; 0 is unknown
NODES, FULL = 0, 1  # words of `Tree.info`


NODE = np.dtype(
    [
        ("action", np.int32),
        ("first", np.int32),  # the first of its children, 0 while it has none
        ("num_children", np.int32),
        ("visits", np.int32),
        ("pending", np.int32),  # visits that wait for a network
        ("proven", np.int32),
        ("value", np.float64),  # sum of results
        ("policy", np.float32),  # probability of the move, as a network or the game says
        ("prior_value", np.float32),  # sum of virtual results
        ("prior_visits", np.float32),  # number of virtual results
        ("amaf_value", np.float32),  # sum of results of simulations in which the move came later
        ("amaf_visits", np.float32),
        ("estimate", np.float32),  # what a network says of it, as the player to move there sees it
    ]
)


class Tree(NamedTuple):
    """C nodes, of which `info[NODES]` are in use; node 0 is the root."""

    info: NDArray[np.int64]  # [2], nodes in use, whether there was no room for more
    bounds: NDArray[np.float64]  # [2], the least and the largest return so far
    nodes: Any  # [C] NODE, a recarray
    key: NDArray[np.int64]  # [C], or [1] where moves have one outcome: hash of a state that chance led to
    table: NDArray[np.int32]  # [2 C] or [1], the nodes of such states, from the place on that their hash says

    def __getattr__(self, name: str) -> Any:
        """Returns what NODE says of all nodes, `[C]`, as in `tree.visits`; compiled code knows `nodes` alone."""
        if name in (NODE.names or ()):
            return self.nodes.view(np.ndarray)[name]
        raise AttributeError(f"a tree has no {name}")


def new_tree(capacity: int, deterministic: bool = True) -> Tree:
    """Makes a tree with room for a number of nodes; memory is taken as it fills."""
    states = 0 if deterministic else capacity
    key, table = np.zeros(max(states, 1), np.int64), np.zeros(max(2 * states, 1), np.int32)
    nodes = np.zeros(capacity, NODE).view(np.recarray)
    return Tree(np.array([1, 0], np.int64), np.array([np.inf, -np.inf]), nodes, key, table)


def bytes_per_node(tree: Tree) -> float:
    """Returns how many bytes of memory a node takes."""
    return sum(array.nbytes for array in tree[2:] if len(array) >= len(tree.nodes)) / len(tree.nodes)


@njit(cache=True, nogil=True)
def _clear(node, action):  # type: ignore[no-untyped-def]
    """Makes a node new."""
    node.action, node.first, node.num_children = action, 0, 0
    node.visits, node.pending, node.proven, node.value = 0, 0, 0, 0.0
    node.policy, node.prior_value, node.prior_visits = 0.0, 0.0, 0.0
    node.amaf_value, node.amaf_visits, node.estimate = 0.0, 0.0, 0.0


@njit(cache=True, nogil=True)
def add_children(tree, parent, mask, prior, policy):  # type: ignore[no-untyped-def]
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
    if child + count > len(tree.nodes):
        tree.info[FULL] = 1
        return False
    tree.info[NODES] = child + count
    nodes = tree.nodes
    nodes[parent].num_children, nodes[parent].first = count, child
    for action in range(len(mask)):
        if mask[action]:
            node = nodes[child]
            _clear(node, action)
            node.policy = policy[action] / total if total > 0.0 else 1.0 / count
            node.prior_value, node.prior_visits = prior[0, action], prior[1, action]
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
    if node == len(tree.nodes):
        tree.info[FULL] = 1
        return np.int32(0)
    tree.info[NODES] += 1
    _clear(tree.nodes[node], -1)
    tree.key[node], tree.table[place] = key, node
    return node


@njit(cache=True, nogil=True)
def prove(tree, parent, again):  # type: ignore[no-untyped-def]
    """Proves a node from its children, if they suffice: the best result is known if one wins or all are proven.

    `again` says that who chose the node moves again there; what is best for the other player is worst for him.
    """
    nodes, best, first = tree.nodes, 0, tree.nodes[parent].first
    for child in range(first, first + nodes[parent].num_children):
        proven = nodes[child].proven
        if proven == WON:
            best = WON
            break
        if proven == 0:
            best = 4
        elif best < 4:
            best = max(best, proven)
    if 0 < best < 4:
        nodes[parent].proven = best if again else LOST + WON - best
        return True
    return False


@njit(cache=True, nogil=True)
def keep_subtree(tree, root, fresh):  # type: ignore[no-untyped-def]
    """Copies what follows a node into an empty tree of the same size, whose root it becomes; without chance only."""
    old, new = tree.nodes, fresh.nodes
    new[0] = old[root]
    used, i = 1, 0
    while i < used:
        node = new[i]
        node.pending = 0
        if node.first:
            for k in range(node.num_children):
                new[used + k] = old[node.first + k]
            node.first = used
            used += node.num_children
        i += 1
    fresh.info[NODES], fresh.info[FULL] = used, 0
    fresh.bounds[:] = tree.bounds
