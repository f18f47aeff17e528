"""What the root of a search says: its moves, best first, and what is expected after them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from palestra.agents.tree import LOST, Tree


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
    """Returns the moves of the roots of trees grown side by side, added up: proven wins first, then by visits.

    Proven losses come last, in the same order: what took longest to refute is the first of them.
    """
    found: dict[int, Child] = {}
    for tree in trees:
        first = int(tree.first[0])
        for node in range(first, first + int(tree.num_children[0])):
            child = _child(tree, node)
            other = found.get(child.action)
            found[child.action] = _sum(child, other) if other else child
    return sorted(found.values(), key=_rank)


def chosen(children: Sequence[Child], temperature: float, rng: np.random.Generator) -> Child:
    """Returns the first child; with a temperature one drawn by visits, a proven loss only if all are."""
    if not temperature or (children[0].proven and children[0].value > 0):
        return children[0]
    left = [child for child in children if not child.proven or child.value >= 0] or children
    visited = any(child.visits for child in left)
    weight = np.array([child.visits if visited else child.prior for child in left])
    weight = (weight / weight.max()) ** (1 / temperature)
    return left[int(rng.choice(len(left), p=weight / weight.sum()))]


def lead_of(tree: Tree) -> int:
    """Returns by how many visits the root's most visited move is ahead of the second; of a single move, all it has.

    Moves that are proven losses do not count.
    """
    moves = slice(int(tree.first[0]), int(tree.first[0] + tree.num_children[0]))
    visits = np.sort(tree.visits[moves][tree.proven[moves] != LOST])
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
    return -decided, -child.visits, -child.value, -child.prior, child.action
