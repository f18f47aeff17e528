"""Policies that surely settle: that end the episode, or come to rest among rewards of zero.

Only they have a finite value under discount 1 (Bertsekas and Tsitsiklis, "An analysis of stochastic shortest path
problems", 1991, call those that end the episode proper). The states that can surely be brought to an end are found as in
Baier and Katoen, "Principles of Model Checking", 2008, section 10.6.1 (almost sure reachability), in alternating sweeps.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

SURE = 1.0 - 1e-8  # what the probabilities of going on sum to where an episode cannot end


def settling_policy(
    successor: NDArray[np.uint32], weight: NDArray[np.float64], reward: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Returns a policy `[S]` that settles with probability one; -1 in states from which none does.

    `successor` and `weight` `[S, A, K]` and `reward` `[S, A]` are those of `agents/bellman.py: Model`. Where one can
    rest, the policy rests, so that it is worth at least nothing there.
    """
    policy = np.zeros(len(reward), np.int64)
    resting: NDArray[Any] = np.ones(len(policy), np.bool_)
    _find_rest(successor, weight, reward, resting, policy)
    alive = np.ones(len(policy), np.bool_)
    while True:
        reached = resting.copy()
        _find_reach(successor, weight, reward, alive, reached, policy)
        if (reached == alive).all():
            policy[~reached] = -1
            return policy
        alive = reached


@njit(cache=True)
def _find_rest(successor, weight, reward, resting, policy):  # type: ignore[no-untyped-def]
    changed, backwards = True, False
    while changed:
        changed = False
        for i in range(reward.shape[0]):
            s = reward.shape[0] - 1 - i if backwards else i
            if not resting[s]:
                continue
            resting[s] = False
            for a in range(reward.shape[1]):
                if reward[s, a] == 0.0 and not resting[s]:
                    resting[s], policy[s] = True, a
                    for k in range(successor.shape[2]):
                        n = successor[s, a, k]
                        if weight[s, a, k] > 0.0 and n != s and not resting[n]:
                            resting[s] = False
            changed |= not resting[s]
        backwards = not backwards


@njit(cache=True)
def _find_reach(successor, weight, reward, alive, reached, policy):  # type: ignore[no-untyped-def]
    changed, backwards = True, False
    while changed:
        changed = False
        for i in range(reward.shape[0]):
            s = reward.shape[0] - 1 - i if backwards else i
            for a in range(reward.shape[1]):
                if reached[s] or not alive[s] or reward[s, a] == -np.inf:
                    continue
                total, surely, nearer = 0.0, True, False
                for k in range(successor.shape[2]):
                    if weight[s, a, k] > 0.0:
                        total += weight[s, a, k]
                        surely &= alive[successor[s, a, k]]
                        nearer |= reached[successor[s, a, k]]
                if surely and (nearer or total < SURE):
                    reached[s], policy[s], changed = True, a, True
        backwards = not backwards
