"""Deep Q-network (Mnih et al., "Human-level control through deep reinforcement learning", Nature 518, 2015).

Double Q-learning (van Hasselt et al., AAAI 2016) and n-step returns are options. Against the paper: Adam in place of
RMSProp, truncated episodes are bootstrapped, and actions outside Ω are neither taken nor bootstrapped from.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from palestra.agents.agent import Array, Metrics, Transition
from palestra.agents.q_network import as_input, checked_spaces, device_named, q_network, stored_dtype
from palestra.agents.replay import Batch, Replay, bytes_needed
from palestra.agents.schedule import LINEAR, scheduled
from palestra.agents.train import interact
from palestra.envs.spec import EnvSpec
from palestra.networks.pages import keep_pages
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
    """Network by name; auto is mlp for vectors and nature for images."""
    hidden: tuple[int, ...] = (256, 256)
    """Units of each hidden layer of an mlp."""
    adam_eps: float = 1e-8
    """ε of Adam."""
    max_grad_norm: float = 10.0
    """Norm to which a larger gradient is scaled down; inf turns it off."""
    device: str = "auto"
    """cpu, cuda, or auto: cuda where there is one."""

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


def td_target(reward: Tensor, discount: Tensor, q: Tensor, selector: Tensor, mask: Tensor | None) -> Tensor:
    """Returns r + γ q(s', argmax over Ω of selector(s', ·)), `[B]`.

    `reward` and `discount` `[B]`, `q`, `selector` and `mask` `[B, A]`; `q` itself is the selector of plain Q-learning.
    """
    if mask is not None:
        selector = selector.masked_fill(~mask, -torch.inf)
    best = selector.argmax(dim=1, keepdim=True)
    return reward + discount * q.gather(1, best).squeeze(1)


class DQN:
    """An ε-greedy agent whose action values are a network's, on vectors, uint8 images and discrete observations.

    Raises:
        ValueError: a space, the network's name or the device is none that it can take.
    """

    Config = DQNConfig
    default_steps: ClassVar[int] = 50_000

    def __init__(self, config: DQNConfig, obs_space: gym.Space[Any], action_space: gym.Space[Any], seed: int) -> None:
        self.config = config
        self.step = 0
        self._obs_space, self._action_space = checked_spaces(obs_space, action_space, "dqn")
        self._device = device_named(config.device)
        image = len(self._obs_space.shape or ()) == 3
        use_threads(image)
        if image:
            keep_pages()
        torch_seed, explore_seed, eval_seed, self._replay_seed = np.random.SeedSequence(seed).generate_state(4).tolist()
        self._rng = np.random.Generator(np.random.PCG64(explore_seed))
        self._eval_rng = np.random.Generator(np.random.PCG64(eval_seed))
        num_actions = int(self._action_space.n)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(torch_seed)
            self.network, self._target = (
                q_network(config.encoder, self._obs_space, num_actions, config.hidden).to(self._device)
                for _ in range(2)
            )
        self._target.requires_grad_(False)
        self._target.load_state_dict(self.network.state_dict())
        self._optimizer = torch.optim.Adam(
            self.network.parameters(), lr=config.learning_rate, eps=config.adam_eps, fused=True
        )
        self._num_updates = 0
        self.frame_stack = 1  # frames in an observation, as the environment says in `train`
        self._replay: Replay | None = None

    @classmethod
    def defaults(cls, env: EnvSpec, steps: int) -> DQNConfig:
        """Returns the options that suit an environment: vectors, or pixels where it is one of Atari's."""
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
        self._replay.add(transition._replace(action=transition.action - self._action_space.start))
        metrics: dict[str, float | Array] = {"rollout/exploration_rate": self.epsilon}
        if self.step < c.learning_starts:
            return metrics
        due = self.step // c.train_freq - (self.step - batch) // c.train_freq
        for _ in range(due * c.gradient_steps):
            loss, q_mean = self._update(self._replay.sample(c.batch_size))
            self._num_updates += 1
            metrics |= {"train/loss": loss, "train/q_mean": q_mean, "train/n_updates": self._num_updates}
        if self.step // c.target_update_interval > (self.step - batch) // c.target_update_interval:
            self._target.load_state_dict(self.network.state_dict())
        return metrics

    def _update(self, batch: Batch) -> tuple[float, float]:
        obs, next_obs = (as_input(x, self._obs_space, self._device) for x in (batch.obs, batch.next_obs))
        action, reward, discount = (
            torch.from_numpy(x).to(self._device) for x in (batch.action, batch.reward, batch.discount)
        )
        mask = None if batch.next_mask is None else torch.from_numpy(batch.next_mask).to(self._device)
        with torch.no_grad():
            q_next = self._target(next_obs)
            selector = self.network(next_obs) if self.config.double_q else q_next
            target = td_target(reward, discount, q_next, selector, mask)
        q = self.network(obs).gather(1, action[:, None]).squeeze(1)
        loss = F.smooth_l1_loss(q, target)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if np.isfinite(self.config.max_grad_norm):
            nn.utils.clip_grad_norm_(self.network.parameters(), self.config.max_grad_norm)
        self._optimizer.param_groups[0]["lr"] = self.learning_rate
        self._optimizer.step()
        return float(loss.detach()), float(q.detach().mean())

    def state(self) -> dict[str, Any]:
        """Returns all that is needed to go on; the replay memory's rows are views, to be written out at once."""
        moments = {
            str(i): {name: _snapshot(value) for name, value in self._optimizer.state[p].items()}
            for i, p in enumerate(self.network.parameters())
        }
        state: dict[str, Any] = {
            "step": self.step,
            "num_updates": self._num_updates,
            "network": {name: _snapshot(value) for name, value in self.network.state_dict().items()},
            "target": {name: _snapshot(value) for name, value in self._target.state_dict().items()},
            "optimizer": moments,
            "rng": _generator_state(self._rng),
            "eval_rng": _generator_state(self._eval_rng),
        }
        return state if self._replay is None else state | {"replay": self._replay.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave; without "replay" the agent can be evaluated and learns from an empty memory."""
        for network, name in ((self.network, "network"), (self._target, "target")):
            network.load_state_dict({key: torch.as_tensor(value) for key, value in state[name].items()})
        for i, p in enumerate(self.network.parameters()):
            for name, value in state["optimizer"].get(str(i), {}).items():
                blank = torch.empty_like(p) if np.ndim(value) else torch.empty((), device=self._device)
                self._optimizer.state[p][name] = blank.detach().copy_(torch.as_tensor(value))  # in p's memory format
        self.step, self._num_updates = int(state["step"]), int(state["num_updates"])
        self._rng.bit_generator.state = _bit_generator_state(state["rng"])
        self._eval_rng.bit_generator.state = _bit_generator_state(state["eval_rng"])
        self._replay = None
        if "replay" in state:
            self._replay = self._make_replay(len(state["replay"]["head"]), int(state["replay"]["frame_stack"]))
            self._replay.restore(state["replay"])

    def _make_replay(self, num_envs: int, frame_stack: int) -> Replay:
        space = self._obs_space
        return Replay(
            self.config.buffer_size, space.shape or (), stored_dtype(space), num_envs=num_envs, frame_stack=frame_stack,
            n_step=self.config.n_step, discount=self.config.gamma, seed=self._replay_seed,
        )  # fmt: skip


def _snapshot(value: Tensor) -> Tensor:
    return value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)


def _generator_state(rng: np.random.Generator) -> dict[str, Any]:
    state: Any = rng.bit_generator.state
    words = {name: str(word) for name, word in state["state"].items()}  # 128 bits, too many for most formats
    return words | {"has_uint32": state["has_uint32"], "uinteger": state["uinteger"]}


def _bit_generator_state(saved: dict[str, Any]) -> dict[str, Any]:
    words = {name: int(saved[name]) for name in ("state", "inc")}
    rest = {name: int(saved[name]) for name in ("has_uint32", "uinteger")}
    return {"bit_generator": "PCG64", "state": words, **rest}
