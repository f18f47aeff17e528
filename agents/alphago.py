"""AlphaGo's search: a policy network proposes moves, a value network and rollouts judge where they lead.

Silver et al., "Mastering the game of Go with deep neural networks and tree search", Nature 529 (2016), Methods, "Search
algorithm": PUCT with the policy's probabilities, and leaves worth (1 - λ) v + λ z with the value network's v and the
result z of a rollout. Any part may be left out, as in Extended Data Table 7: without a policy network the rollout
policy proposes moves, without that all are alike; without a value network λ is 1, without rollouts 0; with a policy
network alone there is no search. Ours differs in that a leaf is expanded at its first visit and waits for its networks
there (in the paper rollouts go on meanwhile), so that both parts of a value have equally many visits, and in the
constant of PUCT: the paper has 5.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from palestra.agents.alphago_rollout import WEIGHTS
from palestra.agents.board_network import POLICIES, board_network
from palestra.agents.game_fit import best_precision
from palestra.agents.mcts import Config as SearchConfig
from palestra.agents.mcts_player import MCTSPlayer
from palestra.agents.symmetry import NUM, turn_back, turn_boards
from palestra.agents.thoughts import Thoughts, from_logits
from palestra.envs.game import PLAYER, Game, State, functions, legal_mask
from palestra.envs.go.batch import observe_all
from palestra.envs.go.board import is_eye
from palestra.envs.go.game import go_game
from palestra.envs.go.rollout import NUM_FEATURES, NUM_WEIGHTS, candidates, features, rollout
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import ACTION, BLACK, EMPTIES, EMPTY_POINT, HASH, HISTORY, POINTS, RECORD, SIZE, at
from palestra.envs.rng import randint, seed_state
from palestra.networks.board import Compact
from palestra.networks.pretrained import read_config
from palestra.networks.threads import use_threads

NEVER = -30.0  # logit of a move into an eye
LATE = 7.0  # by how much the pass is less likely than the likeliest move, in logits
NO_DATA = np.zeros(1)


@dataclass(frozen=True)
class AlphaGoConfig:
    """Options of `AlphaGoPlayer`."""

    policy: str = ""
    """Run of alphago-sl or alphago-rl, or the folder of its network."""
    value: str = ""
    """Run of alphago-value, or the folder of its network."""
    rollout: str = ""
    """Run of alphago-rollout."""
    mix: float = 0.5
    """λ: what a rollout counts at a leaf, where there is a value network too."""
    softness: float = 1.5
    """Temperature of the policy's probabilities (1/0.67 in the paper)."""
    symmetry: bool = True
    """Whether each evaluation turns the board by a symmetry drawn at random."""
    simulations: int = 400
    """Simulations a move."""
    seconds: float = 0.0
    """Most time a move; 0 leaves the number of simulations to decide, otherwise that number is no limit."""
    exploration: float = 1.5
    """Constant of PUCT, for results from -1 to 1."""
    batch: int = 8
    """Leaves that the networks evaluate together."""
    threads: int = 1
    """Such batches that are evaluated side by side, each on a core of its own, while the next is collected."""
    temperature: float = 0.0
    """Moves are drawn by visits, of a policy network alone by its probabilities, to the power of 1/temperature; 0 takes
    the best."""
    resign: float = -1.0
    """Resigns where the best move's value is below it; -1 never does."""

    def __post_init__(self) -> None:
        if not (self.policy or self.value or self.rollout):
            raise ValueError("alphago has no part: policy=RUN, value=RUN or rollout=RUN is wanted, or several of them")
        if not 0 <= self.mix <= 1 or not self.softness > 0:
            raise ValueError(f"mix {self.mix} must lie in [0, 1] and softness {self.softness} be above 0")
        if not 0 <= self.temperature < np.inf:
            raise ValueError(f"temperature is {self.temperature}, but a number from 0 on is wanted")


class Net:
    """A network on boards that a run has saved, as it is used in play: compact, and in bf16 where that is faster.

    Raises:
        ValueError: there is none, it is no network of such an agent, or of another size of board.
    """

    def __init__(self, path: str, agents: tuple[str, ...], size: int | None = None) -> None:
        network: Any
        network, self.features = board_network(path, agents, size)
        self.size = int(read_config(path)["image_size"][0])
        bf16 = best_precision(gpu=False) == "bf16"
        self.network: torch.nn.Module = Compact(network, torch.bfloat16 if bf16 else torch.float32)

    @torch.inference_mode()
    def __call__(self, planes: torch.Tensor, k: int) -> torch.Tensor:
        """Maps boards `[B, C, N, N]`, turned by the k-th symmetry, to outputs; logits are turned back."""
        out: torch.Tensor = self.network(planes)
        return out if out.shape[1] == 1 else turn_back(out, k, self.size)


@njit(cache=True, nogil=True)
def rollout_results(states, weights, rng, trial, trace, out):  # type: ignore[no-untyped-def]
    """Writes the result of a rollout from each state, for its player to move, into `out` `[B]`."""
    for row in range(len(states)):
        trial[:] = states[row, : len(trial)]
        result = rollout(trial, trace, rng, weights)
        out[row] = result if states[row, PLAYER] == 0 else -result


@njit(cache=True, nogil=True)
def rollout_logits(states, weights, points, found, out):  # type: ignore[no-untyped-def]
    """Writes the rollout policy's logits of all moves that fill no eye into `out` `[B, N * N + 1]`."""
    for row in range(len(states)):
        state = states[row]
        color = state[PLAYER] + BLACK
        for k in range(candidates(state, color, points)):
            features(state, points[k], color, found)
            value = 0.0
            for f in found:
                value += weights[f]
            out[row, state[points[k] + ACTION]] = value


@njit(cache=True, nogil=True)
def strike_eyes(states, out, never):  # type: ignore[no-untyped-def]
    """Writes `never` where a player to move would fill an own eye."""
    for row in range(len(states)):
        state = states[row]
        for k in range(state[EMPTIES]):
            p = state[at(POINTS + RECORD * k + EMPTY_POINT)]
            if is_eye(state, p, state[PLAYER] + BLACK):
                out[row, state[p + ACTION]] = never


class Judge:
    """Evaluates leaves for a search as the configuration says; see `agents/leaves.py: Evaluator`.

    What it draws, symmetries and rollouts, follows from the seed and the positions alone, so that batches may be
    evaluated side by side and in any order.
    """

    def __init__(self, config: AlphaGoConfig, size: int, seed: int) -> None:
        self.config, self.size = config, size
        self.policy = Net(config.policy, POLICIES, size) if config.policy else None
        self.value = Net(config.value, ("alphago-value",), size) if config.value else None
        self.weights = load_weights(config.rollout) if config.rollout else None
        self.mix = 1.0 if self.value is None else 0.0 if self.weights is None else config.mix
        self._sights = {
            net.features: go_game(Rules(size), features=net.features)
            for net in (self.policy, self.value)
            if net is not None
        }
        if self._sights:
            use_threads(False)  # a batch takes one core
        self.seed(seed)

    def seed(self, seed: int) -> None:
        """Begins to draw anew."""
        self._seed = seed

    def __call__(self, obs: Any, states: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Returns logits `[B, A]` and values `[B]` for the players to move."""
        rng = seed_state(self._seed, int(states[0, HASH]) & (2**63 - 1))
        k = int(randint(rng, NUM)) if self.config.symmetry else 0
        planes = {name: self._planes(name, states, k) for name in self._sights}
        return self._logits(states, planes, k).astype(np.float32), self._values(states, planes, rng).astype(np.float32)

    def _planes(self, features: str, states: NDArray[np.int64], k: int) -> torch.Tensor:
        game = self._sights[features]
        obs = np.empty((len(states), *game.obs_shape), np.float32)
        observe_all(functions(game).observe, states, obs.reshape(len(states), -1), NO_DATA)
        return turn_boards(torch.from_numpy(obs), k)

    def _logits(self, states: NDArray[np.int64], planes: dict[str, torch.Tensor], k: int) -> NDArray[np.float64]:
        """Returns logits `[B, A]`; own eyes are as good as struck out, and the pass comes last."""
        logits = np.zeros((len(states), self.size**2 + 1))
        if self.policy is not None:
            logits[:] = self.policy(planes[self.policy.features], k).numpy()
        elif self.weights is not None:
            points, found = np.empty(self.size**2, np.int64), np.empty(NUM_FEATURES, np.int64)
            rollout_logits(states, self.weights, points, found, logits)
        logits /= self.config.softness
        strike_eyes(states, logits, NEVER)
        logits[:, -1] = logits[:, :-1].max(axis=1) - LATE
        return logits

    def _values(
        self, states: NDArray[np.int64], planes: dict[str, torch.Tensor], rng: NDArray[np.uint64]
    ) -> NDArray[np.float64]:
        """Returns the mixed values `[B]`."""
        values = np.zeros(len(states))
        if self.mix < 1.0 and self.value is not None:
            values += (1 - self.mix) * self.value(planes[self.value.features], 0)[:, 0].tanh().numpy()
        if self.mix > 0.0 and self.weights is not None:
            results, words = np.empty(len(states)), int(states[0, HISTORY])
            trace = np.empty(3 * self.size**2 + 1, np.int64)
            rollout_results(states, self.weights, rng, np.empty(words, np.int64), trace, results)
            values += self.mix * results
        return values


def load_weights(path: str) -> NDArray[np.float64]:
    """Reads the weights of a rollout policy's run.

    Raises:
        ValueError: there are none, or they are damaged.
    """
    file = Path(path) / "network" / WEIGHTS
    if not file.is_file():
        raise ValueError(f"{path} holds no rollout policy; `palestra train alphago-rollout --games PATH` makes one")
    try:
        weights: NDArray[np.float64] = load_file(file)["weights"]
    except (SafetensorError, KeyError) as error:
        raise ValueError(f"{file} is damaged: {error}") from None
    if weights.shape != (NUM_WEIGHTS,):
        raise ValueError(f"{file} has {weights.size} weights, but this version has {NUM_WEIGHTS}")
    return weights


class AlphaGoPlayer:
    """Plays Go by AlphaGo's search, or, with a policy network alone, by its likeliest move.

    Raises:
        ValueError: the game is not Go, or a part is none, damaged, or of another size of board.
    """

    Config: ClassVar[type] = AlphaGoConfig

    def __init__(self, config: AlphaGoConfig, game: Game, seed: int) -> None:
        if not game.name.startswith("go-"):
            raise ValueError(f"alphago plays Go, but {game.name} is asked for")
        self.name, self.config, self._game, self._seed = "alphago", config, game, seed
        self.judge, self._rng = Judge(config, int(game.start[SIZE]), seed), np.random.default_rng(seed)
        self._player = MCTSPlayer(
            SearchConfig(
                rule="puct",
                simulations=config.simulations,
                seconds=config.seconds,
                exploration=config.exploration,
                batch=config.batch,
                threads=config.threads,
                temperature=config.temperature,
                resign=config.resign,
            ),
            game,
            seed,
            self.judge,
        )

    def __getattr__(self, name: str) -> Any:
        """Returns the search, which a policy network alone has not."""
        if name == "search" and not self._plain:
            return self._player.search
        raise AttributeError(f"{type(self).__name__} has no {name}")

    def start(self, game: Game, state: State, seed: int | None = None) -> None:
        """Begins a game from a state; a seed makes its choices repeatable."""
        self._game = game
        self._rng = np.random.default_rng(self._seed if seed is None else seed)
        self.judge.seed(self._seed if seed is None else seed)
        self._player.start(game, state, seed)

    def choose(self, state: State) -> int:
        """Returns the best action, or RESIGN where its value is too low."""
        if not self._plain:
            return self._player.choose(state)
        scores = np.where(legal_mask(self._game, state), self.judge(None, state[None])[0][0], -np.inf)
        if self.config.temperature:
            scores = scores / self.config.temperature + self._rng.gumbel(size=len(scores))
        return int(scores.argmax())

    def thoughts(self, state: State) -> Thoughts:
        """Returns what the last search has found, or the policy's probabilities."""
        if not self._plain:
            return self._player.thoughts(state)
        return from_logits(self.judge(None, state[None])[0][0], legal_mask(self._game, state))

    def note(self, action: int) -> None:
        """Goes on to the state after a move of either side."""
        self._player.note(action)

    def close(self) -> None:
        """Frees the tree."""
        self._player.close()

    @property
    def _plain(self) -> bool:
        return self.judge.value is None and self.judge.weights is None
