"""Playing with a team network: drawing actions of several parts, and collecting what happens for learning."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from palestra.agents.agent import Array
from palestra.agents.team_network import TeamNetwork
from palestra.envs.teams import Obs, TeamsEnv
from palestra.networks.recurrent import State


def parts_of(space: gym.Space[Any]) -> list[int]:
    """Returns how many values each part of an agent's action has.

    Raises:
        ValueError: actions are not discrete, or not the same for all agents.
    """
    if not isinstance(space, gym.spaces.MultiDiscrete) or space.nvec.ndim != 2 or (space.nvec != space.nvec[0]).any():
        raise ValueError(f"the same discrete actions for all agents are wanted, but they are {space}")
    parts: list[int] = space.nvec[0].tolist()
    return parts


def log_softmax(logits: Tensor, parts: list[int]) -> list[Tensor]:
    """Returns the log-probabilities `[..., n]` of each part's values from logits `[..., sum of n]`."""
    return [part.log_softmax(-1) for part in torch.split(logits, parts, dim=-1)]


def drawn(logits: Tensor, parts: list[int], generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
    """Draws actions `[B, P]` and returns them with their log-probabilities `[B]`; the likeliest without a generator."""
    actions, total = [], torch.zeros(len(logits))
    for log_p in log_softmax(logits, parts):
        scores = log_p
        if generator is not None:
            noise = torch.rand(log_p.shape, generator=generator).clamp_(1e-10, 1 - 1e-7)
            scores = log_p - (-noise.log()).log()
        action = scores.argmax(-1)
        actions.append(action)
        total += log_p.gather(-1, action[:, None])[:, 0]
    return torch.stack(actions, dim=-1), total


def tensors(obs: Obs) -> dict[str, Tensor]:
    """Returns observations `[N, A, ...]` as tensors `[N * A, 1, ...]`."""
    rows = int(np.prod(obs["me"].shape[:2]))
    return {name: _masked(torch.from_numpy(value.reshape(rows, 1, *value.shape[2:]))) for name, value in obs.items()}


def policy_mask(obs: Mapping[str, Tensor]) -> Tensor | None:
    """Returns which entities an agent sees, None where there are none."""
    return obs.get("seen")


def critic_view(obs: Mapping[str, Tensor], agents: int) -> tuple[dict[str, Tensor], Tensor | None]:
    """Returns what a critic sees of observations `[N * A, T, ...]`, and which entities there are: all, seen or not.

    Where agents observe vectors alone, the others' vectors are its entities.
    """
    if "others" in obs:
        others = torch.ones_like(obs["seen"][..., : obs["others"].shape[-2]])
        return dict(obs), torch.cat([others, obs["there"]], dim=-1)
    if agents == 1:
        return dict(obs), None
    me = obs["me"].reshape(-1, agents, *obs["me"].shape[1:])  # [N, A, T, C]
    index = torch.tensor([[j for j in range(agents) if j != i] for i in range(agents)])
    return {"me": obs["me"], "others": me[:, index].flatten(0, 1).transpose(1, 2)}, None


def critic_shapes(shapes: Mapping[str, tuple[int, ...]], agents: int) -> dict[str, tuple[int, ...]]:
    """Returns the shapes of what a critic sees."""
    if "others" in shapes or agents == 1:
        return dict(shapes)
    return {"me": shapes["me"], "others": (agents - 1, *shapes["me"])}


class TeamPlayer(Protocol):
    """Who can play any team of a batch of worlds."""

    name: str

    def begin(self, envs: TeamsEnv, team: int, seed: int) -> None:
        """Gets ready to play a team in all worlds from their first step on."""

    def act(self, obs: Obs, first: NDArray[np.bool_], actions: NDArray[np.int64]) -> None:
        """Writes what its team does into `actions` `[N, A, P]`; `first` `[N]`: an episode begins."""


class Actor:
    """Plays a team network in a batch of worlds and remembers where the agents are in their episodes.

    Each action is made `repeat` times; episodes must begin together and last as many steps, or a multiple of them.
    """

    def __init__(self, network: TeamNetwork, parts: list[int], agents: int, repeat: int = 1) -> None:
        self.network, self._parts, self._agents, self.repeat = network, parts, agents, repeat
        self.state: State = {}
        self._made: tuple[NDArray[np.int64], NDArray[np.float32]] | None = None
        self._left = 0  # times that what was chosen is still to be made

    def act(
        self, obs: Obs, first: NDArray[np.bool_], generator: torch.Generator | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Returns actions `[N, A, P]` and their log-probabilities `[N, A]`; `first` `[N]`: an episode begins."""
        if self._made is None or self._left == 0 or first.any() or len(first) != len(self._made[0]):
            self._made, self._left = self._choose(obs, first, generator), self.repeat
        self._left -= 1
        return self._made[0].copy(), self._made[1]

    @torch.inference_mode()
    def _choose(
        self, obs: Obs, first: NDArray[np.bool_], generator: torch.Generator | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        given = tensors(obs)
        rows = len(given["me"])
        if not self.state or len(next(iter(self.state.values()))) != rows:
            self.state = self.network.initial_state(rows)
        begins = torch.from_numpy(np.repeat(first, self._agents))[:, None]
        logits, self.state = self.network(given, policy_mask(given), self.state or None, begins)
        actions, log_p = drawn(logits[:, 0], self._parts, generator)
        shape = (len(first), self._agents)
        return actions.numpy().reshape(*shape, -1), log_p.numpy().reshape(shape)


@dataclass
class Rollout:
    """T steps of N worlds, as rows of N * A agents."""

    obs: dict[str, Tensor]  # [N * A, T + 1, ...], the last to value only
    actions: Tensor  # [N * A, T, P]
    log_p: Tensor  # [N * A, T]
    rewards: Tensor  # [N * A, T]
    ended: Tensor  # [N * A, T] bool: nothing can be gained after it
    cut: Tensor  # [N * A, T] bool: cut off
    final: dict[str, Tensor] | None  # [N * A, T, ...] what was seen last where it was cut off
    first: Tensor  # [N * A, T + 1] bool: an episode begins
    state: State  # of the policy before the first step
    learnt: Tensor  # [N * A] bool: played by the policy that learns


def folded(arrays: list[Array]) -> Tensor:
    """Stacks T arrays `[N, A, ...]` to `[N * A, T, ...]`."""
    stacked = np.stack(arrays, axis=2)
    rows = stacked.shape[0] * stacked.shape[1]
    return _masked(torch.from_numpy(stacked.reshape(rows, *stacked.shape[2:])))


def _masked(values: Tensor) -> Tensor:
    """Returns masks, which environments show as int8, as bool."""
    return values.bool() if values.dtype == torch.int8 else values


class Collector:
    """Steps worlds with an actor, and with a past one for some of the teams, and keeps what learning needs."""

    def __init__(self, envs: TeamsEnv, actor: Actor, seed: int) -> None:
        self.envs, self.actor = envs, actor
        self.obs, _ = envs.reset(seed=seed)
        self.first = np.ones(envs.num_envs, np.bool_)
        self.returns = np.zeros((envs.num_envs, len(envs.team_names)))
        self.past: Actor | None = None
        self.past_plays = np.zeros((envs.num_envs, len(envs.agents)), np.bool_)  # whom the past one plays
        self.counts = np.zeros(envs.num_envs, np.bool_)  # where the past one has played from the beginning
        self.scores: list[float] = []  # against the past one: 1 won, 0.5 drawn, 0 lost
        self.seconds = 0.0  # that the environment took
        self.guides: list[TeamPlayer] = []  # who plays in place of the actor, one for each team

    def meet(self, past: Actor, plays: NDArray[np.bool_]) -> None:
        """Lets a past policy play whom it `plays` `[N, A]` from now on."""
        self.past, self.past_plays = past, plays
        self.counts = self.first & plays.any(axis=1)

    def collect(self, steps: int, generator: torch.Generator) -> tuple[Rollout, dict[str, Any]]:
        """Takes so many steps, and returns them with what is to be logged of the episodes that ended."""
        kept: dict[str, list[Array]] = {name: [value] for name, value in self.obs.items()}
        rows: dict[str, list[Array]] = {name: [] for name in ("actions", "log_p", "rewards", "ended", "cut")}
        firsts, state = [self.first], dict(self.actor.state)
        finals: list[Obs] = []
        logged: dict[str, list[Any]] = {"returns": [], "statistics": []}
        for _ in range(steps):
            actions, log_p = self._acted(generator)
            got, terminated, truncated, info = self._stepped(actions, generator, logged)
            shape = log_p.shape
            given: tuple[Array, ...] = (actions, log_p, got.astype(np.float32), terminated, truncated)
            for name, value in zip(rows, given, strict=True):
                rows[name].append(value if value.ndim > 1 else np.broadcast_to(value[:, None], shape))
            for name, value in self.obs.items():
                kept[name].append(value)
            firsts.append(self.first)
            finals.append(info.get("final", self.obs))
        folds = {name: folded(values) for name, values in rows.items()}
        cut = bool(folds["cut"].any())
        return Rollout(
            obs={name: folded(values) for name, values in kept.items()},
            final={name: folded([final[name] for final in finals]) for name in self.obs} if cut else None,
            first=folded([np.broadcast_to(first[:, None], shape) for first in firsts]),
            state=state or self.actor.network.initial_state(shape[0] * shape[1]),
            learnt=torch.from_numpy(~self.past_plays.reshape(-1)),
            **folds,
        ), logged

    def _stepped(
        self, actions: NDArray[np.int64], generator: torch.Generator, logged: dict[str, list[Any]]
    ) -> tuple[Array, Array, Array, dict[str, Any]]:
        """Makes actions as often as is wanted; returns the sum of rewards, how it ended, and the last step's info."""
        total: Any = 0.0
        for turn in range(self.actor.repeat):
            if turn:
                actions, _ = self._acted(generator)  # those that are repeated, and what others do meanwhile
            begin = time.perf_counter()
            self.obs, _, terminated, truncated, info = self.envs.step(actions)
            self.seconds += time.perf_counter() - begin
            self.first, total = terminated | truncated, total + info["rewards"]
            self._log(self.first, info, logged)
        return total, terminated, truncated, info

    def _acted(self, generator: torch.Generator) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        actions, log_p = self.actor.act(self.obs, self.first, generator)
        for guide in self.guides:
            guide.act(self.obs, self.first, actions)
        if self.past is not None:
            others, _ = self.past.act(self.obs, self.first, generator)
            actions = np.where(self.past_plays[..., None], others, actions)
        return actions, log_p

    def _log(self, ended: Array, info: dict[str, Any], logged: dict[str, list[Any]]) -> None:
        for team in range(len(self.envs.team_names)):
            self.returns[:, team] += info["rewards"][:, self.envs.teams == team].mean(axis=1)
        if not ended.any():
            return
        logged["returns"] += self.returns[ended, 0].tolist()
        logged["statistics"] += info.get("statistics", [])
        for i in np.flatnonzero(ended & self.counts):
            past = int(self.envs.teams[self.past_plays[i]][0])
            self.scores.append(0.5 + 0.5 * float(np.sign(self.returns[i, 1 - past] - self.returns[i, past])))
        self.counts |= ended & self.past_plays.any(axis=1)
        self.returns[ended] = 0.0
