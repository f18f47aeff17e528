"""The rollout policy as an agent: learning, going on, and moves from planes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from palestra.agents.alphago_rollout import AlphaGoRollout, AlphaGoRolloutConfig
from palestra.cli import checkpoint
from palestra.envs.go.env import GoEnv
from palestra.envs.spec import EnvSpec

ENV = EnvSpec("palestra/Go-v0", kwargs={"size": 5})


def make(games: Path | str, seed: int = 0, **options: Any) -> AlphaGoRollout:
    envs = ENV.make_vec(1)
    spaces = envs.single_observation_space, envs.single_action_space
    envs.close()
    return AlphaGoRollout(AlphaGoRolloutConfig(str(games), **{"plan": 400, **options}), *spaces, seed)


def test_it_learns_the_games_and_measures_itself_on_others(games: Path) -> None:
    """The games go on in even steps, which distances to the last two moves tell: chance would be right in 1 of 20."""
    agent = make(games)
    rows = list(agent.train(ENV, 400))
    assert [step for step, _ in rows] == [18 * k for k in range(1, 23)] + [400]
    told = [row for _, row in rows if "valid/accuracy" in row]
    assert told[-1]["valid/accuracy"] > 0.5
    assert told[-1]["valid/accuracy"] <= told[-1]["valid/top5"] <= 1
    measured = agent.accuracy()
    assert (measured["positions"], [row[:2] for row in measured["by_move"]]) == (20, [[0, 20]])
    assert agent.accuracy() == measured  # measuring learns nothing


@pytest.mark.parametrize("cut", [25, 36, 301])
def test_it_goes_on_where_it_was(games: Path, tmp_path: Path, cut: int) -> None:
    whole, half = make(games), make(games)
    list(whole.train(ENV, 400))
    list(half.train(ENV, cut))
    assert half.step == cut
    checkpoint.save(tmp_path / "half", cut, half.state())
    resumed = make(games)
    resumed.restore(checkpoint.load(tmp_path / "half")[1])
    list(resumed.train(ENV, 10_000))  # no more than were planned
    assert resumed.step == 400
    assert (resumed.weights == whole.weights).all()
    assert (make(games, 1).weights != whole.weights).any()


@pytest.mark.parametrize("explore", [True, False])
def test_only_legal_moves_are_made(games: Path, explore: bool) -> None:
    agent = make(games)
    list(agent.train(ENV, 100))
    env = GoEnv(5)
    obs, info = env.reset(seed=0)
    for _ in range(100):
        mask = info["action_mask"].astype(np.bool_)
        action = agent.act(obs[None], np.array([False]), mask[None], explore=explore)
        assert action.shape == (1,)
        obs, _, terminated, truncated, info = env.step(action[0])  # an illegal one is an error
        if terminated or truncated:
            obs, info = env.reset()


def test_what_it_cannot_take() -> None:
    with pytest.raises(ValueError, match="the games are missing"):
        next(make("").train(ENV, 10))
    for options, message in (({"plan": 0}, "plan is 0"), ({"rate": 0.0}, "rate 0.0"), ({"held_out": 0.0}, "held_out")):
        with pytest.raises(ValueError, match=message):
            make("x", **options)
    envs = EnvSpec("palestra/Go-v0", kwargs={"size": 5, "features": "stones"}).make_vec(1)
    with pytest.raises(ValueError, match="with its planes alphago-zero, but observations are"):
        AlphaGoRollout(AlphaGoRolloutConfig(), envs.single_observation_space, envs.single_action_space, 0)
    envs.close()
