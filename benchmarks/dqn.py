"""DQN beside stable-baselines3's: updates a second on pixels and on CartPole, and steps a second of a whole training.

Pixels are random stacks of four 84 x 84 frames, the network that of Mnih et al. (2015), the batch 32; an update draws
its batch, computes the targets and changes the weights. CartPole's network has two layers of 256 units, the batch is
64, and an update follows every second step. Neither side uses double Q-learning here, which theirs lacks. Both use as
many threads of torch as ours chooses: all cores on pixels, one on vectors. Medians over rounds taken by turns.

    python benchmarks/dqn.py [rounds]
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import stable_baselines3
import torch
from gymnasium.spaces import Box, Discrete
from stable_baselines3.common.logger import Logger

from palestra.agents.agent import Transition
from palestra.agents.dqn import DQN, DQNConfig
from palestra.envs.spec import EnvSpec

STORED = 2_000  # transitions to draw from
PIXEL_UPDATES, VECTOR_UPDATES, STEPS = 20, 300, 2_000  # in a round
PIXELS = Box(0, 255, (4, 84, 84), np.uint8)
VECTORS = Box(-1.0, 1.0, (4,), np.float32)
CARTPOLE: dict[str, Any] = {
    "learning_rate": 1e-3,
    "batch_size": 64,
    "train_freq": 2,
    "gradient_steps": 1,
    "target_update_interval": 256,
    "learning_starts": 100,
}


class Random(gym.Env[Any, Any]):
    """An environment of two actions whose observations are random."""

    def __init__(self, space: Box) -> None:
        self.observation_space = space
        self.action_space = Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Draws an observation."""
        super().reset(seed=seed)
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Draws another."""
        return self.observation_space.sample(), 1.0, False, False, {}


def transitions(space: Box) -> list[Transition]:
    """Makes a row of random frames and stacks them, or of vectors."""
    rng = np.random.default_rng(0)
    no = np.array([False])
    if len(space.shape) == 3:
        frames = rng.integers(0, 256, (STORED + 4, *space.shape[1:]), np.uint8)
        seen: list[Any] = [frames[i : i + 4][None] for i in range(STORED + 1)]
    else:
        seen = list(rng.normal(size=(STORED + 1, 1, *space.shape)).astype(np.float32))
    reward = rng.normal(size=(STORED, 1))
    return [Transition(seen[i], np.array([i % 2]), reward[i], seen[i + 1], no, no, None, None) for i in range(STORED)]


def ours(space: Box, batch_size: int, updates: int) -> Callable[[], None]:
    """Returns a call that makes a number of updates."""
    config = DQNConfig(
        batch_size=batch_size, learning_rate=1e-4, buffer_size=STORED, learning_starts=STORED, train_freq=1,
        gradient_steps=updates, double_q=False, device="cpu",
    )  # fmt: skip
    agent = DQN(config, space, Discrete(2), seed=0)
    agent.frame_stack = space.shape[0] if len(space.shape) == 3 else 1
    stored = transitions(space)
    for transition in stored:
        agent.learn(transition)
    agent.step = STORED

    def update() -> None:
        agent.step += 1
        agent.learn(stored[agent.step % STORED])

    return update


def theirs(space: Box, batch_size: int, updates: int) -> Callable[[], None]:
    """Returns a call that makes a number of updates."""
    options: dict[str, Any] = {"learning_rate": 1e-4, "buffer_size": STORED, "learning_starts": 0, "device": "cpu"}
    if len(space.shape) == 3:
        model = stable_baselines3.DQN("CnnPolicy", Random(space), batch_size=batch_size, **options)
    else:
        kwargs = {"net_arch": [256, 256]}
        model = stable_baselines3.DQN(
            "MlpPolicy", Random(space), batch_size=batch_size, policy_kwargs=kwargs, **options
        )
    model.set_logger(Logger(None, []))
    if model.replay_buffer is None:
        raise ValueError("stable-baselines3's DQN has no replay buffer")
    for t in transitions(space):
        model.replay_buffer.add(t.obs, t.next_obs, t.action, t.reward, t.terminated, [{}])
    return lambda: model.train(updates, batch_size)


def our_training() -> None:
    """Trains on CartPole from the beginning."""
    env = EnvSpec("CartPole-v1")
    config = DQNConfig(**CARTPOLE, exploration_steps=STEPS // 5, double_q=False, device="cpu")
    agent = DQN(config, env.make().observation_space, Discrete(2), seed=0)
    for _ in agent.train(env, STEPS):
        pass


def their_training() -> None:
    """Trains on CartPole from the beginning."""
    stable_baselines3.DQN(
        "MlpPolicy", gym.make("CartPole-v1"), policy_kwargs={"net_arch": [256, 256]}, exploration_fraction=0.2,
        device="cpu", seed=0, **CARTPOLE,
    ).learn(STEPS)  # fmt: skip


def rate_of(call: Callable[[], None], count: int) -> float:
    """Returns how many of the `count` things that a call does are done in a second."""
    start = time.perf_counter()
    call()
    return count / (time.perf_counter() - start)


def main() -> None:
    """Prints the table, and as the last line a JSON object."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    rows: list[tuple[str, Any, Any, int]] = [
        ("updates, CartPole", ours(VECTORS, 64, VECTOR_UPDATES), theirs(VECTORS, 64, VECTOR_UPDATES), VECTOR_UPDATES),
        ("training steps, CartPole", our_training, their_training, STEPS),
        ("updates, pixels", ours(PIXELS, 32, PIXEL_UPDATES), theirs(PIXELS, 32, PIXEL_UPDATES), PIXEL_UPDATES),
    ]
    figures: dict[str, Any] = {"rounds": rounds}
    print(f"{'a second':28}{'palestra':>10}{'sb3':>10}{'ratio':>8}  threads")
    for name, mine, other, count in rows:
        ours(PIXELS if "pixels" in name else VECTORS, 1, 1)  # sets the threads as for this network
        mine()
        other()
        pairs = [(rate_of(mine, count), rate_of(other, count)) for _ in range(rounds)]
        middle = [statistics.median(column) for column in zip(*pairs, strict=True)]
        ratio = statistics.median(a / b for a, b in pairs)
        figures[name] = {"palestra": middle[0], "sb3": middle[1], "ratio": ratio, "threads": torch.get_num_threads()}
        print(f"{name:28}{middle[0]:10.1f}{middle[1]:10.1f}{ratio:8.2f}{torch.get_num_threads():9}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
