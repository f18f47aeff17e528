"""How a search goes down the tree: the next move of a node under UCT, RAVE, PUCT or Gumbel AlphaZero's rule.

UCT: Kocsis and Szepesvari, "Bandit based Monte-Carlo planning" (2006), section 2.3. RAVE: Gelly and Silver,
"Monte-Carlo tree search and rapid action value estimation in computer Go" (2011), section 4, with the weight of virtual
and real visits by their equivalence, as in section 4.4. PUCT: Silver et al., "A general reinforcement learning
algorithm" (2018), Methods, with a constant in place of its slowly growing factor. Gumbel: Danihelka et al., "Policy
improvement by planning with Gumbel" (2022), section 5, equation 14, with completed values of its appendix D.

The loops over children take the arrays that they read out of the tree first: handing the whole tree to a function for
each child would cost more than what is computed.
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
def _decided(tree, node):  # type: ignore[no-untyped-def]
    """Returns a child that is proven to win, or -1."""
    proven, first = tree.proven, np.int64(tree.first[node])
    for child in range(first, first + tree.num_children[node]):
        if proven[at(child)] == WON:
            return child
    return -1


@njit(cache=True, nogil=True)
def _uct(tree, node, s):  # type: ignore[no-untyped-def]
    visits, pending, values, proven = tree.visits, tree.pending, tree.value, tree.proven
    prior_visits, prior_values = tree.prior_visits, tree.prior_value
    later, later_sums = tree.amaf_visits, tree.amaf_value
    low, high = bounds_of(tree, s)
    first, best, highest = np.int64(tree.first[node]), -1, -np.inf
    log_visits, loss = np.log(max(visits[node] + pending[node], 1)), _loss(s, low, high)
    for child in range(first, first + tree.num_children[node]):
        c = at(child)
        if proven[c] == LOST:
            continue
        n = visits[c] + s.virtual_loss * pending[c] + prior_visits[c]
        value = s.first_play
        if n > 0.0:
            value = scaled((values[c] + loss * pending[c] + prior_values[c]) / n, low, high)
        if s.rave > 0.0 and later[c] > 0.0:
            value = _with_later(value, n, later[c], later_sums[c], s.rave)
        if s.exploration > 0.0 and n > 0.0:
            value += s.exploration * np.sqrt(log_visits / n)
        if value > highest:
            best, highest = child, value
    return best


@njit(cache=True, nogil=True)
def _puct(tree, node, s):  # type: ignore[no-untyped-def]
    visits, pending, values, proven, policy = tree.visits, tree.pending, tree.value, tree.proven, tree.policy
    low, high = bounds_of(tree, s)
    best, highest, first = -1, -np.inf, np.int64(tree.first[node])
    last = first + tree.num_children[node]
    total, seen, tried_policy, value_sum = 0, 0, 0.0, 0.0
    for child in range(first, last):
        c = at(child)
        total += visits[c] + pending[c]
        if visits[c] > 0:
            seen += visits[c]
            tried_policy += policy[c]
            value_sum += values[c]
    mean = scaled(value_sum / seen, low, high) if seen else 0.0
    first_play = mean - s.first_play * np.sqrt(tried_policy)
    bonus, loss = s.exploration * np.sqrt(max(total, 1)), _loss(s, low, high)
    for child in range(first, last):
        c = at(child)
        if proven[c] == LOST:
            continue
        n = visits[c] + s.virtual_loss * pending[c]
        value = scaled((values[c] + loss * pending[c]) / n, low, high) if n > 0.0 else first_play
        value += bonus * policy[c] / (1 + visits[c] + pending[c])
        if value > highest:
            best, highest = child, value
    return best


@njit(cache=True, nogil=True)
def improved_policy(tree, node, s, out):  # type: ignore[no-untyped-def]
    """Writes the softmax of log-probabilities plus scaled completed values into `out`, one entry a child.

    A move without visits gets the mixed value of appendix D: the node's own value and the visited moves' mean, weighted
    by their probabilities. The scale is (50 + most visits) times the value, on [0, 1] as the paper's.
    """
    first, count = np.int64(tree.first[node]), tree.num_children[node]
    low, high = bounds_of(tree, s)
    total, most, tried_policy, mean = 0, 0, 0.0, 0.0
    for child in range(first, first + count):
        n = tree.visits[child]
        total += n
        most = max(most, n)
        if n > 0:
            tried_policy += tree.policy[child]
            mean += tree.policy[child] * scaled(tree.value[child] / n, low, high)
    own = scaled(tree.estimate[node], low, high)
    mixed = (own + total * mean / tried_policy) / (1 + total) if tried_policy > 0.0 else own
    highest = -np.inf
    for i in range(count):
        node_i = first + i
        n = tree.visits[node_i]
        q = scaled(tree.value[node_i] / n, low, high) if n > 0 else mixed
        out[i] = np.log(max(tree.policy[node_i], 1e-12)) + (50.0 + most) * 0.5 * (q + 1.0)
        highest = max(highest, out[i])
    norm = 0.0
    for i in range(count):
        out[i] = np.exp(out[i] - highest)
        norm += out[i]
    for i in range(count):
        out[i] /= norm


@njit(cache=True, nogil=True)
def _gumbel(tree, node, s):  # type: ignore[no-untyped-def]
    first, count, best, highest = tree.first[node], tree.num_children[node], -1, -np.inf
    wanted = np.empty(count)
    improved_policy(tree, node, s, wanted)
    total = 0
    for child in range(first, first + count):
        total += tree.visits[child] + tree.pending[child]
    for i in range(count):
        child = first + i
        if s.solver and tree.proven[child] == LOST:
            continue
        lead = wanted[i] - (tree.visits[child] + tree.pending[child]) / (1.0 + total)
        if lead > highest:
            best, highest = child, lead
    return best


@njit(cache=True, nogil=True)
def select(tree, node, s):  # type: ignore[no-untyped-def]
    """Returns the child to go down to: one proven to win, else by the rule; where all are lost, the first."""
    if s.solver and tree.proven[node] == LOST:
        return _decided(tree, node)
    if s.rule == UCT:
        child = _uct(tree, node, s)
    elif s.rule == PUCT:
        child = _puct(tree, node, s)
    else:
        child = _gumbel(tree, node, s)
    return child if child >= 0 else tree.first[node]
