"""Deep Q-network (Mnih et al., "Human-level control through deep reinforcement learning", Nature 518, 2015).

Double Q-learning (van Hasselt et al., AAAI 2016), n-step returns and exploration bonuses (`generative/bonus.py`) are
options. Against the paper: Adam in place of RMSProp, truncated episodes are bootstrapped, and actions outside Ω are
neither taken nor bootstrapped from.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray

from palestra.agents.agent import Array, Metrics, Transition
from palestra.agents.encoder import check_options
from palestra.agents.q_network import (
    as_input,
    checked_spaces,
    device_named,
    is_image,
    q_network,
    sees_images,
    stored_dtype,
)
from palestra.agents.q_update import QUpdate
from palestra.agents.replay import Replay, bytes_needed
from palestra.agents.saving import generator_state, restore_generator
from palestra.agents.schedule import LINEAR, scheduled
from palestra.agents.train import interact
from palestra.envs.spec import EnvSpec
from palestra.generative.bonus import Bonus, bonus_named, check_bonus
from palestra.networks.pretrained import save_pretrained
from palestra.networks.threads import use_threads


@dataclass(frozen=True)
class DQNConfig:
    """Options of `DQN`; steps are steps of the environments, all copies together."""

    learning_rate: float = 1e-3
    """Step size of Adam."""
    learning_rate_end_fraction: float = 1.0
    """Fraction of the step size that is left after `learning_rate_steps`."""
    learning_rate_steps: int = 0
    """Steps over which the step size falls linearly."""
    buffer_size: int = 100_000
    """Transitions that the replay memory holds."""
    learning_starts: int = 1_000
    """Steps of uniformly random play before the first update."""
    batch_size: int = 128
    """Transitions in an update."""
    gamma: float = 0.99
    """Discount γ."""
    train_freq: int = 2
    """Steps between updates."""
    gradient_steps: int = 1
    """Updates every `train_freq` steps."""
    target_update_interval: int = 128
    """Steps between copies of the network to the target network."""
    exploration_initial_eps: float = 1.0
    """Probability of a random action at the beginning."""
    exploration_final_eps: float = 0.04
    """Probability of a random action after `exploration_steps`."""
    exploration_steps: int = 10_000
    """Steps over which that probability falls linearly."""
    eval_epsilon: float = 0.0
    """Probability of a random action where the agent is evaluated."""
    double_q: bool = True
    """Choose the action to bootstrap from by the network and value it by the target network."""
    n_step: int = 1
    """Steps of reward before bootstrapping."""
    encoder: str = "auto"
    """Network by name, or the folder of a saved network or run; auto is mlp for vectors and nature for images."""
    encoder_lr: float | None = None
    """Step size of the encoder: all layers but the last; the agent's own if left out."""
    freeze: int = 0
    """First stages of the encoder that are kept constant; -1 for all of it."""
    hidden: tuple[int, ...] = (256, 256)
    """Units of each hidden layer of an mlp."""
    adam_eps: float = 1e-8
    """ε of Adam."""
    max_grad_norm: float = 10.0
    """Norm to which a larger gradient is scaled down; inf turns it off."""
    device: str = "auto"
    """cpu, cuda, or auto: cuda where there is one."""
    bonus: str = "none"
    """What pays for unfamiliar observations: none, count, rnd, or on images cts or pixelcnn."""
    bonus_scale: float = 0.05
    """Factor of that bonus, which is added to the reward as it is when the step is taken."""

    def __post_init__(self) -> None:
        for name in ("buffer_size", "batch_size", "train_freq", "gradient_steps", "target_update_interval", "n_step"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, but is {getattr(self, name)}")
        for name in ("learning_starts", "learning_rate_steps", "exploration_steps"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, but is {getattr(self, name)}")
        probabilities = ("exploration_initial_eps", "exploration_final_eps", "eval_epsilon")
        for name in ("gamma", "learning_rate_end_fraction", *probabilities):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must lie between 0 and 1, but is {getattr(self, name)}")
        for name in ("learning_rate", "adam_eps", "max_grad_norm"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name} must be positive, but is {getattr(self, name)}")
        check_options(self.encoder_lr, self.freeze)
        check_bonus(self.bonus, self.bonus_scale)


class DQN:
    """An ε-greedy agent whose action values are a network's, on vectors, uint8 images and discrete observations.

    Raises:
        ValueError: a space, the network's name or the device is none that it can take.
    """

    Config = DQNConfig
    default_steps: ClassVar[int] = 50_000

    def __init__(self, config: DQNConfig, obs_space: gym.Space[Any], action_space: gym.Space[Any], seed: int) -> None:
        self.step = 0
        self._obs_space, self._action_space = checked_spaces(obs_space, action_space, "dqn")
        self._device = device_named(config.device)
        image = is_image(self._obs_space)
        use_threads(image)
        seeds = np.random.SeedSequence(seed).generate_state(6).tolist()
        torch_seed, explore_seed, eval_seed, self._replay_seed, dropout_seed, bonus_seed = seeds
        self._rng = np.random.Generator(np.random.PCG64(explore_seed))
        self._eval_rng = np.random.Generator(np.random.PCG64(eval_seed))
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(torch_seed)
            network, encoder = q_network(config.encoder, self._obs_space, int(self._action_space.n), config.hidden)
        self.config = dataclasses.replace(config, encoder=encoder)  # with which the agent can be made again anywhere
        self._update = QUpdate(network.to(self._device), config, dropout_seed)
        self.network = self._update.network
        self.frame_stack = 1  # frames in an observation, as the environment says in `train`
        self._replay: Replay | None = None
        self._bonus: Bonus | None = None
        if config.bonus != "none":
            self._bonus = bonus_named(config.bonus, self._obs_space, bonus_seed, device=self._device)

    @classmethod
    def defaults(cls, env: EnvSpec, steps: int) -> DQNConfig:
        """Returns the options that suit an environment: vectors, small images or Atari's."""
        if not env.is_atari and sees_images(env):
            return DQNConfig(
                learning_rate=5e-4,
                buffer_size=min(50_000, max(steps, 1_000)),
                learning_starts=min(1_000, max(1, steps // 20)),
                batch_size=32,
                train_freq=4,
                exploration_steps=max(1, steps // 4),
                n_step=3,
            )
        if not env.is_atari:
            return DQNConfig(
                learning_rate_end_fraction=0.05,
                learning_rate_steps=steps,
                exploration_steps=min(10_000, steps // 6),
                n_step=3,
            )
        return DQNConfig(
            learning_rate=1e-4,
            buffer_size=min(100_000, max(steps, 1_000)),
            learning_starts=min(20_000, max(1, steps // 20)),
            batch_size=32,
            train_freq=4,
            target_update_interval=4_000,
            exploration_final_eps=0.01,
            exploration_steps=max(1, steps // 10),
            eval_epsilon=0.001,
            double_q=False,
            adam_eps=1.5e-4,
        )

    @classmethod
    def bytes_needed(cls, config: DQNConfig, env: EnvSpec) -> int:
        """Returns the bytes of a full replay memory."""
        envs = env.make_vec(1)
        try:
            space = envs.single_observation_space
        finally:
            envs.close()
        sizes = {"num_envs": env.num_envs, "frame_stack": env.frame_stack}
        return bytes_needed(config.buffer_size, space.shape or (), stored_dtype(space), **sizes)

    @property
    def learning_rate(self) -> float:
        """The present step size of Adam."""
        c = self.config
        end = c.learning_rate * c.learning_rate_end_fraction
        return float(scheduled(LINEAR, c.learning_rate, end, c.learning_rate_steps, self.step))

    @property
    def epsilon(self) -> float:
        """The present probability of a random action in training."""
        c = self.config
        if self.step < c.learning_starts:
            return 1.0
        span = c.exploration_initial_eps, c.exploration_final_eps, c.exploration_steps
        return float(scheduled(LINEAR, *span, self.step))

    def act(
        self, obs: Array, first: NDArray[np.bool_], mask: NDArray[np.bool_] | None = None, *, explore: bool = True
    ) -> NDArray[np.int64]:
        """Chooses actions `[B]` for observations `[B, ...]`: random ones with probability ε, else the best ones."""
        num_actions = int(self._action_space.n)
        rng, epsilon = (self._rng, self.epsilon) if explore else (self._eval_rng, self.config.eval_epsilon)
        allowed = np.ones((len(obs), num_actions), np.bool_) if mask is None else mask
        random = rng.random(len(obs)) < epsilon
        score = np.where(allowed, rng.random((len(obs), num_actions)), -1.0)  # the largest is uniform over Ω
        if not random.all():
            values = np.where(allowed, self.action_values(obs), -np.inf)
            score = np.where(random[:, None], score, values)
        return self._action_space.start + score.argmax(axis=1)  # type: ignore[no-any-return]

    @torch.inference_mode()
    def action_values(self, obs: Array) -> NDArray[np.float32]:
        """Returns the network's values `[B, A]` of all actions, allowed or not."""
        return self.network(as_input(obs, self._obs_space, self._device)).cpu().numpy()  # type: ignore[no-any-return]

    def train(self, env: EnvSpec, steps: int) -> Iterator[tuple[int, Metrics]]:
        """Learns until at least `steps` steps have been seen in all, yielding after each step of the batch."""
        self.frame_stack = env.frame_stack
        if self._replay is not None:
            self._replay.cut()
        yield from interact(self, env, steps)

    def learn(self, transition: Transition) -> Metrics:
        """Remembers a step of each environment and makes the updates that are due at `step`."""
        c = self.config
        batch = len(transition.reward)
        if self._replay is None:
            self._replay = self._make_replay(batch, self.frame_stack)
        metrics: dict[str, float | Array] = {"rollout/exploration_rate": self.epsilon}
        if self._bonus is not None:
            transition, metrics["train/bonus"] = self._with_bonus(transition, self._bonus)
        self._replay.add(transition._replace(action=transition.action - self._action_space.start))
        if self.step < c.learning_starts:
            return metrics
        due = self.step // c.train_freq - (self.step - batch) // c.train_freq
        for _ in range(due * c.gradient_steps):
            drawn = self._replay.sample(c.batch_size)
            obs, next_obs = (as_input(x, self._obs_space, self._device) for x in (drawn.obs, drawn.next_obs))
            loss, q_mean = self._update(obs, next_obs, drawn, self.learning_rate)
            metrics |= {"train/loss": loss, "train/q_mean": q_mean, "train/n_updates": self._update.num_updates}
        if self.step // c.target_update_interval > (self.step - batch) // c.target_update_interval:
            self._update.copy_to_target()
        return metrics

    def save_pretrained(self, folder: str | Path) -> None:
        """Writes the network to a folder, from which agents and others take it."""
        save_pretrained(self.network, folder, agent="dqn")

    def state(self) -> dict[str, Any]:
        """Returns all that is needed to go on; the replay memory's rows are views, to be written out at once."""
        state = self._update.state() | {
            "step": self.step,
            "rng": generator_state(self._rng),
            "eval_rng": generator_state(self._eval_rng),
        }
        if self._replay is None:
            return state
        return state | {"replay": self._replay.state() | ({"bonus": self._bonus.state()} if self._bonus else {})}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave; without "replay" the agent can be evaluated and learns from an empty memory."""
        self._update.restore(state)
        self.step = int(state["step"])
        restore_generator(self._rng, state["rng"])
        restore_generator(self._eval_rng, state["eval_rng"])
        self._replay = None
        if "replay" in state:
            self._replay = self._make_replay(len(state["replay"]["head"]), int(state["replay"]["frame_stack"]))
            self._replay.restore(state["replay"])
            if self._bonus is not None:
                self._bonus.restore(state["replay"]["bonus"])

    def _with_bonus(self, transition: Transition, bonus: Bonus) -> tuple[Transition, float]:
        """Adds to the rewards what the next observations are worth now, once and for all, and returns its mean."""
        seen = transition.next_obs[:, -1:] if self.frame_stack > 1 else transition.next_obs  # the newest frame
        paid = bonus.update(seen)
        return transition._replace(reward=transition.reward + self.config.bonus_scale * paid), float(paid.mean())

    def _make_replay(self, num_envs: int, frame_stack: int) -> Replay:
        space = self._obs_space
        return Replay(
            self.config.buffer_size, space.shape or (), stored_dtype(space), num_envs=num_envs, frame_stack=frame_stack,
            n_step=self.config.n_step, discount=self.config.gamma, seed=self._replay_seed,
        )  # fmt: skip
