"""Context tree switching worked out with fractions: the twin of `generative/cts.py`.

Veness et al., "Context tree switching" (2012), algorithm 1, as it stands there: a node's two weights are joint
probabilities of all that it saw, k of having stopped there last and s of having gone on to its child.
"""

from collections import defaultdict
from fractions import Fraction
from typing import Any

Path = list[tuple[Any, ...]]


class Node:
    """What a node has seen of each level, and its weights."""

    def __init__(self, levels: int) -> None:
        self.counts = [0] * levels
        self.k = self.s = Fraction(1, 2)

    def estimate(self, x: int) -> Fraction:
        """Returns its own probability of a level."""
        return (self.counts[x] + Fraction(1, len(self.counts))) / (sum(self.counts) + 1)


class NaiveCTS:
    """A tree for each pixel, as a dictionary of contexts."""

    def __init__(self, levels: int) -> None:
        self.levels = levels
        self.nodes: dict[Any, Node] = defaultdict(lambda: Node(levels))

    def probability(self, frame: list[list[int]]) -> Fraction:
        """Returns the probability of an image."""
        whole = Fraction(1)
        for row in range(len(frame)):
            for column in range(len(frame[0])):
                whole *= self.mixture(self.path(frame, row, column), frame[row][column])
        return whole

    def learn(self, frame: list[list[int]]) -> None:
        """Learns an image."""
        for row in range(len(frame)):
            for column in range(len(frame[0])):
                self.learn_pixel(self.path(frame, row, column), frame[row][column])

    def path(self, frame: list[list[int]], row: int, column: int) -> Path:
        """Returns the names of a pixel's contexts, shortest first."""
        neighbours = [(row, column - 1), (row - 1, column), (row - 1, column - 1), (row - 1, column + 1)]
        seen = [frame[r][c] if r >= 0 and 0 <= c < len(frame[0]) else 0 for r, c in neighbours]
        return [(row, column, *seen[:length]) for length in range(5)]

    def mixture(self, path: Path, x: int) -> Fraction:
        """Returns the probability of a level in a node and those below, given all that they saw."""
        node = self.nodes[path[0]]
        if len(path) == 1:
            return node.estimate(x)
        return (node.k * node.estimate(x) + node.s * self.mixture(path[1:], x)) / (node.k + node.s)

    def learn_pixel(self, path: Path, x: int) -> None:
        """Updates the weights, and then the counts, of a node and those below."""
        node = self.nodes[path[0]]
        if len(path) > 1:
            own, below = node.estimate(x), self.mixture(path[1:], x)
            whole, rate = node.k * own + node.s * below, Fraction(1, sum(node.counts) + 2)
            node.k = rate * whole + (1 - 2 * rate) * node.k * own
            node.s = rate * whole + (1 - 2 * rate) * node.s * below
            self.learn_pixel(path[1:], x)
        node.counts[x] += 1
