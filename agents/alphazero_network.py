"""AlphaZero's network: how it is made, how a search asks it, and games that a process plays with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from palestra.agents.agent import Array
from palestra.agents.game_fit import Precision
from palestra.agents.leaves import Evaluator
from palestra.agents.search_games import GameOfSearch, SearchOptions, play_games
from palestra.envs.game import Game
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

    def __init__(self, network: Any, precision: Precision, device: str = "cpu") -> None:
        self._device = device
        self.network = Compact(network, torch.bfloat16 if precision == "bf16" else torch.float32).to(device)

    @torch.inference_mode()
    def __call__(self, obs: Array, states: Array) -> tuple[Any, Any]:
        """Returns logits `[B, A]` and values `[B]`."""
        out: Tensor = self.network(torch.from_numpy(np.ascontiguousarray(obs)).to(self._device)).cpu()
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


def evaluator_of(
    options: NetworkOptions, game: Game, weights: Mapping[str, NDArray[Any]], device: str = "cpu"
) -> NetworkEvaluator:
    """Makes a network with these weights as a search asks it."""
    network = new_network(options, game.obs_shape, game.num_actions)
    network.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in weights.items()})
    return NetworkEvaluator(network, options.precision, device)


@dataclass(frozen=True)
class ServerNetworks:
    """Makes networks where a server runs, on its GPU if it has one."""

    kwargs: Mapping[str, Any]
    options: NetworkOptions

    def __call__(self, weights: Mapping[str, NDArray[Any]]) -> Evaluator:
        """Makes a network with these weights as a search asks it."""
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return evaluator_of(self.options, GameEnv(**self.kwargs).game, weights, device)


def play_share(
    kwargs: Mapping[str, Any],
    options: NetworkOptions,
    networks: Sequence[Mapping[str, NDArray[Any]] | Evaluator],
    num_games: int,
    seed: int,
    exploring: bool,
) -> list[GameOfSearch]:
    """Plays a worker's share of games with one network, or two against each other; of weights it makes them itself."""
    game = GameEnv(**kwargs).game
    evaluators = [evaluator_of(options, game, given) if isinstance(given, Mapping) else given for given in networks]
    return play_games(game, options, evaluators, num_games, seed, parallel=options.parallel, exploring=exploring)
