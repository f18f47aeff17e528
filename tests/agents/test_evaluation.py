import numpy as np
import pytest
from scipy import stats

from palestra.agents.agent import Agent
from palestra.agents.evaluation import ENDLESS, evaluate, interquartile_mean, interval
from palestra.agents.random import Random
from palestra.envs.spec import EnvSpec


def random_agent(spec: EnvSpec) -> Agent:
    envs = spec.make_vec(1)
    return Random(Random.Config(), envs.single_observation_space, envs.single_action_space, 0)


class Constant:
    """Always takes one action."""

    def __init__(self, action: int) -> None:
        self.action = action

    def act(self, obs: np.ndarray, first: np.ndarray, mask: object = None, *, explore: bool = True) -> np.ndarray:
        return np.full(len(obs), self.action)


def test_interval_is_students() -> None:
    values = np.random.default_rng(0).normal(size=12)
    low, high = stats.t.interval(0.95, 11, loc=values.mean(), scale=stats.sem(values))  # scipy's own
    assert interval(values) == pytest.approx((low, high))
    assert interval(np.array([1.0])) == (None, None)


def test_interquartile_mean_is_scipys_trimmed_mean() -> None:
    values = np.random.default_rng(1).normal(size=23)
    assert interquartile_mean(values) == pytest.approx(stats.trim_mean(values, 0.25))


def test_each_environment_plays_its_share() -> None:
    spec = EnvSpec("CartPole-v1", num_envs=3)
    seen: list[float] = []
    result = evaluate(random_agent(spec), spec, 7, seed=1, on_episode=seen.append)
    assert len(result.returns) == len(seen) == 7
    assert sorted(seen) == sorted(result.returns.tolist())
    assert (result.returns == result.lengths).all()  # CartPole pays one a step


def test_short_episodes_are_not_favoured() -> None:
    # random play lasts 22.2 steps on average; taking the first to finish among many would favour short episodes
    spec = EnvSpec("CartPole-v1", num_envs=40)
    mean = evaluate(random_agent(spec), spec, 400, seed=0).returns.mean()
    whole = evaluate(random_agent(spec), EnvSpec("CartPole-v1"), 400, seed=0).returns
    assert abs(mean - whole.mean()) < 4 * whole.std() / np.sqrt(400) * np.sqrt(2)


def test_endless_episodes_are_given_up_and_said() -> None:
    spec = EnvSpec("CliffWalking-v1")  # no time limit; walking into the left wall for ever
    result = evaluate(Constant(3), spec, 1, seed=0)
    assert result.given_up == 1
    assert result.lengths[0] == ENDLESS
    assert result.summary()["given_up"] == 1


def test_no_episodes_are_refused() -> None:
    with pytest.raises(ValueError, match="0 episodes were asked for"):
        evaluate(Constant(0), EnvSpec("CartPole-v1"), 0, seed=0)


def test_scores_are_not_clipped() -> None:
    result = evaluate(random_agent(EnvSpec("ALE/SpaceInvaders-v5")), EnvSpec("ALE/SpaceInvaders-v5", 2), 2, seed=0)
    assert result.returns.max() > 60  # random play scores 148 (Mnih et al. 2015, extended data table 2)
