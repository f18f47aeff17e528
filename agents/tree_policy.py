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
def scaled(tree, value, s):  # type: ignore[no-untyped-def]
    """Returns a value on the scale from -1 to 1."""
    if s.rescale and tree.bounds[1] > tree.bounds[0]:
        return 2.0 * (value - tree.bounds[0]) / (tree.bounds[1] - tree.bounds[0]) - 1.0
    return value


@njit(cache=True, nogil=True)
def _estimate(tree, child, s, first_play):  # type: ignore[no-untyped-def]
    """Returns the value of a move from its own results, virtual ones, and RAVE's."""
    lost = s.virtual_loss * tree.pending[child]
    n = tree.visits[child] + lost + tree.prior_visits[child]
    q = first_play
    if n > 0.0:
        q = scaled(tree, (tree.value[child] - lost + tree.prior_value[child]) / n, s)
    later = tree.amaf_visits[child]
    if s.rave > 0.0 and later > 0.0:
        weight = later / (later + n + later * n / s.rave)
        q = (1.0 - weight) * q + weight * scaled(tree, tree.amaf_value[child] / later, s)
    return q


@njit(cache=True, nogil=True)
def _uct(tree, node, s):  # type: ignore[no-untyped-def]
    first, best, highest = tree.first[node], -1, -np.inf
    log_visits = np.log(max(tree.visits[node] + tree.pending[node], 1))
    for child in range(first, first + tree.num_children[node]):
        if s.solver and tree.proven[child]:
            if tree.proven[child] == WON:
                return child
            if tree.proven[child] == LOST:
                continue
        value = _estimate(tree, child, s, s.first_play)
        tried = tree.visits[child] + tree.pending[child]
        if s.exploration > 0.0 and tried > 0:
            value += s.exploration * np.sqrt(log_visits / tried)
        if value > highest:
            best, highest = child, value
    return best


@njit(cache=True, nogil=True)
def _puct(tree, node, s):  # type: ignore[no-untyped-def]
    first, best, highest = tree.first[node], -1, -np.inf
    total, tried_policy, value_sum = 0, 0.0, 0.0
    for child in range(first, first + tree.num_children[node]):
        total += tree.visits[child] + tree.pending[child]
        if tree.visits[child] > 0:
            tried_policy += tree.policy[child]
            value_sum += tree.value[child]
    mean = scaled(tree, value_sum / total, s) if total else 0.0
    first_play = mean - s.first_play * np.sqrt(tried_policy)
    bonus = s.exploration * np.sqrt(max(total, 1))
    for child in range(first, first + tree.num_children[node]):
        if s.solver and tree.proven[child]:
            if tree.proven[child] == WON:
                return child
            if tree.proven[child] == LOST:
                continue
        tried = tree.visits[child] + tree.pending[child]
        value = _estimate(tree, child, s, first_play) + bonus * tree.policy[child] / (1 + tried)
        if value > highest:
            best, highest = child, value
    return best


@njit(cache=True, nogil=True)
def improved_policy(tree, node, s, out):  # type: ignore[no-untyped-def]
    """Writes the softmax of log-probabilities plus scaled completed values into `out`, one entry a child.

    A move without visits gets the mixed value of appendix D: the node's own value and the visited moves' mean, weighted
    by their probabilities. The scale is (50 + most visits) times the value, on [0, 1] as the paper's.
    """
    first, count = tree.first[node], tree.num_children[node]
    total, most, tried_policy, mean = 0, 0, 0.0, 0.0
    for child in range(first, first + count):
        n = tree.visits[child]
        total += n
        most = max(most, n)
        if n > 0:
            tried_policy += tree.policy[child]
            mean += tree.policy[child] * scaled(tree, tree.value[child] / n, s)
    own = tree.estimate[node]
    mixed = (own + total * mean / tried_policy) / (1 + total) if tried_policy > 0.0 else own
    highest = -np.inf
    for i in range(count):
        child = first + i
        n = tree.visits[child]
        q = scaled(tree, tree.value[child] / n, s) if n > 0 else mixed
        out[i] = np.log(max(tree.policy[child], 1e-12)) + (50.0 + most) * 0.5 * (q + 1.0)
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
    """Returns the child to go down to; where all are lost, the first."""
    if s.rule == UCT:
        child = _uct(tree, node, s)
    elif s.rule == PUCT:
        child = _puct(tree, node, s)
    else:
        child = _gumbel(tree, node, s)
    return child if child >= 0 else tree.first[node]
