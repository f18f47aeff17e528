"""How good an agent is: returns of whole episodes, and what is said about them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from palestra.agents.agent import Agent, action_mask
from palestra.envs.spec import EnvSpec

ENDLESS = 27_000  # steps after which an episode is given up where the environment sets no limit


@dataclass(frozen=True)
class Evaluation:
    """Episodes in the order of the environments that played them."""

    returns: NDArray[np.float64]  # [N], sums of unclipped rewards
    lengths: NDArray[np.int64]  # [N], steps
    given_up: int  # episodes that reached `ENDLESS` steps

    def summary(self) -> dict[str, Any]:
        """Returns mean, 95 % interval, interquartile mean, and all returns."""
        low, high = interval(self.returns)
        return {
            "mean": float(self.returns.mean()),
            "low": low,
            "high": high,
            "iqm": interquartile_mean(self.returns),
            "episodes": len(self.returns),
            "mean_length": float(self.lengths.mean()),
            "given_up": self.given_up,
            "returns": self.returns.tolist(),
        }


def interval(values: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Returns Student's 95 % interval of the mean; (None, None) for fewer than two values."""
    if len(values) < 2:
        return None, None
    from scipy.special import stdtrit

    half = float(stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) / np.sqrt(len(values)))
    return float(values.mean()) - half, float(values.mean()) + half


def interquartile_mean(values: NDArray[np.float64]) -> float:
    """Returns the mean of the middle half (Agarwal et al., NeurIPS 2021, section 4.3); tails are whole values."""
    ordered = np.sort(values)
    cut = len(ordered) // 4
    return float(ordered[cut : len(ordered) - cut].mean())


def evaluate(
    agent: Agent, env: EnvSpec, episodes: int, seed: int, on_episode: Callable[[float], None] | None = None
) -> Evaluation:
    """Plays `episodes` episodes without exploring; each environment plays its share, so short ones are not favoured.

    Raises:
        ValueError: fewer than one episode is asked for.
    """
    if episodes < 1:
        raise ValueError(f"{episodes} episodes were asked for, but at least one is wanted")
    num_envs = min(env.num_envs, episodes)
    played: list[list[tuple[float, int]]] = [[] for _ in range(num_envs)]
    share = [len(part) for part in np.array_split(np.arange(episodes), num_envs)]
    for i, score, length in _episodes(agent, _limited(env), num_envs, seed):
        if len(played[i]) < share[i]:
            played[i].append((score, length))
            if on_episode:
                on_episode(score)
        if all(len(done) == share[i] for i, done in enumerate(played)):
            break
    returns = np.array([score for done in played for score, _ in done])
    lengths = np.array([length for done in played for _, length in done])
    return Evaluation(returns, lengths, int((lengths >= ENDLESS).sum()))


def _limited(env: EnvSpec) -> EnvSpec:
    """Puts a limit on episodes that a bad policy could make endless."""
    if env.is_atari or env.max_episode_steps:
        return env
    return replace(env, kwargs={**env.kwargs, "max_episode_steps": ENDLESS})


def _episodes(agent: Agent, env: EnvSpec, num_envs: int, seed: int) -> Iterator[tuple[int, float, int]]:
    """Plays for ever, and yields the environment, return and length of each episode that ends."""
    envs = env.make_vec(num_envs)
    try:
        obs, info = envs.reset(seed=seed)
        first = np.ones(num_envs, np.bool_)
        returns, lengths = np.zeros(num_envs), np.zeros(num_envs, np.int64)
        while True:
            action = agent.act(obs, first, action_mask(info), explore=False)
            obs, reward, terminated, truncated, info = envs.step(action)
            returns += reward
            lengths += 1
            first = terminated | truncated
            for i in np.flatnonzero(first):
                yield int(i), float(returns[i]), int(lengths[i])
            returns[first], lengths[first] = 0.0, 0
    finally:
        envs.close()
