"""Simulations: down the tree, a playout or a network's value at its end, and the result back up."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from palestra.agents.tree import DRAWN, LOST, WON, add_children, node_of, prove
from palestra.agents.tree_policy import select
from palestra.envs.game import OVER, PLAYER, USED, Functions
from palestra.envs.rng import randint

Array = NDArray[Any]


class World(NamedTuple):
    """What a simulation plays: the game's functions, its randomness, and what does not change."""

    game: Functions
    rng: NDArray[np.uint64]  # [4], advanced
    data: NDArray[np.float64]


class Walk(NamedTuple):
    """Memory of one simulation: where it begins, the state at its end and how it came there."""

    start: NDArray[np.int64]  # [W], the root's state
    state: NDArray[np.int64]  # [W]
    path: NDArray[np.int64]  # [2 * max_plies + 4], nodes from the root on; a move by the state that chance led to
    mover: NDArray[np.int64]  # likewise, who chose each of them, -1 for outcomes; first, who is to move at the end
    reward: NDArray[np.float64]  # likewise, what each brought to player 0
    mask: NDArray[np.bool_]  # [A]
    prior: NDArray[np.float64]  # [2, A]
    policy: NDArray[np.float64]  # [A]
    trace: NDArray[np.int64]  # [max_plies + 1]: number of moves of the playout, then the moves
    owner: NDArray[np.int64]  # [A], who made each move first in the simulation


def new_walk(num_words: int, num_actions: int, longest: int) -> Walk:
    """Makes the memory of a simulation."""
    steps = np.zeros(2 * longest + 4, np.int64)
    table = np.zeros((2, num_actions))
    return Walk(
        np.zeros(num_words, np.int64),
        np.zeros(num_words, np.int64),
        steps,
        steps.copy(),
        np.zeros(len(steps)),
        np.zeros(num_actions, np.bool_),
        table,
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
def _step(tree, node, depth, w, world):  # type: ignore[no-untyped-def]
    """Makes the move of a child and returns the node whose turn it is then, and the depth."""
    mover = w.state[PLAYER]
    reward = world.game.play(w.state, np.int64(tree.action[node]), world.rng, world.data)
    depth += 1
    w.path[depth], w.mover[depth], w.reward[depth] = node, mover, reward
    if len(tree.key) > 1:
        outcome = node_of(tree, w.state, w.state[USED])
        if outcome:
            depth += 1
            w.path[depth], w.mover[depth], w.reward[depth] = outcome, -1, 0.0
            node = outcome
    return node, depth


@njit(cache=True, nogil=True)
def descend(tree, w, s, world, forced):  # type: ignore[no-untyped-def]
    """Goes from the root's state to a node without moves, or an end of the game; returns its depth on the path.

    `forced` is the child of the root to go through, or -1.
    """
    used = w.start[USED]
    w.state[:used] = w.start[:used]
    node, depth = np.int64(0), 0
    w.path[0] = 0
    while not w.state[OVER] and depth + 2 < len(w.path):
        if depth > 0 and s.solver and tree.proven[node]:
            break
        if tree.first[node] == 0:
            if s.expand_after < 0 or (tree.visits[node] < s.expand_after and depth > 0):
                break
            if not expand(tree, node, w, world):
                break
        child = select(tree, node, s) if depth > 0 or forced < 0 else forced
        node, depth = _step(tree, np.int64(child), depth, w, world)
    w.mover[0] = w.state[PLAYER]
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
def note_end(tree, node, mover, result):  # type: ignore[no-untyped-def]
    """Proves a node at which the game is over."""
    own = result if mover == 0 else -result
    tree.proven[node] = WON if own > 0.0 else LOST if own < 0.0 else DRAWN


@njit(cache=True, nogil=True)
def proven_value(tree, node, mover):  # type: ignore[no-untyped-def]
    """Returns player 0's result at a proven node."""
    own = tree.proven[node] - DRAWN
    return float(own if mover == 0 else -own)


@njit(cache=True, nogil=True)
def _credit_later(tree, node, mover, own, owner):  # type: ignore[no-untyped-def]
    """Gives a result to all moves of a node that its player made first anywhere later in the simulation."""
    first = tree.first[node]
    for child in range(first, first + tree.num_children[node]):
        if owner[tree.action[child]] == mover:
            tree.amaf_visits[child] += 1.0
            tree.amaf_value[child] += own


@njit(cache=True, nogil=True)
def _best_mean(tree, node, otherwise):  # type: ignore[no-untyped-def]
    """Returns the mean result of the best of a node's moves, or what is given where none has any."""
    best = -np.inf
    for child in range(tree.first[node], tree.first[node] + tree.num_children[node]):
        if tree.visits[child] > 0:
            best = max(best, tree.value[child] / tree.visits[child])
    return best if best > -np.inf else otherwise


@njit(cache=True, nogil=True)
def back_up(tree, w, depth, result, s, waited):  # type: ignore[no-untyped-def]
    """Adds player 0's result from the walk's end to all nodes of its path; `waited` visits wait no more.

    With chance and one player, a state hands on what its best move is worth so far in place of the result, as MaxUCT
    does (Keller and Helmert, "Trial-based heuristic tree search for finite horizon MDPs", 2013).
    """
    rave = s.rave > 0.0
    if rave:
        w.owner[:] = -1
        for k in range(w.trace[0], 0, -1):
            w.owner[w.trace[k]] = (w.mover[0] + k - 1) % s.num_players
    proving = s.solver and tree.proven[w.path[depth]] != 0
    for d in range(depth, 0, -1):
        node, mover = w.path[d], w.mover[d]
        tree.visits[node] += 1
        tree.pending[node] -= waited
        if mover < 0:
            if s.num_players == 1:
                result = _best_mean(tree, node, result)
            continue
        result = w.reward[d] + s.discount * result
        own = result if mover == 0 else -result
        tree.value[node] += own
        if s.rescale:
            tree.bounds[0], tree.bounds[1] = min(tree.bounds[0], own), max(tree.bounds[1], own)
        parent = w.path[d - 1]
        if rave:
            w.owner[tree.action[node]] = mover
            _credit_later(tree, parent, mover, own, w.owner)
        proving = proving and prove(tree, parent, d > 1 and w.mover[d - 1] == mover)
    tree.visits[0] += 1
    tree.pending[0] -= waited


@njit(cache=True, nogil=True)
def simulate(tree, w, s, world, num_simulations, forced):  # type: ignore[no-untyped-def]
    """Runs simulations with playouts, until the root is proven; returns how many were run.

    `forced` is the child of the root that all of them go through, or -1.
    """
    for done in range(num_simulations):
        if s.solver and tree.proven[0]:
            return done
        depth = descend(tree, w, s, world, forced)
        leaf, mover = w.path[depth], w.mover[depth]
        w.trace[0] = 0
        if w.state[OVER]:
            if s.solver and depth:
                note_end(tree, leaf, mover, w.reward[depth])
            result = 0.0
        elif s.solver and tree.proven[leaf]:
            result = proven_value(tree, leaf, mover)
        elif s.own_playout:
            result = world.game.playout(w.state, w.trace, world.rng, world.data)
        else:
            result = random_playout(w, s, world)
        back_up(tree, w, depth, result, s, 0)
    return num_simulations
