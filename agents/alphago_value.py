"""The value network of AlphaGo: who will win, given the position, learnt from the results of games.

Silver et al., "Mastering the game of Go with deep neural networks and tree search", Nature 529 (2016), Methods, "Value
network: regression", on game records: with one position of each game, as there, or with all of them, which are so much
alike that the network learns the games by heart (the paper's errors: 0.226 on games learnt and 0.234 on others with
one, 0.19 and 0.37 with all). The network is residual (`networks/board.py`), its output squashed by tanh.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from palestra.agents.agent import Array, Metrics
from palestra.agents.board_moves import own_eyes
from palestra.agents.game_data import Ints, read_and_split
from palestra.agents.game_fit import GameFit, Losses, Positions, Precision, best_precision
from palestra.agents.saving import generator_state, restore_generator
from palestra.agents.symmetry import spread
from palestra.envs.go.features import feature_set
from palestra.envs.go.from_planes import position_of
from palestra.envs.go.game_set import GameSet
from palestra.envs.go.play import play
from palestra.envs.go.rules import Rules
from palestra.envs.spec import EnvSpec
from palestra.networks import create
from palestra.networks.threads import use_threads

NO_RNG, NO_DATA = np.zeros(4, np.uint64), np.zeros(1)
MEASURED = 50_000  # positions on which an error is measured, at most


@dataclass(frozen=True)
class AlphaGoValueConfig:
    """Options of `AlphaGoValue`; a step is an update."""

    games: str = ""
    """Game records: an SGF file, an archive, or a folder of them."""
    positions_per_game: Literal["one", "all"] = "one"
    """Whether one position of each game is learnt, drawn once, or all of them."""
    features: str = "alphago-zero"
    """Planes that the network sees, as in docs/go.md; those of the environment."""
    width: int = 32
    """Planes of the network's layers."""
    blocks: int = 4
    """Residual blocks of the network."""
    updates: int = 5_000
    """Updates over which the learning rate goes up and down."""
    batch_size: int = 128
    """Positions in an update."""
    learning_rate: float = 1e-3
    """Largest step size."""
    weight_decay: float = 1e-3
    """Weight decay of AdamW."""
    precision: Precision = "no"
    """Mixed precision, no or bf16; bf16 where left out and the machine is faster with it."""
    held_out: float = 0.1
    """Share of the games that is held out, to measure the error."""

    def __post_init__(self) -> None:
        for name in ("width", "blocks", "updates", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, but at least 1 is wanted")
        if self.positions_per_game not in ("one", "all"):
            raise ValueError(f"positions_per_game is {self.positions_per_game!r}, but one or all is wanted")
        if not 0 < self.held_out < 1:
            raise ValueError(f"held_out is {self.held_out}, but a share between 0 and 1 is wanted")


def objective(network: nn.Module, batch: tuple[Tensor, ...]) -> Losses:
    """Returns squared errors `[B]` of the result, and whether the sign was right."""
    obs, _, result = batch
    if network.training:
        obs, _ = spread(obs, torch.zeros(len(obs), dtype=torch.int64))
    value = network(obs)[:, 0].tanh()
    return (value - result).square(), {"accuracy": (value * result > 0).float()}


class AlphaGoValue:
    """A network that values positions; as a player it makes the move whose outcome it values most.

    Raises:
        ValueError: the observations are not AlphaGo Zero's planes of a board with its points and a pass as actions.
    """

    Config = AlphaGoValueConfig
    default_steps: ClassVar[int] = 5_000
    default_env: ClassVar[str] = "palestra/Go-v0"
    shortcuts: ClassVar[tuple[str, ...]] = ("games",)  # options that need no `agent.` on the command line

    def __init__(
        self, config: AlphaGoValueConfig, obs_space: gym.Space[Any], action_space: gym.Space[Any], seed: int
    ) -> None:
        shape = obs_space.shape or ()
        if config.features != "alphago-zero" or len(shape) != 3 or getattr(action_space, "n", 0) != shape[1] ** 2 + 1:
            raise ValueError(
                f"alphago-value sees boards by the planes alphago-zero, as in palestra/Go-v0, but observations are "
                f"{obs_space} and actions {action_space}"
            )
        self.config, self._size = config, int(shape[1])
        self._rules = Rules(self._size, superko="simple")
        self._observe, self._shape = feature_set(config.features, self._size)
        use_threads(True)
        torch_seed, self._fit_seed, rng_seed = np.random.SeedSequence(seed).generate_state(3).tolist()
        self._rng = np.random.Generator(np.random.PCG64(rng_seed))
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(torch_seed)
            self.network = create(
                "board",
                in_channels=shape[0],
                num_classes=1,
                image_size=shape[1:],
                width=config.width,
                blocks=config.blocks,
                head="judgement",
            )
        self._fit = GameFit(self.network, objective, config, self._fit_seed)
        self._data: tuple[Positions, ...] = ()  # those to learn from and those held out, once they are read

    @classmethod
    def defaults(cls, env: EnvSpec, steps: int) -> AlphaGoValueConfig:
        """Returns the options that suit an environment and a number of updates."""
        features = str(env.kwargs.get("features", "alphago-zero"))
        return AlphaGoValueConfig(features=features, updates=steps, precision=best_precision())

    @property
    def step(self) -> int:
        """Updates made so far."""
        return self._fit.step

    def act(
        self, obs: Array, first: NDArray[np.bool_], mask: NDArray[np.bool_] | None = None, *, explore: bool = True
    ) -> NDArray[np.int64]:
        """Chooses actions `[B]` for planes `[B, 17, N, N]`: what leaves the opponent the least value, eyes left out.

        Where it explores, values are softened by noise of a tenth.
        """
        sensible = (obs[:, 0] + obs[:, 1] == 0) & ~own_eyes(obs)
        allowed = sensible.reshape(len(obs), -1) if mask is None else mask[:, :-1] & sensible.reshape(len(obs), -1)
        return np.array([self._choose(x, np.flatnonzero(row), explore) for x, row in zip(obs, allowed, strict=True)])

    @torch.inference_mode()
    def values(self, obs: Array) -> NDArray[np.float32]:
        """Returns what the player to move is expected to get, `[B]` in [-1, 1]."""
        self.network.eval()
        return self.network(torch.as_tensor(obs, dtype=torch.float32))[:, 0].tanh().numpy()  # type: ignore[no-any-return]

    def prepare(self) -> None:
        """Reads the games, once, without those that nobody won; a warning says what was left out.

        Raises:
            ValueError: there are none that can be used.
        """
        if self._data:
            return
        c = self.config
        games, kept, held = read_and_split(c.games, self._size, c.held_out, self._fit_seed)
        rng = np.random.default_rng(self._fit_seed)
        parts = [_positions(games, part[games.winner[part] > 0], c.positions_per_game, rng) for part in (kept, held)]
        if not all(len(game) for game, _ in parts):
            raise ValueError(f"the games of {c.games} have too few results to learn who wins")
        self._data = tuple(Positions(games, game, ply, c.features) for game, ply in parts)

    def errors(self) -> dict[str, Any]:
        """Returns the mean squared errors on what was learnt and on games held out, and how often the sign is right.

        Of more than `MEASURED` positions as many are drawn, the same each time.

        Raises:
            ValueError: the games cannot be read any more.
        """
        self.prepare()
        learnt, held = (self._fit.measure(positions.sample(MEASURED)) for positions in self._data)
        return {
            "mse_train": float(learnt["loss"].mean()),
            "mse_test": float(held["loss"].mean()),
            "sign_test": float(held["accuracy"].mean()),
            "positions": len(held["loss"]),
        }

    def train(self, env: EnvSpec, steps: int) -> Iterator[tuple[int, Metrics]]:
        """Learns until `steps` updates were made, at most as many as planned; the environment takes no part.

        Yields the error of each update, and after each pass over the positions that on games held out.

        Raises:
            ValueError: there are no games for it.
        """
        self.prepare()
        train, held = self._data
        yield from self._fit.run(train, held, steps)

    def save_pretrained(self, folder: str | Path) -> None:
        """Writes the network to a folder, from which agents and others take it."""
        self._fit.save_pretrained(folder, agent="alphago-value", features=self.config.features)

    def state(self) -> dict[str, Any]:
        """Returns all that is needed to go on."""
        return {"rng": generator_state(self._rng), **self._fit.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave."""
        restore_generator(self._rng, state["rng"])
        self._fit.restore(state)

    def _choose(self, planes: Array, actions: Ints, explore: bool) -> int:
        if not len(actions):
            return self._size**2
        after = np.empty((len(actions), *self._shape), np.float32)
        before = position_of(planes, self._rules)
        for k, action in enumerate(actions):
            state = before.copy()
            play(state, int(action), NO_RNG, NO_DATA)
            self._observe(state, after[k].reshape(-1), NO_DATA)
        values = -self.values(after) + (self._rng.normal(scale=0.1, size=len(actions)) if explore else 0.0)
        return int(actions[values.argmax()])


def _positions(games: GameSet, which: Ints, per_game: str, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Returns game and number of the move of the positions to learn: all, or one of each game.

    Moves beyond the number of points, by which a game that nobody gave up is filled in, are left out.
    """
    game, ply = games.positions(which)
    game, ply = game[ply < games.size**2], ply[ply < games.size**2]
    if per_game == "all" or not len(game):
        return game, ply
    begin = np.flatnonzero(np.diff(game, prepend=-1))
    count = np.diff(np.append(begin, len(game)))
    chosen = begin + (rng.random(len(begin)) * count).astype(np.int64)
    return game[chosen], ply[chosen]
