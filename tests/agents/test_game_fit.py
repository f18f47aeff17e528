"""The fit of networks to games, without what its agents' own tests show."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from palestra.agents.game_fit import GameFit, Positions
from palestra.envs.go.game_set import read_game_set

OPTIONS = SimpleNamespace(precision="no", updates=7, batch_size=8, learning_rate=1e-2, weight_decay=0.0)


def objective(
    network: torch.nn.Module, batch: tuple[torch.Tensor, ...]
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The squared output, and the action."""
    return network(batch[0].flatten(1))[:, 0].square(), {"action": batch[1].float()}


def test_updates_are_those_planned_whatever_is_asked_for(games: Path) -> None:
    read = read_game_set(games, report=pytest.fail)
    train, held = (Positions(read, *read.positions(np.array(which)), "stones") for which in ([0, 1, 2], [3]))
    fit = GameFit(torch.nn.Linear(100, 1), objective, OPTIONS, seed=0)
    assert [step for step, _ in fit.run(train, held, 3)] == [1, 2, 3]
    assert list(fit.run(train, held, 2)) == []
    rows = list(fit.run(train, held, 100))
    assert [step for step, _ in rows] == [4, 5, 6, 7]
    assert list(fit.run(train, held, 100)) == []
    assert rows[0][1].keys() == {"train/loss", "train/action", "train/epoch", "valid/loss", "valid/action"}
    measured = fit.measure(held)
    assert measured["action"].tolist() == [3, 5, 8, 10, 13, 15, 18, 20, 23, 0]
    assert measured["loss"].shape == (10,)


def test_a_sample_of_positions_is_the_same_each_time(games: Path) -> None:
    read = read_game_set(games, report=pytest.fail)
    positions = Positions(read, *read.positions(np.array([0, 1, 2, 3])), "stones")
    once, again = positions.sample(7), positions.sample(7)
    assert len(once) == 7
    pairs = list(zip(once.game.tolist(), once.ply.tolist(), strict=True))
    assert pairs == list(zip(again.game.tolist(), again.ply.tolist(), strict=True))
    assert len(set(pairs)) == 7
    assert positions.sample(1000) is positions
