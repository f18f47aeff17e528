"""The loop of agents that learn from single steps."""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from palestra.agents.agent import Array, Metrics, Transition, action_mask
from palestra.envs.spec import EnvSpec


class StepLearner(Protocol):
    """An agent that learns from a batch of single steps."""

    step: int

    def act(
        self, obs: Array, first: NDArray[np.bool_], mask: NDArray[np.bool_] | None = None, *, explore: bool = True
    ) -> Array: ...

    def learn(self, transition: Transition) -> Metrics: ...


def interact(agent: StepLearner, env: EnvSpec, steps: int) -> Iterator[tuple[int, Metrics]]:
    """Plays and learns from `agent.step` until at least `steps`, in freshly made and seeded environments.

    Yields `(step, metrics)` after each step of the batch; `rollout/ep_rew_mean` and `rollout/ep_len_mean` hold the
    unclipped returns and the lengths of the episodes that ended in it. The last step truncates what is still running.
    """
    envs = env.make_vec()
    try:
        obs, info = envs.reset(seed=env.seed_at(agent.step))
        mask = action_mask(info)
        first = np.ones(envs.num_envs, np.bool_)
        returns, lengths = np.zeros(envs.num_envs), np.zeros(envs.num_envs, np.int64)
        while agent.step < steps:
            action = agent.act(obs, first, mask)
            after, reward, terminated, truncated, info = envs.step(action)
            agent.step += envs.num_envs
            ended = terminated | truncated
            next_obs, next_mask = last_sight(after, info, ended)
            fatal = terminated | info.get("life_loss", False)  # what learners take for an end
            cut = truncated if agent.step < steps else ~fatal
            clipped = np.clip(np.asarray(reward, np.float64), -env.reward_clip, env.reward_clip)
            metrics = dict(agent.learn(Transition(obs, action, clipped, next_obs, fatal, cut, mask, next_mask)))
            returns += reward
            lengths += 1
            if ended.any():
                metrics |= {"rollout/ep_rew_mean": returns[ended], "rollout/ep_len_mean": lengths[ended]}
                returns[ended], lengths[ended] = 0.0, 0
            yield agent.step, metrics
            obs, mask, first = after, action_mask(info), ended
    finally:
        envs.close()


def last_sight(after: Array, info: dict[str, Any], ended: NDArray[np.bool_]) -> tuple[Array, NDArray[np.bool_] | None]:
    """Puts the true last observation and mask of ended episodes in place of the first ones of the next."""
    mask = action_mask(info)
    if not ended.any():
        return after, mask
    next_obs = after.copy()
    for i in np.flatnonzero(ended):
        next_obs[i] = info["final_obs"][i]
    if mask is not None:
        mask = mask.copy()
        for i in np.flatnonzero(ended):
            mask[i] = info["final_info"]["action_mask"][i]
    return next_obs, mask
