"""AlphaZero: a network learns from games that it plays against itself by tree search, from nothing but the rules.

Silver et al., "A general reinforcement learning algorithm that masters chess, shogi and Go through self-play", Science
362 (2018), with the search of Danihelka et al., "Policy improvement by planning with Gumbel" (2022) where simulations
are few, or PUCT; and of Wu, "Accelerating self-play learning in Go" (2019), each to be switched on or off: playout-cap
randomisation (section 3.1), forced playouts and target pruning (3.2), global pooling (3.3), and in Go ownership and
lead as further targets (4.1). Ours differs from the first in that games and learning take turns, the network is small,
AdamW with a step size that goes down as a cosine takes the place of SGD, and by default no gate keeps a network from
play. In place of the result the value may learn lambda-returns over what later searches expected (`foresight`): Sutton
and Barto, "Reinforcement Learning: An Introduction" (2018), section 12.1.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from palestra.agents.agent import Array, Metrics
from palestra.agents.alphazero_learner import AlphaZeroLearner, ClusterLearner, Weights
from palestra.agents.alphazero_network import NetworkEvaluator, ServerNetworks, play_share
from palestra.agents.game_fit import Precision, best_precision
from palestra.agents.mcts import Config
from palestra.agents.mcts_player import MCTSPlayer
from palestra.agents.search_games import GameOfSearch, Samples, search_config
from palestra.agents.workers import Workers
from palestra.envs.game import Game
from palestra.envs.game_env import GameEnv
from palestra.envs.spec import EnvSpec
from palestra.networks.pretrained import save_pretrained


@dataclass(frozen=True)
class AlphaZeroConfig:
    """Options of `AlphaZero`; a step is a game."""

    rule: Literal["gumbel", "puct"] = "gumbel"
    """Search of the games: Gumbel AlphaZero's, which learns from few simulations, or AlphaZero's PUCT."""
    simulations: int = 32
    """Simulations a move."""
    full_share: float = 1.0
    """Playout-cap randomisation: share of the moves that are searched in full and learnt from; 1 is all (0.25 in Wu's
    paper)."""
    quick_simulations: int = 8
    """Simulations of the other moves."""
    forced: float = 0.0
    """PUCT: forced playouts and target pruning; 2 in Wu's paper, 0 is none."""
    noise: float = 0.25
    """PUCT: share of Dirichlet noise at the root."""
    opening_plies: int = 12
    """PUCT: moves of a game that are drawn by visits; later ones are the most visited."""
    random_plies: int = 4
    """Games begin with up to so many random moves, which are not learnt from, so that strange positions are met too."""
    leaves: int = 8
    """Leaves of a game that the network evaluates together, beside those of the other games."""
    width: int = 32
    """Planes of the network's layers."""
    blocks: int = 4
    """Residual blocks of the network."""
    pooling: bool = False
    """Whether the whole board has a say in every second block."""
    owner: float = 0.0
    """Go: weight of whose each point is in the end, as a further target (1.5 in Wu's paper)."""
    lead: float = 0.0
    """Go: weight of by how much the game was won, as a further target."""
    foresight: float = 0.0
    """By how much each search, from a game's last one back, moves the value that is learnt from the result to what it
    expected: lambda-returns, where lambda is 1 - foresight."""
    value: float = 1.0
    """Weight of the squared error of the result beside the policy's cross-entropy."""
    batch_games: int = 64
    """Games between updates."""
    parallel: int = 64
    """Games of a process that go on at once and share the network's batches."""
    window: int = 50_000
    """Positions that are kept to learn from, the latest ones."""
    reuse: float = 8.0
    """How often a position is learnt from, on average."""
    batch_size: int = 128
    """Positions in an update."""
    learning_rate: float = 2e-3
    """Step size of AdamW at the beginning; it goes down as a cosine."""
    weight_decay: float = 1e-4
    """Weight decay of AdamW."""
    plan: int = 4_000
    """Games over which the step size goes down; as many as are played in all, where left out."""
    gate: float = 0.0
    """A network plays on only if it scores more than this against the one before; 0 lets all."""
    gate_games: int = 40
    """Games between the two."""
    workers: int = 1
    """Processes that play; they share out the games."""
    overlap: bool = False
    """Whether a batch of games is played while the one before is learnt from, by the network before that."""
    cluster: str = ""
    """Ray cluster that plays: local, or an address as auto or ray://HOST:10001; none: processes of this machine."""
    server: bool = False
    """Whether the cluster's workers ask one process for what the network says, which takes a GPU where there is one."""
    learner: bool = False
    """Whether the cluster learns too, in a process of its own, which takes a GPU where there is one."""
    precision: Precision = "no"
    """Mixed precision of learning and play, no or bf16; bf16 where left out and the machine is faster with it."""

    def __post_init__(self) -> None:
        least = ("simulations", "quick_simulations", "leaves", "width", "blocks", "batch_games", "parallel", "window")
        for name in (*least, "batch_size", "plan", "gate_games", "workers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, but at least 1 is wanted")
        if self.rule not in ("gumbel", "puct"):
            raise ValueError(f"rule is {self.rule!r}, but gumbel or puct is wanted")
        if not 0 < self.full_share <= 1 or not 0 <= self.gate < 1:
            raise ValueError(f"full_share {self.full_share} must lie in (0, 1], gate {self.gate} in [0, 1)")
        for name in ("noise", "foresight"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}, but a number from 0 to 1 is wanted")
        for name in ("reuse", "learning_rate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}, but a number above 0 is wanted")
        for name in ("forced", "owner", "lead", "value", "weight_decay", "opening_plies", "random_plies"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}, but a number from 0 on is wanted")
        if self.overlap and self.gate:
            raise ValueError("overlap plays on before a network is learnt, so that no gate can hold it back: gate is 0")
        for name in ("server", "learner"):
            if getattr(self, name) and not self.cluster:
                raise ValueError(f"{name} needs a cluster on which it runs: cluster local, or an address, is wanted")
        if self.forced and self.rule != "puct":
            raise ValueError(
                f"forced is {self.forced}, but rule {self.rule} shares out its simulations: rule puct is wanted"
            )


class AlphaZero:
    """An agent that plays a game by tree search with a network that learnt from its own games.

    Raises:
        ValueError: it is not asked to play in palestra/Game-v0, or the game has no network-like planes.
    """

    Config = AlphaZeroConfig
    default_steps: ClassVar[int] = 4_000
    example_env: ClassVar[str] = "connect-four"
    shortcuts: ClassVar[tuple[str, ...]] = ("workers", "cluster")  # options that need no `agent.` on the command line

    def __init__(
        self, config: AlphaZeroConfig, obs_space: gym.Space[Any], action_space: gym.Space[Any], seed: int
    ) -> None:
        shape = obs_space.shape or ()
        if len(shape) != 3 or not isinstance(action_space, gym.spaces.Discrete):
            raise ValueError(
                f"alphazero plays games on boards, as with --env connect-four, but observations are {obs_space} and "
                f"actions {action_space}"
            )
        self.config, self.step = config, 0
        torch_seed, self._seed, rng_seed = np.random.SeedSequence(seed).generate_state(3).tolist()
        self._made_of = (config, shape, int(action_space.n), (torch_seed, rng_seed))
        self._learner = AlphaZeroLearner(*self._made_of)
        self._elsewhere: ClusterLearner | None = None  # who learns in its place
        self._best = self._learner.weights()  # of the network that plays, where there is a gate

    @property
    def network(self) -> nn.Module:
        """The network as it is now."""
        return self._learner.network

    @classmethod
    def defaults(cls, env: EnvSpec, steps: int) -> AlphaZeroConfig:
        """Returns the options that suit a number of games.

        Raises:
            ValueError: the environment is not palestra/Game-v0.
        """
        _check_game(env)
        return AlphaZeroConfig(plan=steps, precision=best_precision(gpu=False))

    def act(
        self, obs: Array, first: NDArray[np.bool_], mask: NDArray[np.bool_] | None = None, *, explore: bool = True
    ) -> NDArray[np.int64]:
        """Chooses actions `[B]` for planes `[B, C, H, W]` by the network alone: drawn, or the likeliest."""
        with torch.inference_mode():
            logits = self.network.eval()(torch.as_tensor(obs, dtype=torch.float32))[:, :-1].double().numpy()
        scores = np.where(True if mask is None else mask, logits, -np.inf)
        if explore:
            scores = scores + self._learner.rng.gumbel(size=scores.shape)
        return np.asarray(scores.argmax(axis=1), np.int64)

    def evaluator(self) -> NetworkEvaluator:
        """Returns the network as a search asks it."""
        return NetworkEvaluator(self.network, self.config.precision)

    def player(self, game: Game, seed: int, **options: Any) -> MCTSPlayer:
        """Returns a player that searches as the agent does in its own games, for the best move.

        Options of the search (`agents/mcts.py: Config`) take the place of the agent's, as `simulations`.
        """
        config = search_config(game, self.config, exploring=False)
        if {"simulations", "seconds"} & set(options):  # the agent's tree is as large as its own searches need
            options = {"nodes": Config.nodes} | options
        return MCTSPlayer(replace(config, **options), game, seed, self.evaluator())

    def prepare(self) -> None:
        """Checks that what is to play is there.

        Raises:
            ValueError: it is not.
        """
        Workers(self.config.workers, self.config.cluster)

    def train(self, env: EnvSpec, steps: int) -> Iterator[tuple[int, Metrics]]:
        """Plays and learns until at least `steps` games were played.

        Yields after each batch of games their lengths, what who began got (`rollout/ep_rew_mean`), and the losses.

        Raises:
            ValueError: the environment is not palestra/Game-v0.
        """
        _check_game(env)
        kwargs, c = dict(env.kwargs), self.config
        with Workers(c.workers, c.cluster) as workers:
            if c.learner:
                self._elsewhere = ClusterLearner(workers, *self._made_of, state=self._learner.state())
            try:
                yield from self._train(workers, kwargs, steps)
            finally:
                self._come_back()

    def _train(self, workers: Workers, kwargs: dict[str, Any], steps: int) -> Iterator[tuple[int, Metrics]]:
        """Plays and learns; see `train`."""
        c, symmetry = self.config, GameEnv(**kwargs).game.symmetry
        begun: Callable[[], list[GameOfSearch]] | None = None
        while self.step < steps:
            games = (begun or self._play(workers, kwargs, [self._best], c.batch_games, self.step))()
            after, begun = self.step + c.batch_games, None
            if c.overlap:
                self._best = self._learner.weights()
                if after < steps:
                    begun = self._play(workers, kwargs, [self._best], c.batch_games, after)
            metrics = self._learn([game.samples for game in games], symmetry)
            self.step = after
            if not c.overlap:
                metrics |= self._pass_gate(workers, kwargs)
            yield (
                self.step,
                {
                    "rollout/ep_len_mean": np.array([game.plies for game in games], np.float64),
                    "rollout/ep_rew_mean": np.array([game.result for game in games]),
                    **metrics,
                },
            )

    def save_pretrained(self, folder: str | Path) -> None:
        """Writes the network to a folder, from which others take it."""
        save_pretrained(self.network, folder, agent="alphazero")

    def state(self) -> dict[str, Any]:
        """Returns all that is needed to go on."""
        learner = self._learner if self._elsewhere is None else self._elsewhere
        best = {name: value.copy() for name, value in self._best.items()}
        return {"step": self.step, "best": best, **learner.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave."""
        self.step = int(state["step"])
        self._best = {name: np.array(value) for name, value in state["best"].items()}
        self._learner.restore(state)

    def _play(
        self,
        workers: Workers,
        kwargs: dict[str, Any],
        weights: list[Weights],
        count: int,
        step: int,
        *,
        learning: bool = True,
    ) -> Callable[[], list[GameOfSearch]]:
        """Begins games that are shared out to the workers, with seeds by the step, and returns how to wait for them.

        They are to learn from, or to compare two networks.
        """
        shares = [count // workers.number + (i < count % workers.number) for i in range(workers.number)]
        seeds = np.random.SeedSequence([self._seed, step, int(not learning)]).generate_state(len(shares)).tolist()
        networks: list[Any] = list(weights)
        if self.config.server:
            networks = [workers.served(ServerNetworks(kwargs, self.config), given) for given in weights]
        tasks = [
            (kwargs, self.config, networks, share, seed, learning)
            for share, seed in zip(shares, seeds, strict=True)
            if share
        ]
        wait = workers.begin(play_share, tasks)
        return lambda: [game for part in wait() for game in part]

    def _learn(self, parts: Sequence[Samples], symmetry: str) -> dict[str, float]:
        """Learns from new positions, wherever that is done; returns the mean losses."""
        if self._elsewhere is None:
            return self._learner.learn(parts, symmetry, self.step)
        metrics = self._elsewhere.learn(parts, symmetry, self.step)
        self._learner.take(self._elsewhere.weights())
        return metrics

    def _come_back(self) -> None:
        """Knows again here what was learnt elsewhere."""
        if self._elsewhere is not None:
            self._learner.restore(self._elsewhere.state())
            self._elsewhere = None

    def _pass_gate(self, workers: Workers, kwargs: dict[str, Any]) -> dict[str, float]:
        """Lets the network play from now on, if there is a gate only when it is better; returns its score there."""
        c, weights = self.config, self._learner.weights()
        if not c.gate:
            self._best = weights
            return {}
        count = 2 * (c.gate_games // 2) or 2
        score = score_of_first(self._play(workers, kwargs, [weights, self._best], count, self.step, learning=False)())
        if score > c.gate:
            self._best = weights
        return {"eval/gate_score": score}


def _check_game(env: EnvSpec) -> None:
    if env.id != "palestra/Game-v0":
        raise ValueError(f"alphazero plays games by name, as with --env connect-four, but was given {env.id}")


def score_of_first(games: list[GameOfSearch]) -> float:
    """Returns the share of the points that the first of two networks got."""
    results = np.array([game.result if game.first == 0 else -game.result for game in games])
    return float((np.sign(results) + 1).mean() / 2)
