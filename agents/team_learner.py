"""How MAPPO's policy and critic learn from what teams did: PPO over chunks of sequences, on all rows of agents.

Schulman et al., "Proximal policy optimization algorithms" (2017), equation 7, and for values the normalised squared
error of Yu et al. (2022). Advantages are normalised over all that is learnt from.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from palestra.agents.saving import generator_state, restore_generator
from palestra.agents.team_network import Shapes, TeamNetwork
from palestra.agents.team_play import Rollout, critic_shapes, critic_view, log_softmax, policy_mask
from palestra.networks.normalisation import RunningNorm
from palestra.networks.recurrent import State
from palestra.networks.saving import optimizer_state, restore_optimizer, snapshots_of, tensors_of


class LearningOptions(Protocol):
    """What an agent's options say of learning."""

    @property
    def epochs(self) -> int: ...
    @property
    def minibatches(self) -> int: ...
    @property
    def gamma(self) -> float: ...
    @property
    def gae_lambda(self) -> float: ...
    @property
    def clip(self) -> float: ...
    @property
    def entropy(self) -> float: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def max_grad_norm(self) -> float: ...
    @property
    def width(self) -> int: ...
    @property
    def memory(self) -> bool: ...
    @property
    def central(self) -> bool: ...


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


class TeamLearner:
    """Policy and critic of agents that observe `shapes`, and what updates them."""

    def __init__(self, config: LearningOptions, shapes: Shapes, parts: list[int], agents: int, seed: int) -> None:
        self.config, self._parts, self._agents, self.updates = config, parts, agents, 0
        self._rng = np.random.Generator(np.random.PCG64(seed))
        width, memory = config.width, config.memory
        self.policy = TeamNetwork(shapes, sum(parts), width=width, memory=memory)
        torch.nn.init.normal_(self.policy.head.weight, std=0.01)
        seen = critic_shapes(shapes, agents) if config.central else shapes
        self.critic = TeamNetwork(seen, 1, width=width, memory=memory)
        self.value_norm = RunningNorm(1, clip=float("inf"))
        self._parameters = [*self.policy.parameters(), *self.critic.parameters()]
        self._optimizer = torch.optim.Adam(self._parameters, config.learning_rate, eps=1e-5, fused=True)
        self._critic_state: State = {}

    def forget(self) -> None:
        """Takes note that all episodes begin anew."""
        self._critic_state = {}

    def state(self) -> dict[str, Any]:
        """Returns networks, what normalises values, the optimiser and the order's generator."""
        return {
            "updates": self.updates,
            "policy": snapshots_of(self.policy),
            "critic": snapshots_of(self.critic),
            "value_norm": snapshots_of(self.value_norm),
            "optimizer": optimizer_state(self._optimizer, self._parameters),
            "rng": generator_state(self._rng),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave."""
        self.updates = int(state["updates"])
        for module, name in ((self.policy, "policy"), (self.critic, "critic"), (self.value_norm, "value_norm")):
            module.load_state_dict(tensors_of(state[name]))
        restore_optimizer(self._optimizer, self._parameters, state["optimizer"])
        restore_generator(self._rng, state["rng"])

    def learn(self, rollout: Rollout, *, imitates: bool = False) -> dict[str, float]:
        """Makes the updates that a rollout allows, or learns to do what was done there; returns mean losses."""
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
        batch = Batch(rollout, view, there, state, scaled, self._scaled(returns), imitates)
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
        for k, part in enumerate(log_softmax(logits, self._parts)):
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
        torch.nn.utils.clip_grad_norm_(self._parameters, self.config.max_grad_norm)
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
