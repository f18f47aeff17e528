import dataclasses

import numpy as np
import pytest

from palestra.agents.q_learning import QLearningConfig
from palestra.cli.run import Run
from palestra.cli.setup import agent_config_of, env_of, new_agent, restore, trained_agent
from palestra.envs.spec import EnvSpec

CONFIG = {
    "agent": "q-learning",
    "env": dataclasses.asdict(EnvSpec("FrozenLake-v1", 2, seed=5)),
    "agent_config": dataclasses.asdict(QLearningConfig(gamma=0.5)),
    "seed": 1,
}


def test_what_config_json_says_comes_back() -> None:
    assert env_of(CONFIG) == EnvSpec("FrozenLake-v1", 2, seed=5)
    assert agent_config_of(CONFIG) == QLearningConfig(gamma=0.5)
    assert new_agent(CONFIG).q.shape == (16, 4)  # type: ignore[attr-defined]


def test_options_of_another_version_are_said() -> None:
    strange = CONFIG | {"agent_config": {"gamma": 0.5, "sigma": 1}}
    with pytest.raises(ValueError, match=r"do not fit this version.*sigma"):
        agent_config_of(strange)


def test_a_checkpoint_of_another_version_is_said(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("PALESTRA_RUNS", str(tmp_path))
    run = Run.create("x", CONFIG)
    with pytest.raises(ValueError, match="does not fit this version of q-learning"):
        restore(new_agent(CONFIG), {"nothing": np.zeros(3)}, run)
    agent = new_agent(CONFIG)
    agent.q[3, 1] = 7.0  # type: ignore[attr-defined]
    run.save(5, agent.state())
    assert trained_agent(run).q[3, 1] == 7.0  # type: ignore[attr-defined]
