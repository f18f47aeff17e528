"""Planning by tree search in MDPs whose model is known."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from palestra.agents.evaluation import evaluate
from palestra.agents.mcts_planner import MCTSPlanner, MCTSPlannerConfig
from palestra.agents.value_iteration import ValueIteration
from palestra.envs.spec import EnvSpec


def agent_of(where: EnvSpec, seed: int = 0, **options: Any) -> MCTSPlanner:
    made = where.make()
    made.close()
    config = dataclasses.replace(MCTSPlanner.defaults(where, 1), **options)
    return MCTSPlanner(config, made.observation_space, made.action_space, seed)


def regret(env: EnvSpec, states: list[int], **options: Any) -> float:
    """Returns the mean over states of what the planned actions cost, by the exact values of value iteration."""
    made, first = env.make(), np.ones(len(states), np.bool_)
    exact = ValueIteration(ValueIteration.Config(gamma=0.99), made.observation_space, made.action_space, 0)
    list(exact.train(env, 10_000))
    mdp = env.mdp(0.99)
    assert mdp is not None
    after = mdp.reward + 0.99 * np.where(mdp.terminated, 0.0, exact.value[mdp.next_state])
    q = (mdp.probability * after).sum(axis=2)
    actions = agent_of(env, gamma=0.99, **options).act(np.array(states), first)
    return float((exact.value[states] - q[states, actions]).mean())


LAKE = [0, 1, 2, 3, 4, 6, 8, 9, 10, 13, 14]  # the cells of FrozenLake from which the goal can be reached


def test_slippery_ice_is_crossed_the_better_the_longer_it_plans() -> None:
    """Regret of one action by exact values: uniform choice costs 0.075; 3,000 simulations a tenth of that."""
    env = EnvSpec("FrozenLake-v1")
    few, many = (regret(env, LAKE, simulations=n) for n in (10, 3000))
    assert many < 0.015
    assert many < few


def test_ice_that_does_not_slip_is_always_crossed() -> None:
    """A step aside costs a hundredth of what is left, a hole all of it."""
    env = EnvSpec("FrozenLake-v1", kwargs={"is_slippery": False})
    assert regret(env, LAKE, simulations=1000) < 0.01
    assert evaluate(agent_of(env, simulations=1000), env, 3, seed=0).returns.tolist() == [1.0] * 3


def test_what_it_draws_depends_on_its_seed_and_its_past() -> None:
    env, first = EnvSpec("FrozenLake-v1"), np.ones(11, np.bool_)
    one, same, other = (agent_of(env, seed, simulations=30) for seed in (1, 1, 2))
    plans = [[agent.act(np.array(LAKE), first).tolist() for _ in range(3)] for agent in (one, same, other)]
    assert plans[0] == plans[1] != plans[2]
    resumed = agent_of(env, 1, simulations=30)
    resumed.restore(one.state())
    assert resumed.act(np.array(LAKE), first).tolist() == one.act(np.array(LAKE), first).tolist()


def test_actions_and_states_may_begin_elsewhere_and_masks_are_honoured() -> None:
    import gymnasium as gym

    env = EnvSpec("FrozenLake-v1")
    config = dataclasses.replace(MCTSPlanner.defaults(env, 1), simulations=300)
    moved = MCTSPlanner(config, gym.spaces.Discrete(16, start=5), gym.spaces.Discrete(4, start=-2), 0)
    plain, first = MCTSPlanner(config, gym.spaces.Discrete(16), gym.spaces.Discrete(4), 0), np.ones(2, np.bool_)
    states = np.array([14, 9])
    assert (moved.act(states + 5, first) == plain.act(states, first) - 2).all()
    mask = np.zeros((2, 4), np.bool_)
    mask[0, 3] = mask[1, 0] = True
    assert plain.act(states, first, mask).tolist() == [3, 0]


def test_training_plays_and_reports() -> None:
    env = EnvSpec("FrozenLake-v1", num_envs=2)
    agent = agent_of(env, simulations=20, env="", env_kwargs="{}")
    rows = list(agent.train(env, 100))
    assert agent.step == 100
    assert any("rollout/ep_rew_mean" in metrics for _, metrics in rows)
    assert agent.act(np.array([14]), np.ones(1, np.bool_)) in range(4)  # it knows the model from there


def test_defaults_name_the_environment_and_its_options() -> None:
    config = MCTSPlanner.defaults(EnvSpec("FrozenLake8x8-v1", kwargs={"is_slippery": False}), 1)
    assert (config.env, config.env_kwargs) == ("FrozenLake8x8-v1", '{"is_slippery": false}')
    assert config.gamma == pytest.approx(0.999)


def test_says_what_it_can_take() -> None:
    with pytest.raises(ValueError, match=r"mcts takes discrete observations and actions, but .* Box"):
        agent_of(EnvSpec("CartPole-v1"))
    blackjack = agent_of(EnvSpec("Blackjack-v1"))
    message = "mcts plans on a known model, but Blackjack-v1 exposes none"
    with pytest.raises(ValueError, match=message):
        blackjack.act(np.zeros(1, int), np.ones(1, np.bool_))
    with pytest.raises(ValueError, match=message):
        next(agent_of(EnvSpec("Blackjack-v1")).train(EnvSpec("Blackjack-v1"), 1))
    with pytest.raises(ValueError, match="does not know which model"):
        agent_of(EnvSpec("FrozenLake-v1"), env="").act(np.zeros(1, int), np.ones(1, np.bool_))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"simulations": 0}, "simulations is 0, but at least 1"),
        ({"horizon": 0}, "horizon is 0, but at least 1"),
        ({"playout": -1}, "playout is -1, but at least 0"),
        ({"exploration": -1.0}, "exploration is -1.0, but a number from 0 on"),
        ({"gamma": 1.5}, "discount must lie between 0 and 1"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MCTSPlannerConfig(**options)
