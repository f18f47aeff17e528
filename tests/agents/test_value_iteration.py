"""Value iteration as an agent: published values, early stop, resume, refusals."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from palestra.agents.evaluation import evaluate
from palestra.agents.value_iteration import ValueIteration, ValueIterationConfig
from palestra.envs.spec import EnvSpec


def agent_of(env: EnvSpec, **options: Any) -> ValueIteration:
    made = env.make()
    made.close()
    return ValueIteration(ValueIterationConfig(**options), made.observation_space, made.action_space, 0)


@pytest.mark.parametrize("in_place", [True, False])
def test_frozen_lake_reaches_the_published_value(in_place: bool) -> None:
    env = EnvSpec("FrozenLake-v1")
    agent = agent_of(env, gamma=0.99, tolerance=1e-13, in_place=in_place)
    rows = list(agent.train(env, 100_000))
    assert rows[-1][1]["plan/value"] == pytest.approx(
        0.5420259320, abs=1e-10
    )  # solved to 1e-14 by an independent program
    assert agent.step == len(rows) < 100_000
    assert rows[-1][1]["plan/residual"] <= 1e-13 < rows[-2][1]["plan/residual"]


def test_sweeps_in_place_are_fewer() -> None:
    env = EnvSpec("CliffWalking-v1")
    sweeps = []
    for in_place in (True, False):
        agent = agent_of(env, gamma=0.99, in_place=in_place)
        sweeps.append(len(list(agent.train(env, 1000))))
        assert agent.value[36] == pytest.approx(-12.2478977, abs=1e-6)
    assert (
        sweeps[0] <= 3
    )  # deterministic ways are found in one sweep from the end; another or two see that nothing changes
    assert sweeps[1] > 10


def test_restored_agents_go_on_as_if_never_stopped() -> None:
    env = EnvSpec("FrozenLake8x8-v1")
    whole, first, second = agent_of(env), agent_of(env), agent_of(env)
    list(whole.train(env, 7))
    wanted = list(whole.train(env, 40))
    list(first.train(env, 7))
    second.restore(first.state())
    assert list(second.train(env, 40)) == wanted
    assert (second.value == whole.value).all()
    assert (second.policy == whole.policy).all()
    done = agent_of(env)
    list(done.train(env, 100_000))
    first.restore(done.state())
    assert list(first.train(env, 100_000)) == []


def test_plays_what_it_planned() -> None:
    env = EnvSpec("CliffWalking-v1")
    agent = agent_of(env, gamma=1.0)
    list(agent.train(env, 1000))
    assert evaluate(agent, env, 2, seed=0).returns.tolist() == [-13.0, -13.0]


def test_defaults_look_as_far_as_the_time_limit() -> None:
    assert ValueIteration.defaults(EnvSpec("FrozenLake8x8-v1"), 100).gamma == pytest.approx(0.999)
    assert ValueIteration.defaults(EnvSpec("CliffWalking-v1"), 100).gamma == 0.99


def test_says_what_it_can_take() -> None:
    env = EnvSpec("CartPole-v1")
    discrete = gym.spaces.Discrete(2)
    with pytest.raises(ValueError, match=r"value-iteration takes discrete observations and actions, but .* Box"):
        ValueIteration(ValueIterationConfig(), env.make().observation_space, discrete, 0)
    blackjack = EnvSpec("Blackjack-v1")
    agent = agent_of(blackjack)
    with pytest.raises(ValueError, match="value-iteration plans on a known model, but Blackjack-v1 exposes none"):
        next(agent.train(blackjack, 1))


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"discount must lie between 0 and 1, but is 1\.5"):
        ValueIterationConfig(gamma=1.5)
    with pytest.raises(ValueError, match="tolerance must not be negative"):
        ValueIterationConfig(tolerance=np.nan)
