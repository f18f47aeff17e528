"""What the root of a search says: its moves, best first, and what is expected after them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from palestra.agents.tree import Tree


class Child(NamedTuple):
    """A move of the root and what the search thinks of it."""

    action: int
    visits: int
    value: float
    """Mean result for the player to move, in [-1, 1] for games; -1, 0 or 1 where it is proven."""
    prior: float
    """Probability before the search."""
    proven: bool


def children_of(trees: Sequence[Tree]) -> list[Child]:
    """Returns the moves of the roots of trees grown side by side, added up: proven wins first, then by visits."""
    found: dict[int, Child] = {}
    for tree in trees:
        first = int(tree.first[0])
        for node in range(first, first + int(tree.num_children[0])):
            child = _child(tree, node)
            other = found.get(child.action)
            found[child.action] = _sum(child, other) if other else child
    return sorted(found.values(), key=_rank)


def lead_of(tree: Tree) -> int:
    """Returns by how many visits the root's most visited move is ahead of the second; of a single move, all it has."""
    first = int(tree.first[0])
    visits = np.sort(tree.visits[first : first + int(tree.num_children[0])])
    return int(visits[-1] - visits[-2]) if len(visits) > 1 else int(visits.sum())


def variation_of(tree: Tree, action: int, longest: int) -> list[int]:
    """Returns the moves that are expected after an action of the root, it first."""
    moves, node = [action], child_with(tree, 0, action)
    while node and tree.first[node] and len(moves) < longest:
        first = int(tree.first[node])
        visits = tree.visits[first : first + int(tree.num_children[node])]
        if not visits.max():
            break
        node = first + int(np.argmax(visits))
        moves.append(int(tree.action[node]))
    return moves


def child_with(tree: Tree, node: int, action: int) -> int:
    """Returns the child of a node that is an action, 0 if there is none."""
    first, count = int(tree.first[node]), int(tree.num_children[node])
    found = np.flatnonzero(tree.action[first : first + count] == action)
    return first + int(found[0]) if first and len(found) else 0


def _child(tree: Tree, node: int) -> Child:
    proven, visits = int(tree.proven[node]), int(tree.visits[node])
    value = proven - 2.0 if proven else float(tree.value[node]) / max(visits, 1)
    return Child(int(tree.action[node]), visits, value, float(tree.policy[node]), bool(proven))


def _sum(a: Child, b: Child) -> Child:
    visits = a.visits + b.visits
    value = (a.value * a.visits + b.value * b.visits) / max(visits, 1)
    for child in (a, b):
        if child.proven:
            value = child.value
    return Child(a.action, visits, value, a.prior, a.proven or b.proven)


def _rank(child: Child) -> tuple[float, ...]:
    decided = child.value if child.proven and child.value else 0.0
    return -decided, -child.visits, -child.value, child.action
