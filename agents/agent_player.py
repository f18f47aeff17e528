"""A trained agent as a player: it sees what its environment shows of a game, and moves without exploring."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from palestra.agents.agent import Agent
from palestra.agents.player import Player
from palestra.agents.thoughts import Thoughts, from_logits
from palestra.envs.game import Game, State, legal_mask
from palestra.envs.game_env import GameEnv, game_name
from palestra.envs.go.env import GoEnv
from palestra.envs.spec import EnvSpec


def agent_player(
    name: str, agent: Agent, env: EnvSpec, game: Game, seed: int, options: Mapping[str, Any] | None = None
) -> Player:
    """Returns an agent as a player: the one that it makes itself, where it searches, else an `AgentPlayer`.

    `options` are the search's (`agents/mcts.py: Config`), where there is one.

    Raises:
        ValueError: it was trained in an environment that is no game, or in another game.
    """
    played: Any = env.make().unwrapped
    if not (known := game_name(played)):
        raise ValueError(f"{name} was trained in {env.id}, which is no game; an agent of palestra/Go-v0 can play")
    if game.name != known:
        raise ValueError(f"{name} was trained on {known} and plays nothing else, but {game.name} is asked for")
    if hasattr(agent, "player"):
        player: Player = agent.player(game, seed, **options or {})
        player.name = name
        return player
    return AgentPlayer(name, agent, played, game)


class AgentPlayer:
    """Plays the game, of Go on the same size of board, that an agent was trained in; `env` says what it sees."""

    def __init__(self, name: str, agent: Agent, env: GoEnv | GameEnv, game: Game) -> None:
        self.name = name
        self._agent, self._env, self._game, self._first = agent, env, game, True

    def start(self, game: Game, state: State, seed: int | None = None) -> None:
        """Begins a game."""
        self._game, self._first = game, True

    def choose(self, state: State) -> int:
        """Returns the action that the agent prefers among the legal ones."""
        mask, first = legal_mask(self._game, state), np.array([self._first])
        self._first = False
        return int(self._agent.act(self._env.planes(state)[None], first, mask[None], explore=False)[0])

    def thoughts(self, state: State) -> Thoughts:
        """Returns the probabilities of the agent's policy, or what it expects to get, where it says so."""
        agent, obs = self._agent, self._env.planes(state)[None]
        value = float(agent.values(obs)[0]) if hasattr(agent, "values") else None
        if not hasattr(agent, "logits"):
            return Thoughts(None, value)
        return from_logits(agent.logits(obs)[0], legal_mask(self._game, state), value)

    def note(self, action: int) -> None:
        """Remembers nothing."""

    def close(self) -> None:
        """Has nothing to end."""
