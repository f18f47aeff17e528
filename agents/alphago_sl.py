"""The policy network of AlphaGo, learnt from game records: the move that was made, given the position.

Silver et al., "Mastering the game of Go with deep neural networks and tree search", Nature 529 (2016), Methods,
"Policy network: classification", with a residual network (`networks/board.py`) and AdamW with a learning rate that goes
up and down once, in place of 13 plain layers and SGD. As there, passes are not learnt, and every position is shown
turned and mirrored; games are held out whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from palestra.agents.agent import Array, Metrics
from palestra.agents.board_moves import choose_moves
from palestra.agents.game_data import accuracy_by_move, read_and_split
from palestra.agents.game_fit import GameFit, Positions, Precision, best_precision
from palestra.agents.saving import generator_state, restore_generator
from palestra.agents.symmetry import spread
from palestra.envs.spec import EnvSpec
from palestra.networks import create
from palestra.networks.losses import cross_entropy
from palestra.networks.threads import use_threads


@dataclass(frozen=True)
class AlphaGoSLConfig:
    """Options of `AlphaGoSL`; a step is an update."""

    games: str = ""
    """Game records: an SGF file, an archive, or a folder of them."""
    features: str = "alphago-zero"
    """Planes that the network sees, as in docs/go.md; those of the environment."""
    width: int = 64
    """Planes of the network's layers."""
    blocks: int = 5
    """Residual blocks of the network."""
    updates: int = 10_000
    """Updates over which the learning rate goes up and down."""
    batch_size: int = 128
    """Positions in an update."""
    learning_rate: float = 3e-3
    """Largest step size."""
    weight_decay: float = 1e-4
    """Weight decay of AdamW."""
    precision: Precision = "no"
    """Mixed precision, no or bf16; bf16 where left out and the machine is faster with it."""
    held_out: float = 0.1
    """Share of the games that is held out, to measure accuracy."""

    def __post_init__(self) -> None:
        for name in ("width", "blocks", "updates", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, but at least 1 is wanted")
        if not 0 < self.held_out < 1:
            raise ValueError(f"held_out is {self.held_out}, but a share between 0 and 1 is wanted")


def objective(network: nn.Module, batch: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, Tensor]]:
    """Returns losses `[B]`, and whether the move made was the network's first choice or among its first five."""
    obs, action = spread(*batch[:2]) if network.training else batch[:2]
    logits = network(obs)
    rank = (logits > logits.gather(1, action[:, None])).sum(1)
    return cross_entropy(logits, action), {"accuracy": (rank < 1).float(), "top5": (rank < 5).float()}


class AlphaGoSL:
    """A policy on a board that was learnt from games; it draws its moves where it explores, and else prefers one.

    Raises:
        ValueError: the observations are no planes of a square board, or the actions not its points and a pass.
    """

    Config = AlphaGoSLConfig
    default_steps: ClassVar[int] = 10_000
    default_env: ClassVar[str] = "palestra/Go-v0"
    shortcuts: ClassVar[tuple[str, ...]] = ("games",)  # options that need no `agent.` on the command line

    def __init__(
        self, config: AlphaGoSLConfig, obs_space: gym.Space[Any], action_space: gym.Space[Any], seed: int
    ) -> None:
        shape = obs_space.shape or ()
        if len(shape) != 3 or shape[1] != shape[2] or getattr(action_space, "n", 0) != shape[1] ** 2 + 1:
            raise ValueError(
                f"alphago-sl plays on boards, as in palestra/Go-v0, but observations are {obs_space} and actions "
                f"{action_space}"
            )
        self.config, self._size = config, shape[1]
        use_threads(True)
        torch_seed, self._fit_seed, rng_seed = np.random.SeedSequence(seed).generate_state(3).tolist()
        self._rng = np.random.Generator(np.random.PCG64(rng_seed))
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(torch_seed)
            self.network = create(
                "board",
                in_channels=shape[0],
                num_classes=shape[1] ** 2 + 1,
                image_size=shape[1:],
                width=config.width,
                blocks=config.blocks,
            )
        self._fit = GameFit(self.network, objective, config, self._fit_seed)
        self._data: tuple[Positions, ...] = ()  # those to learn from and those held out, once they are read

    @classmethod
    def defaults(cls, env: EnvSpec, steps: int) -> AlphaGoSLConfig:
        """Returns the options that suit an environment and a number of updates."""
        features = str(env.kwargs.get("features", AlphaGoSLConfig.features))
        return AlphaGoSLConfig(features=features, updates=steps, precision=best_precision())

    @property
    def step(self) -> int:
        """Updates made so far."""
        return self._fit.step

    def act(
        self, obs: Array, first: NDArray[np.bool_], mask: NDArray[np.bool_] | None = None, *, explore: bool = True
    ) -> NDArray[np.int64]:
        """Chooses actions `[B]` for planes `[B, C, N, N]`: drawn by their probabilities, or the likeliest.

        As the network has not learnt to pass, it fills no eye of its own, and passes where nothing else is left.
        """
        return choose_moves(self.logits(obs), obs, mask, self._rng if explore else None)

    @torch.inference_mode()
    def logits(self, obs: Array) -> NDArray[np.float32]:
        """Returns the logits `[B, A]` of all actions, legal or not; that of the pass means nothing."""
        self.network.eval()
        return self.network(torch.as_tensor(obs, dtype=torch.float32)).numpy()  # type: ignore[no-any-return]

    def prepare(self) -> None:
        """Reads the games, once; a warning says what was left out.

        Raises:
            ValueError: there are none that can be used.
        """
        if not self._data:
            games, kept, held = read_and_split(self.config.games, self._size, self.config.held_out, self._fit_seed)
            self._data = tuple(Positions(games, *games.positions(w), self.config.features) for w in (kept, held))

    def accuracy(self) -> dict[str, Any]:
        """Returns `top1` and `top5` on the positions held out, how many those are, and both for each ten moves.

        Raises:
            ValueError: the games cannot be read any more.
        """
        self.prepare()
        hits = self._fit.measure(self._data[1])
        return accuracy_by_move(self._data[1].ply, hits["accuracy"], hits["top5"])

    def train(self, env: EnvSpec, steps: int) -> Iterator[tuple[int, Metrics]]:
        """Learns until `steps` updates were made, at most as many as planned; the environment takes no part.

        Yields the loss and the accuracy of each update, and after each pass over the games those of the games held out.

        Raises:
            ValueError: there are no games for it.
        """
        self.prepare()
        train, held = self._data
        yield from self._fit.run(train, held, steps)

    def save_pretrained(self, folder: str | Path) -> None:
        """Writes the network to a folder, from which agents and others take it."""
        self._fit.save_pretrained(folder, agent="alphago-sl", features=self.config.features)

    def state(self) -> dict[str, Any]:
        """Returns all that is needed to go on."""
        return {"rng": generator_state(self._rng), **self._fit.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave."""
        restore_generator(self._rng, state["rng"])
        self._fit.restore(state)
