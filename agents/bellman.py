"""The Bellman operators on finite MDPs as compiled sweeps, and what follows: values, policies, exact returns.

Puterman, "Markov Decision Processes", 1994: sections 6.1 (operators), 6.3 (value iteration and its Gauss-Seidel form),
4.5 (finite horizon), 7.2 and 7.3 (total reward, here discount 1). A policy is the MDP in which each state has one
action left (`policy_model`), so that its evaluation is the same sweep. Sweeps run backwards from the ends of episodes
(`agents/ordering.py`), and the rows of a `Model` are arranged in that order, so that memory is read from front to back.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from palestra.agents.ordering import backward_order
from palestra.agents.settling import settling_policy
from palestra.envs.mdp import MDP

TIE = 1e-10  # actions whose values differ by less, relative to the value, are tied: the first is taken
ROUNDING = 2.0**-50  # residuals below this, relative to the greatest value, are rounding errors
ROUGH = 1e-6  # residual to which value iteration under discount 1 values its first policy
LARGEST_SOLVED = 50_000  # states up to which a policy's equations are solved directly
Values = NDArray[np.float64]
Policy = NDArray[np.int64]  # [S] an action of each state


class Model(NamedTuple):
    """What planning needs of an MDP: the expected step, a row for each state in the order of sweeps."""

    state: NDArray[np.uint32]  # [S], whose row it is
    successor: NDArray[np.uint32]  # [S, A, K]
    weight: Values  # [S, A, K], the probability of going on to `successor`; what lacks to one is the end
    reward: Values  # [S, A], expected; minus infinity outside Ω


def expected_model(mdp: MDP) -> Model:
    """Returns the expected rewards and the probabilities of going on."""
    successor = mdp.next_state.view(np.uint32)
    weight = np.where(mdp.terminated, 0.0, mdp.probability)
    reward = np.where(mdp.allowed, np.einsum("sak,sak->sa", mdp.probability, mdp.reward), -np.inf)
    order = backward_order(successor, weight, reward)
    return Model(order, successor[order], weight[order], reward[order])


def policy_model(model: Model, policy: NDArray[Any]) -> Model:
    """Returns the model with one action a state: what `policy` does, `[S]` actions or `[S, A]` probabilities.

    Raises:
        ValueError: the policy has another shape, leaves Ω or its probabilities do not sum to one.
    """
    num_states, num_actions = model.reward.shape
    rows = np.arange(num_states)
    if policy.shape == (num_states,) and policy.dtype.kind in "iu":
        wanted = policy[model.state]
        action = np.clip(wanted, 0, num_actions - 1)
        _check_allowed(model, (wanted != action) | np.isneginf(model.reward[rows, action]))
        chosen = [array[rows, action][:, None] for array in model[1:]]
        return Model(model.state, *chosen)
    if policy.shape != (num_states, num_actions):
        raise ValueError(
            f"a policy of shape [{num_states}] or [{num_states}, {num_actions}] is wanted, not {policy.shape}"
        )
    if (np.abs(policy.sum(axis=1) - 1.0) > 1e-9).any() or (policy < 0.0).any():
        raise ValueError("a policy's probabilities must not be negative and must sum to one in each state")
    forbidden, share = np.isneginf(model.reward), policy[model.state]
    _check_allowed(model, np.any(forbidden & (share > 0.0), axis=1))
    reward = (share * np.where(forbidden, 0.0, model.reward)).sum(axis=1, keepdims=True)
    weight = (share[:, :, None] * model.weight).reshape(num_states, 1, -1)
    return Model(model.state, model.successor.reshape(num_states, 1, -1), weight, reward)


def _check_allowed(model: Model, wrong: NDArray[np.bool_]) -> None:
    if wrong.any():
        raise ValueError(f"the policy takes an action in state {model.state[wrong].min()} that is not allowed there")


def sweep(model: Model, discount: float, value: Values, policy: Policy, *, in_place: bool) -> float:
    """Applies the Bellman optimality operator to `value` `[S]` once and notes the greedy actions in `policy` `[S]`.

    Both change. In place (Gauss-Seidel) a state sees what the states before it have just become.

    Returns:
        The residual: the greatest change of a value.
    """
    source = value if in_place else value.copy()
    return float(_sweep(*model, discount, source, value, policy))


def solve(model: Model, discount: float, value: Values, tolerance: float, max_sweeps: int = 1_000_000) -> Policy:
    """Sweeps in place until the residual is at most `tolerance`; `value` `[S]` changes; returns the greedy policy.

    Raises:
        ValueError: that takes more than `max_sweeps` sweeps, as it must where values are infinite.
    """
    policy = np.zeros(len(value), np.int64)
    residual = _solve(*model, discount, value, policy, tolerance, max_sweeps)
    if residual > tolerance:
        raise ValueError(
            f"the values have not settled after {max_sweeps} sweeps (residual {residual:.3g}); "
            "at discount 1 each policy must end the episode: give a discount below 1"
        )
    return policy


def initial_value(model: Model, discount: float) -> Values:
    """Returns values `[S]` below the optimal ones, from which sweeps rise to them.

    From below, a shortest way found is at once carried along the whole sweep; from above each sweep takes one step off.
    Under discount 1 it is the value of a policy that ends all episodes or comes to rest among rewards of zero.

    Raises:
        ValueError: the discount is 1 and from some state no policy does so: its value is not finite.
    """
    if discount < 1.0:
        least = min(0.0, float(model.reward[np.isfinite(model.reward)].min()))
        return np.full(len(model.reward), least / (1.0 - discount))
    policy = settling_policy(*model)
    if (policy < 0).any():
        raise ValueError(
            f"from state {int(np.argmin(policy))} no policy surely ends the episode or stops collecting rewards, "
            "so that there is no finite value at discount 1; give a discount below 1"
        )
    value = np.zeros(len(policy))
    solve(policy_model(model, policy), discount, value, ROUGH)
    return value


def optimal_value(mdp: MDP, tolerance: float = 1e-12) -> tuple[Values, Policy]:
    """Returns the optimal values `[S]` and the greedy policy `[S]`, by Gauss-Seidel value iteration.

    Raises:
        ValueError: the values do not settle (discount 1, and states from which nothing ends the episode).
    """
    model = expected_model(mdp)
    value = initial_value(model, mdp.discount)
    return value, solve(model, mdp.discount, value, tolerance)


def policy_value(mdp: MDP, policy: NDArray[Any], tolerance: float = 1e-12) -> Values:
    """Returns the values `[S]` of a policy (`[S]` actions or `[S, A]` probabilities).

    Raises:
        ValueError: as `evaluate` and `policy_model` do.
    """
    return evaluate(policy_model(expected_model(mdp), policy), mdp.discount, tolerance)


def evaluate(model: Model, discount: float, tolerance: float, guess: Values | None = None) -> Values:
    """Returns the values `[S]` of the policy that a `policy_model` describes.

    Up to 50,000 states under a discount below 1 are solved as linear equations, others by sweeps from `guess` `[S]`.

    Raises:
        ValueError: the discount is 1 and from some state the policy neither ends the episode nor comes to rest among
            rewards of zero, so that its value is not finite.
    """
    num_states = len(model.state)
    if discount < 1.0 and num_states <= LARGEST_SOLVED:
        return _solved_value(model, discount)
    if discount == 1.0:
        settling = settling_policy(*model)
        if (settling < 0).any():
            raise ValueError(
                f"from state {int(np.argmin(settling))} the policy may never end the episode nor stop collecting "
                "rewards, so that it has no finite value at discount 1; give a discount below 1"
            )
    value = np.zeros(num_states) if guess is None or discount == 1.0 else guess.copy()
    solve(model, discount, value, tolerance)
    return value


def _solved_value(model: Model, discount: float) -> Values:
    """Solves the equations (I - γP) v = r by SciPy's sparse elimination."""
    from scipy.sparse import csr_array, eye_array
    from scipy.sparse.linalg import spsolve

    num_states = len(model.state)
    weight, successor = model.weight[:, 0], model.successor[:, 0].astype(np.int64)
    rows = np.broadcast_to(model.state.astype(np.int64)[:, None], successor.shape)
    going = weight > 0.0
    step = csr_array((weight[going], (rows[going], successor[going])), shape=(num_states, num_states))
    reward = np.empty(num_states)
    reward[model.state] = model.reward[:, 0]
    value: Values = spsolve((eye_array(num_states) - discount * step).tocsc(), reward)
    return value


def greedy_policy(mdp: MDP, value: Values) -> Policy:
    """Returns the first best action `[S]` of each state under `value` `[S]`."""
    policy = np.zeros(mdp.num_states, np.int64)
    sweep(expected_model(mdp), mdp.discount, value.copy(), policy, in_place=False)
    return policy


def improve(model: Model, discount: float, value: Values, policy: Policy, margin: float) -> tuple[int, float]:
    """Changes `policy` `[S]` where another action is better by more than `margin`; keeps it where they are tied.

    Returns:
        The number of states changed, and the residual: how much the best action exceeds `value` at most.
    """
    changed, residual = _improve(*model, discount, value, policy, margin)
    return int(changed), float(residual)


def optimal_return(mdp: MDP, horizon: int) -> float:
    """Returns the greatest expected undiscounted return of an episode of at most `horizon` steps; 0 means no limit.

    Raises:
        ValueError: the horizon is negative; without a limit, the return is not finite.
    """
    if horizon == 0:
        return float(mdp.start @ optimal_value(mdp.with_discount(1.0))[0])
    return _limited_return(expected_model(mdp), mdp.start, horizon)


def policy_return(mdp: MDP, policy: NDArray[Any], horizon: int) -> float:
    """Returns a policy's expected undiscounted return; `policy` is `[S]` actions or `[S, A]` probabilities.

    Raises:
        ValueError: as `optimal_return` and `policy_model` do.
    """
    if horizon == 0:
        return float(mdp.start @ policy_value(mdp.with_discount(1.0), policy))
    return _limited_return(policy_model(expected_model(mdp), policy), mdp.start, horizon)


def _limited_return(model: Model, start: Values, horizon: int) -> float:
    if horizon < 0:
        raise ValueError(f"the horizon is {horizon} steps, but at least 0 is wanted")
    value, policy = np.zeros(len(start)), np.zeros(len(start), np.int64)
    for _ in range(horizon):
        sweep(model, 1.0, value, policy, in_place=False)
    return float(start @ value)


@njit(cache=True)
def _action_value(successor, weight, reward, discount, value, row, a):  # type: ignore[no-untyped-def]
    future = 0.0
    for k in range(successor.shape[2]):
        future += weight[row, a, k] * value[successor[row, a, k]]
    return reward[row, a] + discount * future


@njit(cache=True)
def _sweep(state, successor, weight, reward, discount, source, value, policy):  # type: ignore[no-untyped-def]
    num_states, num_actions = reward.shape
    residual = 0.0
    for row in range(num_states):
        s = state[row]
        before, best, chosen, action = source[s], -np.inf, -np.inf, 0
        for a in range(num_actions):
            x = _action_value(successor, weight, reward, discount, source, row, a)
            best = max(best, x)
            if chosen == -np.inf or x > chosen + TIE * abs(chosen):
                chosen, action = x, a
        value[s], policy[s] = best, action
        residual = max(residual, abs(best - before))
    return residual


@njit(cache=True)
def _solve(state, successor, weight, reward, discount, value, policy, tolerance, max_sweeps):  # type: ignore[no-untyped-def]
    residual = np.inf
    for i in range(max_sweeps):
        residual = _sweep(state, successor, weight, reward, discount, value, value, policy)
        if residual <= tolerance:
            break
        if i % 16 == 15 and residual <= ROUNDING * np.abs(value).max():
            return 0.0
    return residual


@njit(cache=True)
def _improve(state, successor, weight, reward, discount, value, policy, margin):  # type: ignore[no-untyped-def]
    changed, residual = 0, 0.0
    for row in range(reward.shape[0]):
        s = state[row]
        present = _action_value(successor, weight, reward, discount, value, row, policy[s])
        best, action = present + margin + TIE * abs(present), policy[s]
        for a in range(reward.shape[1]):
            x = _action_value(successor, weight, reward, discount, value, row, a)
            residual = max(residual, x - value[s])
            if x > best + (TIE * abs(best) if action != policy[s] else 0.0):
                best, action = x, a
        changed += action != policy[s]
        policy[s] = action
    return changed, residual
