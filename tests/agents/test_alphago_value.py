"""The value network: what it learns from, what it says, and how it plays."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from palestra.agents.alphago_value import AlphaGoValue, AlphaGoValueConfig, objective
from palestra.cli import checkpoint
from palestra.envs.go.env import GoEnv
from palestra.envs.go.features import alphago_zero
from palestra.envs.go.position import from_rows
from palestra.envs.go.rules import Rules
from palestra.envs.spec import EnvSpec

ENV = EnvSpec("palestra/Go-v0", kwargs={"size": 5})


def make(games: Path | str, seed: int = 0, **options: Any) -> AlphaGoValue:
    small = {"width": 8, "blocks": 1, "batch_size": 16, "updates": 60, "positions_per_game": "all", **options}
    envs = ENV.make_vec(1)
    spaces = envs.single_observation_space, envs.single_action_space
    envs.close()
    return AlphaGoValue(AlphaGoValueConfig(str(games), **small), *spaces, seed)


def test_it_learns_who_wins_and_measures_its_errors(games: Path) -> None:
    """Whose turn it is says nearly all; the error of saying 0 is 1."""
    agent = make(games, learning_rate=1e-2)
    agent.prepare()
    whole = 4 * -(-len(agent._data[0]) // 16)  # passes over the positions
    rows = list(agent.train(ENV, whole))
    assert [step for step, _ in rows] == list(range(1, whole + 1))
    errors = agent.errors()
    assert errors["mse_train"] < 0.7
    assert errors["mse_train"] == pytest.approx(agent._fit.measure(agent._data[0])["loss"].mean())
    assert 0 <= errors["sign_test"] <= 1
    told = [row for _, row in rows if "valid/loss" in row]
    assert told[-1]["valid/loss"] == pytest.approx(errors["mse_test"])


@pytest.mark.parametrize(("per_game", "held_out"), [("one", 0.1), ("all", 0.1), ("one", 0.5)])
def test_positions_of_games_that_somebody_won(games: Path, per_game: str, held_out: float) -> None:
    agent = make(games, positions_per_game=per_game, held_out=held_out)
    agent.prepare()
    for positions in agent._data:
        each = np.bincount(positions.game, minlength=20)
        assert 7 not in positions.game  # nobody won it
        assert set(each) <= {0, 1 if per_game == "one" else 10}
        _, _, result = positions[torch.arange(len(positions))]
        black_won = positions.game != 3
        assert ((result.numpy() == 1) == (black_won == (positions.ply % 2 == 0))).all()
    assert not set(agent._data[0].game) & set(agent._data[1].game)


def test_it_goes_on_where_it_was(games: Path, tmp_path: Path) -> None:
    whole, half = make(games), make(games)
    rows = list(whole.train(ENV, 60))
    assert list(half.train(ENV, 25)) == rows[:25]
    checkpoint.save(tmp_path / "half", 25, half.state())
    resumed = make(games)
    resumed.restore(checkpoint.load(tmp_path / "half")[1])
    assert list(resumed.train(ENV, 60)) == rows[25:]
    for a, b in zip(whole.network.parameters(), resumed.network.parameters(), strict=True):
        assert torch.equal(a, b)


def test_losses_by_hand() -> None:
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 1, bias=False)).eval()
    with torch.no_grad():
        network[1].weight.copy_(torch.tensor([[1.0, 0.0, 0.0, 0.0]]))
    obs = torch.tensor([[[[0.5, 9.0], [9.0, 9.0]]], [[[-2.0, 9.0], [9.0, 9.0]]]])
    losses, metrics = objective(network, (obs, torch.zeros(2), torch.tensor([1.0, 1.0])))
    assert torch.allclose(losses, (torch.tensor([0.5, -2.0]).tanh() - 1) ** 2)
    assert metrics["accuracy"].tolist() == [1.0, 0.0]


class Stones(torch.nn.Module):
    """Values a position by its stones: own less the opponent's."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x[:, 0] - x[:, 1]).sum((1, 2))[:, None] / 10


@pytest.mark.parametrize("to_move", [1, 2])
def test_it_makes_the_move_whose_outcome_it_values_most(to_move: int) -> None:
    """Taking two stones is worth more than taking one, whoever moves."""
    rows = [". X O . .", ". X O . .", ". . X . .", ". . . X .", ". . X O ."]
    if to_move == 2:
        rows = [row.replace("X", "x").replace("O", "X").replace("x", "O") for row in rows]
    state = from_rows(rows, Rules(5, superko="simple"), to_move).state
    obs = np.zeros((1, 17, 5, 5), np.float32)
    alphago_zero(state, obs.reshape(-1), np.zeros(1))
    agent = make("")
    agent.network = Stones()
    mask = np.ones((1, 26), np.bool_)
    first = np.array([True])
    # D4 and D5 together would take C4 and C5; E1 takes D1 at once
    assert agent.act(obs, first, mask, explore=False).tolist() == [24]
    mask[0, 24] = False
    assert 24 not in [int(agent.act(obs, first, mask)[0]) for _ in range(5)]


@pytest.mark.parametrize("explore", [True, False])
def test_only_legal_moves_are_made(explore: bool) -> None:
    agent, env = make(""), GoEnv(5)
    obs, info = env.reset(seed=0)
    for _ in range(60):
        mask = info["action_mask"].astype(np.bool_)
        action = agent.act(obs[None], np.array([False]), mask[None], explore=explore)
        obs, _, terminated, truncated, info = env.step(action[0])  # an illegal one is an error
        if terminated or truncated:
            obs, info = env.reset()


def test_what_it_cannot_take(games: Path) -> None:
    games.write_text(games.read_text().replace("B+R", "?").replace("W+R", "?"))
    with pytest.raises(ValueError, match="have too few results to learn who wins"):
        make(games).prepare()
    for options, message in (
        ({"positions_per_game": "some"}, "positions_per_game is 'some', but one or all is wanted"),
        ({"updates": 0}, "updates is 0"),
        ({"held_out": 0.0}, "held_out is 0.0"),
        ({"features": "stones"}, "by the planes alphago-zero"),
    ):
        with pytest.raises(ValueError, match=message):
            make("x", **options)
