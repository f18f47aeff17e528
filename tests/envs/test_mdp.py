import re
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from scipy.stats import chi2

from palestra.envs.mdp import MDP, MDPEnv, has_model, sample_transition
from palestra.envs.rng import seed_state
from tests.naive import NaiveRandom, naive_values


def arrays(**changes: Any) -> dict[str, Any]:
    """A random MDP of three states, two actions and three outcomes a pair as keyword arguments."""
    random = np.random.default_rng(0)
    probability = random.dirichlet(np.ones(3), (3, 2))
    return {
        "next_state": np.broadcast_to([0, 1, 2], (3, 2, 3)).copy(),
        "probability": probability,
        "reward": random.normal(size=(3, 2, 3)),
        "terminated": np.broadcast_to([False, False, True], (3, 2, 3)).copy(),
        "start": np.array([0.5, 0.5, 0.0]),
        "allowed": np.array([[True, True], [True, False], [True, True]]),
        "discount": 0.9,
    } | changes


def changed(name: str, place: Any, value: Any) -> dict[str, Any]:
    """The arguments of `arrays` with one number changed."""
    given = arrays()
    given[name][place] = value
    return given


WRONG = [
    (arrays(next_state=np.int32(1)), "next_state must have shape [S, A, K] with none of them zero, but has []"),
    (arrays(next_state=np.zeros((3, 2), int)), "next_state must have shape [S, A, K] with none of them zero"),
    (arrays(next_state=np.zeros((0, 2, 3), int)), "none of them zero, but has [0, 2, 3]"),
    (arrays(next_state=np.zeros((3, 2, 3))), "next_state must hold integers, but its dtype is float64"),
    (changed("next_state", (1, 0, 2), 3), "next_state[1, 0, 2] is 3, but states are numbered 0 to 2"),
    (changed("next_state", (0, 1, 0), -1), "next_state[0, 1, 0] is -1, but states are numbered 0 to 2"),
    (arrays(reward=np.zeros((3, 2))), "reward must have shape [3, 2, 3] like next_state, but has [3, 2]"),
    (arrays(start=np.ones(2) / 2), "start must have shape [3] like next_state, but has [2]"),
    (arrays(allowed=np.ones((3, 3), bool)), "allowed must have shape [3, 2] like next_state, but has [3, 3]"),
    (arrays(discount=1.01), "the discount must lie between 0 and 1, but is 1.01"),
    (arrays(discount=np.nan), "the discount must lie between 0 and 1, but is nan"),
    (changed("probability", (2, 1, 0), -0.5), "probability[2, 1, 0] is -0.5, but a probability is wanted"),
    (changed("probability", (2, 1, 0), np.nan), "probability[2, 1, 0] is nan, but a probability is wanted"),
    (changed("probability", (1, 1), [0.5, 0.4, 0.2]), "state 1, action 1 sum to 1.1, but must sum to 1"),
    (changed("reward", (0, 0, 1), np.inf), "reward[0, 0, 1] is inf, but rewards must be finite"),
    (changed("allowed", 2, False), "state 2 allows no action, but at least one is wanted"),
    (changed("start", 0, 0.6), "the start distribution sums to 1.1, but must sum to 1"),
    (changed("start", 0, -0.5), "start[0] is -0.5, but a probability is wanted"),
]


@pytest.mark.parametrize(("given", "sentence"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_mdp_is_refused_with_one_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        MDP(**given)


def test_with_discount_changes_the_discount_alone() -> None:
    mdp = MDP(**arrays())
    other = mdp.with_discount(0.5)
    assert (other.discount, mdp.discount) == (0.5, 0.9)
    assert other.reward is mdp.reward


# Exact values of Gymnasium 1.4's tables, computed with tolerance 1e-14 by an independent program.
@pytest.mark.parametrize(
    ("id", "discount", "state", "value"),
    [
        ("FrozenLake-v1", 0.99, 0, 0.5420259320),
        ("FrozenLake-v1", 0.95, 0, 0.1804715784),
        ("FrozenLake8x8-v1", 0.95, 0, 0.0482502041),
        ("CliffWalking-v1", 1.0, 36, -13.0),
        ("CliffWalking-v1", 0.99, 36, -12.2478977),
    ],
)
def test_from_env_reads_a_model_with_the_known_optimal_value(
    id: str, discount: float, state: int, value: float
) -> None:
    mdp = MDP.from_env(gym.make(id), discount)
    assert naive_values(mdp)[state] == pytest.approx(value, abs=1e-7)


def test_from_env_reads_taxi_whose_mean_optimal_return_is_2379_by_300() -> None:
    mdp = MDP.from_env(gym.make("Taxi-v4"), 1.0)
    values = naive_values(mdp)
    assert mdp.start @ values == pytest.approx(2379 / 300)
    assert values[328] == pytest.approx(11.0)  # encode(3, 1, 2, 0)
    assert not mdp.allowed.all()  # Taxi has action masks
    env: Any = gym.make("Taxi-v4").unwrapped
    assert (mdp.allowed[328] == env.action_mask(328)).all()


@pytest.mark.parametrize(
    ("id", "options"), [("CartPole-v1", {}), ("Taxi-v4", {"fickle_passenger": True}), ("Blackjack-v1", {})]
)
def test_from_env_refuses_what_exposes_no_full_model(id: str, options: dict[str, Any]) -> None:
    env = gym.make(id, **options)
    assert not has_model(env)
    with pytest.raises(ValueError, match=f"{id} exposes no full model"):
        MDP.from_env(env)


def test_from_env_reads_back_what_mdp_env_plays() -> None:
    mdp = MDP(**arrays())
    read = MDP.from_env(MDPEnv(mdp), 0.5)
    assert read.discount == 0.5
    assert (read.probability == mdp.probability).all()


def test_sample_transition_equals_the_twin() -> None:
    mdp = MDP(**arrays())
    rng, twin = seed_state(4), NaiveRandom(seed_state(4))
    for s, a in np.random.default_rng(0).integers([3, 2], size=(200, 2)):
        k = twin.categorical(mdp.probability[s, a])
        got = sample_transition(mdp.next_state, mdp.probability, mdp.reward, mdp.terminated, s, a, rng)
        assert got == (mdp.next_state[s, a, k], mdp.reward[s, a, k], mdp.terminated[s, a, k])


def test_mdp_env_conforms_to_gymnasium() -> None:
    full = MDP(**arrays(allowed=np.ones((3, 2), bool)))
    check_env(MDPEnv(full), skip_render_check=True)


def test_mdp_env_draws_starts_and_outcomes_as_often_as_the_model_says() -> None:
    mdp = MDP(**arrays(allowed=np.ones((3, 2), bool)))
    env, random = MDPEnv(mdp), np.random.default_rng(1)
    counts, starts = np.zeros((3, 2, 3)), np.zeros(3)
    state, _ = env.reset(seed=7)
    starts[state] += 1
    for action in random.integers(2, size=20_000):
        after, reward, terminated, truncated, _ = env.step(action)
        counts[state, action, after] += 1
        assert reward == mdp.reward[state, action, after]  # outcome k leads to state k here
        assert terminated == (after == 2)
        assert not truncated
        state = after
        if terminated:
            state, _ = env.reset()
            starts[state] += 1
    visited = counts.sum(axis=2)[:2, :, None]  # state 2 ends episodes
    expected = visited * mdp.probability[:2]
    statistic = ((counts[:2] - expected) ** 2 / expected).sum()
    assert statistic < chi2.ppf(0.9999, 2 * 2 * 2)
    assert starts[2] == 0
    assert ((starts[:2] - starts.sum() / 2) ** 2 / (starts.sum() / 2)).sum() < chi2.ppf(0.9999, 1)


def test_mdp_env_gives_the_same_trajectory_for_the_same_seed_and_goes_on_without_one() -> None:
    def play(seed: int) -> list[Any]:
        env = MDPEnv(MDP(**arrays(allowed=np.ones((3, 2), bool))))
        seen: list[Any] = [env.reset(seed=seed)[0]]
        for action in (0, 1, 1, 0, 1, 0, 0, 1):
            seen += env.step(np.int64(action))[:3]
            if seen[-1]:
                seen.append(env.reset()[0])
        return seen

    assert play(1) == play(1)
    assert play(1) != play(2)


def test_mdp_env_shows_omega_and_refuses_actions_outside_it() -> None:
    env = MDPEnv(MDP(**arrays(start=np.array([0.0, 1.0, 0.0]))))
    with pytest.raises(gym.error.ResetNeeded, match="must be reset"):
        env.step(np.int64(0))
    state, info = env.reset(seed=0)
    assert (int(state), info["action_mask"].tolist(), info["action_mask"].dtype) == (1, [1, 0], np.int8)
    for action in (1, 2, -1):
        with pytest.raises(ValueError, match=rf"action {action} is not allowed in state 1, which allows \[0\]"):
            env.step(np.int64(action))
