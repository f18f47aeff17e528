"""How a search goes down the tree: the next move of a node under UCT, RAVE, PUCT or Gumbel AlphaZero's rule.

UCT: Kocsis and Szepesvari, "Bandit based Monte-Carlo planning" (2006), section 2.3. RAVE: Gelly and Silver,
"Monte-Carlo tree search and rapid action value estimation in computer Go" (2011), section 4, with the weight of virtual
and real visits by their equivalence, as in section 4.4. PUCT: Silver et al., "A general reinforcement learning
algorithm" (2018), Methods, with a constant in place of its slowly growing factor. Gumbel: Danihelka et al., "Policy
improvement by planning with Gumbel" (2022), section 5, equation 14, with completed values of its appendix D.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from palestra.agents.tree import LOST, WON

UCT, PUCT, GUMBEL = range(3)
at = np.uintp  # an index that cannot be negative: Numba then does not look for one


class Settings(NamedTuple):
    """What a search is told, as compiled code takes it."""

    rule: int  # UCT, PUCT or GUMBEL
    exploration: float  # the constant of UCT or PUCT
    first_play: float  # UCT: value of a move never tried; PUCT: by how much less than its parent's it is
    rave: float  # visits at which results of later moves count as much as a move's own; 0 leaves them out
    virtual_loss: float  # results lost that a visit counts while it waits for a network
    expand_after: int  # visits of a node before its moves are added
    solver: bool  # whether proven results are used
    num_players: int
    discount: float
    rescale: bool  # whether values are scaled by the returns seen so far to lie between -1 and 1
    own_playout: bool  # whether the game brings its playout
    max_plies: int  # a playout is cut after so many moves


@njit(cache=True, nogil=True)
def scaled(value, low, high):  # type: ignore[no-untyped-def]
    """Returns a value on the scale from -1 to 1, where low and high say how returns have been so far."""
    return 2.0 * (value - low) / (high - low) - 1.0 if high > low else value


@njit(cache=True, nogil=True)
def bounds_of(tree, s):  # type: ignore[no-untyped-def]
    """Returns what `scaled` scales by: nothing where results lie between -1 and 1 anyway."""
    if s.rescale:
        return tree.bounds[0], tree.bounds[1]
    return 0.0, 0.0


@njit(cache=True, nogil=True)
def _loss(s, low, high):  # type: ignore[no-untyped-def]
    """Returns the result that a waiting visit counts as: a loss, or the least return so far."""
    return s.virtual_loss * (low if s.rescale and low <= high else -1.0)


@njit(cache=True, nogil=True)
def _with_later(q, n, later, later_sum, rave):  # type: ignore[no-untyped-def]
    """Mixes a move's own mean of n results with that of the simulations in which it came later."""
    weight = later / (later + n + later * n / rave)
    return (1.0 - weight) * q + weight * later_sum / later


@njit(cache=True, nogil=True)
def _decided(nodes, first, last):  # type: ignore[no-untyped-def]
    """Returns a child that is proven to win, or -1."""
    for child in range(first, last):
        if nodes[at(child)].proven == WON:
            return child
    return -1


@njit(cache=True, nogil=True)
def _uct(nodes, parent, s, low, high):  # type: ignore[no-untyped-def]
    node, best, highest = nodes[at(parent)], -1, -np.inf
    log_visits, loss = np.log(max(node.visits + node.pending, 1)), _loss(s, low, high)
    for child in range(node.first, node.first + node.num_children):
        node = nodes[at(child)]
        if node.proven == LOST:
            continue
        n = node.visits + s.virtual_loss * node.pending + node.prior_visits
        value = s.first_play
        if n > 0.0:
            value = scaled((node.value + loss * node.pending + node.prior_value) / n, low, high)
        if s.rave > 0.0 and node.amaf_visits > 0.0:
            value = _with_later(value, n, node.amaf_visits, node.amaf_value, s.rave)
        if s.exploration > 0.0 and n > 0.0:
            value += s.exploration * np.sqrt(log_visits / n)
        if value > highest:
            best, highest = child, value
    return best


@njit(cache=True, nogil=True)
def _puct(nodes, parent, s, low, high):  # type: ignore[no-untyped-def]
    best, highest, first = -1, -np.inf, np.int64(nodes[parent].first)
    last = first + nodes[parent].num_children
    total, seen, tried_policy, value_sum = 0, 0, 0.0, 0.0
    for child in range(first, last):
        node = nodes[at(child)]
        total += node.visits + node.pending
        if node.visits > 0:
            seen += node.visits
            tried_policy += node.policy
            value_sum += node.value
    mean = scaled(value_sum / seen, low, high) if seen else 0.0
    first_play = mean - s.first_play * np.sqrt(tried_policy)
    bonus, loss = s.exploration * np.sqrt(max(total, 1)), _loss(s, low, high)
    for child in range(first, last):
        node = nodes[at(child)]
        if node.proven == LOST:
            continue
        n = node.visits + s.virtual_loss * node.pending
        value = scaled((node.value + loss * node.pending) / n, low, high) if n > 0.0 else first_play
        value += bonus * node.policy / (1 + node.visits + node.pending)
        if value > highest:
            best, highest = child, value
    return best


@njit(cache=True, nogil=True)
def improved_policy(tree, parent, s, out):  # type: ignore[no-untyped-def]
    """Writes the softmax of log-probabilities plus scaled completed values into `out`, one entry a child.

    A move without visits gets the mixed value of appendix D: the node's own value and the visited moves' mean, weighted
    by their probabilities. The scale is (50 + most visits) times the value, on [0, 1] as the paper's.
    """
    nodes, first, count = tree.nodes, np.int64(tree.nodes[parent].first), tree.nodes[parent].num_children
    low, high = bounds_of(tree, s)
    total, most, tried_policy, mean = 0, 0, 0.0, 0.0
    for child in range(first, first + count):
        node = nodes[child]
        total += node.visits
        most = max(most, node.visits)
        if node.visits > 0:
            tried_policy += node.policy
            mean += node.policy * scaled(node.value / node.visits, low, high)
    own = scaled(nodes[parent].estimate, low, high)
    mixed = (own + total * mean / tried_policy) / (1 + total) if tried_policy > 0.0 else own
    highest = -np.inf
    for i in range(count):
        node = nodes[first + i]
        q = scaled(node.value / node.visits, low, high) if node.visits > 0 else mixed
        out[i] = np.log(max(node.policy, 1e-12)) + (50.0 + most) * 0.5 * (q + 1.0)
        highest = max(highest, out[i])
    norm = 0.0
    for i in range(count):
        out[i] = np.exp(out[i] - highest)
        norm += out[i]
    for i in range(count):
        out[i] /= norm


@njit(cache=True, nogil=True)
def _gumbel(tree, parent, s):  # type: ignore[no-untyped-def]
    nodes, first, count = tree.nodes, np.int64(tree.nodes[parent].first), tree.nodes[parent].num_children
    wanted = np.empty(count)
    improved_policy(tree, parent, s, wanted)
    total, best, highest = 0, np.int64(-1), -np.inf
    for child in range(first, first + count):
        total += nodes[child].visits + nodes[child].pending
    for i in range(count):
        node = nodes[first + i]
        if s.solver and node.proven == LOST:
            continue
        lead = wanted[i] - (node.visits + node.pending) / (1.0 + total)
        if lead > highest:
            best, highest = first + i, lead
    return best


@njit(cache=True, nogil=True, inline="always")
def select(tree, parent, s):  # type: ignore[no-untyped-def]
    """Returns the child to go down to: one proven to win, else by the rule; where all are lost, the first."""
    nodes, first = tree.nodes, np.int64(tree.nodes[parent].first)
    if s.solver and nodes[parent].proven == LOST:
        return _decided(nodes, first, first + nodes[parent].num_children)
    low, high = bounds_of(tree, s)
    if s.rule == UCT:
        child = _uct(nodes, parent, s, low, high)
    elif s.rule == PUCT:
        child = _puct(nodes, parent, s, low, high)
    else:
        child = _gumbel(tree, parent, s)
    return child if child >= 0 else first
