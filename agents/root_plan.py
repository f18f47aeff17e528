"""What a search with a network does at its root alone: noise, visits that are due, and Gumbel's sequential halving."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from palestra.agents.gumbel import GumbelRoot
from palestra.agents.tree import LOST, Tree
from palestra.agents.tree_policy import Settings

Ints = NDArray[np.int64]


class RootOptions(Protocol):
    """What a search's options say of its root."""

    @property
    def rule(self) -> str: ...
    @property
    def forced(self) -> float: ...
    @property
    def noise(self) -> float: ...
    @property
    def noise_total(self) -> float: ...
    @property
    def temperature(self) -> float: ...
    @property
    def considered(self) -> int: ...


class RootPlan:
    """Which of the root's moves the next simulations go through; `exploring` can be switched off for a search."""

    def __init__(self, options: RootOptions, settings: Settings, num_actions: int, seed: int) -> None:
        self.gumbel: GumbelRoot | None = None
        self.exploring = True  # whether there is noise, Gumbel's too, and visits are forced
        self._options, self._settings, self._num_actions = options, settings, num_actions
        self._rng = np.random.default_rng([seed, 1])
        self._noised = False  # whether the root has had its noise

    def begin_run(self) -> None:
        """Forgets the plan of the last run."""
        self.gumbel = None

    def begin_root(self) -> None:
        """Forgets what was done to the last root."""
        self.gumbel, self._noised = None, False

    def take(self, tree: Tree, number: int, left: int) -> Ints:
        """Returns the children of the root to go through, -1 for any; of `left` simulations planned at most `number`.

        Where the root has none yet, it is the only one to go to.
        """
        if not tree.first[0]:
            return np.full(1, -1)
        self.prepare(tree, left)
        if self.gumbel is not None:
            return self.gumbel.take(number)
        taken = np.full(number, -1)
        if self._options.forced and self.exploring:
            due = forced_children(tree, self._options.forced)[:number]
            taken[: len(due)] = due
        return taken

    def untake(self, number: int) -> None:
        """Takes back that the last children were gone through."""
        if self.gumbel is not None:
            self.gumbel.untake(number)

    def prepare(self, tree: Tree, left: int) -> None:
        """Adds noise to a root that has had none, and makes the plan of a run under Gumbel's rule."""
        c = self._options
        if c.noise and self.exploring and not self._noised and tree.first[0]:
            self._noised = True
            children = slice(int(tree.first[0]), int(tree.first[0] + tree.num_children[0]))
            count = int(tree.num_children[0])
            drawn = self._rng.dirichlet(np.full(count, c.noise_total / count))
            tree.policy[children] = (1 - c.noise) * tree.policy[children] + c.noise * drawn
        if c.rule == "gumbel" and self.gumbel is None and tree.first[0] and not tree.proven[0]:
            drawn = self._rng.gumbel(size=self._num_actions) * (c.temperature > 0 and self.exploring)
            self.gumbel = GumbelRoot(tree, self._settings, drawn, c.considered, max(left, 1))


def forced_visits(tree: Tree, factor: float) -> NDArray[np.float64]:
    """Returns how many visits each child of the root `[count]` must have: the root of `factor` P(child) visits."""
    children = slice(int(tree.first[0]), int(tree.first[0] + tree.num_children[0]))
    wanted: NDArray[np.float64] = np.sqrt(factor * tree.policy[children] * tree.visits[children].sum())
    return wanted


def forced_children(tree: Tree, factor: float) -> Ints:
    """Returns the children of the root that were tried, not proven losses, and lack visits, those that lack most first.

    Wu, "Accelerating self-play learning in Go" (2019), section 3.2.
    """
    first = int(tree.first[0])
    children = slice(first, first + int(tree.num_children[0]))
    visits = tree.visits[children] + tree.pending[children]
    lack = np.where((visits > 0) & (tree.proven[children] != LOST), forced_visits(tree, factor) - visits, 0.0)
    order = np.argsort(-lack, kind="stable")
    return first + order[lack[order] > 0]
