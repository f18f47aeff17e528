"""AlphaZero's network as a search asks it."""

import numpy as np
import torch

from palestra.agents.alphazero import AlphaZeroConfig
from palestra.agents.alphazero_network import NetworkEvaluator, new_network, play_share


def test_the_evaluator_gives_logits_and_squashed_values_of_the_network() -> None:
    config = AlphaZeroConfig(width=8, blocks=2, pooling=True)
    network = new_network(config, (3, 6, 7), 7).eval()
    obs = np.random.default_rng(0).integers(0, 2, (5, 3, 6, 7)).astype(np.float32)
    logits, values = NetworkEvaluator(network, "no")(obs, obs)
    with torch.inference_mode():
        wanted = network(torch.from_numpy(obs))
    assert logits.shape == (5, 7)
    np.testing.assert_allclose(logits, wanted[:, :7], atol=1e-4)
    np.testing.assert_allclose(values, wanted[:, 7].tanh(), atol=1e-4)


def test_a_share_of_games_follows_from_weights_and_seed() -> None:
    config = AlphaZeroConfig(width=4, blocks=1, simulations=4)
    weights = {name: value.numpy() for name, value in new_network(config, (3, 3, 3), 9).state_dict().items()}
    one, same, other = (play_share({"game": "tic-tac-toe"}, config, [weights], 3, seed, True) for seed in (0, 0, 1))
    assert [game.samples.obs.tobytes() for game in one] == [game.samples.obs.tobytes() for game in same]
    assert [game.samples.obs.tobytes() for game in one] != [game.samples.obs.tobytes() for game in other]
