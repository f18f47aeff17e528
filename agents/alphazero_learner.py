"""How AlphaZero's network learns from the latest positions of its games: in this process, or in one of a cluster."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from palestra.agents.alphazero_data import Window, learning_batch, losses_of
from palestra.agents.alphazero_network import NetworkOptions, new_network
from palestra.agents.saving import generator_state, restore_generator
from palestra.agents.search_games import Samples
from palestra.agents.workers import TRIES, Workers
from palestra.networks.optimizers import SCHEDULES, optimizer_named
from palestra.networks.saving import optimizer_state, restore_optimizer, snapshot
from palestra.networks.threads import use_threads

Weights = dict[str, NDArray[Any]]
REMEMBERED = 16  # batches of games after which a learner elsewhere is asked for all that it knows


class LearningOptions(NetworkOptions, Protocol):
    """What an agent's options say of learning."""

    @property
    def value(self) -> float: ...
    @property
    def owner(self) -> float: ...
    @property
    def lead(self) -> float: ...
    @property
    def window(self) -> int: ...
    @property
    def reuse(self) -> float: ...
    @property
    def batch_size(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def plan(self) -> int: ...


class AlphaZeroLearner:
    """A network for planes `[C, H, W]` and so many actions, AdamW, and the window of positions.

    `seeds` are those of the first weights and of what is drawn to learn from.
    """

    def __init__(
        self,
        config: LearningOptions,
        shape: Sequence[int],
        num_actions: int,
        seeds: Sequence[int],
        device: str | None = "cpu",
    ) -> None:
        use_threads(True)
        self.config, self.rng = config, np.random.Generator(np.random.PCG64(seeds[1]))
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seeds[0])
            self.network = new_network(config, tuple(shape), num_actions).to(self._device)
        self._optimizer = optimizer_named(
            "adamw", self.network.parameters(), config.learning_rate, weight_decay=config.weight_decay
        )
        self._window = Window(config.window)

    def learn(self, parts: Sequence[Samples], symmetry: str, step: int) -> dict[str, float]:
        """Takes positions into the window and makes the updates that are due after them; returns their mean losses.

        The step size is that of `step`, games that were played before.
        """
        c, sums = self.config, dict[str, float]()
        fresh = self._window.add(parts)
        weight = {"policy": 1.0, "value": c.value, "owner": c.owner, "lead": c.lead}
        updates = max(1, round(fresh * c.reuse / c.batch_size))
        rate = c.learning_rate * max(SCHEDULES["cosine"](min(step / c.plan, 1.0)), 0.01)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self.network.train()
        for _ in range(updates):
            batch = learning_batch(self._window.sample(self.rng, c.batch_size), symmetry, self.rng)
            self._optimizer.zero_grad()
            losses = losses_of(self.network, [part.to(self._device) for part in batch], bf16=c.precision == "bf16")
            total = sum((weight[name] * loss for name, loss in losses.items()), torch.zeros((), device=self._device))
            total.backward()  # type: ignore[no-untyped-call]
            self._optimizer.step()
            for name, loss in losses.items():
                sums[name] = sums.get(name, 0.0) + float(loss.detach())
        self.network.eval()
        metrics = {f"train/{name}_loss": value / updates for name, value in sums.items()}
        return metrics | {"train/window": float(len(self._window)), "train/learning_rate": rate}

    def weights(self) -> Weights:
        """Returns the network's parameters and statistics."""
        return {name: snapshot(value).numpy() for name, value in self.network.state_dict().items()}

    def take(self, weights: Mapping[str, Any]) -> None:
        """Takes a network's parameters and statistics over."""
        self.network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})

    def state(self) -> dict[str, Any]:
        """Returns all that is needed to go on."""
        return {
            "rng": generator_state(self.rng),
            "network": self.weights(),
            "optimizer": optimizer_state(self._optimizer, self.network.parameters()),
            "replay": self._window.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes back what `state` gave; positions may be missing where nothing is to be learnt."""
        restore_generator(self.rng, state["rng"])
        self.take(state["network"])
        restore_optimizer(self._optimizer, self.network.parameters(), state["optimizer"])
        if "replay" in state:
            self._window.restore(state["replay"])


class ClusterLearner:
    """A learner in a process of a cluster, which takes a GPU where there is one; it goes on where another one is.

    If its process dies, it is begun anew where it was last asked for all that it knows, and makes the updates since
    then again: nothing is lost.
    """

    def __init__(self, workers: Workers, *made_of: Any, state: Mapping[str, Any]) -> None:
        self._workers, self._made_of, self._state = workers, made_of, dict(state)
        self._since: list[tuple[Sequence[Samples], str, int]] = []  # what was learnt from after that state
        self._actor: Any = None

    def learn(self, parts: Sequence[Samples], symmetry: str, step: int) -> dict[str, float]:
        """Learns; see `AlphaZeroLearner`.

        Raises:
            ChildProcessError: the process has died again and again.
        """
        metrics: dict[str, float] = self._asked("learn", parts, symmetry, step)
        self._since.append((parts, symmetry, step))
        if len(self._since) == REMEMBERED:
            self.state()
        return metrics

    def weights(self) -> Weights:
        """Returns the network's parameters and statistics."""
        found: Weights = self._asked("weights")
        return found

    def state(self) -> dict[str, Any]:
        """Returns all that is needed to go on."""
        self._state = self._asked("state")
        self._since.clear()
        return self._state

    def _asked(self, method: str, *given: Any) -> Any:
        for _ in range(TRIES):
            try:
                if self._actor is None:
                    self._actor = self._begun()
                return self._actor(method, *given)
            except ChildProcessError:
                self._actor = None
        raise ChildProcessError(f"the process that learns died {TRIES} times; its machine may have too little memory")

    def _begun(self) -> Any:
        actor = self._workers.actor(AlphaZeroLearner, *self._made_of, None)
        actor("restore", self._state)
        for given in self._since:
            actor("learn", *given)
        return actor
