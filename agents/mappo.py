"""PPO for teams: a policy that all agents share, a critic that sees everything, play against oneself and one's past.

Yu et al., "The surprising effectiveness of PPO in cooperative multi-agent games" (2022), and for hide-and-seek Baker et
al., "Emergent tool use from multi-agent autocurricula" (2020), Appendix B: entities, attention, lidar and memory
(`team_network.py`), generalised advantages, normalised observations and values. Both teams are played by the policy
that learns; in a share of the worlds one of them by a past policy of a league (`league.py`), whose moves are not
learnt from. At first a script may play, which the policy learns to imitate while the critic learns what that is worth.
"""

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from palestra.agents.agent import Array, Metrics
from palestra.agents.league import League
from palestra.agents.saving import generator_state, restore_generator
from palestra.agents.team_match import ScriptPlayer
from palestra.agents.team_network import RunningNorm, TeamNetwork
from palestra.agents.team_play import (
    Actor,
    Collector,
    Rollout,
    TeamPlayer,
    critic_shapes,
    critic_view,
    log_softmax,
    parts_of,
    policy_mask,
)
from palestra.envs.spec import EnvSpec
from palestra.envs.teams import HideAndSeekTeams, Obs
from palestra.networks.recurrent import State
from palestra.networks.saving import snapshots_of, tensors_of
from palestra.networks.threads import use_threads


@dataclass(frozen=True)
class MAPPOConfig:
    """Options of `MAPPO`; a step is a step of a world, in which all of its agents act."""

    rollout: int = 20
    """Actions of each agent between updates, and over which the memory is learnt."""
    repeat: int = 1
    """Steps for which each action is made; in hide-and-seek 2 learns from half as much an episode."""
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
    league: float = 0.0
    """Share of the worlds in which one team is played by a past policy, out of a league with ratings."""
    league_size: int = 20
    """Past policies that are kept."""
    join_every: int = 50
    """Updates after which the policy joins the league."""
    opponent_every: int = 8
    """Updates after which another past policy is drawn."""
    imitate: str = ""
    """Script of hide-and-seek to imitate at first: run or fort."""
    imitate_updates: int = 100
    """Updates in which the script plays and the policy learns to do the same."""

    def __post_init__(self) -> None:
        for name in (
            "rollout",
            "repeat",
            "epochs",
            "minibatches",
            "width",
            "league_size",
            "join_every",
            "opponent_every",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, but at least 1 is wanted")
        for name in ("gamma", "gae_lambda", "league"):
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
    default_env: ClassVar[str] = "palestra/HideAndSeek-v0"

    def __init__(self, config: MAPPOConfig, obs_space: gym.Space[Any], action_space: gym.Space[Any], seed: int) -> None:
        if not isinstance(obs_space, gym.spaces.Dict) or "me" not in obs_space.spaces:
            raise ValueError(f"mappo plays teams, as in palestra/HideAndSeek-v0, but observations are {obs_space}")
        shapes = {name: tuple(box.shape or ()) for name, box in obs_space.spaces.items()}
        self.config, self.parts, self._agents = config, parts_of(action_space), shapes["me"][0]
        self._shapes = {name: shape[1:] for name, shape in shapes.items()}
        use_threads(True)
        torch_seed, act_seed, rng_seed, league_seed = np.random.SeedSequence(seed).generate_state(4).tolist()
        self._rng = np.random.Generator(np.random.PCG64(rng_seed))
        self._generator = torch.Generator().manual_seed(act_seed)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(torch_seed)
            width, memory = config.width, config.memory
            self.policy = TeamNetwork(self._shapes, sum(self.parts), width=width, memory=memory)
            torch.nn.init.normal_(self.policy.head.weight, std=0.01)
            seen = critic_shapes(self._shapes, self._agents) if config.central else self._shapes
            self.critic = TeamNetwork(seen, 1, width=width, memory=memory)
        parameters = [*self.policy.parameters(), *self.critic.parameters()]
        self._optimizer = torch.optim.Adam(parameters, config.learning_rate, eps=1e-5, fused=True)
        self.value_norm = RunningNorm(1, clip=float("inf"))
        self.league = League(config.league_size, league_seed)
        self._playing = self._actor(self.policy)
        self._critic_state: State = {}
        self.step = self.updates = 0

    @classmethod
    def defaults(cls, env: EnvSpec, steps: int) -> MAPPOConfig:
        """Returns the options as they are."""
        return MAPPOConfig()

    def act(
        self, obs: Obs, first: NDArray[np.bool_], mask: NDArray[np.bool_] | None = None, *, explore: bool = True
    ) -> Array:
        """Chooses actions `[N, A, P]` for observations `[N, A, ...]`."""
        return self._playing.act(obs, first, self._generator if explore else None)[0]

    def train(self, env: EnvSpec, steps: int) -> Iterator[tuple[int, Metrics]]:
        """Plays and learns by turns."""
        envs: Any = env.make_vec()
        try:
            self._check_repeat(envs)
            collector = Collector(envs, self._actor(self.policy), env.seed_at(self.step))
            guides = self._guides(envs, env.seed_at(self.step)) if self._imitates else []
            self._critic_state = {}
            while self.step < steps:
                begin, before = time.perf_counter(), collector.seconds
                self._meet(collector)
                collector.guides = guides if self._imitates else []
                rollout, logged = collector.collect(self.config.rollout, self._generator)
                self.step += self.config.rollout * self.config.repeat * envs.num_envs
                metrics = {**self._learn(rollout), **_report(logged), **self._rate(collector)}
                share = (collector.seconds - before) / (time.perf_counter() - begin)
                yield self.step, metrics | {"time/environment": share}
        finally:
            envs.close()

    def state(self) -> dict[str, Any]:
        """Returns networks, optimizer, the past and the generators."""
        return {
            "step": self.step,
            "updates": self.updates,
            "policy": snapshots_of(self.policy),
            "critic": snapshots_of(self.critic),
            "value_norm": snapshots_of(self.value_norm),
            "league": self.league.state(),
            "optimizer": {str(k): dict(moments) for k, moments in self._optimizer.state_dict()["state"].items()},
            "rng": generator_state(self._rng),
            "generator": self._generator.get_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave."""
        self.step, self.updates = int(state["step"]), int(state["updates"])
        for module, name in ((self.policy, "policy"), (self.critic, "critic"), (self.value_norm, "value_norm")):
            module.load_state_dict(tensors_of(state[name]))
        self.league.restore(state["league"])
        moments = {int(k): tensors_of(values) for k, values in state["optimizer"].items()}
        self._optimizer.load_state_dict(self._optimizer.state_dict() | {"state": moments})
        restore_generator(self._rng, state["rng"])
        self._generator.set_state(torch.as_tensor(state["generator"]))

    def _actor(self, network: TeamNetwork) -> Actor:
        """Returns who plays a network."""
        return Actor(network, self.parts, self._agents, self.config.repeat)

    def _check_repeat(self, envs: Any) -> None:
        """Checks that episodes end with the last time that an action is made.

        Raises:
            ValueError: they do not, or it is not known.
        """
        repeat, horizon = self.config.repeat, envs.batch.scenario.horizon if isinstance(envs, HideAndSeekTeams) else 0
        if repeat > 1 and (not horizon or horizon % repeat):
            lasts = f"last {horizon} steps, no multiple of it" if horizon else "end at any time"
            raise ValueError(f"repeat is {repeat}, but episodes {lasts}: repeat 1 is wanted")

    @property
    def _imitates(self) -> bool:
        """Whether the script still plays."""
        return bool(self.config.imitate) and self.updates < self.config.imitate_updates

    def _guides(self, envs: Any, seed: int) -> list[TeamPlayer]:
        """Returns those whom the policy imitates, one for each team."""
        guides: list[TeamPlayer] = [ScriptPlayer(self.config.imitate) for _ in envs.team_names]
        for team, guide in enumerate(guides):
            guide.begin(envs, team, seed)
        return guides

    def _meet(self, collector: Collector) -> None:
        """Lets a past policy play one team in its share of the worlds, and another one from time to time."""
        c, envs = self.config, collector.envs
        worlds = int(c.league * envs.num_envs)
        if not worlds or len(envs.team_names) < 2:
            return
        if self.updates % c.join_every == 0:
            self.league.join(snapshots_of(self.policy), self.updates)
        again = self.updates % c.opponent_every == 0 or self.updates % c.join_every == 0
        if again or collector.past is None:
            member = self.league.draw() if again else self.league.members[self.league.opponent]
            network = copy.deepcopy(self.policy)
            network.load_state_dict(member.weights)
            plays = np.zeros((envs.num_envs, len(envs.agents)), np.bool_)
            for k in range(worlds):
                plays[k] = envs.teams == k % len(envs.team_names)
            collector.meet(self._actor(network), plays)

    def _rate(self, collector: Collector) -> Metrics:
        """Takes the games against the past into account; returns what is logged of the league."""
        if collector.past is None:
            return {}
        for score in collector.scores:
            self.league.note(score)
        metrics: dict[str, Any] = {"league/elo": self.league.elo, "league/members": len(self.league.members)}
        if collector.scores:
            metrics["rollout/league_score"] = np.array(collector.scores)
        collector.scores.clear()
        return metrics

    def _learn(self, rollout: Rollout) -> dict[str, float]:
        """Makes the updates that a rollout allows; returns their means."""
        c = self.config
        view, there = self._view(rollout.obs)
        if self.updates == 0:
            self._look(rollout, view, there)
        state = self._critic_state or self.critic.initial_state(len(rollout.rewards))
        values, after = self._values(rollout, view, there, state)
        stopped = rollout.ended | rollout.cut
        gains = advantages(rollout.rewards, values, after, rollout.ended, stopped, c.gamma, c.gae_lambda)
        returns = gains + values
        self.value_norm.update(returns[rollout.learnt].reshape(-1, 1))
        chosen = gains[rollout.learnt]
        scaled = (gains - chosen.mean()) / (chosen.std() + 1e-8)
        batch = Batch(rollout, view, there, state, scaled, self._scaled(returns), self._imitates)
        rows, sums = rollout.learnt.nonzero()[:, 0], dict[str, float]()
        for _ in range(c.epochs):
            for part in rows[torch.from_numpy(self._rng.permutation(len(rows)))].chunk(c.minibatches):
                losses = self._losses(batch, part)
                self._update(losses["loss"])
                for name, value in losses.items():
                    sums[name] = sums.get(name, 0.0) + float(value.detach()) / (c.epochs * c.minibatches)
        if self.updates > 0:
            self._look(rollout, view, there)
        self.updates += 1
        return {f"train/{name}": value for name, value in sums.items()}

    def _view(self, obs: dict[str, Tensor]) -> tuple[dict[str, Tensor], Tensor | None]:
        """Returns what the critic sees, and which entities."""
        return critic_view(obs, self._agents) if self.config.central else (obs, policy_mask(obs))

    def _scaled(self, values: Tensor) -> Tensor:
        """Returns values as the critic says them."""
        scaled: Tensor = self.value_norm(values[..., None])[..., 0]
        return scaled

    def _unscaled(self, values: Tensor) -> Tensor:
        """Returns what the critic says as values."""
        return values * (self.value_norm.square + 1e-8).sqrt().float() + self.value_norm.mean.float()

    @torch.inference_mode()
    def _values(
        self, rollout: Rollout, view: dict[str, Tensor], there: Tensor | None, state: State
    ) -> tuple[Tensor, Tensor]:
        """Returns what states before and after each step are worth `[B, T]`; where it was cut off without memory."""
        now, last = _steps(view, slice(None, -1)), _steps(view, slice(-1, None))
        here, there_last = (None, None) if there is None else (there[:, :-1], there[:, -1:])
        out, end = self.critic(now, here, state or None, rollout.first[:, :-1])
        tail, _ = self.critic(last, there_last, end or None, rollout.first[:, -1:])
        self._critic_state = end
        values = self._unscaled(torch.cat([out, tail], dim=1)[..., 0])
        after = values[:, 1:].clone()
        if rollout.final is not None:
            seen, mask = self._view(rollout.final)
            ends, _ = self.critic(seen, mask, None, torch.ones_like(rollout.cut))
            after = torch.where(rollout.cut, self._unscaled(ends[..., 0]), after)
        return values[:, :-1], after

    def _losses(self, batch: "Batch", rows: Tensor) -> dict[str, Tensor]:
        """Returns PPO's losses on some rows."""
        c, rollout = self.config, batch.rollout
        first, obs = rollout.first[rows, :-1], _steps({k: v[rows] for k, v in rollout.obs.items()}, slice(None, -1))
        state = {name: value[rows] for name, value in rollout.state.items()}
        logits, _ = self.policy(obs, policy_mask(obs), state or None, first)
        log_p, entropy = torch.zeros(()), torch.zeros(())
        for k, part in enumerate(log_softmax(logits, self.parts)):
            log_p = log_p + part.gather(-1, rollout.actions[rows, :, k, None])[..., 0]
            entropy = entropy - (part.exp() * part).sum(-1).mean()
        ratio, gain = (log_p - rollout.log_p[rows]).exp(), batch.gains[rows]
        policy_loss = -torch.minimum(ratio * gain, ratio.clamp(1 - c.clip, 1 + c.clip) * gain).mean()
        if batch.imitates:
            policy_loss = -log_p.mean()
        seen = _steps({name: value[rows] for name, value in batch.view.items()}, slice(None, -1))
        there = None if batch.there is None else batch.there[rows, :-1]
        before = {name: value[rows] for name, value in batch.critic_state.items()}
        values, _ = self.critic(seen, there, before or None, first)
        value_loss = (values[..., 0] - batch.wanted[rows]).square().mean()
        return {
            "loss": policy_loss + 0.5 * value_loss - c.entropy * entropy,
            "policy_loss": policy_loss,
            "value_loss": value_loss,
            "entropy": entropy,
            "clipped": ((ratio - 1).abs() > c.clip).float().mean(),
        }

    def _update(self, loss: Tensor) -> None:
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._optimizer.param_groups[0]["params"], self.config.max_grad_norm)
        self._optimizer.step()

    def _look(self, rollout: Rollout, view: dict[str, Tensor], there: Tensor | None) -> None:
        """Takes the rollout's observations into account in how they are normalised."""
        flat = {name: value[:, :-1].flatten(0, 1) for name, value in rollout.obs.items()}
        self.policy.look(flat, policy_mask(flat))
        seen = {name: value[:, :-1].flatten(0, 1) for name, value in view.items()}
        self.critic.look(seen, None if there is None else there[:, :-1].flatten(0, 1))


@dataclass
class Batch:
    """A rollout with what is learnt from it."""

    rollout: Rollout
    view: dict[str, Tensor]  # of the critic
    there: Tensor | None
    critic_state: State  # before the first step
    gains: Tensor  # [B, T]
    wanted: Tensor  # [B, T] values as the critic says them
    imitates: bool  # whether the actions are those that the policy shall take


def _steps(obs: dict[str, Tensor], which: slice) -> dict[str, Tensor]:
    return {name: value[:, which] for name, value in obs.items()}


def _report(logged: dict[str, Any]) -> dict[str, Any]:
    """Returns what is logged of episodes that ended."""
    if not logged["returns"]:
        return {}
    metrics: dict[str, Any] = {"rollout/ep_rew_mean": np.array(logged["returns"])}
    for name in logged["statistics"][0] if logged["statistics"] else ():
        metrics[f"statistics/{name}"] = np.array([row[name] for row in logged["statistics"]])
    return metrics
