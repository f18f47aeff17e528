"""The rollout policy of AlphaGo, learnt from game records: `envs/go/rollout.py` has its features and plays with it.

Multinomial logistic regression over the legal moves, one move after another, with AdaGrad (Duchi, Hazan and Singer,
"Adaptive subgradient methods", JMLR 12, 2011) and a rate that falls linearly to nothing. Shapes that turning and
mirroring make of each other share a weight.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from palestra.agents.agent import Array, Metrics
from palestra.agents.game_data import Ints, accuracy_by_move, read_and_split
from palestra.agents.saving import generator_state, restore_generator
from palestra.envs.go.from_planes import position_of
from palestra.envs.go.game_set import GameSet
from palestra.envs.go.rollout import NUM_FEATURES, NUM_WEIGHTS, candidates, canonical, expanded, features, learn_games
from palestra.envs.go.rollout import softmax as probabilities
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import ACTION, BLACK, PLAYER
from palestra.envs.spec import EnvSpec

WEIGHTS = "rollout.safetensors"  # the file of `save_pretrained`
CHUNK = 100  # games between two rows of metrics
PLANES = 17  # of AlphaGo Zero's, from which `act` sees the board and the last two moves


@dataclass(frozen=True)
class AlphaGoRolloutConfig:
    """Options of `AlphaGoRollout`; a step is a game that was learnt."""

    games: str = ""
    """Game records: an SGF file, an archive, or a folder of them."""
    rate: float = 0.3
    """Step size of AdaGrad in the beginning."""
    plan: int = 30_000
    """Games after which the step size is nothing, the same ones counted again."""
    held_out: float = 0.1
    """Share of the games that is held out, to measure accuracy."""

    def __post_init__(self) -> None:
        if self.plan < 1 or not self.rate > 0:
            raise ValueError(f"plan is {self.plan} and rate {self.rate}, but at least 1 and more than 0 are wanted")
        if not 0 < self.held_out < 1:
            raise ValueError(f"held_out is {self.held_out}, but a share between 0 and 1 is wanted")


class AlphaGoRollout:
    """A linear policy on small features of moves; it draws its moves where it explores, and else prefers one.

    Raises:
        ValueError: the observations are not AlphaGo Zero's planes of a board with its points and a pass as actions.
    """

    Config = AlphaGoRolloutConfig
    default_steps: ClassVar[int] = 30_000
    default_env: ClassVar[str] = "palestra/Go-v0"
    shortcuts: ClassVar[tuple[str, ...]] = ("games",)  # options that need no `agent.` on the command line

    def __init__(
        self, config: AlphaGoRolloutConfig, obs_space: gym.Space[Any], action_space: gym.Space[Any], seed: int
    ) -> None:
        shape = obs_space.shape or ()
        if len(shape) != 3 or shape[0] != PLANES or getattr(action_space, "n", 0) != shape[1] ** 2 + 1:
            raise ValueError(
                f"alphago-rollout plays in palestra/Go-v0 with its planes alphago-zero, but observations are "
                f"{obs_space} and actions {action_space}"
            )
        self.config, self.step, self._size = config, 0, int(shape[1])
        self._order_seed, rng_seed = np.random.SeedSequence(seed).generate_state(2).tolist()
        self._rng = np.random.Generator(np.random.PCG64(rng_seed))
        self._canon = canonical()
        self.weights, self._squares = np.zeros(NUM_WEIGHTS), np.zeros(NUM_WEIGHTS)  # of canonical shapes alone
        self._data: tuple[GameSet, Ints, Ints] | None = None
        self._rules = Rules(self._size, superko="simple")

    @classmethod
    def defaults(cls, env: EnvSpec, steps: int) -> AlphaGoRolloutConfig:
        """Returns the options that suit a number of games."""
        return AlphaGoRolloutConfig(plan=steps)

    @property
    def playout_weights(self) -> NDArray[np.float64]:
        """The weights as `envs/go/rollout.py: rollout` takes them, in a game's `data`."""
        return expanded(self.weights, self._canon)

    def act(
        self, obs: Array, first: NDArray[np.bool_], mask: NDArray[np.bool_] | None = None, *, explore: bool = True
    ) -> NDArray[np.int64]:
        """Chooses actions `[B]` for planes `[B, 17, N, N]`; eyes of its own are not filled but passed."""
        allowed = np.ones((len(obs), self._size**2 + 1), np.bool_) if mask is None else mask
        weights = self.playout_weights
        return np.array([self._choose(x, row, weights, explore) for x, row in zip(obs, allowed, strict=True)], np.int64)

    def prepare(self) -> GameSet:
        """Reads the games, once; a warning says what was left out.

        Raises:
            ValueError: there are none that can be used.
        """
        if self._data is None:
            self._data = read_and_split(self.config.games, self._size, self.config.held_out, self._order_seed)
        return self._data[0]

    def accuracy(self) -> dict[str, Any]:
        """Returns `top1` and `top5` on the games held out, and both for each ten moves.

        Raises:
            ValueError: the games cannot be read any more.
        """
        games = self.prepare()
        assert self._data is not None
        _, ply = games.positions(self._data[2], passes=True)
        ranks = self._ranks(games, self._data[2], 0.0)
        seen = ranks >= 0
        return accuracy_by_move(ply[seen], ranks[seen] < 1, ranks[seen] < 5)

    def train(self, env: EnvSpec, steps: int) -> Iterator[tuple[int, Metrics]]:
        """Learns until `steps` games were learnt, at most as many as planned; the environment takes no part.

        Yields the accuracy on each hundred games before they were learnt, and after each pass that on those held out.

        Raises:
            ValueError: there are no games for it.
        """
        games = self.prepare()
        assert self._data is not None
        kept, steps = self._data[1], min(steps, self.config.plan)
        while self.step < steps:
            epoch, begin = divmod(self.step, len(kept))
            order = np.random.default_rng((self._order_seed, epoch)).permutation(kept)
            chunk = begin // CHUNK * CHUNK
            end = min(chunk + CHUNK, len(kept), begin + steps - self.step)
            done = (epoch * len(kept) + chunk) / self.config.plan
            ranks = self._ranks(games, order[begin:end], self.config.rate * (1 - done))
            self.step += end - begin
            seen = ranks[ranks >= 0]
            metrics = {"train/accuracy": float((seen < 1).mean()), "train/top5": float((seen < 5).mean())}
            if end == len(kept):
                held = self.accuracy()
                metrics |= {"valid/accuracy": held["top1"], "valid/top5": held["top5"]}
            yield self.step, metrics

    def save_pretrained(self, folder: str | Path) -> None:
        """Writes the weights of playouts to a folder, from which `agents/alphago.py` takes them."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        unfinished = Path(folder) / f"{WEIGHTS}.unfinished"
        save_file({"weights": self.playout_weights}, unfinished)
        unfinished.replace(Path(folder) / WEIGHTS)

    def state(self) -> dict[str, Any]:
        """Returns all that is needed to go on."""
        return {
            "step": self.step,
            "rng": generator_state(self._rng),
            "weights": self.weights.copy(),
            "squares": self._squares.copy(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave."""
        self.step = int(state["step"])
        restore_generator(self._rng, state["rng"])
        self.weights[:], self._squares[:] = state["weights"], state["squares"]

    def _ranks(self, games: GameSet, which: Ints, rate: float) -> Ints:
        """Learns games, with a rate of 0 only looks at them, and returns the ranks of their moves, -1 for passes."""
        ranks = np.empty(int(np.diff(games.begin)[which].sum()), np.int64)
        arrays = (games.starts, games.start, games.begin, games.moves, np.ascontiguousarray(which))
        learn_games(*arrays, self.weights, self._squares, self._canon, rate, ranks)
        return ranks

    def _choose(self, planes: Array, allowed: NDArray[np.bool_], weights: NDArray[np.float64], explore: bool) -> int:
        state, num_points = position_of(planes, self._rules), self._size**2
        points, found = np.empty(num_points, np.int64), np.empty((num_points, NUM_FEATURES), np.int64)
        color = int(state[PLAYER]) + BLACK
        count = candidates(state, color, points)
        points = points[:count][allowed[state[points[:count] + ACTION]]]
        if not len(points):
            return num_points
        for k, point in enumerate(points):
            features(state, point, color, found[k])
        chance = np.empty(len(points))
        probabilities(found, len(points), weights, chance)
        return int(state[points[self._rng.choice(len(points), p=chance) if explore else chance.argmax()] + ACTION])
