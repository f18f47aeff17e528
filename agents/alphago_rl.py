"""The policy network of AlphaGo made stronger by self-play: policy gradient against a growing pool of its past selves.

Silver et al., "Mastering the game of Go with deep neural networks and tree search", Nature 529 (2016), Methods, "Policy
network: reinforcement learning": batches of games against a past self drawn from the pool, REINFORCE with the result of
the game, less what a value network expected where there is one. Ours differs in the optimiser (AdamW), in a few updates
from each batch of games where the paper makes one, and in the baseline without a value network: the mean result of the
other games of the batch, by colour, where the paper has zero. The statistics of batch normalisation stay the parent's,
so that the network that plays is the one that is learnt.
"""

import copy
from collections.abc import Iterator, Mapping
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
from palestra.agents.board_network import POLICIES, board_network
from palestra.agents.game_fit import Precision, best_precision
from palestra.agents.saving import generator_state, restore_generator
from palestra.agents.self_play import Played, Policy, learner_is_black, play_batch
from palestra.envs.go.vector import GoBatch
from palestra.envs.spec import EnvSpec
from palestra.networks import create
from palestra.networks.board import Compact
from palestra.networks.optimizers import optimizer_named
from palestra.networks.pretrained import save_pretrained
from palestra.networks.saving import optimizer_state, restore_optimizer, snapshot
from palestra.networks.threads import use_threads

CHUNK = 256  # positions that go through the network at once


@dataclass(frozen=True)
class AlphaGoRLConfig:
    """Options of `AlphaGoRL`; a step is a game."""

    policy: str = ""
    """Run of alphago-sl, whose network it begins with, and whose planes it sees; or the folder of the network."""
    value: str = ""
    """Run of alphago-value, whose network says what was to be expected; none: the mean result."""
    features: str = "alphago-zero"
    """Planes that the network sees, as in docs/go.md; those of the environment."""
    batch_games: int = 64
    """Games between updates, all against one past self."""
    updates: int = 2
    """Updates from each batch of games."""
    pool_every: int = 1_280
    """Games after which the network joins the pool."""
    learning_rate: float = 1e-4
    """Step size of AdamW."""
    entropy: float = 0.0
    """Weight of the policy's entropy beside the result."""
    precision: Precision = "no"
    """Mixed precision, no or bf16; bf16 where left out and the machine is faster with it."""

    def __post_init__(self) -> None:
        for name in ("batch_games", "updates", "pool_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, but at least 1 is wanted")
        if self.batch_games < 4:
            raise ValueError(f"batch_games is {self.batch_games}, but at least 4 are wanted, two of each colour")
        if not self.learning_rate > 0 or self.entropy < 0:
            raise ValueError("learning_rate must be positive and entropy not negative")


class AlphaGoRL:
    """A policy on a board that learns by playing against its past selves.

    Raises:
        ValueError: the observations are no planes of a square board, or the actions not its points and a pass.
    """

    Config = AlphaGoRLConfig
    default_steps: ClassVar[int] = 20_000
    default_env: ClassVar[str] = "palestra/Go-v0"
    shortcuts: ClassVar[tuple[str, ...]] = ("policy", "value")  # options that need no `agent.` on the command line

    def __init__(
        self, config: AlphaGoRLConfig, obs_space: gym.Space[Any], action_space: gym.Space[Any], seed: int
    ) -> None:
        shape = obs_space.shape or ()
        if len(shape) != 3 or shape[1] != shape[2] or getattr(action_space, "n", 0) != shape[1] ** 2 + 1:
            raise ValueError(
                f"alphago-rl plays on boards, as in palestra/Go-v0, but observations are {obs_space} and actions "
                f"{action_space}"
            )
        self.config, self.step, self._channels, self._size = config, 0, int(shape[0]), int(shape[1])
        use_threads(True)
        rng_seed, act_seed = np.random.SeedSequence(seed).generate_state(2).tolist()
        self._rng = np.random.Generator(np.random.PCG64(rng_seed))  # of games and opponents
        self._act_rng = np.random.Generator(np.random.PCG64(act_seed))
        self.network: nn.Module | None = None
        self._value: nn.Module | None = None
        self.pool: list[dict[str, Tensor]] = []  # weights of the past selves, the parent first

    @classmethod
    def defaults(cls, env: EnvSpec, steps: int) -> AlphaGoRLConfig:
        """Returns the options that suit an environment."""
        features = str(env.kwargs.get("features", AlphaGoRLConfig.features))
        return AlphaGoRLConfig(features=features, precision=best_precision(gpu=False))

    def act(
        self, obs: Array, first: NDArray[np.bool_], mask: NDArray[np.bool_] | None = None, *, explore: bool = True
    ) -> NDArray[np.int64]:
        """Chooses actions `[B]` for planes `[B, C, N, N]`: drawn by their probabilities, or the likeliest.

        Raises:
            ValueError: there is no network yet, for want of a parent.
        """
        return choose_moves(self.logits(obs), obs, mask, self._act_rng if explore else None)

    def logits(self, obs: Array) -> Array:
        """Returns the logits `[B, A]` of all actions, legal or not; that of the pass means nothing."""
        with torch.inference_mode():
            return self._learning()(torch.as_tensor(obs, dtype=torch.float32)).numpy()  # type: ignore[no-any-return]

    def prepare(self) -> None:
        """Loads the parent's network, unless there is one already, and that of what is expected, each once.

        Raises:
            ValueError: one is missing, or of another board or other planes.
        """
        c = self.config
        if self.network is None:
            if not c.policy:
                raise ValueError(
                    "the parent is missing: --policy RUN, of `palestra train alphago-sl --games PATH --name RUN`"
                )
            self._begin(board_network(c.policy, POLICIES, self._size, c.features)[0])
        if c.value and self._value is None:
            self._value = board_network(c.value, ("alphago-value",), self._size, c.features)[0].eval()

    def train(self, env: EnvSpec, steps: int) -> Iterator[tuple[int, Metrics]]:
        """Learns until at least `steps` games were played, under the environment's rules.

        Yields after each batch of games `rollout/ep_rew_mean`, the mean result against the past self, and others.

        Raises:
            ValueError: there is no parent to begin with.
        """
        self.prepare()
        c, rules = self.config, _rules_of(env)
        past = copy.deepcopy(self._learning())
        while self.step < steps:
            past.load_state_dict(self.pool[int(self._rng.integers(len(self.pool)))])
            batch = GoBatch(rules, c.batch_games, features=c.features)
            played = play_batch(batch, self._player(self.network), self._player(past), self._rng)
            metrics = self._learn(played, _expected(self._value, played))
            before, self.step = self.step, self.step + c.batch_games
            if self.step // c.pool_every > before // c.pool_every:
                self.pool.append(self._weights())
            yield (
                self.step,
                {
                    "rollout/ep_rew_mean": played.result,
                    "rollout/ep_len_mean": played.length,
                    "train/pool": float(len(self.pool)),
                    **metrics,
                },
            )

    def save_pretrained(self, folder: str | Path) -> None:
        """Writes the network to a folder, from which agents and others take it."""
        save_pretrained(self._learning(), folder, agent="alphago-rl", features=self.config.features)

    def state(self) -> dict[str, Any]:
        """Returns all that is needed to go on, without the parent."""
        network: Any = self._learning()
        return {
            "step": self.step,
            "rng": generator_state(self._rng),
            "act_rng": generator_state(self._act_rng),
            "shape": {"width": network.stem[0].out_channels, "blocks": len(network.tower)},
            "network": self._weights(),
            "optimizer": optimizer_state(self._optimizer, network.parameters()),
            "replay": {str(i): weights for i, weights in enumerate(self.pool)},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave."""
        self.step = int(state["step"])
        restore_generator(self._rng, state["rng"])
        restore_generator(self._act_rng, state["act_rng"])
        shape: Any = {name: int(value) for name, value in state["shape"].items()}
        network = create(
            "board",
            in_channels=self._channels,
            num_classes=self._size**2 + 1,
            image_size=(self._size, self._size),
            **shape,
        )
        self._begin(network)
        network.load_state_dict(_tensors(state["network"]))
        restore_optimizer(self._optimizer, network.parameters(), state["optimizer"])
        pool = state.get("replay") or {}
        self.pool = [_tensors(pool[str(i)]) for i in range(len(pool))]

    def _begin(self, network: nn.Module) -> None:
        self.network = network.eval()
        self.pool = [self._weights()]
        self._optimizer = optimizer_named("adamw", network.parameters(), self.config.learning_rate)

    def _learning(self) -> nn.Module:
        if self.network is None:
            self.prepare()
        assert self.network is not None
        return self.network

    def _weights(self) -> dict[str, Tensor]:
        return {name: snapshot(value) for name, value in self._learning().state_dict().items()}

    def _player(self, network: Any) -> Policy:
        """Returns a network as it plays."""
        compact = Compact(network, torch.bfloat16 if self.config.precision == "bf16" else torch.float32)

        @torch.inference_mode()
        def policy(obs: NDArray[np.float32]) -> Array:
            return compact(torch.from_numpy(obs)).numpy()  # type: ignore[no-any-return]

        return policy

    def _learn(self, played: Played, expected: Array) -> dict[str, float]:
        """Makes the updates from a batch of games, each from its share of the moves; returns what they saw."""
        advantage = played.result[played.game] - expected
        order = self._rng.permutation(len(played.action))
        sums = np.zeros(2)
        for share in np.array_split(order, self.config.updates):
            self._optimizer.zero_grad()
            for rows in np.array_split(share, -(-len(share) // CHUNK)):
                sums += self._add_gradient(played, advantage, rows, len(share))
            self._optimizer.step()
        loss, entropy = (sums / self.config.updates).tolist()
        return {"train/loss": loss, "train/entropy": entropy}

    def _add_gradient(self, played: Played, advantage: Array, rows: Array, total: int) -> tuple[float, float]:
        """Adds the gradient of some moves, of `total` in the update; returns their part of the loss and the entropy."""
        obs = torch.from_numpy(played.obs[rows]).float()
        mask, action = torch.from_numpy(played.mask[rows]), torch.from_numpy(played.action[rows])
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.precision == "bf16"):
            logits = self._learning()(obs)
        logp = logits.masked_fill(~mask, -torch.inf).log_softmax(1)
        gain = torch.from_numpy(advantage[rows]).float()
        entropy = -(logp.exp() * logp.masked_fill(~mask, 0)).sum() / total
        loss = -(logp.gather(1, action[:, None])[:, 0] * gain).sum() / total
        (loss - self.config.entropy * entropy).backward()
        return float(loss.detach()), float(entropy.detach())


def _expected(value: nn.Module | None, played: Played) -> Array:
    """Returns what was to be expected of each move's game `[M]`: by a network, or the mean of the other games."""
    if value is None:
        return mean_of_others(played)
    parts = torch.split(torch.from_numpy(played.obs), CHUNK)
    with torch.inference_mode():
        values = [value(part.float())[:, 0].tanh() for part in parts]
    return torch.cat(values).numpy().astype(np.float64)


def mean_of_others(played: Played) -> Array:
    """Returns for each move `[M]` the mean result of the other games in which the learner has the same colour."""
    num_games = len(played.result)
    black = learner_is_black(num_games)
    mean = np.empty(num_games)
    for side in (black, ~black):
        mean[side] = (played.result[side].sum() - played.result[side]) / (side.sum() - 1)
    return mean[played.game]


def _rules_of(env: EnvSpec) -> Any:
    made: Any = env.make()
    try:
        return made.unwrapped.rules
    finally:
        made.close()


def _tensors(weights: Mapping[str, Any]) -> dict[str, Tensor]:
    return {name: torch.as_tensor(value) for name, value in weights.items()}
