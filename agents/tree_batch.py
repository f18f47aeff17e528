"""Simulations that wait for a network: leaves are collected, evaluated together, and their values go back up."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from palestra.agents.tree import add_children
from palestra.agents.tree_search import STEP, back_up, descend, note_end, proven_value
from palestra.agents.world import opened
from palestra.envs.game import OVER, USED


class Batch(NamedTuple):
    """Up to B leaves and the paths to them, rows as in `Walk`."""

    depth: NDArray[np.int64]  # [B]
    path: Any  # [B, P] STEP, a recarray
    mask: NDArray[np.bool_]  # [B, A], Ω
    obs: NDArray[np.float32]  # [B, planes, flattened]
    state: NDArray[np.int64]  # [B, W]


def new_batch(size: int, num_words: int, num_actions: int, longest: int, num_obs: int) -> Batch:
    """Makes the memory of a batch of leaves."""
    return Batch(
        np.zeros(size, np.int64),
        np.zeros((size, 2 * longest + 4), STEP).view(np.recarray),
        np.zeros((size, num_actions), np.bool_),
        np.zeros((size, num_obs), np.float32),
        np.zeros((size, num_words), np.int64),
    )


def checked(logits: Any, values: Any, mask: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns what a network says of R leaves as `deliver` takes it: probabilities over Ω, zero elsewhere, and values.

    `logits` and `mask` are `[R, A]`, `values` `[R]`.

    Raises:
        ValueError: a shape is wrong, or a number is not finite where it must be.
    """
    logits, values = np.asarray(logits, np.float64), np.asarray(values, np.float64)
    if logits.shape != mask.shape or values.shape != mask.shape[:1]:
        given = f"logits {list(logits.shape)} and values {list(values.shape)}"
        raise ValueError(f"the evaluator returned {given}, but {list(mask.shape)} and {[len(mask)]} are wanted")
    allowed = np.where(mask, logits, -np.inf)
    highest = allowed.max(axis=1, keepdims=True)
    if not (np.isfinite(highest).all() and np.isfinite(values).all()):
        raise ValueError("the evaluator returned numbers that are not finite: train or load its network again")
    weight = np.exp(allowed - highest)
    return np.asarray(weight / weight.sum(axis=1, keepdims=True)), values


@njit(cache=True, nogil=True)
def _keep(tree, b, row, w, depth, world):  # type: ignore[no-untyped-def]
    """Writes a leaf and the way to it into a row, and lets its path wait."""
    b.depth[row] = depth
    used = w.state[USED]
    b.state[row, :used] = w.state[:used]
    world.game.legal(w.state, b.mask[row], world.data)
    world.game.observe(w.state, b.obs[row], world.data)
    for d in range(depth + 1):
        b.path[row, d] = w.path[d]
        tree.nodes[w.path[d].node].pending += 1


@njit(cache=True, nogil=True)
def collect(tree, w, s, sealed, b, forced):  # type: ignore[no-untyped-def]
    """Collects leaves, at most one for each entry of `forced` (children of the root to go through, -1 for any).

    Ends of the game are backed up at once. Stops early at a leaf that waits already. Returns the number of leaves and
    that of simulations, ends of the game among them.
    """
    world, rows = opened(sealed), 0
    for done in range(len(forced)):
        depth = descend(tree, w, s, world, forced[done])
        end = w.path[depth]
        leaf = tree.nodes[end.node]
        proven = s.solver and depth and leaf.proven
        if w.state[OVER] or proven:
            result = proven_value(leaf, end.mover) if proven else 0.0
            if s.solver and depth and not proven:
                note_end(leaf, end.mover, end.reward)
            w.trace[0] = 0
            back_up(tree, w, depth, result, s, 0)
        elif leaf.pending > 0 or rows == len(b.depth):
            return rows, done
        else:
            _keep(tree, b, rows, w, depth, world)
            rows += 1
    return rows, len(forced)


@njit(cache=True, nogil=True)
def deliver(tree, w, s, b, policy, value):  # type: ignore[no-untyped-def]
    """Adds the moves of R leaves with their probabilities `policy` `[R, A]`, and backs up their values.

    `value` `[R]` is what the player to move expects, in [-1, 1].
    """
    w.prior[:] = 0.0
    for row in range(len(value)):
        depth = b.depth[row]
        for d in range(depth + 1):
            w.path[d] = b.path[row, d]
        leaf = w.path[depth].node
        tree.nodes[leaf].estimate = value[row]
        w.policy[:] = policy[row]
        add_children(tree, leaf, b.mask[row], w.prior, w.policy)
        w.trace[0] = 0
        back_up(tree, w, depth, value[row] if w.path[0].mover == 0 else -value[row], s, 1)
