"""The root of Gumbel AlphaZero: which moves it considers, how simulations are shared out, which move is made.

Danihelka et al., "Policy improvement by planning with Gumbel" (2022): Gumbel-top-k in section 3, sequential halving
in section 3.2 and algorithm 2. The values that `tree_policy.improved_policy` completes are the paper's.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from palestra.agents.tree import LOST, WON, Tree
from palestra.agents.tree_policy import Settings, improved_policy


def halving_visits(considered: int, simulations: int) -> NDArray[np.int64]:
    """Returns `[simulations]`: how many visits the move has that the next simulation goes through.

    All considered moves get as many; then the better half gets as many again, until two are left, which share the rest.
    """
    if considered <= 1:
        return np.arange(simulations)
    rounds, sequence, visits, left = math.ceil(math.log2(considered)), [0] * 0, [0] * considered, considered
    while len(sequence) < simulations:
        for _ in range(max(1, simulations // (rounds * left))):
            sequence += visits[:left]
            visits[:left] = [n + 1 for n in visits[:left]]
        left = max(2, left // 2)
    return np.array(sequence[:simulations])


@njit(cache=True, nogil=True)
def score(tree, s, luck, scores):  # type: ignore[no-untyped-def]
    """Writes `luck` + scaled value of each child of the root into `scores` `[count]`; infinite where one is proven."""
    improved_policy(tree, 0, s, scores)
    for i in range(len(scores)):
        child = tree.nodes[tree.nodes[0].first + i]
        if child.proven == WON:
            scores[i] = np.inf
        elif child.proven == LOST:
            scores[i] = -np.inf
        else:
            scores[i] = luck[i] + np.log(max(scores[i], 1e-300)) - np.log(max(child.policy, 1e-12))


@njit(cache=True, nogil=True)
def take(tree, s, luck, base, plan, taken):  # type: ignore[no-untyped-def]
    """Writes the children of the root to go through into `taken`, which since `base` have the visits of `plan`."""
    first, scores, visits = tree.nodes[0].first, np.empty(len(luck)), np.empty(len(luck), np.int64)
    score(tree, s, luck, scores)
    for i in range(len(luck)):
        visits[i] = tree.nodes[first + i].visits - base[i]
    for k in range(len(plan)):
        best = -1
        for i in range(len(luck)):
            if visits[i] == plan[k] and (best < 0 or scores[i] > scores[best]):
                best = i
        if best < 0 or not np.isfinite(scores[best]):  # all that are due are lost, or one is won
            best = int(np.argmax(scores))
        visits[best] += 1
        taken[k] = first + best


class GumbelRoot:
    """The moves of a root during one search; `noise` `[A]` is drawn once for it, zeros when the best move is wanted."""

    def __init__(self, tree: Tree, settings: Settings, noise: NDArray[np.float64], considered: int, total: int) -> None:
        first, count = int(tree.first[0]), int(tree.num_children[0])
        self._tree, self._settings, self._children = tree, settings, slice(first, first + count)
        self._start = self._base = tree.visits[self._children].copy()
        self._luck = np.log(np.maximum(tree.policy[self._children], 1e-12)) + noise[tree.action[self._children]]
        self._considered = min(considered, count)
        self._plan, self._done = halving_visits(self._considered, total), 0

    def take(self, number: int) -> NDArray[np.int64]:
        """Returns the children that the next simulations go through, at most `number`.

        Where more simulations are run than were planned, another plan follows, twice as long.
        """
        if self._done == len(self._plan):
            self._base = self._tree.visits[self._children].copy()
            self._plan, self._done = halving_visits(self._considered, 2 * len(self._plan)), 0
        plan = self._plan[self._done : self._done + number]
        taken = np.empty(len(plan), np.int64)
        take(self._tree, self._settings, self._luck, self._base, plan, taken)
        self._done += len(plan)
        return taken

    def untake(self, number: int) -> None:
        """Takes back that the last children were gone through."""
        self._done -= number

    def best(self) -> int:
        """Returns the action with the highest score among the most visited, proven losses left aside."""
        scores = np.empty(len(self._luck))
        score(self._tree, self._settings, self._luck, scores)
        visits = np.where(np.isneginf(scores), -1, self._tree.visits[self._children] - self._start)
        most = np.where((visits == visits.max()) | np.isposinf(scores), scores, -np.inf)
        return int(self._tree.action[self._children.start + int(np.argmax(most))])
