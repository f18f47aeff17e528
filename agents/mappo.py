"""PPO for teams: a policy that all agents share, a critic that sees everything, play against oneself and one's past.

Yu et al., "The surprising effectiveness of PPO in cooperative multi-agent games" (2022), and for hide-and-seek Baker et
al., "Emergent tool use from multi-agent autocurricula" (2020), Appendix B: entities, attention, lidar and memory
(`team_network.py`), generalised advantages, normalised observations and values (`team_learner.py`). Both teams are
played by the policy that learns; in a share of the worlds one of them by a past policy of a league (`league.py`), whose
moves are not learnt from. At first a script may play, which the policy learns to imitate while the critic learns what
that is worth.
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

from palestra.agents.agent import Array, Metrics
from palestra.agents.league import League
from palestra.agents.team_learner import TeamLearner
from palestra.agents.team_match import ScriptPlayer
from palestra.agents.team_network import TeamNetwork
from palestra.agents.team_play import (
    Actor,
    Collector,
    TeamPlayer,
    parts_of,
)
from palestra.envs.spec import EnvSpec
from palestra.envs.teams import HideAndSeekTeams, Obs
from palestra.networks.saving import snapshots_of
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
        use_threads(True)
        torch_seed, act_seed, rng_seed, league_seed = np.random.SeedSequence(seed).generate_state(4).tolist()
        self._generator = torch.Generator().manual_seed(act_seed)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(torch_seed)
            own = {name: shape[1:] for name, shape in shapes.items()}
            self.learner = TeamLearner(config, own, self.parts, self._agents, rng_seed)
        self.league = League(config.league_size, league_seed)
        self._playing = self._actor(self.policy)
        self.step = 0

    @property
    def policy(self) -> TeamNetwork:
        """The policy's network."""
        return self.learner.policy

    @property
    def updates(self) -> int:
        """How many rollouts were learnt from."""
        return self.learner.updates

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
            self.learner.forget()
            while self.step < steps:
                begin, before = time.perf_counter(), collector.seconds
                self._meet(collector)
                collector.guides = guides if self._imitates else []
                rollout, logged = collector.collect(self.config.rollout, self._generator)
                self.step += self.config.rollout * self.config.repeat * envs.num_envs
                losses = self.learner.learn(rollout, imitates=self._imitates)
                metrics = {**losses, **_report(logged), **self._rate(collector)}
                share = (collector.seconds - before) / (time.perf_counter() - begin)
                yield self.step, metrics | {"time/environment": share}
        finally:
            envs.close()

    def state(self) -> dict[str, Any]:
        """Returns networks, optimizer, the past and the generators."""
        return {
            "step": self.step,
            "learner": self.learner.state(),
            "league": self.league.state(),
            "generator": self._generator.get_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave."""
        self.step = int(state["step"])
        self.learner.restore(state["learner"])
        self.league.restore(state["league"])
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


def _report(logged: dict[str, Any]) -> dict[str, Any]:
    """Returns what is logged of episodes that ended."""
    if not logged["returns"]:
        return {}
    metrics: dict[str, Any] = {"rollout/ep_rew_mean": np.array(logged["returns"])}
    for name in logged["statistics"][0] if logged["statistics"] else ():
        metrics[f"statistics/{name}"] = np.array([row[name] for row in logged["statistics"]])
    return metrics
