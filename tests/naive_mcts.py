"""A slow twin of tree search: nodes as objects, results as lists, and the rules as their papers write them.

It plays the game's own functions with the same random numbers, so that after every simulation its tree is the compiled
one's. A node is told as the player who chose it sees it; `proven` is his result, -1, 0 or 1, and None while unknown.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from palestra.agents.tree import NODES, Tree
from palestra.agents.tree_policy import PUCT, UCT, Settings
from palestra.envs.game import OVER, PLAYER, USED, Game, State, legal_mask
from palestra.envs.rng import randint, seed_state

SETTINGS = Settings(
    rule=UCT,
    exploration=0.7,
    first_play=10.0,
    rave=0.0,
    virtual_loss=1.0,
    expand_after=1,
    solver=True,
    num_players=2,
    discount=1.0,
    rescale=False,
    own_playout=False,
    max_plies=100,
)


@dataclass(eq=False)
class Node:
    """A move and what is known of it."""

    action: int = -1
    policy: float = 0.0
    prior: tuple[float, float] = (0.0, 0.0)  # sum and number of virtual results
    results: list[float] = field(default_factory=list)
    later: list[float] = field(default_factory=list)
    visits: int = 0
    pending: int = 0
    estimate: float = 0.0
    proven: float | None = None
    children: list["Node"] = field(default_factory=list)

    @property
    def mean(self) -> float:
        return sum(self.results) / len(self.results)


@dataclass
class Step:
    """A move of a simulation: who made it (None where chance did), and what it brought to player 0."""

    node: Node
    mover: int | None
    reward: float


class NaiveSearch:
    """Grows a tree from a state."""

    def __init__(self, game: Game, settings: Settings, seed: int, start: State | None = None) -> None:
        self.game, self.s, self.rng = game, settings, seed_state(seed)
        self.start = (game.start if start is None else start).copy()
        self.root = Node()
        self.returns: list[float] = []
        self.states: dict[tuple[int, ...], Node] = {}  # that chance has led to

    # going down

    def descend(self, forced: int | None = None) -> tuple[list[Step], State]:
        """Goes to a leaf; `forced` is the root's action to begin with."""
        state, node, path = self.start.copy(), self.root, list[Step]()
        while not state[OVER]:
            if path and self.s.solver and node.proven is not None:
                break
            if not node.children:
                if self.s.expand_after < 0 or (path and node.visits < self.s.expand_after):
                    break
                self.expand(node, state)
            child = next((c for c in node.children if c.action == forced), None) if not path else None
            node = self.make(child or self.select(node), state, path)
        return path, state

    def make(self, child: Node, state: State, path: list[Step]) -> Node:
        """Makes a child's move; returns the node that owns what follows."""
        mover = int(state[PLAYER])
        reward = float(self.game.play(state, child.action, self.rng, self.game.data))
        path.append(Step(child, mover, reward))
        if self.game.deterministic:
            return child
        outcome = self.states.setdefault(tuple(state[: state[USED]].tolist()), Node())
        path.append(Step(outcome, None, 0.0))
        return outcome

    def expand(self, node: Node, state: State, policy: Sequence[float] | None = None) -> None:
        """Adds children, with a game's knowledge of them or with a network's probabilities."""
        mask, prior = legal_mask(self.game, state), np.zeros((2, self.game.num_actions))
        if policy is None:
            self.game.priors(state, mask, prior, self.game.data)
            policy = [1.0] * self.game.num_actions
        actions = np.flatnonzero(mask).tolist()
        total = sum(policy[a] for a in actions)
        node.children = [Node(a, policy[a] / total, (prior[0, a], prior[1, a])) for a in actions]

    # which way

    def select(self, node: Node) -> Node:
        alive = [c for c in node.children if not (self.s.solver and c.proven == -1)]
        if not alive:
            return node.children[0]
        if self.s.solver:
            won = [c for c in alive if c.proven == 1]
            if won and node is self.root:
                return won[0]
        score = {UCT: self.uct, PUCT: self.puct}.get(self.s.rule, self.gumbel)(node)
        return max(alive, key=lambda c: score[c])  # the first of equals

    def scaled(self, value: float) -> float:
        if not self.s.rescale or not self.returns or max(self.returns) == min(self.returns):
            return value
        low, high = min(self.returns), max(self.returns)
        return 2 * (value - low) / (high - low) - 1

    def with_waiting(self, child: Node) -> tuple[float, float]:
        """Returns sum and number of results, where each visit that waits counts as some lost ones."""
        worst = min(self.returns) if self.s.rescale and self.returns else -1.0
        lost = self.s.virtual_loss * child.pending
        return sum(child.results) + worst * lost, child.visits + lost

    def uct(self, node: Node) -> dict[Node, float]:
        scores = {}
        for child in node.children:
            total, n = self.with_waiting(child)
            total, n = total + child.prior[0], n + child.prior[1]
            score = self.scaled(total / n) if n else self.s.first_play
            if self.s.rave and child.later:
                k = len(child.later)
                beta = k / (k + n + k * n / self.s.rave)
                score = (1 - beta) * score + beta * sum(child.later) / k
            if n:
                score += self.s.exploration * math.sqrt(math.log(max(node.visits + node.pending, 1)) / n)
            scores[child] = score
        return scores

    def puct(self, node: Node) -> dict[Node, float]:
        tried = [c for c in node.children if c.visits]
        results = [r for c in tried for r in c.results]
        mean = self.scaled(sum(results) / len(results)) if results else 0.0
        untried = mean - self.s.first_play * math.sqrt(sum(c.policy for c in tried))
        through = sum(c.visits + c.pending for c in node.children)
        scores = {}
        for child in node.children:
            total, n = self.with_waiting(child)
            value = self.scaled(total / n) if n else untried
            bonus = child.policy * math.sqrt(max(through, 1)) / (1 + child.visits + child.pending)
            scores[child] = value + self.s.exploration * bonus
        return scores

    def improved(self, node: Node) -> dict[Node, float]:
        """Returns the policy π' of Danihelka et al., equation 11, with completed values of appendix D."""
        tried = [c for c in node.children if c.visits]
        total, mass = sum(c.visits for c in tried), sum(c.policy for c in tried)
        own = self.scaled(node.estimate)
        mixed = own
        if tried:
            mixed = (own + total / mass * sum(c.policy * self.scaled(c.mean) for c in tried)) / (1 + total)
        most = max(c.visits for c in node.children)
        logits = {}
        for child in node.children:
            q = self.scaled(child.mean) if child.visits else mixed
            logits[child] = math.log(child.policy) + (50 + most) * (q + 1) / 2
        highest = max(logits.values())
        norm = sum(math.exp(x - highest) for x in logits.values())
        return {child: math.exp(x - highest) / norm for child, x in logits.items()}

    def gumbel(self, node: Node) -> dict[Node, float]:
        wanted, total = self.improved(node), sum(c.visits + c.pending for c in node.children)
        return {c: wanted[c] - (c.visits + c.pending) / (1 + total) for c in node.children}

    # the end, and back up

    def simulate(self) -> None:
        """Runs a simulation with a playout at its end."""
        path, state = self.descend()
        mover, moves, result = int(state[PLAYER]), list[int](), self.known(path, state)
        if result is None:
            result, moves = self.playout(state)
        self.back_up(path, result, moves, mover)

    def known(self, path: list[Step], state: State) -> float | None:
        """Returns what is left to gain at an end of the game, or a proven node, whose result is noted."""
        if not state[OVER]:
            last = path[-1] if path else None
            if not self.s.solver or last is None or last.node.proven is None:
                return None
            return last.node.proven if last.mover == 0 else -last.node.proven
        if self.s.solver and path and path[-1].mover is not None:
            own = path[-1].reward if path[-1].mover == 0 else -path[-1].reward
            path[-1].node.proven = float(np.sign(own))
        return 0.0

    def playout(self, state: State) -> tuple[float, list[int]]:
        if self.s.own_playout:
            trace = np.zeros(1 + self.game.max_plies, np.int64)
            result = float(self.game.playout(state, trace, self.rng, self.game.data))
            return result, trace[1 : 1 + trace[0]].tolist()
        total, moves = 0.0, list[int]()
        while not state[OVER] and len(moves) < self.s.max_plies:
            legal = np.flatnonzero(legal_mask(self.game, state))
            moves.append(int(legal[randint(self.rng, len(legal))]))
            reward = float(self.game.play(state, moves[-1], self.rng, self.game.data))
            total += self.s.discount ** (len(moves) - 1) * reward
        return total, moves

    def back_up(self, path: list[Step], result: float, moves: Sequence[int], mover: int, waited: int = 0) -> None:
        later = [((mover + k) % self.s.num_players, action) for k, action in enumerate(moves)]
        proving = self.s.solver and bool(path) and path[-1].node.proven is not None
        for d in reversed(range(len(path))):
            step, parent = path[d], path[d - 1].node if d else self.root
            step.node.visits += 1
            step.node.pending -= waited
            if step.mover is None:
                means = [child.mean for child in step.node.children if child.results]
                if means and self.s.num_players == 1:
                    result = max(means)
                continue
            result = step.reward + self.s.discount * result
            own = result if step.mover == 0 else -result
            step.node.results.append(own)
            self.returns.append(own)
            later.insert(0, (step.mover, step.node.action))
            if self.s.rave:
                first = {action: who for who, action in reversed(later)}
                for child in parent.children:
                    if first.get(child.action) == step.mover:
                        child.later.append(own)
            proving = proving and self.prove(parent, step.mover, path[d - 1].mover if d else None)
        self.root.visits += 1
        self.root.pending -= waited

    def prove(self, node: Node, mover: int, chooser: int | None) -> bool:
        known = [c.proven for c in node.children]
        if 1 in known or None not in known:
            best = max(x for x in known if x is not None)
            node.proven = best if chooser == mover else -best
            return True
        return False

    # leaves that wait for a network

    def batch(self, forced: Sequence[int | None], evaluate: Callable[[State], tuple[Any, float]]) -> int:
        """Collects leaves, evaluates them, and backs their values up; returns how many simulations there were."""
        waiting, ran = list[tuple[list[Step], State]](), 0
        for action in forced:
            path, state = self.descend(action)
            leaf, result = path[-1].node if path else self.root, self.known(path, state)
            if result is not None:
                self.back_up(path, result, [], 0)
            elif any(leaf is (other[-1].node if other else self.root) for other, _ in waiting):
                break
            else:
                waiting.append((path, state))
                for node in [self.root, *(step.node for step in path)]:
                    node.pending += 1
            ran += 1
        for path, state in waiting:
            leaf, (policy, value) = path[-1].node if path else self.root, evaluate(state)
            leaf.estimate = value
            self.expand(leaf, state, policy)
            self.back_up(path, value if state[PLAYER] == 0 else -value, [], 0, waited=1)
        return ran


def assert_same(tree: Tree, twin: NaiveSearch) -> None:
    """Compares two trees, which have as many nodes."""
    nodes = _assert_same_below(tree, 0, twin.root)
    if twin.states:
        found = {int(tree.key[i]): int(i) for i in tree.table[tree.table > 0]}
        assert len(found) == len(twin.states)  # a hash for each state
        fronts = sorted(found.values())  # in the order in which they were seen first
        nodes += sum(_assert_same_below(tree, i, node) for i, node in zip(fronts, twin.states.values(), strict=True))
    assert nodes == tree.info[NODES]


def _assert_same_below(tree: Tree, node: int, twin: Node) -> int:
    assert tree.visits[node] == twin.visits
    assert tree.pending[node] == twin.pending
    assert tree.proven[node] == (0 if twin.proven is None else twin.proven + 2)
    assert abs(tree.value[node] - sum(twin.results)) < 1e-9
    assert abs(tree.policy[node] - twin.policy) < 1e-6
    assert tree.amaf_visits[node] == len(twin.later)
    assert abs(tree.amaf_value[node] - sum(twin.later)) < 1e-4
    assert abs(tree.prior_value[node] - twin.prior[0]) + abs(tree.prior_visits[node] - twin.prior[1]) < 1e-6
    first, count = int(tree.first[node]), int(tree.num_children[node])
    assert tree.action[first : first + count].tolist() == [child.action for child in twin.children]
    assert (first > 0) == (count > 0)
    return 1 + sum(_assert_same_below(tree, first + i, child) for i, child in enumerate(twin.children))
