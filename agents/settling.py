"""Policies that surely settle: that end the episode, or come to rest among rewards of zero.

Only they have a finite value under discount 1 (Bertsekas and Tsitsiklis, "An analysis of stochastic shortest path
problems", 1991, call those that end the episode proper). The states that can surely be brought to an end are found as
in Baier and Katoen, "Principles of Model Checking", 2008, section 10.6.1 (almost sure reachability), in sweeps.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from palestra.agents.ordering import SURE


def settling_policy(
    state: NDArray[np.uint32],
    successor: NDArray[np.uint32],
    weight: NDArray[np.float64],
    reward: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Returns a policy `[S]` that settles with probability one; -1 in states from which none does.

    The arrays are those of `agents/bellman.py: Model`. Where one can rest, the policy rests, so that it is worth at
    least nothing there; elsewhere it does what most probably leads nearer to the end.
    """
    policy = np.zeros(len(reward), np.int64)
    resting: NDArray[Any] = np.ones(len(policy), np.bool_)
    _find_rest(state, successor, weight, reward, resting, policy)
    alive = np.ones(len(policy), np.bool_)
    while True:
        reached = resting.copy()
        _find_reach(state, successor, weight, reward, alive, reached, policy)
        if (reached == alive).all():
            policy[~reached] = -1
            return policy
        alive = reached


@njit(cache=True)
def _find_rest(state, successor, weight, reward, resting, policy):  # type: ignore[no-untyped-def]
    changed = True
    while changed:
        changed = False
        for row in range(reward.shape[0]):
            s = state[row]
            if not resting[s]:
                continue
            resting[s] = False
            for a in range(reward.shape[1]):
                if reward[row, a] == 0.0 and not resting[s]:
                    resting[s], policy[s] = True, a
                    for k in range(successor.shape[2]):
                        n = successor[row, a, k]
                        if weight[row, a, k] > 0.0 and n != s and not resting[n]:
                            resting[s] = False
            changed |= not resting[s]


@njit(cache=True)
def _find_reach(state, successor, weight, reward, alive, reached, policy):  # type: ignore[no-untyped-def]
    changed = True
    while changed:
        changed = False
        for row in range(reward.shape[0]):
            s, best = state[row], 0.0
            if reached[s] or not alive[s]:
                continue
            for a in range(reward.shape[1]):
                nearer = _progress(successor, weight, row, a, alive, reached) if reward[row, a] > -np.inf else 0.0
                if nearer > best:
                    best, policy[s] = nearer, a
            if best > 0.0:
                reached[s] = changed = True


@njit(cache=True)
def _progress(successor, weight, row, a, alive, reached):  # type: ignore[no-untyped-def]
    """Returns the probability that an action ends the episode or leads to `reached`; 0 if it may leave `alive`."""
    total, nearer = 0.0, 0.0
    for k in range(successor.shape[2]):
        if weight[row, a, k] > 0.0:
            if not alive[successor[row, a, k]]:
                return 0.0
            total += weight[row, a, k]
            if reached[successor[row, a, k]]:
                nearer += weight[row, a, k]
    return nearer + (1.0 - total if total < SURE else 0.0)
