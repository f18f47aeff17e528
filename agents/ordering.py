"""In which order to sweep over states: those from which an episode may end first, then those one step before them ...

So values travel from the end of the episode backwards to every state in a single sweep where the ways are deterministic
(Dai and Goldsmith, "Topological value iteration algorithm for Markov decision processes", IJCAI 2007, use the same
idea on components). States from which no end can be reached come last, in the order of their numbers.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

SURE = 1.0 - 1e-8  # what the probabilities of going on sum to where an episode cannot end


def backward_order(
    successor: NDArray[np.uint32], weight: NDArray[np.float64], reward: NDArray[np.float64]
) -> NDArray[np.uint32]:
    """Returns all states `[S]` breadth-first from the end; the arrays are `Model`'s, rows in natural order."""
    first = np.zeros(len(reward) + 1, np.int64)
    _count_predecessors(successor, weight, reward, first[1:])
    np.cumsum(first, out=first)
    return _breadth_first(successor, weight, reward, first)  # type: ignore[no-any-return]


@njit(cache=True)
def _count_predecessors(successor, weight, reward, count):  # type: ignore[no-untyped-def]
    for s in range(reward.shape[0]):
        for a in range(reward.shape[1]):
            for k in range(successor.shape[2]):
                if weight[s, a, k] > 0.0 and reward[s, a] > -np.inf and successor[s, a, k] != s:
                    count[successor[s, a, k]] += 1


@njit(cache=True)
def _breadth_first(successor, weight, reward, first):  # type: ignore[no-untyped-def]
    num_states, num_actions, num_outcomes = successor.shape
    before, filled = np.empty(first[-1], np.uint32), first[:-1].copy()
    order, found, count = np.empty(num_states, np.uint32), np.zeros(num_states, np.bool_), 0
    for s in range(num_states):
        for a in range(num_actions):
            total = 0.0
            for k in range(num_outcomes):
                total += weight[s, a, k]
                n = successor[s, a, k]
                if weight[s, a, k] > 0.0 and reward[s, a] > -np.inf and n != s:
                    before[filled[n]] = s
                    filled[n] += 1
            if total < SURE and reward[s, a] > -np.inf and not found[s]:
                order[count], found[s] = s, True
                count += 1
    done = 0
    while done < count:
        n = order[done]
        done += 1
        for i in range(first[n], first[n + 1]):
            s = before[i]
            if not found[s]:
                order[count], found[s] = s, True
                count += 1
    for s in range(num_states):
        if not found[s]:
            order[count] = s
            count += 1
    return order
