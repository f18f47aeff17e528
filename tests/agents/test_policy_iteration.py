"""Policy iteration as an agent: published values, discount 1, resume, refusals."""

from typing import Any

import pytest

from palestra.agents import bellman
from palestra.agents.evaluation import evaluate
from palestra.agents.policy_iteration import PolicyIteration, PolicyIterationConfig
from palestra.envs.spec import EnvSpec


def agent_of(env: EnvSpec, **options: Any) -> PolicyIteration:
    made = env.make()
    made.close()
    return PolicyIteration(PolicyIterationConfig(**options), made.observation_space, made.action_space, 0)


# Gymnasium 1.4's tables solved to 1e-14 by an independent program.
@pytest.mark.parametrize(
    ("id", "discount", "value"),
    [
        ("FrozenLake-v1", 0.99, 0.5420259320),
        ("FrozenLake-v1", 1.0, 14 / 17),
        ("FrozenLake8x8-v1", 0.99, 0.4146403618),
        ("FrozenLake8x8-v1", 1.0, 1.0),
        ("CliffWalking-v1", 1.0, -13.0),
        ("CliffWalkingSlippery-v1", 1.0, -64.70917591),
        ("Taxi-v4", 1.0, 2379 / 300),
        ("Taxi-v4", 0.99, 6.3274643149),
    ],
)
@pytest.mark.parametrize("largest_dense", [0, 1000])
def test_published_values(
    id: str, discount: float, value: float, largest_dense: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bellman, "LARGEST_SOLVED", largest_dense)
    env = EnvSpec(id)
    agent = agent_of(env, gamma=discount)
    rows = list(agent.train(env, 1000))
    assert rows[-1][1]["plan/value"] == pytest.approx(value, abs=2e-8)
    assert rows[-1][1]["plan/changed"] == 0
    assert agent.stable
    assert len(rows) < 60


def test_restored_agents_go_on_as_if_never_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bellman, "LARGEST_SOLVED", 0)
    env = EnvSpec("FrozenLake8x8-v1")
    whole, first, second = agent_of(env), agent_of(env), agent_of(env)
    list(whole.train(env, 3))
    wanted = list(whole.train(env, 100))
    list(first.train(env, 3))
    second.restore(first.state())
    assert list(second.train(env, 100)) == wanted
    assert (second.value == whole.value).all()
    first.restore(second.state())
    assert list(first.train(env, 100)) == []


def test_plays_what_it_planned() -> None:
    env = EnvSpec("Taxi-v4", num_envs=4)
    agent = agent_of(env)
    list(agent.train(env, 1000))
    assert evaluate(agent, env, 60, seed=0).returns.min() >= 3.0  # the worst start is worth 3


def test_unknown_models_and_wrong_options_are_refused() -> None:
    blackjack = EnvSpec("Blackjack-v1")
    with pytest.raises(ValueError, match="policy-iteration plans on a known model, but Blackjack-v1 exposes none"):
        next(agent_of(blackjack).train(blackjack, 1))
    with pytest.raises(ValueError, match="must not be negative"):
        PolicyIterationConfig(margin=-1.0)
