"""What the root of a search says: its moves, best first, and what is expected after them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from palestra.agents.tree import LOST, WON, Tree
from palestra.agents.tree_policy import GUMBEL, Settings, improved_policy


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


def learnt_policy(tree: Tree, settings: Settings, forced: float = 0.0) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Returns the root's actions `[K]` and the probabilities `[K]` that a search has found, for a network to learn.

    Under Gumbel's rule these are its improved policy, else shares of the visits, of which those are taken off that were
    only `forced`. Where a move is proven to win, others have none; a move that is proven to lose has none if another is
    left.
    """
    children = slice(int(tree.first[0]), int(tree.first[0] + tree.num_children[0]))
    if settings.rule == GUMBEL:
        weight = np.empty(children.stop - children.start)
        improved_policy(tree, 0, settings, weight)
    else:
        weight = tree.visits[children].astype(np.float64)
        weight = pruned_visits(tree, settings, forced) if forced and weight.sum() else weight
    proven = tree.proven[children]
    if (proven == WON).any():
        weight = np.where(proven == WON, 1.0, 0.0)
    elif (proven != LOST).any():
        weight = np.where(proven == LOST, 0.0, weight)
        weight = weight if weight.sum() else (proven != LOST).astype(np.float64)
    weight = weight if weight.sum() else np.ones(len(weight))
    return tree.action[children], weight / weight.sum()


def expected_result(tree: Tree, actions: NDArray[np.int32], chance: NDArray[np.float64]) -> float:
    """Returns what follows a search if its actions are played with these chances, as the player to move sees it.

    Actions are in the tree's order; those that were never tried, and of which nothing is proven, are left aside.
    """
    children = slice(int(tree.first[0]), int(tree.first[0]) + len(actions))
    visits, proven = tree.visits[children], tree.proven[children]
    value = np.where(proven > 0, proven - 2.0, tree.value[children] / np.maximum(visits, 1))
    weight = np.where((visits > 0) | (proven > 0), chance, 0.0)
    return float(weight @ value / weight.sum()) if weight.sum() else float(value.max())


def pruned_visits(tree: Tree, settings: Settings, forced: float) -> NDArray[np.float64]:
    """Returns the visits `[K]` of the root's moves under PUCT without those that were only forced.

    Wu, "Accelerating self-play learning in Go" (2019), section 3.2: of each move but the most visited, at most as many
    as were forced, as long as PUCT would not prefer it; a move left with one visit loses that too.
    """
    children = slice(int(tree.first[0]), int(tree.first[0] + tree.num_children[0]))
    visits, policy = tree.visits[children].astype(np.float64), tree.policy[children].astype(np.float64)
    q = tree.value[children] / np.maximum(visits, 1)
    best, total = int(visits.argmax()), visits.sum()
    bonus = settings.exploration * policy * np.sqrt(total)
    lead = q[best] + bonus[best] / (1 + visits[best]) - q
    enough = np.where(lead > 0, np.ceil(bonus / np.maximum(lead, 1e-12) - 1), visits)
    least = np.maximum(visits - np.floor(np.sqrt(forced * policy * total)), 0)
    left = np.minimum(np.maximum(enough, least), visits)
    left[left <= 1] = 0
    left[best] = visits[best]
    return np.asarray(left, np.float64)


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
