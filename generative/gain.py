"""Pseudo-counts of any network that knows the probability of an image, learnt online.

Ostrovski et al., "Count-based exploration with neural density models" (ICML 2017), sections 3 and 4: one step of
gradient descent with a constant step size on each observation, whose gain in log-probability gives its pseudo-count.
A batch of one observation of each environment is one step here, and n counts the steps. RMSProp has no momentum, which
would credit an observation with what was learnt from those before it.
"""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from palestra.generative.bonus import Array, Floats, count_bonus, gain_count
from palestra.generative.frames import LARGEST, Shrink
from palestra.networks import create
from palestra.networks.saving import optimizer_state, restore_optimizer, snapshots_of, tensors_of


class GainBonus:
    """(N + 0.01)^-1/2, where N follows from what a step of gradient descent adds to the log-probability of an image.

    `network` is a model of `palestra.networks.MODELS` for images with `log_prob`, `options` its own. `scale` is the
    paper's c.

    Raises:
        ValueError: the observations are no images, there is no such model, it has no likelihood, or an option is
            out of range.
    """

    def __init__(
        self,
        obs_space: gym.Space[Any],
        seed: int,
        *,
        device: Any = "cpu",
        network: str = "pixelcnn",
        image_size: tuple[int, int] = LARGEST,
        levels: int = 8,
        learning_rate: float = 1e-3,
        scale: float = 0.1,
        **options: Any,
    ) -> None:
        for name, value in {"learning_rate": learning_rate, "scale": scale}.items():
            if not value > 0.0:
                raise ValueError(f"{name} must be positive, but is {value:g}")
        self._shrink = Shrink(obs_space, network, image_size)
        self._levels, self._scale, self._device, self._seed = levels, scale, torch.device(device), seed
        self.num_updates = 0
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            made = create(network, in_channels=1, image_size=self._shrink.size, levels=levels, **options)
        if not hasattr(made, "log_prob"):
            raise ValueError(f"the network {network!r} has no log_prob, from which pseudo-counts could follow")
        self._model: nn.Module = made.to(self._device)
        self._optimizer = torch.optim.RMSprop(self._model.parameters(), lr=learning_rate)

    def update(self, obs: Array) -> NDArray[np.float32]:
        """Takes a step on images `[B, C, H, W]` and returns their bonuses `[B]`."""
        x = torch.from_numpy(self._shrink.levels(obs, self._levels))[:, None].to(self._device)
        before = self.log_prob(x)
        self._learn(x)
        return count_bonus(gain_count(self.log_prob(x) - before, self.num_updates, self._scale))

    @torch.no_grad()
    def log_prob(self, x: Tensor) -> Floats:
        """Returns the log-probabilities of levels `[B, 1, H, W]`, `[B]`."""
        self._model.eval()
        nats: Floats = self._model.log_prob(x).nats.double().cpu().numpy()  # type: ignore[operator]
        return nats

    def state(self) -> dict[str, Any]:
        """Returns the weights, what the optimiser remembers, and the number of steps."""
        return {
            "num_updates": self.num_updates,
            "network": snapshots_of(self._model),
            "optimizer": optimizer_state(self._optimizer, self._model.parameters()),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes back what `state` gave."""
        self.num_updates = int(state["num_updates"])
        self._model.load_state_dict(tensors_of(state["network"]))
        restore_optimizer(self._optimizer, self._model.parameters(), state["optimizer"])

    def _learn(self, x: Tensor) -> None:
        """Takes a step; what the model draws in it depends on the number of the step alone."""
        self._model.train()
        with torch.random.fork_rng(devices=[self._device] if self._device.type == "cuda" else []):
            torch.manual_seed(self._seed + self.num_updates)
            losses, _ = self._model.objective((x,))  # type: ignore[operator]
            self._optimizer.zero_grad()
            losses.mean().backward()
        self._optimizer.step()
        self.num_updates += 1
