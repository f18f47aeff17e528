"""AlphaZero's network: how it is made, how a search asks it, and games that a process plays with it."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from palestra.agents.agent import Array
from palestra.agents.game_fit import Precision
from palestra.agents.search_games import GameOfSearch, SearchOptions, play_games
from palestra.envs.game_env import GameEnv
from palestra.networks import create
from palestra.networks.board import Compact


class NetworkOptions(SearchOptions, Protocol):
    """What an agent's options say of its network and its games."""

    @property
    def width(self) -> int: ...
    @property
    def blocks(self) -> int: ...
    @property
    def pooling(self) -> bool: ...
    @property
    def parallel(self) -> int: ...
    @property
    def precision(self) -> Precision: ...


class NetworkEvaluator:
    """A network as a search asks it; see `agents/leaves.py: Evaluator`."""

    def __init__(self, network: Any, precision: Precision) -> None:
        self.network = Compact(network, torch.bfloat16 if precision == "bf16" else torch.float32)

    @torch.inference_mode()
    def __call__(self, obs: Array, states: Array) -> tuple[Any, Any]:
        """Returns logits `[B, A]` and values `[B]`."""
        out: Tensor = self.network(torch.from_numpy(np.ascontiguousarray(obs)))
        return out[:, :-1].numpy(), out[:, -1].tanh().numpy()


def new_network(options: NetworkOptions, obs_shape: tuple[int, ...], num_actions: int) -> nn.Module:
    """Makes a network for planes `[C, H, W]` and some actions."""
    return create(
        "board",
        in_channels=obs_shape[0],
        num_classes=num_actions + 1,
        image_size=obs_shape[1:],
        width=options.width,
        blocks=options.blocks,
        pooling=options.pooling,
        head="policy-value",
    )


def play_share(
    kwargs: Mapping[str, Any],
    options: NetworkOptions,
    weights: list[Mapping[str, NDArray[Any]]],
    num_games: int,
    seed: int,
    exploring: bool,
) -> list[GameOfSearch]:
    """Plays a worker's share of games with one network, or two against each other."""
    game, evaluators = GameEnv(**kwargs).game, []
    for given in weights:
        network = new_network(options, game.obs_shape, game.num_actions)
        network.load_state_dict({name: torch.from_numpy(value) for name, value in given.items()})
        evaluators.append(NetworkEvaluator(network, options.precision))
    return play_games(game, options, evaluators, num_games, seed, parallel=options.parallel, exploring=exploring)
