"""Simulations: down the tree, a playout or a network's value at its end, and the result back up."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from palestra.agents.tree import DRAWN, LOST, WON, add_children, node_of, prove
from palestra.agents.tree_policy import at, select
from palestra.agents.world import opened
from palestra.envs.game import OVER, PLAYER, USED
from palestra.envs.rng import randint

Array = NDArray[Any]


STEP = np.dtype(
    [
        ("node", np.int64),
        ("mover", np.int64),  # who chose it, -1 for states that chance led to; of the root, who is to move at the end
        ("reward", np.float64),  # what it brought to player 0
    ]
)


class Walk(NamedTuple):
    """Memory of one simulation: where it begins, the state at its end and how it came there."""

    start: NDArray[np.int64]  # [W], the root's state
    state: NDArray[np.int64]  # [W]
    path: Any  # [2 * max_plies + 4] STEP, a recarray, from the root on; a move by the state that chance led to
    mask: NDArray[np.bool_]  # [A]
    prior: NDArray[np.float64]  # [2, A]
    policy: NDArray[np.float64]  # [A]
    trace: NDArray[np.int64]  # [max_plies + 1]: number of moves of the playout, then the moves
    owner: NDArray[np.int64]  # [A], who made each move first in the simulation


def new_walk(num_words: int, num_actions: int, longest: int) -> Walk:
    """Makes the memory of a simulation."""
    return Walk(
        np.zeros(num_words, np.int64),
        np.zeros(num_words, np.int64),
        np.zeros(2 * longest + 4, STEP).view(np.recarray),
        np.zeros(num_actions, np.bool_),
        np.zeros((2, num_actions)),
        np.ones(num_actions),
        np.zeros(longest + 1, np.int64),
        np.zeros(num_actions, np.int64),
    )


@njit(cache=True, nogil=True)
def expand(tree, node, w, world):  # type: ignore[no-untyped-def]
    """Adds the moves of a node, at whose state the walk is, with the game's own knowledge of them."""
    world.game.legal(w.state, w.mask, world.data)
    w.prior[:] = 0.0
    w.policy[:] = 1.0
    world.game.priors(w.state, w.mask, w.prior, world.data)
    return add_children(tree, node, w.mask, w.prior, w.policy)


@njit(cache=True, nogil=True)
def _step(step, node, mover, reward):  # type: ignore[no-untyped-def]
    """Notes a step of the path."""
    step.node, step.mover, step.reward = node, mover, reward


@njit(cache=True, nogil=True)
def descend(tree, w, s, world, forced):  # type: ignore[no-untyped-def]
    """Goes from the root's state to a node without moves, or an end of the game; returns its depth on the path.

    A proven move ends the way too, and is not made: `w.state` is then the one before it. `forced` is the child of the
    root to go through, or -1.
    """
    nodes, path, state = tree.nodes, w.path, w.state
    for i in range(w.start[USED]):
        state[i] = w.start[i]
    node, depth = np.int64(0), 0
    path[0].node = 0
    while not state[OVER] and depth + 2 < len(path):
        if nodes[node].first == 0:
            if s.expand_after < 0 or (nodes[node].visits < s.expand_after and depth > 0):
                break
            if not expand(tree, node, w, world):
                break
        node = np.int64(select(tree, node, s) if depth > 0 or forced < 0 else forced)
        mover, depth = state[PLAYER], depth + 1
        if s.solver and nodes[node].proven:
            _step(path[depth], node, mover, 0.0)
            break
        reward = world.game.play(state, np.int64(nodes[node].action), world.rng, world.data)
        _step(path[depth], node, mover, reward)
        if len(tree.key) > 1:
            outcome = node_of(tree, state, state[USED])
            if outcome:
                node, depth = np.int64(outcome), depth + 1
                _step(path[depth], node, -1, 0.0)
    path[0].mover = state[PLAYER]
    return depth


@njit(cache=True, nogil=True)
def random_playout(w, s, world):  # type: ignore[no-untyped-def]
    """Plays uniformly among the legal moves to the end, in place; returns the discounted sum of rewards."""
    total, weight, moves = 0.0, 1.0, 0
    while not w.state[OVER] and moves < s.max_plies:
        count = world.game.legal(w.state, w.mask, world.data)
        if count == 0:
            break
        k, action = randint(world.rng, count), 0
        while True:
            if w.mask[action]:
                if k == 0:
                    break
                k -= 1
            action += 1
        moves += 1
        w.trace[moves] = action
        total += weight * world.game.play(w.state, action, world.rng, world.data)
        weight *= s.discount
    w.trace[0] = moves
    return total


@njit(cache=True, nogil=True)
def note_end(node, mover, result):  # type: ignore[no-untyped-def]
    """Proves a node at which the game is over."""
    own = result if mover == 0 else -result
    node.proven = WON if own > 0.0 else LOST if own < 0.0 else DRAWN


@njit(cache=True, nogil=True)
def proven_value(node, mover):  # type: ignore[no-untyped-def]
    """Returns player 0's result at a proven node."""
    own = node.proven - DRAWN
    return float(own if mover == 0 else -own)


@njit(cache=True, nogil=True)
def _credit_later(nodes, parent, mover, own, owner):  # type: ignore[no-untyped-def]
    """Gives a result to all moves of a node that its player made first anywhere later in the simulation."""
    first = nodes[parent].first
    for child in range(first, first + nodes[parent].num_children):
        node = nodes[at(child)]
        if owner[at(node.action)] == mover:
            node.amaf_visits += 1.0
            node.amaf_value += own


@njit(cache=True, nogil=True)
def _best_mean(nodes, parent, otherwise):  # type: ignore[no-untyped-def]
    """Returns the mean result of the best of a node's moves, or what is given where none has any."""
    best = -np.inf
    for child in range(parent.first, parent.first + parent.num_children):
        node = nodes[at(child)]
        if node.visits > 0:
            best = max(best, node.value / node.visits)
    return best if best > -np.inf else otherwise


@njit(cache=True, nogil=True)
def back_up(tree, w, depth, result, s, waited):  # type: ignore[no-untyped-def]
    """Adds player 0's result from the walk's end to all nodes of its path; `waited` visits wait no more.

    With chance and one player, a state hands on what its best move is worth so far in place of the result, as MaxUCT
    does (Keller and Helmert, "Trial-based heuristic tree search for finite horizon MDPs", 2013).
    """
    nodes, path, bounds, owner, rave = tree.nodes, w.path, tree.bounds, w.owner, s.rave > 0.0
    if rave:
        owner[:] = -1
        for k in range(w.trace[0], 0, -1):
            owner[w.trace[k]] = (path[0].mover + k - 1) % s.num_players
    proving = s.solver and nodes[path[depth].node].proven != 0
    for d in range(depth, 0, -1):
        step, parent = path[d], path[d - 1]
        node, mover = nodes[step.node], step.mover
        node.visits += 1
        node.pending -= waited
        if mover < 0:
            if s.num_players == 1:
                result = _best_mean(nodes, node, result)
            continue
        result = step.reward + s.discount * result
        own = result if mover == 0 else -result
        node.value += own
        if s.rescale:
            bounds[0], bounds[1] = min(bounds[0], own), max(bounds[1], own)
        if rave:
            owner[node.action] = mover
            _credit_later(nodes, parent.node, mover, own, owner)
        proving = proving and prove(tree, parent.node, d > 1 and parent.mover == mover)
    nodes[0].visits += 1
    nodes[0].pending -= waited


@njit(cache=True, nogil=True)
def simulate(tree, w, s, sealed, num_simulations, forced):  # type: ignore[no-untyped-def]
    """Runs simulations with playouts, until the root is proven; returns how many were run.

    `forced` is the child of the root that all of them go through, or -1.
    """
    world = opened(sealed)
    for done in range(num_simulations):
        if s.solver and tree.nodes[0].proven:
            return done
        depth = descend(tree, w, s, world, forced)
        end = w.path[depth]
        leaf = tree.nodes[end.node]
        w.trace[0] = 0
        if s.solver and depth and leaf.proven:
            result = proven_value(leaf, end.mover)
        elif w.state[OVER]:
            if s.solver and depth:
                note_end(leaf, end.mover, end.reward)
            result = 0.0
        elif s.own_playout:
            result = world.game.playout(w.state, w.trace, world.rng, world.data)
        else:
            result = random_playout(w, s, world)
        back_up(tree, w, depth, result, s, 0)
    return num_simulations
