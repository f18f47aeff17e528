"""Matches of teams: two players play each episode twice, with sides swapped, and the sum of what they got decides.

Who plays better from both sides wins, so that it does not matter that one side has the easier game.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from palestra.agents.hide_scripts import SCRIPTS, ScriptedTeam
from palestra.agents.match import seed_of
from palestra.agents.team_network import TeamNetwork
from palestra.agents.team_play import Actor, TeamPlayer, parts_of
from palestra.envs.spec import EnvSpec
from palestra.envs.teams import HideAndSeekTeams, Obs, TeamsEnv


class RandomTeam:
    """Draws all actions, and makes each `repeat` times."""

    name = "random"

    def __init__(self, repeat: int = 1) -> None:
        self._repeat = repeat

    def begin(self, envs: TeamsEnv, team: int, seed: int) -> None:
        """Gets ready."""
        self._columns = np.flatnonzero(envs.teams == team)
        self._parts, self._rng = parts_of(envs.single_action_space), np.random.default_rng(seed)
        self._left = 0

    def act(self, obs: Obs, first: NDArray[np.bool_], actions: NDArray[np.int64]) -> None:
        """Writes its team's actions."""
        if not self._left:
            shape = (len(first), len(self._columns), len(self._parts))
            self._made, self._left = self._rng.integers(self._parts, size=shape), self._repeat
        self._left -= 1
        actions[:, self._columns] = self._made


class ScriptPlayer:
    """Plays a script of hide-and-seek.

    Raises:
        ValueError: there is no such script, or another game is played.
    """

    def __init__(self, script: str) -> None:
        if script not in SCRIPTS:
            raise ValueError(f"there is no script {script!r}; there are {', '.join(SCRIPTS)}")
        self.name = script

    def begin(self, envs: TeamsEnv, team: int, seed: int) -> None:
        """Gets ready."""
        if not isinstance(envs, HideAndSeekTeams):
            raise ValueError(f"{self.name} plays hide-and-seek, but another game is played")
        self._script = ScriptedTeam(envs.batch, team, self.name, seed)

    def act(self, obs: Obs, first: NDArray[np.bool_], actions: NDArray[np.int64]) -> None:
        """Writes its team's actions."""
        self._script.act(actions)


class NetworkPlayer:
    """Plays a policy as it did in training: each action is drawn from its probabilities."""

    def __init__(self, name: str, network: TeamNetwork, repeat: int = 1) -> None:
        self.name, self._network, self._repeat = name, network, repeat

    def begin(self, envs: TeamsEnv, team: int, seed: int) -> None:
        """Gets ready."""
        self._columns = np.flatnonzero(envs.teams == team)
        self._actor = Actor(self._network, parts_of(envs.single_action_space), len(envs.agents), self._repeat)
        self._generator = torch.Generator().manual_seed(seed)

    def act(self, obs: Obs, first: NDArray[np.bool_], actions: NDArray[np.int64]) -> None:
        """Writes its team's actions."""
        actions[:, self._columns] = self._actor.act(obs, first, self._generator)[0][:, self._columns]


@dataclass(frozen=True)
class TeamGame:
    """An episode of a match."""

    players: tuple[int, ...]
    """Which of the two played each team."""
    seed: int
    """Of the world."""
    returns: tuple[float, ...]
    """What each team got, the mean of its agents."""
    statistics: dict[str, float]
    """What happened, where the environment counts it."""

    def got(self, player: int) -> float:
        """Returns what a player's teams got."""
        return sum(value for value, who in zip(self.returns, self.players, strict=True) if who == player)


def play_teams(
    players: Sequence[TeamPlayer], env: EnvSpec, pairs: int, seed: int = 0
) -> Iterator[tuple[TeamGame, TeamGame]]:
    """Plays pairs of episodes, the first player on the first team and then on the second; yields them as they end.

    Worlds are stepped `env.num_envs` at a time.

    Raises:
        ValueError: the environment has not two teams, or a player cannot play it.
    """
    envs: Any = env.make_vec(min(env.num_envs, pairs))
    try:
        if not isinstance(envs, TeamsEnv) or len(envs.team_names) != 2:
            raise ValueError(f"{env.id} has not two teams, as a match of teams wants")
        worlds = int(envs.num_envs)
        for begin in range(0, pairs, worlds):
            root = seed_of(seed, begin)
            games = [_play(players, sides, envs, root) for sides in ((0, 1), (1, 0))]
            yield from zip(*(half[: pairs - begin] for half in games), strict=True)
    finally:
        envs.close()


def _play(players: Sequence[TeamPlayer], sides: tuple[int, int], envs: TeamsEnv, root: int) -> list[TeamGame]:
    """Plays one episode in each world."""
    obs, _ = envs.reset(seed=root)
    for team, side in enumerate(sides):
        players[side].begin(envs, team, seed_of(root, team))
    returns, first, going = np.zeros((envs.num_envs, 2)), np.ones(envs.num_envs, np.bool_), set(range(envs.num_envs))
    statistics: list[dict[str, float]] = [{} for _ in range(envs.num_envs)]
    actions = np.zeros(envs.action_space.shape or (), np.int64)
    members = [envs.teams == team for team in range(2)]
    while going:
        for side in sides:
            players[side].act(obs, first, actions)
        obs, _, terminated, truncated, info = envs.step(actions)
        playing = np.array(sorted(going))
        returns[playing] += np.stack([info["rewards"][:, own].mean(axis=1) for own in members], axis=1)[playing]
        first = terminated | truncated
        ended = np.flatnonzero(first)
        for i, counted in zip(ended, info.get("statistics", [{}] * len(ended)), strict=True):
            if i in going:
                statistics[i] = counted
        going -= set(ended.tolist())
    return [TeamGame(sides, root + i, tuple(returns[i].tolist()), statistics[i]) for i in range(envs.num_envs)]
