"""The policy learnt from games: what it learns, from what, and how it plays."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from palestra.agents.alphago_sl import AlphaGoSL, AlphaGoSLConfig, objective
from palestra.cli import checkpoint
from palestra.envs.spec import EnvSpec

ENV = EnvSpec("palestra/Go-v0", kwargs={"size": 5})


def make(games: Path | str, seed: int = 0, **options: Any) -> AlphaGoSL:
    config = AlphaGoSLConfig(str(games), width=8, blocks=1, batch_size=32, updates=60, **options)
    envs = ENV.make_vec(1)
    agent = AlphaGoSL(config, envs.single_observation_space, envs.single_action_space, seed)
    envs.close()
    return agent


def learn(agent: AlphaGoSL, steps: int) -> list[tuple[int, dict[str, float]]]:
    return [(step, {k: float(np.asarray(v)) for k, v in row.items()}) for step, row in agent.train(ENV, steps)]


def test_it_learns_the_games_and_measures_itself_on_others(games: Path) -> None:
    """Moves follow from the stones but for the first of a game, which is any of 20, and symmetry: most can be known."""
    agent = make(games, learning_rate=1e-2)
    rows = learn(agent, 60)
    assert [step for step, _ in rows] == list(range(1, 61))
    assert np.mean([row["train/loss"] for _, row in rows[:5]]) > 2 * np.mean(
        [row["train/loss"] for _, row in rows[-5:]]
    )
    told = [row for _, row in rows if "valid/accuracy" in row]
    assert told[-1]["valid/accuracy"] > 3 / 25
    assert 0 <= told[-1]["valid/accuracy"] <= told[-1]["valid/top5"] <= 1
    measured = agent.accuracy()
    assert measured["positions"] == 2 * 10  # a tenth of the games, without their passes
    assert (measured["top1"], measured["top5"]) == pytest.approx((told[-1]["valid/accuracy"], told[-1]["valid/top5"]))
    assert [row[:2] for row in measured["by_move"]] == [[0, 20]]


def test_it_goes_on_where_it_was(games: Path, tmp_path: Path) -> None:
    whole, half = make(games), make(games)
    rows = learn(whole, 60)
    assert learn(half, 25) == rows[:25]
    checkpoint.save(tmp_path / "half", 25, half.state())
    resumed = make(games)
    resumed.restore(checkpoint.load(tmp_path / "half")[1])
    assert resumed.step == 25
    assert learn(resumed, 1000) == rows[25:]  # no more than were planned
    for a, b in zip(whole.network.parameters(), resumed.network.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_seed_draws_weights_and_games(games: Path) -> None:
    agents = [make(games, seed) for seed in (0, 0, 1)]
    rows = [learn(agent, 5) for agent in agents]
    assert rows[0] == rows[1] != rows[2]


def test_losses_and_hits_by_hand() -> None:
    network = torch.nn.Flatten().eval()
    obs = torch.tensor([[[[3.0, 1.0], [2.0, 0.0]]], [[[0.0, 0.0], [0.0, 5.0]]]])
    losses, metrics = objective(network, (obs, torch.tensor([2, 3])))
    expected = -torch.log_softmax(obs.flatten(1), 1)[[0, 1], [2, 3]]
    assert torch.allclose(losses, expected)
    assert metrics["accuracy"].tolist() == [0.0, 1.0]
    assert metrics["top5"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"games": ""}, "the games are missing: --games PATH"),
        ({"games": "none.sgf"}, "there is no file or folder none.sgf"),
    ],
)
def test_games_that_are_not_there(options: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        next(make(**options).train(ENV, 10))


@pytest.mark.parametrize(("option", "value"), [("width", 0), ("updates", 0), ("held_out", 1.0), ("batch_size", -1)])
def test_wrong_options(option: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{option} is {value}, but"):
        dataclasses.replace(AlphaGoSLConfig(), **{option: value})


def test_other_environments_are_refused() -> None:
    envs = EnvSpec("CartPole-v1").make_vec(1)
    with pytest.raises(ValueError, match="alphago-sl plays on boards, as in palestra/Go-v0"):
        AlphaGoSL(AlphaGoSLConfig(), envs.single_observation_space, envs.single_action_space, 0)
    envs.close()
