"""What is wanted of every agent, over the list of agents."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from palestra.agents import AGENTS, agent_class
from palestra.agents.agent import action_mask
from palestra.cli import checkpoint
from palestra.envs.spec import EnvSpec

PLANNERS = ("value-iteration", "policy-iteration")
TABULAR = (*PLANNERS, "q-learning", "mcts")  # they take observations that are numbers
ANYWHERE = [name for name in AGENTS if not name.startswith("alpha") and name != "mappo"]  # boards, and teams, aside
SMALL = {  # options that make a short training of each agent do all that it can do
    "mcts": {"simulations": 5, "horizon": 10},
    "dqn": {"learning_starts": 20, "batch_size": 8, "hidden": (16,), "target_update_interval": 16, "buffer_size": 500},
    "ppo": {"n_steps": 16, "batch_size": 16, "n_epochs": 2, "hidden": (16,)},
    "a2c": {"hidden": (16,)},
}
SEGMENTS = {name: (4, 8) if name in PLANNERS else (64, 128) for name in AGENTS}


def make(name: str, env: EnvSpec, seed: int = 0) -> Any:
    kind = agent_class(name)
    config = dataclasses.replace(kind.defaults(env, kind.default_steps), **SMALL.get(name, {}))
    envs = env.make_vec(1)
    agent = kind(config, envs.single_observation_space, envs.single_action_space, seed)
    envs.close()
    return agent


def learn(agent: Any, env: EnvSpec, steps: int) -> list:
    return [(step, {k: np.asarray(v).tolist() for k, v in row.items()}) for step, row in agent.train(env, steps)]


def saved(agent: Any, folder: Any) -> str:
    """The manifest names arrays by their content, so equal texts are equal states."""
    checkpoint.save(folder, 0, agent.state())
    return (folder / f"{0:012d}.json").read_text()


@pytest.mark.parametrize(
    ("name", "id"),
    [(name, "Taxi-v4") for name in ANYWHERE] + [(name, "CartPole-v1") for name in ANYWHERE if name not in TABULAR],
)
def test_saved_restored_and_gone_on_is_as_never_stopped(name: str, id: str, tmp_path: Any) -> None:
    env = EnvSpec(id, num_envs=1 if name in PLANNERS else 2, seed=3)
    first, second = SEGMENTS[name]
    whole = make(name, env)
    learn(whole, env, first)
    checkpoint.save(tmp_path / "half", first, whole.state())
    rows = learn(whole, env, second)
    resumed = make(name, env)
    resumed.restore(checkpoint.load(tmp_path / "half")[1])
    assert resumed.step >= first or name in PLANNERS
    assert learn(resumed, env, second) == rows
    assert saved(resumed, tmp_path / "a") == saved(whole, tmp_path / "b")


@pytest.mark.parametrize("name", [name for name in ANYWHERE if name not in PLANNERS])
def test_same_seed_same_result_another_seed_another(name: str, tmp_path: Any) -> None:
    env = EnvSpec("Taxi-v4", num_envs=2, seed=3)
    agents = [make(name, env, seed) for seed in (0, 0, 1)]
    for agent in agents:
        learn(agent, env, SEGMENTS[name][1])
    same, again, other = (saved(agent, tmp_path / str(i)) for i, agent in enumerate(agents))
    assert same == again
    assert same != other or name in ("q-learning", "random", "mcts")  # an empty table, and counts, can be the same


@pytest.mark.parametrize("name", ANYWHERE)
@pytest.mark.parametrize("explore", [True, False])
def test_actions_outside_the_mask_are_never_taken(name: str, explore: bool) -> None:
    env = EnvSpec("Taxi-v4", num_envs=4)
    agent = make(name, env)
    learn(agent, env, SEGMENTS[name][0])
    envs = env.make_vec()
    obs, info = envs.reset(seed=0)
    first = np.ones(4, bool)
    for _ in range(100):
        mask = action_mask(info)
        action = agent.act(obs, first, mask, explore=explore)
        assert action.shape == (4,)
        assert mask[np.arange(4), action].all()
        obs, _, terminated, truncated, info = envs.step(action)
        first = terminated | truncated


@pytest.mark.parametrize("name", AGENTS)
def test_every_option_is_explained(name: str) -> None:
    import inspect

    config = agent_class(name).Config
    source = inspect.getsource(config)
    for field in dataclasses.fields(config):
        after = source.split(f"    {field.name}:")[1].split("\n")[1].strip()
        assert after.startswith('"""'), f"{name}: {field.name} has no docstring"


def test_unknown_agents_are_said() -> None:
    with pytest.raises(ValueError, match="no agent 'dqnn'; did you mean dqn"):
        agent_class("dqnn")
