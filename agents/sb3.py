"""PPO and A2C by stable-baselines3, with our networks, masks Ω, runs and exact resume.

Schulman et al., "Proximal policy optimization algorithms", 2017; Mnih et al., "Asynchronous methods for deep
reinforcement learning", ICML 2016 (A2C is its synchronous form). The learning is stable-baselines3's own; what differs
is around it: actions outside Ω get no probability (Huang and Ontañón, "A closer look at invalid action masking", 2022),
the library's global generators are seeded anew before each rollout, and checkpoints hold arrays, no pickles.
"""

import dataclasses
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import stable_baselines3
import torch
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete
from numpy.typing import NDArray
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.utils import set_random_seed

from palestra.agents.agent import Array, Metrics
from palestra.agents.encoder import check_options, read_encoder
from palestra.agents.q_network import is_image
from palestra.agents.sb3_env import SB3VecEnv, SpacesOnly, with_mask
from palestra.agents.sb3_policy import Actor, Encoder, MaskedPolicy, encoders_of, prepare_learning
from palestra.envs.spec import EnvSpec
from palestra.networks.pretrained import save_pretrained
from palestra.networks.threads import use_threads


@dataclass(frozen=True)
class PPOConfig:
    """Options of PPO, named as stable-baselines3 names them."""

    learning_rate: float = 3e-4
    """Step size of Adam."""
    learning_rate_steps: int = 0
    """Steps over which the step size falls linearly to zero; 0 keeps it."""
    n_steps: int = 2048
    """Steps of each environment in a rollout."""
    batch_size: int = 64
    """Transitions in a minibatch."""
    n_epochs: int = 10
    """Passes over a rollout."""
    gamma: float = 0.99
    """Discount γ."""
    gae_lambda: float = 0.95
    """λ of generalised advantage estimation."""
    clip_range: float = 0.2
    """How far the ratio of new to old probability may move."""
    ent_coef: float = 0.0
    """Weight of the entropy bonus."""
    vf_coef: float = 0.5
    """Weight of the value loss."""
    max_grad_norm: float = 0.5
    """Norm to which a larger gradient is scaled down."""
    encoder: str = "auto"
    """Network by name, or the folder of a saved network or run; auto is mlp for vectors and nature for images."""
    encoder_lr: float | None = None
    """Step size of the encoder: all layers but the last; the agent's own if left out."""
    freeze: int = 0
    """First stages of the encoder that are kept constant; -1 for all of it."""
    hidden: tuple[int, ...] = (64, 64)
    """Units of each hidden layer of an mlp; policy and value each have their own."""
    device: str = "auto"
    """cpu, cuda, or auto: cuda where there is one."""


@dataclass(frozen=True)
class A2CConfig:
    """Options of A2C, named as stable-baselines3 names them."""

    learning_rate: float = 7e-4
    """Step size of RMSProp."""
    learning_rate_steps: int = 0
    """Steps over which the step size falls linearly to zero; 0 keeps it."""
    n_steps: int = 5
    """Steps of each environment in a rollout."""
    gamma: float = 0.99
    """Discount γ."""
    gae_lambda: float = 1.0
    """λ of generalised advantage estimation."""
    ent_coef: float = 0.0
    """Weight of the entropy bonus."""
    vf_coef: float = 0.5
    """Weight of the value loss."""
    max_grad_norm: float = 0.5
    """Norm to which a larger gradient is scaled down."""
    encoder: str = "auto"
    """Network by name, or the folder of a saved network or run; auto is mlp for vectors and nature for images."""
    encoder_lr: float | None = None
    """Step size of the encoder: all layers but the last; the agent's own if left out."""
    freeze: int = 0
    """First stages of the encoder that are kept constant; -1 for all of it."""
    hidden: tuple[int, ...] = (64, 64)
    """Units of each hidden layer of an mlp; policy and value each have their own."""
    device: str = "auto"
    """cpu, cuda, or auto: cuda where there is one."""


OURS = (  # options that are not handed through
    *("learning_rate", "learning_rate_steps", "encoder", "encoder_lr", "freeze", "hidden", "device"),
)


class OnPolicy:
    """What PPO and A2C share: rollouts and updates by stable-baselines3 behind our protocol.

    Raises:
        ValueError: the library cannot take a space, or an option is out of range.
    """

    algorithm: ClassVar[Any]
    Config: ClassVar[type[Any]]
    default_steps: ClassVar[int] = 100_000

    def __init__(self, config: Any, obs_space: gym.Space[Any], action_space: gym.Space[Any], seed: int) -> None:
        _check(type(self).__name__, config, obs_space, action_space)
        self.step = 0
        self._seed = seed
        self._action_space = action_space
        use_threads(is_image(obs_space))
        shape = obs_space.shape if is_image(obs_space) else (gym.spaces.flatdim(obs_space),)
        plan = read_encoder(config.encoder, shape or (), {"hidden": config.hidden, "activation": "tanh"})
        self.config = dataclasses.replace(config, encoder=plan.text)  # with which it can be made again anywhere
        self._network = {"network": plan.network, "arguments": plan.arguments}
        set_random_seed(self._seed_at(0))
        self._model = self._build(SpacesOnly(obs_space, action_space))
        for network in encoders_of(self._model.policy):
            plan.load(network)

    @property
    def network(self) -> Actor:
        """The layers that choose actions, `[B, ...] -> [B, A]`, in evaluation mode."""
        policy = self._model.policy
        return Actor(encoders_of(policy)[0], policy.action_net).eval()

    def save_pretrained(self, folder: str | Path) -> None:
        """Writes the encoder, the actor's if the critic has its own, from which agents and others take it."""
        save_pretrained(encoders_of(self._model.policy)[0], folder, agent=type(self).__name__.lower())

    def act(
        self, obs: Array, first: NDArray[np.bool_], mask: NDArray[np.bool_] | None = None, *, explore: bool = True
    ) -> Array:
        """Samples actions, or takes the most probable ones where it does not explore."""
        policy = self._model.policy
        policy.set_training_mode(False)
        with torch.inference_mode():
            tensors, _ = policy.obs_to_tensor(with_mask(obs, mask, self._action_space))
            action: Array = policy._predict(tensors, deterministic=not explore).cpu().numpy()
        if isinstance(self._action_space, Box):
            return np.clip(action, self._action_space.low, self._action_space.high)
        return action

    def train(self, env: EnvSpec, steps: int) -> Iterator[tuple[int, Metrics]]:
        """Learns in whole rollouts until at least `steps`; yields after each one's update."""
        if self.step >= steps:
            return
        envs = SB3VecEnv(env, env.seed_at(self.step))
        try:
            before = self._model
            self._model = self._build(envs)
            self._model.policy.load_state_dict(before.policy.state_dict())
            self._model.policy.optimizer.load_state_dict(before.policy.optimizer.state_dict())
            self._model._n_updates = before._n_updates
            self._model.num_timesteps = self.step
            while self.step < steps:
                set_random_seed(self._seed_at(self.step))
                size = self.config.n_steps * envs.num_envs
                self._model.learn(size, reset_num_timesteps=False, log_interval=None)
                self.step = self._model.num_timesteps
                learnt = {k: float(v) for k, v in self._model.logger.name_to_value.items() if k.startswith("train/")}
                yield self.step, {**learnt, **envs.finished_episodes()}
        finally:
            envs.close()

    def state(self) -> dict[str, Any]:
        """Returns the network, the optimiser and the counters; there is no other state between rollouts."""
        optimizer = self._model.policy.optimizer.state_dict()
        return {
            "step": self.step,
            "n_updates": self._model._n_updates,
            "policy": dict(self._model.policy.state_dict()),
            "optimizer": {str(key): dict(slots) for key, slots in optimizer["state"].items()},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave."""
        policy = self._model.policy
        policy.load_state_dict({name: torch.as_tensor(value) for name, value in state["policy"].items()})
        optimizer = policy.optimizer.state_dict()
        optimizer["state"] = {
            int(key): {name: torch.as_tensor(value) for name, value in slots.items()}
            for key, slots in state["optimizer"].items()
        }
        policy.optimizer.load_state_dict(optimizer)
        self._model._n_updates = state["n_updates"]
        self.step = state["step"]

    def _build(self, envs: Any) -> Any:
        c = self.config
        image = is_image(envs.observation_space["obs"])
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "You have specified a mini-batch size")  # a smaller last one is fine
            model = type(self).algorithm(
                MaskedPolicy,
                envs,
                learning_rate=self._learning_rate,
                policy_kwargs={
                    "features_extractor_class": Encoder,
                    "features_extractor_kwargs": self._network,
                    "share_features_extractor": image,
                    "net_arch": [],
                },
                device=c.device,
                **{f.name: getattr(c, f.name) for f in dataclasses.fields(c) if f.name not in OURS},
            )
        prepare_learning(model.policy, c.learning_rate, c.encoder_lr, c.freeze)
        model.set_logger(Logger(None, []))
        return model

    def _learning_rate(self, _progress: float) -> float:
        c = self.config
        if not c.learning_rate_steps:
            return float(c.learning_rate)
        return float(c.learning_rate * max(0.0, 1.0 - self.step / c.learning_rate_steps))

    def _seed_at(self, step: int) -> int:
        return int(np.random.SeedSequence([self._seed, step]).generate_state(1)[0] >> 1)


class PPO(OnPolicy):
    """Proximal policy optimisation by stable-baselines3."""

    Config = PPOConfig
    algorithm = stable_baselines3.PPO

    @classmethod
    def defaults(cls, env: EnvSpec, steps: int) -> PPOConfig:
        """Returns options for vectors, or those of Schulman et al. 2017, table 5, for Atari."""
        if env.is_atari:
            return PPOConfig(
                learning_rate=2.5e-4,
                learning_rate_steps=steps,
                n_steps=128,
                batch_size=256,
                n_epochs=4,
                clip_range=0.1,
                ent_coef=0.01,
            )
        return PPOConfig(learning_rate_steps=steps, n_steps=max(2048 // env.num_envs, 32))


class A2C(OnPolicy):
    """Advantage actor-critic by stable-baselines3."""

    Config = A2CConfig
    algorithm = stable_baselines3.A2C

    @classmethod
    def defaults(cls, env: EnvSpec, steps: int) -> A2CConfig:
        """Returns options for vectors, or the library's tuned ones for Atari."""
        return A2CConfig(ent_coef=0.01, vf_coef=0.25) if env.is_atari else A2CConfig(learning_rate_steps=steps)


def _check(name: str, config: Any, obs_space: gym.Space[Any], action_space: gym.Space[Any]) -> None:
    if not isinstance(obs_space, Box | Discrete | MultiDiscrete | MultiBinary):
        raise ValueError(
            f"{name.lower()} takes vectors, uint8 images or discrete observations, but these are {obs_space}"
        )
    if not isinstance(action_space, Box | Discrete | MultiDiscrete | MultiBinary):
        raise ValueError(
            f"{name.lower()} takes Discrete, MultiDiscrete, MultiBinary or Box actions, not {action_space}"
        )
    for option in ("learning_rate", "n_steps", "batch_size", "n_epochs", "max_grad_norm"):
        if not getattr(config, option, 1) > 0:
            raise ValueError(f"{option} must be positive, but is {getattr(config, option)}")
    for option in ("gamma", "gae_lambda"):
        if not 0.0 <= getattr(config, option) <= 1.0:
            raise ValueError(f"{option} must lie between 0 and 1, but is {getattr(config, option)}")
    check_options(config.encoder_lr, config.freeze)
