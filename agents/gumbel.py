"""The root of Gumbel AlphaZero: which moves it considers, how simulations are shared out, which move is made.

Danihelka et al., "Policy improvement by planning with Gumbel" (2022): Gumbel-top-k in section 3, sequential halving
in section 3.2 and algorithm 2. The values that `tree_policy.improved_policy` completes are the paper's.
"""

import math

import numpy as np
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


class GumbelRoot:
    """The moves of a root during one search; `noise` `[A]` is drawn once for it, zeros when the best move is wanted."""

    def __init__(self, tree: Tree, settings: Settings, noise: NDArray[np.float64], considered: int, total: int) -> None:
        first, count = int(tree.first[0]), int(tree.num_children[0])
        self._tree, self._settings, self._children = tree, settings, slice(first, first + count)
        self._start = self._base = tree.visits[self._children].copy()
        self._luck = np.log(np.maximum(tree.policy[self._children], 1e-12)) + noise[tree.action[self._children]]
        self._considered = min(considered, count)
        self._plan, self._done = halving_visits(self._considered, total), 0

    def scores(self) -> NDArray[np.float64]:
        """Returns noise + log-probability + scaled value of each child `[count]`; minus infinity where one is lost."""
        tree, settings = self._tree, self._settings
        improved = np.empty(self._children.stop - self._children.start)
        improved_policy(tree, 0, settings, improved)
        value_part = np.log(np.maximum(improved, 1e-300)) - np.log(np.maximum(tree.policy[self._children], 1e-12))
        proven = tree.proven[self._children]
        scores = self._luck + value_part
        scores = np.where(proven == WON, np.inf, scores)
        return np.where(proven == LOST, -np.inf, scores)

    def take(self, number: int) -> NDArray[np.int64]:
        """Returns the children that the next simulations go through, at most `number`.

        Where more simulations are run than were planned, another plan follows, twice as long.
        """
        if self._done == len(self._plan):
            self._base = self._tree.visits[self._children].copy()
            self._plan, self._done = halving_visits(self._considered, 2 * len(self._plan)), 0
        scores = self.scores()
        visits = self._tree.visits[self._children] - self._base
        chosen = []
        for wanted in self._plan[self._done : self._done + number]:
            due = np.where(visits == wanted, scores, -np.inf)
            if not np.isfinite(due.max()):  # all that are due are lost
                due = scores
            child = int(np.argmax(due))
            visits[child] += 1
            chosen.append(self._children.start + child)
        self._done += len(chosen)
        return np.array(chosen, np.int64)

    def untake(self, number: int) -> None:
        """Takes back that the last children were gone through."""
        self._done -= number

    def best(self) -> int:
        """Returns the action with the highest score among the most visited, proven losses left aside."""
        scores = self.scores()
        visits = np.where(np.isneginf(scores), -1, self._tree.visits[self._children] - self._start)
        most = np.where((visits == visits.max()) | np.isposinf(scores), scores, -np.inf)
        return int(self._tree.action[self._children.start + int(np.argmax(most))])
