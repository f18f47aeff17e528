"""Games of two players as PettingZoo environments."""

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pettingzoo import AECEnv

from palestra.envs.game import OVER, PLAYER, Game, legal_mask, move
from palestra.envs.rng import seed_state

AGENTS = ("player_0", "player_1")
RENDER_MODES = ("ansi",)

Observation = dict[str, NDArray[Any]]


class BoardEnv(AECEnv[str, Observation, int | None]):  # type: ignore[misc]
    """A game as an AEC environment; `board_env` makes it.

    An observation is `{"observation": planes, "action_mask": Ω}`: float32 planes of the game's `obs_shape` as the agent
    that looks sees them, and int8 `[A]`, all zeros for the agent that is not to move, and all ones once the game is
    over, when nothing is left to choose. Rewards come at the end: 1 for the winner, -1 for the loser, 0 for both in a
    draw. player_0 begins.
    """

    metadata = {"render_modes": list(RENDER_MODES), "is_parallelizable": False}  # noqa: RUF012  (PettingZoo's name)

    def __init__(self, game: Game, render_mode: str | None = None) -> None:
        super().__init__()
        self.game, self.render_mode = game, render_mode
        self.metadata = {**BoardEnv.metadata, "name": game.name}
        self.possible_agents = list(AGENTS)
        self.agents: list[str] = []
        space: dict[str, spaces.Space[Any]] = {
            "observation": spaces.Box(0.0, 1.0, game.obs_shape, np.float32),
            "action_mask": spaces.Box(0, 1, (game.num_actions,), np.int8),
        }
        self.observation_spaces = {agent: spaces.Dict(space) for agent in AGENTS}
        self.action_spaces = {agent: spaces.Discrete(game.num_actions) for agent in AGENTS}
        self._state = game.start.copy()
        self._rng = seed_state(0)

    def __str__(self) -> str:
        return self.game.name

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """Returns the space of an agent's observations."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """Returns the space of an agent's actions."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Sets the board up; `seed` matters to games of chance only, and there are no options."""
        if seed is not None:
            self._rng = seed_state(seed)
        self._state = self.game.start.copy()
        self.agents = self.possible_agents[:]
        self.rewards = dict.fromkeys(AGENTS, 0.0)
        self._cumulative_rewards = dict.fromkeys(AGENTS, 0.0)
        self.terminations = dict.fromkeys(AGENTS, False)
        self.truncations = dict.fromkeys(AGENTS, False)
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in AGENTS}
        self.agent_selection = AGENTS[self._state[PLAYER]]

    def observe(self, agent: str) -> Observation:
        """Returns what an agent sees, whoever is to move."""
        player = AGENTS.index(agent)
        planes = np.zeros(self.game.obs_shape, np.float32)
        state = self._state.copy()
        state[PLAYER] = player
        self.game.observe(state, planes.reshape(-1), self.game.data)
        mask = np.zeros(self.game.num_actions, np.int8)
        if self._state[OVER]:
            mask[:] = 1
        elif player == self._state[PLAYER]:
            mask[:] = legal_mask(self.game, self._state)
        return {"observation": planes, "action_mask": mask}

    def step(self, action: int | None) -> None:
        """Makes a move; an agent whose game is over steps with None and leaves.

        Raises:
            ValueError: the move is not legal; nothing has changed. PettingZoo's `TerminateIllegalWrapper` makes it a
                loss instead. Or no game is on.
        """
        if not self.agents:
            raise ValueError(f"no game of {self.game.name} is on: call reset first")
        agent = self.agent_selection
        if self.terminations[agent]:
            self._was_dead_step(action)
            return
        if not isinstance(action, int | np.integer):
            wanted = f"a number 0 to {self.game.num_actions - 1} is wanted"
            raise ValueError(f"{agent} is to move in {self.game.name}, but the action is {action!r}: {wanted}")
        reward = move(self.game, self._state, int(action), self._rng)
        self._cumulative_rewards[agent] = 0.0
        self.rewards = {AGENTS[0]: reward, AGENTS[1]: -reward}
        self._accumulate_rewards()
        if self._state[OVER]:
            self.terminations = dict.fromkeys(AGENTS, True)
        self.agent_selection = AGENTS[self._state[PLAYER]]

    def render(self) -> str | None:
        """Returns the board as text."""
        return self.game.describe(self._state) if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Does nothing: there is nothing to close."""


def board_env(game: Game, render_mode: str | None = None) -> BoardEnv:
    """Returns a PettingZoo environment of a game.

    The game's planes must lie in [0, 1] and depend on who looks only by the word PLAYER of the state.

    Raises:
        ValueError: as `check_board`.
    """
    check_board(game, render_mode)
    return BoardEnv(game, render_mode)


def check_board(game: Game, render_mode: str | None) -> None:
    """Checks that a game can be played and drawn by an environment.

    Raises:
        ValueError: the game is not one of two players, has no planes, or the render mode is not "ansi".
    """
    if game.num_players != 2:
        raise ValueError(f"{game.name} has {game.num_players} player, but a board is for two: `MDPEnv` plays an MDP")
    if not game.obs_shape:
        raise ValueError(f"{game.name} has no planes to observe: give it `observe` and `obs_shape`")
    if render_mode not in (None, *RENDER_MODES):
        raise ValueError(f"render_mode is {render_mode!r}, but ansi or None is wanted")
