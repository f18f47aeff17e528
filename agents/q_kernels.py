"""The compiled loops of tabular Q-learning, and the tables that they run on.

Everything that a step needs is a look-up: outcomes are drawn from cumulative probabilities, the end of the episode is
the lowest bit of the next state's code, the allowed actions of a state stand first in its row, the best action of each
state is kept up to date, and the learning rate of the n-th visit is tabulated. Actions outside Ω have the value minus
infinity.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from palestra.agents.schedule import scheduled
from palestra.envs.mdp import MDP
from palestra.envs.rng import State, next_uint64, uniform

ANNEAL = 64  # steps for which ε stays as it is
LARGEST_RATES = 10_000_000  # entries of the table of learning rates


class Sampler(NamedTuple):
    """An MDP of S states, A actions and K outcomes, ready to be sampled."""

    cumulative: NDArray[np.float64]  # [S, A, K]
    successor: NDArray[np.uint32]  # [S, A, K], twice the next state, plus one if the episode ends
    reward: NDArray[np.float64]  # [S, A, K]
    choice: NDArray[np.uint32]  # [S, A], the allowed actions first
    num_choices: NDArray[np.uint64]  # [S]
    start: NDArray[np.uint32]  # [I], the possible first states
    start_cumulative: NDArray[np.float64]  # [I]


class Table(NamedTuple):
    """What Q-learning learns, and the learning rates."""

    q: NDArray[np.float64]  # [S, A], minus infinity outside Ω
    visits: NDArray[np.uint32]  # [S, A], at most M - 1
    best: NDArray[np.uint32]  # [S], the first greedy action, and
    worth: NDArray[np.float64]  # [S], its value: kept by `play` alone, set by `make_table`
    rate: NDArray[np.float64]  # [M], of the first visit, the second ...


class Exploration(NamedTuple):
    """The schedule of ε, as `agents/schedule.py: scheduled` takes it."""

    kind: int
    start: float
    end: float
    num_steps: int


def make_sampler(mdp: MDP) -> Sampler:
    """Returns the tables from which an MDP's steps are drawn."""
    cumulative = mdp.probability.cumsum(axis=2)
    cumulative /= cumulative[:, :, -1:]  # now exactly one from the last possible outcome on
    code = (mdp.next_state.astype(np.uint32) << np.uint32(1)) | mdp.terminated
    choice = np.argsort(~mdp.allowed, axis=1, kind="stable").astype(np.uint32)
    start = np.flatnonzero(mdp.start).astype(np.uint32)
    start_cumulative = mdp.start[start].cumsum()
    num_choices = mdp.allowed.sum(axis=1).astype(np.uint64)
    start_cumulative /= start_cumulative[-1]
    return Sampler(cumulative, code.astype(np.uint32), mdp.reward, choice, num_choices, start, start_cumulative)


def make_table(q: NDArray[np.float64], visits: NDArray[np.uint32], rate: NDArray[np.float64]) -> Table:
    """Returns the tables to go on with from the values `q` and the `visits` so far, both `[S, A]`."""
    return Table(q, visits, q.argmax(axis=1).astype(np.uint32), q.max(axis=1), rate)


def learning_rates(least: float, decay: float) -> NDArray[np.float64]:
    """Returns the learning rates of the first, second ... visit: N^-decay until it is below `least`; then `least`."""
    if decay == 0.0:
        return np.array([least])
    count = min(int(np.ceil(least ** (-1.0 / decay))), LARGEST_RATES)
    rates: NDArray[np.float64] = np.maximum(np.arange(1, count + 1) ** -decay, least)
    return rates


def play(
    sampler: Sampler,
    table: Table,
    exploration: Exploration,
    generators: tuple[State, State],
    episode: tuple[int, int, float],
    span: tuple[int, int, int],
    discount: float,
) -> tuple[tuple[int, int, float], NDArray[np.float64], NDArray[np.int64]]:
    """Plays and learns; `table` and the two `generators` (of actions, of the environment) change.

    `episode` is the present state (-1: draw a first one), its steps and its rewards so far; `span` the first step, the
    last one (not taken any more) and the time limit of episodes (0: none).

    Returns:
        The new `episode`, and the returns and lengths `[N]` of the episodes that ended.
    """
    num_steps = span[1] - span[0]
    returns, lengths = np.empty(num_steps), np.empty(num_steps, np.int64)
    state, length, total, count = _play(
        sampler, table, exploration, generators[0], generators[1], episode, span, discount, returns, lengths
    )
    return (state, length, total), returns[:count].copy(), lengths[:count].copy()


@njit(cache=True)
def exploration_rate(exploration, step):  # type: ignore[no-untyped-def]
    """Returns ε at a step; it changes every `ANNEAL` steps."""
    kind, start, end, num_steps = exploration
    return scheduled(kind, start, end, num_steps, step // ANNEAL * ANNEAL)


@njit(cache=True)
def choose(table, exploration, step, obs, mask, rng, actions):  # type: ignore[no-untyped-def]
    """Chooses ε-greedy `actions` `[B]` for `obs` `[B]` under `mask` `[B, A]`, as `_play` does; `rng` changes."""
    threshold = np.uint64(exploration_rate(exploration, step) * 4294967296.0)
    for i in range(obs.shape[0]):
        row, allowed = table.q[obs[i]], mask[i]
        count, best = 0, -1
        for a in range(row.shape[0]):
            if allowed[a] and row[a] > -np.inf:
                count += 1
                if best < 0 or row[a] > row[best]:
                    best = a
        bits = next_uint64(rng)
        actions[i] = best
        if (bits >> np.uint64(32)) < threshold:
            left = np.int64(((bits & np.uint64(0xFFFFFFFF)) * np.uint64(count)) >> np.uint64(32))
            for a in range(row.shape[0]):
                if allowed[a] and row[a] > -np.inf:
                    if left == 0:
                        actions[i] = a
                    left -= 1


@njit(cache=True)
def update(table, discount, obs, action, reward, next_obs, terminated, next_mask):  # type: ignore[no-untyped-def]
    """Learns from B steps, one after the other; all arrays are `[B]`, `next_mask` `[B, A]`; `table` changes."""
    for i in range(obs.shape[0]):
        value = 0.0
        if not terminated[i]:
            value = -np.inf
            for a in range(table.q.shape[1]):
                if next_mask[i, a]:
                    value = max(value, table.q[next_obs[i], a])
        count = table.visits[obs[i], action[i]]
        table.visits[obs[i], action[i]] = min(count + 1, table.rate.shape[0] - 1)
        q = table.q[obs[i], action[i]]
        table.q[obs[i], action[i]] = q + table.rate[count] * (reward[i] + discount * value - q)


@njit(cache=True)
def _first_state(start, cumulative, rng):  # type: ignore[no-untyped-def]
    u = uniform(rng)
    low, high = 0, start.shape[0] - 1
    while low < high:
        middle = (low + high) >> 1
        if u < cumulative[middle]:
            high = middle
        else:
            low = middle + 1
    return start[low]


@njit(cache=True)
def _play(sampler, table, exploration, act_rng, env_rng, episode, span, discount, returns, lengths):  # type: ignore[no-untyped-def]
    cumulative, successor, rewards, choice, num_choices, start, start_cumulative = sampler
    q, visits, best, worth, rate = table
    state, length, total = episode
    first_step, end_step, limit = span
    num_actions, num_outcomes = q.shape[1], cumulative.shape[2]
    most_visits, threshold, count = rate.shape[0] - 1, np.uint64(0), 0
    s = _first_state(start, start_cumulative, env_rng) if state < 0 else np.uint32(state)
    for step in range(first_step, end_step):
        if step % ANNEAL == 0 or step == first_step:
            threshold = np.uint64(exploration_rate(exploration, step) * 4294967296.0)
        bits = next_uint64(act_rng)
        random = choice[s, ((bits & np.uint64(0xFFFFFFFF)) * num_choices[s]) >> np.uint64(32)]
        a = random if (bits >> np.uint64(32)) < threshold else best[s]
        k = np.uint32(0)
        if num_outcomes > 1:
            u = uniform(env_rng)
            if num_outcomes == 3:  # the loop below, unrolled: slippery moves are the common case
                k = np.uint32(u >= cumulative[s, a, 0]) + np.uint32(u >= cumulative[s, a, 1])
            else:
                for j in range(num_outcomes - 1):
                    k += np.uint32(u >= cumulative[s, a, j])
        code, reward = successor[s, a, k], rewards[s, a, k]
        next_s, terminated = code >> np.uint32(1), code & np.uint32(1)
        value = 0.0 if terminated else worth[next_s]
        n = visits[s, a]
        visits[s, a] = min(n + 1, most_visits)
        q[s, a] += rate[n] * (reward + discount * value - q[s, a])
        best[s], worth[s] = _best(q, s, num_actions)
        total += reward
        length += 1
        s = next_s
        if terminated or length == limit:
            returns[count], lengths[count] = total, length
            count += 1
            total, length = 0.0, 0
            s = _first_state(start, start_cumulative, env_rng)
    return np.int64(s), length, total, count


@njit(cache=True, inline="always")
def _best(q, s, num_actions):  # type: ignore[no-untyped-def]
    best, most = np.uint32(0), q[s, 0]
    for a in range(1, num_actions):
        if q[s, a] > most:
            best, most = np.uint32(a), q[s, a]
    return best, most
