"""Random network distillation: what a network cannot yet say about an observation of another, random one.

Burda et al., "Exploration by random network distillation" (ICLR 2019), sections 2.2 to 2.4: the predictor learns the
random target's features of what was seen; observations are whitened and clipped at 5 deviations; bonuses are divided
by the deviation of their discounted sums, which do not end with episodes. Differences: the error is the mean over the
features, theirs a sum of squares; networks and images are small; a step of the predictor follows each batch of
observations; agents add bonuses to the rewards, where the paper has a value function for each.
"""

import math
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from palestra.generative.bonus import Array
from palestra.generative.frames import LARGEST, Shrink, is_image
from palestra.networks.initialisation import initialise
from palestra.networks.normalisation import RunningNorm
from palestra.networks.saving import optimizer_state, restore_optimizer, snapshots_of, tensors_of

CLIP = 5.0  # deviations
CHANNELS = (16, 32)


class RNDBonus:
    """The predictor's mean squared error of the target's features, before it learns from the observation.

    The first `warmup` observations are only whitened by, and bring no bonus. The sums of bonuses are those of each
    environment, of which there must be as many each time; the deviation counts their beginning, 0, as a sum.

    Raises:
        ValueError: the observations are no states, vectors or images, or an option is out of range.
    """

    def __init__(
        self,
        obs_space: gym.Space[Any],
        seed: int,
        *,
        device: Any = "cpu",
        image_size: tuple[int, int] = LARGEST,
        num_units: int = 128,
        num_features: int = 64,
        learning_rate: float = 1e-3,
        gamma: float = 0.99,
        warmup: int = 256,
    ) -> None:
        for name, value in {"num_units": num_units, "num_features": num_features, "warmup": warmup}.items():
            if value < 1:
                raise ValueError(f"{name} must be at least 1, but is {value}")
        if not (learning_rate > 0.0 and 0.0 <= gamma < 1.0):
            raise ValueError(
                f"learning_rate must be positive and gamma from 0 to below 1, but are {learning_rate:g} and {gamma:g}"
            )
        self._space, self._device, self._gamma, self._warmup = obs_space, torch.device(device), gamma, warmup
        self._shrink = Shrink(obs_space, "rnd", image_size) if is_image(obs_space) else None
        self._shape = self._sample_shape()
        self._parts = self._made(num_units, num_features, seed).to(self._device)
        self._target, self._predictor = self._parts["target"].requires_grad_(False), self._parts["predictor"]
        self._optimizer = torch.optim.Adam(self._predictor.parameters(), lr=learning_rate)
        self._num_seen = 0
        self._sums = np.zeros(0)  # of each environment, discounted

    def update(self, obs: Array) -> NDArray[np.float32]:
        """Learns from observations `[B, ...]`, one of each environment, and returns their bonuses `[B]`.

        Raises:
            ValueError: there were other numbers of environments before.
        """
        if len(self._sums) not in (0, len(obs)):
            raise ValueError(f"the bonus rnd saw {len(self._sums)} environments so far, but now {len(obs)}")
        x = self._inputs(obs)
        norm, deviation = self._parts["whitening"], self._parts["deviation"]
        norm.update(x)  # type: ignore[operator]
        self._num_seen += len(obs)
        if self._num_seen <= self._warmup:
            return np.zeros(len(obs), np.float32)
        if not len(self._sums):
            self._sums = np.zeros(len(obs))
            deviation.update(torch.zeros(len(obs), 1, device=self._device))  # type: ignore[operator]
        error = self._learn(norm(x).reshape(-1, *self._shape))
        self._sums = self._gamma * self._sums + error
        deviation.update(torch.from_numpy(self._sums[:, None]).to(self._device))  # type: ignore[operator]
        square = float(deviation.square)  # type: ignore[arg-type]
        return (error / math.sqrt(square + 1e-16)).astype(np.float32)

    @torch.no_grad()
    def error(self, obs: Array) -> NDArray[np.float64]:
        """Returns the errors of observations `[B, ...]`, `[B]`, without learning from them."""
        x = self._parts["whitening"](self._inputs(obs)).reshape(-1, *self._shape)
        error: NDArray[np.float64] = self._errors(x).double().cpu().numpy()
        return error

    def state(self) -> dict[str, Any]:
        """Returns the networks, statistics and sums, and what the optimiser remembers."""
        return {
            "num_seen": self._num_seen,
            "sums": self._sums.copy(),
            "parts": snapshots_of(self._parts),
            "optimizer": optimizer_state(self._optimizer, self._predictor.parameters()),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes back what `state` gave."""
        self._num_seen, self._sums = int(state["num_seen"]), np.array(state["sums"])
        self._parts.load_state_dict(tensors_of(state["parts"]))
        restore_optimizer(self._optimizer, self._predictor.parameters(), state["optimizer"])

    def _errors(self, x: Tensor) -> Tensor:
        return F.mse_loss(self._predictor(x), self._target(x), reduction="none").mean(dim=1)  # [B]

    def _learn(self, x: Tensor) -> NDArray[np.float64]:
        """Takes a step, and returns the errors before it."""
        errors = self._errors(x)
        self._optimizer.zero_grad()
        errors.mean().backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        found: NDArray[np.float64] = errors.detach().double().cpu().numpy()
        return found

    def _inputs(self, obs: Array) -> Tensor:
        """Returns observations as rows of numbers `[B, N]`."""
        if self._shrink is not None:
            x = torch.from_numpy(self._shrink.grey(obs)).flatten(1)
        elif isinstance(self._space, Discrete):
            x = F.one_hot(torch.from_numpy(np.asarray(obs, np.int64) - int(self._space.start)), int(self._space.n))
        else:
            x = torch.from_numpy(np.asarray(obs))
        return x.float().to(self._device)

    def _sample_shape(self) -> tuple[int, ...]:
        """Returns the shape of what the networks take: numbers, or a plane."""
        if self._shrink is not None:
            return 1, *self._shrink.size
        if isinstance(self._space, Discrete):
            return (int(self._space.n),)
        if isinstance(self._space, Box) and len(self._space.shape) == 1:
            return self._space.shape
        raise ValueError(f"the bonus rnd takes states, vectors and uint8 images, but observations are {self._space}")

    def _made(self, num_units: int, num_features: int, seed: int) -> nn.ModuleDict:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            target = _network(self._shape, (num_units, num_features))
            predictor = _network(self._shape, (num_units, num_units, num_features))  # deeper, as in the paper
            for network in (target, predictor):
                initialise(network, "orthogonal", gain=math.sqrt(2.0))
        whitening = RunningNorm(math.prod(self._shape), clip=CLIP)
        parts = {"target": target, "predictor": predictor, "whitening": whitening, "deviation": RunningNorm(1)}
        return nn.ModuleDict(parts)


def _network(shape: tuple[int, ...], units: tuple[int, ...]) -> nn.Sequential:
    """Builds fully connected layers, for planes after two convolutions that halve the sides."""
    layers: list[nn.Module] = []
    num_in = math.prod(shape)
    if len(shape) == 3:
        for before, after in zip((1, *CHANNELS), CHANNELS, strict=False):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.LeakyReLU()]
        num_in = CHANNELS[-1] * math.ceil(shape[1] / 4) * math.ceil(shape[2] / 4)
    layers.append(nn.Flatten())
    for num_out in units:
        layers += [nn.Linear(num_in, num_out), nn.LeakyReLU()]
        num_in = num_out
    return nn.Sequential(*layers[:-1])
