"""What AlphaZero learns from: the latest positions, turned as the rules allow, and the losses by hand."""

from typing import Any

import numpy as np
import pytest
import torch

from palestra.agents.alphazero_data import Window, learning_batch, losses_of, turned
from palestra.agents.search_games import Samples
from palestra.envs.game import Game, State, legal_mask
from palestra.envs.games import make_game
from palestra.envs.rng import seed_state
from palestra.networks.board import BoardNet


def samples_of(count: int, size: int = 3, owners: int = 0) -> Samples:
    rng = np.random.default_rng(0)
    policy = rng.dirichlet(np.ones(size * size), count).astype(np.float32)
    return Samples(
        rng.integers(0, 2, (count, 3, size, size)).astype(np.uint8),
        policy,
        rng.choice([-1, 0, 1], count).astype(np.float32),
        rng.choice([-1, 0, 1], (count, owners)).astype(np.int8),
        rng.normal(size=count).astype(np.float32),
    )


def test_the_losses_by_hand() -> None:
    network: Any = BoardNet(17, 11, width=8, blocks=1, image_size=(3, 3), head="policy-value").eval()
    obs = torch.rand(4, 17, 3, 3)
    policy, value = torch.full((4, 10), 0.1), torch.tensor([1.0, -1.0, 0.0, 1.0])
    owner, lead = torch.tensor([[1.0] * 9] * 4), torch.tensor([6.0, -3.0, 0.0, 9.0])
    found = losses_of(network, (obs, policy, value, owner, lead))
    losses = {name: loss.detach() for name, loss in found.items()}
    with torch.no_grad():
        out, outcome = network(obs), network.head.outcome(network.planes(obs))
    chance = out[:, :10].softmax(1)
    assert float(losses["policy"]) == pytest.approx(float(-(0.1 * chance.log()).sum() / 4), rel=1e-5)
    assert float(losses["value"]) == pytest.approx(float(((out[:, 10].tanh() - value) ** 2).sum() / 4), rel=1e-5)
    assert float(losses["owner"]) == pytest.approx(float(((outcome[:, :9].tanh() - 1) ** 2).mean()), rel=1e-5)
    apart = (outcome[:, 9] - lead / 3).abs()
    huber = torch.where(apart < 1, apart**2 / 2, apart - 0.5).mean()
    assert float(losses["lead"]) == pytest.approx(float(huber), rel=1e-5)


def test_the_window_keeps_the_latest_positions() -> None:
    window, all_of_them = Window(5), samples_of(8)
    parts = [Samples(*(array[a:b] for array in all_of_them)) for a, b in ((0, 3), (3, 4), (4, 8))]  # type: ignore[arg-type]
    assert [window.add(parts[:1]), window.add(parts[1:])] == [3, 5]
    assert len(window) == 5
    drawn = window.sample(np.random.default_rng(0), 500)
    assert {row.tobytes() for row in drawn.obs} == {row.tobytes() for row in all_of_them.obs[3:]}
    again = Window(5)
    again.restore(window.state())
    assert (again.sample(np.random.default_rng(1), 9).policy == window.sample(np.random.default_rng(1), 9).policy).all()


def seen(game: Game, state: State) -> torch.Tensor:
    obs = np.zeros((1, *game.obs_shape), np.float32)
    game.observe(state, obs.reshape(-1), game.data)
    return torch.from_numpy(obs)


def turned_by(game: Game, obs: torch.Tensor, actions: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    board, policy, _ = turned(obs, actions, torch.zeros(1, 0), k, game.symmetry)
    return board, policy


@pytest.mark.parametrize(("name", "kinds"), [("tic-tac-toe", 8), ("connect-four", 2), ("gomoku-5x5", 8), ("go-5x5", 8)])
def test_turned_moves_lead_to_turned_boards(name: str, kinds: int) -> None:
    """The game itself is the oracle: the turned moves are legal where the others were, and lead to the turned board."""
    game, rng, no_rng = make_game(name), np.random.default_rng(0), seed_state(0)
    for k in range(kinds):
        state, other = game.start.copy(), game.start.copy()
        for _ in range(5):
            mask = legal_mask(game, state)
            wanted = turned_by(game, seen(game, state), torch.from_numpy(mask).float()[None], k)
            assert torch.equal(wanted[0], seen(game, other))
            assert (wanted[1][0].numpy() == legal_mask(game, other)).all()
            action = int(rng.choice(np.flatnonzero(mask)))
            one_hot = torch.nn.functional.one_hot(torch.tensor([action]), game.num_actions)
            game.play(state, action, no_rng, game.data)
            game.play(other, int(turned_by(game, seen(game, state), one_hot, k)[1].argmax()), no_rng, game.data)


def test_a_batch_is_turned_by_every_symmetry_and_nothing_is_lost() -> None:
    samples = samples_of(16, owners=9)
    obs, policy, value, owner, _ = learning_batch(samples, "square", np.random.default_rng(0))
    assert sorted(obs.sum((1, 2, 3)).tolist()) == sorted(samples.obs.sum((1, 2, 3)).tolist())
    assert value.tolist() == samples.value.tolist()
    for i in range(16):
        matches = [
            k
            for k in range(8)
            if all(
                torch.equal(a[0], b)
                for a, b in zip(
                    turned(
                        torch.from_numpy(samples.obs[i : i + 1]).float(),
                        torch.from_numpy(samples.policy[i : i + 1]),
                        torch.from_numpy(samples.owner[i : i + 1]).float(),
                        k,
                        "square",
                    ),
                    (obs[i], policy[i], owner[i]),
                    strict=True,
                )
            )
        ]
        assert matches, i
    plain = learning_batch(samples, "none", np.random.default_rng(0))
    assert torch.equal(plain[1], torch.from_numpy(samples.policy))
