"""Networks of action values for the spaces of an environment, and how observations are stored and shown to them."""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium.spaces import Box, Discrete
from numpy.typing import DTypeLike
from torch import Tensor, nn
from torch.nn import functional as F

from palestra.agents.agent import Array
from palestra.agents.encoder import read_encoder
from palestra.envs.spec import EnvSpec


def checked_spaces(
    obs_space: gym.Space[Any], action_space: gym.Space[Any], agent: str
) -> tuple[Box | Discrete, Discrete]:
    """Returns the spaces, which must be vectors, uint8 images or states by number, and discrete actions.

    Raises:
        ValueError: they are others; `agent` is named.
    """
    if not isinstance(action_space, Discrete):
        raise ValueError(f"{agent} takes discrete actions, but the action space is {action_space}")
    if isinstance(obs_space, Discrete) or (isinstance(obs_space, Box) and len(obs_space.shape) == 1):
        return obs_space, action_space
    if isinstance(obs_space, Box) and is_image(obs_space):
        return obs_space, action_space
    raise ValueError(
        f"{agent} takes vectors, uint8 images (channels first) and discrete observations, "
        f"but the observation space is {obs_space}"
    )


def sees_images(env: EnvSpec) -> bool:
    """Says whether an environment's observations are uint8 images, channels first."""
    if env.is_atari:
        return True
    envs = env.make_vec(1)
    try:
        return is_image(envs.single_observation_space)
    finally:
        envs.close()


def is_image(space: gym.Space[Any]) -> bool:
    """Says whether observations are uint8 images, channels first."""
    return isinstance(space, Box) and space.dtype == np.uint8 and len(space.shape) == 3


def stored_dtype(space: gym.Space[Any]) -> DTypeLike:
    """Returns the type in which a replay memory stores observations."""
    if isinstance(space, Discrete):
        return np.int64
    return np.uint8 if len(space.shape or ()) == 3 else np.float32


def device_named(name: str) -> torch.device:
    """Returns the device of a name; auto is cuda where there is one.

    Raises:
        ValueError: the name is unknown, or there is no such device here.
    """
    if name not in ("auto", "cpu") and not name.startswith("cuda"):
        raise ValueError(f"the device must be auto, cpu or cuda, but is {name!r}")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(f"the device {name!r} was asked for, but torch finds no CUDA device here")
    return torch.device("cuda" if name == "auto" and torch.cuda.is_available() else name.replace("auto", "cpu"))


def q_network(encoder: str, space: Box | Discrete, num_actions: int, hidden: Sequence[int]) -> tuple[nn.Module, str]:
    """Builds a network `[B, ...] -> [B, A]`, and says what else than `encoder` makes it where a folder is gone.

    `hidden` are the layers of an mlp; `encoder` is explained in `agents/encoder.py`.

    Raises:
        ValueError: there is no such network, or it does not take such observations.
    """
    shape = (int(space.n),) if isinstance(space, Discrete) else space.shape
    plan = read_encoder(encoder, shape, {"hidden": hidden})
    network = plan.make(num_actions)
    plan.load(network)
    return network.to(memory_format=torch.channels_last), plan.text  # type: ignore[call-overload]


def as_input(obs: Array, space: Box | Discrete, device: torch.device) -> Tensor:
    """Returns what the network takes: images as they are, vectors as float32, numbers of states as one-hot."""
    x = torch.from_numpy(np.asarray(obs)).to(device)
    if isinstance(space, Discrete):
        return F.one_hot(x - int(space.start), int(space.n)).float()
    return x if x.dim() == 4 else x.float()
