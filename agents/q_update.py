"""An update of deep Q-learning: the network, its target network, the optimiser, and what one batch does to them."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from palestra.agents.encoder import encoder_parameters, freeze_encoder, has_modes, parameter_groups, set_step_sizes
from palestra.agents.replay import Batch
from palestra.networks.saving import optimizer_state, restore_optimizer, snapshot
from palestra.networks.stages import train_mode


class Options(Protocol):
    """What an update needs of an agent's options."""

    @property
    def learning_rate(self) -> float: ...
    @property
    def encoder_lr(self) -> float | None: ...
    @property
    def freeze(self) -> int: ...
    @property
    def adam_eps(self) -> float: ...
    @property
    def double_q(self) -> bool: ...
    @property
    def max_grad_norm(self) -> float: ...


def td_target(reward: Tensor, discount: Tensor, q: Tensor, selector: Tensor, mask: Tensor | None) -> Tensor:
    """Returns r + γ q(s', argmax over Ω of selector(s', ·)), `[B]`.

    `reward` and `discount` `[B]`, `q`, `selector` and `mask` `[B, A]`; `q` itself is the selector of plain Q-learning.
    """
    if mask is not None:
        selector = selector.masked_fill(~mask, -torch.inf)
    best = selector.argmax(dim=1, keepdim=True)
    return reward + discount * q.gather(1, best).squeeze(1)


class QUpdate:
    """Learns action values from batches of transitions.

    The network is in training mode only where its gradient is taken. What bootstraps, as what acts, has no dropout and
    normalises by the statistics kept so far.

    Raises:
        ValueError: the encoder has not so many stages to freeze, or nothing in it is learnt but has a step size.
    """

    def __init__(self, network: nn.Module, options: Options, seed: int) -> None:
        self.network = network.eval()
        self.target = copy.deepcopy(network).requires_grad_(False)
        self.num_updates = 0
        self._options, self._seed = options, seed
        freeze_encoder(network, options.freeze)
        rate = options.learning_rate
        groups = parameter_groups(network, encoder_parameters(network), rate, options.encoder_lr)
        self._optimizer = torch.optim.Adam(groups, lr=rate, eps=options.adam_eps, fused=True)
        self._has_modes = has_modes(network)

    def __call__(self, obs: Tensor, next_obs: Tensor, batch: Batch, learning_rate: float) -> tuple[float, float]:
        """Takes a step, and returns the loss and the mean value; `obs` and `next_obs` `[B, ...]` are those of batch."""
        device = obs.device
        action, reward, discount = (
            torch.from_numpy(x).to(device) for x in (batch.action, batch.reward, batch.discount)
        )
        mask = None if batch.next_mask is None else torch.from_numpy(batch.next_mask).to(device)
        with torch.no_grad():
            q_next = self.target(next_obs)
            selector = self.network(next_obs) if self._options.double_q else q_next
            target = td_target(reward, discount, q_next, selector, mask)
        with self._training_mode(device):
            q = self.network(obs).gather(1, action[:, None]).squeeze(1)
        loss = F.smooth_l1_loss(q, target)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if np.isfinite(self._options.max_grad_norm):
            nn.utils.clip_grad_norm_(self.network.parameters(), self._options.max_grad_norm)
        set_step_sizes(self._optimizer, learning_rate)
        self._optimizer.step()
        self.num_updates += 1
        return float(loss.detach()), float(q.detach().mean())

    def copy_to_target(self) -> None:
        """Makes the target network equal to the network."""
        self.target.load_state_dict(self.network.state_dict())

    def state(self) -> dict[str, Any]:
        """Returns the weights, what the optimiser remembers, and the number of updates."""
        return {
            "num_updates": self.num_updates,
            "network": {name: snapshot(value) for name, value in self.network.state_dict().items()},
            "target": {name: snapshot(value) for name, value in self.target.state_dict().items()},
            "optimizer": optimizer_state(self._optimizer, self.network.parameters()),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave."""
        for network, name in ((self.network, "network"), (self.target, "target")):
            network.load_state_dict({key: torch.as_tensor(value) for key, value in state[name].items()})
        restore_optimizer(self._optimizer, self.network.parameters(), state["optimizer"])
        self.num_updates = int(state["num_updates"])

    @contextmanager
    def _training_mode(self, device: torch.device) -> Iterator[None]:
        """What dropout draws depends on the number of the update alone, so that nothing of it is to be saved."""
        if not self._has_modes:
            yield
            return
        train_mode(self.network)
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(self._seed + self.num_updates)
            yield
        self.network.eval()
