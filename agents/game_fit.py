"""Fitting a network on a board to positions of games, in a planned number of updates, to go on where it was."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, Protocol

import llvmlite.binding
import numpy as np
import torch
from torch import Tensor, nn

from palestra.agents.agent import Metrics
from palestra.agents.game_data import Ints
from palestra.envs.go.game_set import GameSet, Viewer
from palestra.networks.fit import FitConfig, Learner
from palestra.networks.pretrained import save_pretrained
from palestra.networks.saving import snapshot

Losses = tuple[Tensor, dict[str, Tensor]]
Precision = Literal["no", "bf16"]
Objective = Callable[[nn.Module, tuple[Tensor, ...]], Losses]


class FitOptions(Protocol):
    """What an agent's options say of the fit."""

    @property
    def updates(self) -> int: ...
    @property
    def batch_size(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def precision(self) -> Precision: ...


def best_precision(*, gpu: bool = True) -> Precision:
    """Returns bf16 where the processor's own instructions make it faster, or a GPU if one may be used, else no."""
    features = llvmlite.binding.get_host_cpu_features()
    fast = features.get("avx512bf16") or features.get("amx-bf16") or (gpu and torch.cuda.is_available())
    return "bf16" if fast else "no"


class Positions:
    """Positions of games as `networks/fit.py` takes data: planes, the move made there, and who won for the mover."""

    def __init__(self, games: GameSet, game: Ints, ply: Ints, features: str) -> None:
        self.game, self.ply, self._games, self._features = game, ply, games, features
        self._viewer = Viewer(games, features)

    def __len__(self) -> int:
        """Returns the number of positions."""
        return len(self.game)

    def sample(self, most: int) -> "Positions":
        """Returns at most so many of the positions, drawn evenly, the same each time."""
        if len(self) <= most:
            return self
        chosen = np.sort(np.random.default_rng(0).choice(len(self), most, replace=False))
        return Positions(self._games, self.game[chosen], self.ply[chosen], self._features)

    def __getitem__(self, indices: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns planes `[B, C, N, N]`, actions `[B]` and results `[B]`: 1 won, -1 lost, 0 neither."""
        game, ply = self.game[indices.numpy()], self.ply[indices.numpy()]
        obs, action = self._viewer.show(game, ply)
        mover = self._games.moves[self._games.begin[game] + ply] & 1
        winner = self._games.winner[game]
        result = np.where(winner == 0, 0.0, np.where(winner == mover + 1, 1.0, -1.0)).astype(np.float32)
        return torch.from_numpy(obs), torch.from_numpy(action), torch.from_numpy(result)


class GameFit:
    """A network being fitted; `step` counts updates. AdamW, with a learning rate that goes up and down once."""

    def __init__(self, network: nn.Module, objective: Objective, options: FitOptions, seed: int) -> None:
        self.network, self.step = network, 0
        self._objective, self._options, self._seed = objective, options, seed
        self._learner: Learner | None = None
        self._saved: dict[str, Any] = {}

    def run(self, train: Positions, held: Positions, steps: int) -> Iterator[tuple[int, Metrics]]:
        """Makes updates until there were `steps`, at most as many as planned, and yields what `Learner.fit` does."""
        if self._learner is None:
            self._learner = self._new_learner(len(train))
        if self.step >= min(steps, self._options.updates):
            return
        for step, metrics in self._learner.fit(train, held):
            self.step = step
            yield step, metrics
            if step >= min(steps, self._options.updates):
                return

    @torch.inference_mode()
    def measure(self, positions: Positions) -> dict[str, np.ndarray[Any, Any]]:
        """Returns the loss and the metrics of each position, `[P]` by name."""
        rows: dict[str, list[Tensor]] = {}
        self.network.eval()
        for indices in torch.split(torch.arange(len(positions)), self._options.batch_size):
            losses, metrics = self._objective(self.network, positions[indices])
            for name, values in {"loss": losses, **metrics}.items():
                rows.setdefault(name, []).append(values)
        return {name: torch.cat(values).numpy() for name, values in rows.items()}

    def save_pretrained(self, folder: str | Path, **about: Any) -> None:
        """Writes the network to a folder, from which agents and others take it."""
        save_pretrained(self.network, folder, **about)

    def state(self) -> dict[str, Any]:
        """Returns all that is needed to go on."""
        fit = self._learner.state() if self._learner else self._saved
        weights = {name: snapshot(value) for name, value in self.network.state_dict().items()}
        return {"step": self.step, "network": weights, "fit": {**fit, "network": {}}}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave."""
        self.step = int(state["step"])
        self.network.load_state_dict({name: torch.as_tensor(value) for name, value in state["network"].items()})
        self._learner, self._saved = None, state["fit"]

    def _new_learner(self, num_positions: int) -> Learner:
        """Makes the learner that suffices for all planned updates, and goes on where it was."""
        c = self._options
        config = FitConfig(
            optimizer="adamw",
            schedule="one-cycle",
            learning_rate=c.learning_rate,
            weight_decay=c.weight_decay,
            epochs=math.ceil(c.updates / math.ceil(num_positions / c.batch_size)),
            batch_size=c.batch_size,
            precision=c.precision,
            seed=self._seed,
        )
        learner = Learner(self.network, config, objective=self._objective)
        if self.step:
            learner.restore({**self._saved, "network": self.network.state_dict()})
        return learner
