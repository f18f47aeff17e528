"""PPO for teams: a policy that all agents share, a critic that sees everything, play against oneself and one's past.

Yu et al., "The surprising effectiveness of PPO in cooperative multi-agent games" (2022), and for hide-and-seek Baker et
al., "Emergent tool use from multi-agent autocurricula" (2020), Appendix B: entities, attention, lidar and memory
(`team_network.py`), generalised advantages, normalised observations and values. Both teams are played by the policy
that learns; in a share of the worlds one of them by a past policy, whose moves are not learnt from.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from palestra.agents.agent import Array, Metrics
from palestra.agents.saving import generator_state, restore_generator
from palestra.agents.team_network import RunningNorm, TeamNetwork, shapes_of
from palestra.agents.team_play import (
    Actor,
    Collector,
    Rollout,
    critic_shapes,
    critic_view,
    log_softmax,
    parts_of,
    policy_mask,
)
from palestra.envs.spec import EnvSpec
from palestra.envs.teams import Obs, TeamsEnv
from palestra.networks.saving import snapshot
from palestra.networks.threads import use_threads


@dataclass(frozen=True)
class MAPPOConfig:
    """Options of `MAPPO`; a step is a step of a world, in which all of its agents act."""

    rollout: int = 20
    """Steps of each world between updates, and over which the memory is learnt."""
    epochs: int = 4
    """How often each step is learnt from."""
    minibatches: int = 4
    """Parts of the agents that are learnt from one after the other."""
    gamma: float = 0.99
    """Discount."""
    gae_lambda: float = 0.95
    """λ of generalised advantage estimation."""
    clip: float = 0.2
    """How far a probability's ratio may leave 1."""
    entropy: float = 0.01
    """Weight of the policy's entropy."""
    learning_rate: float = 5e-4
    """Step size of Adam."""
    max_grad_norm: float = 5.0
    """Largest norm of gradients."""
    width: int = 64
    """Units of the layers of policy and critic."""
    memory: bool = True
    """Whether policy and critic remember (LSTM)."""
    central: bool = True
    """Whether the critic sees what the agents do not."""
    past: float = 0.0
    """Share of the worlds in which one team is played by a past policy."""
    past_every: int = 50
    """Updates after which the policy joins the past ones."""

    def __post_init__(self) -> None:
        for name in ("rollout", "epochs", "minibatches", "width", "past_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, but at least 1 is wanted")
        for name in ("gamma", "gae_lambda", "past"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}, but a number from 0 to 1 is wanted")
        for name in ("learning_rate", "clip", "max_grad_norm"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"{name} is {getattr(self, name)}, but a number above 0 is wanted")


def advantages(
    rewards: Tensor, values: Tensor, after: Tensor, ended: Tensor, stopped: Tensor, gamma: float, gae_lambda: float
) -> Tensor:
    """Returns generalised advantages `[B, T]` (Schulman et al., 2016, equation 16).

    `values` and `after` `[B, T]` are what states before and after each step are worth; nothing is gained after a step
    that `ended`, and errors do not go back over one that ended or was cut off, `stopped`.
    """
    errors = rewards + gamma * after * ~ended - values
    out, carried = torch.empty_like(rewards), torch.zeros_like(rewards[:, 0])
    for t in range(rewards.shape[1] - 1, -1, -1):
        carried = errors[:, t] + gamma * gae_lambda * carried * ~stopped[:, t]
        out[:, t] = carried
    return out


class MAPPO:
    """A policy for teams.

    Raises:
        ValueError: what agents observe is no dictionary with "me", or their actions are not discrete.
    """

    Config = MAPPOConfig
    default_steps: ClassVar[int] = 5_000_000
    default_env: ClassVar[str] = "hide-and-seek"

    def __init__(self, config: MAPPOConfig, obs_space: gym.Space[Any], action_space: gym.Space[Any], seed: int) -> None:
        if not isinstance(obs_space, gym.spaces.Dict) or "me" not in obs_space.spaces:
            raise ValueError(f"mappo plays teams, as in hide-and-seek, but observations are {obs_space}")
        self.config, self.parts, self._shapes = config, parts_of(action_space), shapes_of(obs_space)
        use_threads(True)
        torch_seed, act_seed, rng_seed = np.random.SeedSequence(seed).generate_state(3).tolist()
        self._rng = np.random.Generator(np.random.PCG64(rng_seed))
        self._generator = torch.Generator().manual_seed(act_seed)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(torch_seed)
            self.policy = TeamNetwork(self._shapes, sum(self.parts), width=config.width, memory=config.memory)
            torch.nn.init.normal_(self.policy.head.weight, std=0.01)
            self._critic_seed = int(torch.randint(2**31, ()))
        self.critic: TeamNetwork | None = None  # its shapes depend on how many agents there are
        self.value_norm = RunningNorm(1, clip=float("inf"))
        self.past: list[dict[str, Tensor]] = []
        self._optimizer: torch.optim.Optimizer | None = None
        self._saved: dict[str, Any] = {}
        self._playing: Actor | None = None
        self.step = self.updates = 0

    @classmethod
    def defaults(cls, env: EnvSpec, steps: int) -> MAPPOConfig:
        """Returns the options as they are."""
        return MAPPOConfig()

    def act(
        self, obs: Obs, first: NDArray[np.bool_], mask: NDArray[np.bool_] | None = None, *, explore: bool = True
    ) -> Array:
        """Chooses actions `[N, A, ...]` for observations `[N, A, ...]`."""
        agents = obs["me"].shape[1]
        if self._playing is None:
            self._playing = Actor(self.policy, self.parts, agents)
        actions, _ = self._playing.act(obs, first, self._generator if explore else None)
        return actions[..., 0] if len(self.parts) == 1 else actions

    def train(self, env: EnvSpec, steps: int) -> Iterator[tuple[int, Metrics]]:
        """Plays and learns by turns."""
        envs = env.make_vec()
        try:
            self._build(envs)
            actor = Actor(self.policy, self.parts, len(envs.agents))
            collector = Collector(envs, actor, env.seed_at(self.step))
            while self.step < steps:
                self._choose_past(collector)
                rollout, logged = collector.collect(self.config.rollout, self._generator)
                self.step += self.config.rollout * envs.num_envs
                metrics: dict[str, Any] = dict(self._learn(rollout, len(envs.agents)))
                yield self.step, metrics | self._report(logged, envs)
        finally:
            envs.close()

    def state(self) -> dict[str, Any]:
        """Returns networks, optimizer, the past and the generators."""
        optimizer = (
            self._saved.get("optimizer", {}) if self._optimizer is None else self._optimizer.state_dict()["state"]
        )
        critic = self._saved.get("critic", {}) if self.critic is None else _weights(self.critic)
        return {
            "step": self.step,
            "updates": self.updates,
            "policy": _weights(self.policy),
            "critic": critic,
            "value_norm": _weights(self.value_norm),
            "past": {str(k): weights for k, weights in enumerate(self.past)},
            "optimizer": {str(k): dict(moments) for k, moments in optimizer.items()},
            "rng": generator_state(self._rng),
            "generator": self._generator.get_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave."""
        self.step, self.updates = int(state["step"]), int(state["updates"])
        self.policy.load_state_dict(_tensors(state["policy"]))
        self.value_norm.load_state_dict(_tensors(state["value_norm"]))
        self.past = [_tensors(state["past"][str(k)]) for k in range(len(state["past"]))]
        self._saved = {
            "critic": _tensors(state["critic"]),
            "optimizer": {int(k): _tensors(v) for k, v in state["optimizer"].items()},
        }
        self.critic = self._optimizer = self._playing = None
        restore_generator(self._rng, state["rng"])
        self._generator.set_state(torch.as_tensor(state["generator"]))

    def _build(self, envs: TeamsEnv) -> None:
        """Makes critic and optimizer, or takes them from where a run was."""
        if self.critic is not None:
            return
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(self._critic_seed)
            shapes = critic_shapes(self._shapes, len(envs.agents)) if self.config.central else self._shapes
            self.critic = TeamNetwork(shapes, 1, width=self.config.width, memory=self.config.memory)
        parameters = [*self.policy.parameters(), *self.critic.parameters()]
        self._optimizer = torch.optim.Adam(parameters, self.config.learning_rate, eps=1e-5, fused=True)
        if self._saved.get("critic"):
            self.critic.load_state_dict(self._saved["critic"])
            given = self._optimizer.state_dict()
            self._optimizer.load_state_dict(given | {"state": self._saved["optimizer"]})

    def _choose_past(self, collector: Collector) -> None:
        """Lets a past policy, drawn anew, play one team in its share of the worlds."""
        c, envs = self.config, collector.envs
        if c.past == 0.0 or len(envs.team_names) < 2:
            return
        if self.updates % c.past_every == 0:
            self.past.append(_weights(self.policy))
        network = copy.deepcopy(self.policy)
        network.load_state_dict(self.past[int(self._rng.integers(len(self.past)))])
        collector.past = Actor(network, self.parts, len(envs.agents))
        worlds = int(c.past * envs.num_envs)
        for k in range(worlds):
            collector.past_plays[k] = envs.teams == k % len(envs.team_names)

    def _learn(self, rollout: Rollout, agents: int) -> dict[str, float]:
        """Makes the updates that a rollout allows; returns their means."""
        c, critic = self.config, self.critic
        assert critic is not None
        view, there = critic_view(rollout.obs, agents) if c.central else (rollout.obs, policy_mask(rollout.obs))
        if self.updates == 0:
            self._look(rollout, view, there)
        values, after, critic_state = self._values(rollout, view, there, agents)
        stopped = rollout.ended | rollout.cut
        gains = advantages(rollout.rewards, values, after, rollout.ended, stopped, c.gamma, c.gae_lambda)
        returns = gains + values
        self.value_norm.update(returns[rollout.learnt].reshape(-1, 1))
        wanted = self.value_norm(returns[..., None])[..., 0]
        chosen = gains[rollout.learnt]
        gains = (gains - chosen.mean()) / (chosen.std() + 1e-8)
        rows, sums = rollout.learnt.nonzero()[:, 0], dict[str, float]()
        for _ in range(c.epochs):
            order = rows[torch.from_numpy(self._rng.permutation(len(rows)))]
            for part in order.chunk(c.minibatches):
                losses = self._losses(rollout, view, there, critic_state, gains, wanted, part)
                self._update(losses["loss"])
                for name, value in losses.items():
                    sums[name] = sums.get(name, 0.0) + float(value.detach()) / (c.epochs * c.minibatches)
        if self.updates > 0:
            self._look(rollout, view, there)
        self.updates += 1
        return {f"train/{name}": value for name, value in sums.items()}

    @torch.inference_mode()
    def _values(
        self, rollout: Rollout, view: dict[str, Tensor], there: Tensor | None, agents: int
    ) -> tuple[Tensor, Tensor, Any]:
        """Returns what states before and after each step are worth `[B, T]`, and the critic's state before them."""
        critic = self.critic
        assert critic is not None
        before = (
            self._critic_state
            if getattr(self, "_critic_rows", 0) == len(rollout.rewards)
            else critic.initial_state(len(rollout.rewards))
        )
        now = {name: value[:, :-1] for name, value in view.items()}
        here = None if there is None else there[:, :-1]
        out, end = critic(now, here, before or None, rollout.first[:, :-1])
        last = {name: value[:, -1:] for name, value in view.items()}
        tail, _ = critic(last, None if there is None else there[:, -1:], end or None, rollout.first[:, -1:])
        self._critic_state, self._critic_rows = end, len(rollout.rewards)
        scale = (self.value_norm.square + 1e-8).sqrt().float()
        values = torch.cat([out, tail], dim=1)[..., 0] * scale + self.value_norm.mean.float()
        after = values[:, 1:].clone()
        if rollout.final is not None:
            seen, mask = (
                critic_view(rollout.final, agents)
                if self.config.central
                else (rollout.final, policy_mask(rollout.final))
            )
            ends, _ = critic(seen, mask, None, torch.ones_like(rollout.cut))
            after = torch.where(rollout.cut, ends[..., 0] * scale + self.value_norm.mean.float(), after)
        return values[:, :-1], after, before

    def _losses(
        self, rollout: Rollout, view: dict[str, Tensor], there: Tensor | None, critic_state: Any, gains: Tensor,
        wanted: Tensor, rows: Tensor,
    ) -> dict[str, Tensor]:  # fmt: skip
        """Returns PPO's losses on some rows."""
        c, first = self.config, rollout.first[rows, :-1]
        obs = {name: value[rows, :-1] for name, value in rollout.obs.items()}
        state = {name: value[rows] for name, value in rollout.state.items()}
        logits, _ = self.policy(obs, policy_mask(obs), state or None, first)
        log_p, entropy = torch.zeros(()), torch.zeros(())
        for k, part in enumerate(log_softmax(logits, self.parts)):
            log_p = log_p + part.gather(-1, rollout.actions[rows, :, k, None])[..., 0]
            entropy = entropy - (part.exp() * part).sum(-1).mean()
        ratio = (log_p - rollout.log_p[rows]).exp()
        gain = gains[rows]
        policy_loss = -torch.minimum(ratio * gain, ratio.clamp(1 - c.clip, 1 + c.clip) * gain).mean()
        assert self.critic is not None
        seen = {name: value[rows, :-1] for name, value in view.items()}
        before = {name: value[rows] for name, value in critic_state.items()}
        values, _ = self.critic(seen, None if there is None else there[rows, :-1], before or None, first)
        value_loss = (values[..., 0] - wanted[rows]).square().mean()
        return {
            "loss": policy_loss + 0.5 * value_loss - c.entropy * entropy,
            "policy_loss": policy_loss,
            "value_loss": value_loss,
            "entropy": entropy,
            "clipped": ((ratio - 1).abs() > c.clip).float().mean(),
        }

    def _update(self, loss: Tensor) -> None:
        optimizer = self._optimizer
        assert optimizer is not None
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], self.config.max_grad_norm)
        optimizer.step()

    def _look(self, rollout: Rollout, view: dict[str, Tensor], there: Tensor | None) -> None:
        """Takes the rollout's observations into account in how they are normalised."""
        assert self.critic is not None
        flat = {name: value[:, :-1].flatten(0, 1) for name, value in rollout.obs.items()}
        self.policy.look(flat, policy_mask(flat))
        seen = {name: value[:, :-1].flatten(0, 1) for name, value in view.items()}
        self.critic.look(seen, None if there is None else there[:, :-1].flatten(0, 1))

    def _report(self, logged: dict[str, Any], envs: TeamsEnv) -> dict[str, Any]:
        """Returns what is logged of episodes that ended."""
        if not logged["returns"]:
            return {}
        metrics: dict[str, Any] = {"rollout/ep_rew_mean": np.array(logged["returns"])}
        for name in logged["statistics"][0] if logged["statistics"] else ():
            metrics[f"statistics/{name}"] = np.array([row[name] for row in logged["statistics"]])
        return metrics


def _weights(module: torch.nn.Module) -> dict[str, Tensor]:
    return {name: snapshot(value) for name, value in module.state_dict().items()}


def _tensors(state: Any) -> dict[str, Tensor]:
    return {name: torch.as_tensor(value) for name, value in state.items()}
