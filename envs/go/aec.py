"""Go as a PettingZoo `AECEnv` with the interface of PettingZoo's `go_v5`.

What differs from `go_v5` (PettingZoo 1.27): plane 0 holds the stones of the agent that looks, and the last plane is one
for Black; an agent whose turn it is not sees the game from its own side too; superko, suicide and the cap on moves
follow `Rules`; a game that ends even gives 0 to both; environments of several sizes live in one process.
"""

from typing import Any

import numpy as np
from gymnasium import spaces
from numba import njit
from numpy.typing import NDArray
from pettingzoo import AECEnv

from palestra.envs.go.env import NO_DATA, chosen_rules, face, may_play
from palestra.envs.go.features import feature_set
from palestra.envs.go.game import colors, describe
from palestra.envs.go.play import legal, play
from palestra.envs.go.position import Position
from palestra.envs.go.rendering import board_picture, check_render_mode, last_point
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import OVER, PASSES, PLAYER, State, new_state

AGENTS = ("black_0", "white_0")
RENDER_MODES = ("human", "ansi", "rgb_array")
_NO_RNG = np.zeros(4, np.uint64)


@njit(cache=True)
def channels_last(obs, shown):  # type: ignore[no-untyped-def]
    """Writes planes, flattened, into `shown` `[N, N, C]` bool."""
    rows, columns, planes = shown.shape
    for plane in range(planes):
        k = plane * rows * columns
        for row in range(rows):
            for column in range(columns):
                shown[row, column, plane] = obs[k] != 0.0
                k += 1


class GoAECEnv(AECEnv):  # type: ignore[misc]
    """A game of Go between the agents black_0 and white_0.

    An observation is a dictionary: "observation" `[N, N, C]` bool, the feature planes as the agent sees them, and
    "action_mask" `[N * N + 1]` int8, Ω of the agent to move, zeros for the other. Once the game is over it holds
    the pass alone for the agent that is selected. Two passes end the game with rewards 1 and -1, or 0 and 0. At the cap
    on moves it is truncated with rewards 0. In both cases `infos[agent]["result"]` is 1, 0 or -1 by the score.
    An illegal move ends it as PettingZoo's `TerminateIllegalWrapper` does, with -1 for who made it and 0 for the other,
    terminated and truncated; `infos[agent]["illegal"]` says why.

    Raises:
        ValueError: an option is none of those that are possible.
    """

    metadata = {  # noqa: RUF012  (PettingZoo's name)
        "name": "go_v5",  # that of the interface; PettingZoo's own checks go by it
        "render_modes": list(RENDER_MODES),
        "is_parallelizable": False,
        "render_fps": 2,
    }

    def __init__(
        self,
        board_size: int | None = None,
        komi: float | None = None,
        rules: str | Rules = "tromp-taylor",
        *,
        features: str = "alphago-zero",
        render_mode: str | None = None,
        screen_height: int = 800,
    ) -> None:
        super().__init__()
        check_render_mode(render_mode, RENDER_MODES)
        self.rules = chosen_rules(rules, board_size, komi)
        self.render_mode, self.screen_height = render_mode, screen_height
        n = self.rules.size
        self._observe, (planes, _, _) = feature_set(features, n)
        self._shape = (planes, n, n)
        self.possible_agents = list(AGENTS)
        self.observation_spaces: dict[str, Any] = {
            agent: spaces.Dict(
                {
                    "observation": spaces.Box(0, 1, (n, n, planes), np.bool_),
                    "action_mask": spaces.Box(0, 1, (n * n + 1,), np.int8),
                }
            )
            for agent in AGENTS
        }
        self.action_spaces: dict[str, Any] = {agent: spaces.Discrete(n * n + 1) for agent in AGENTS}
        self._start = new_state(self.rules)
        self.game_state: State = self._start.copy()
        self.agents: list[str] = []

    def observation_space(self, agent: str) -> Any:
        """Returns the space of an agent's observations."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        """Returns the space of an agent's actions: row * N + column from the top left, N * N passes."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begins a game; nothing in it is random."""
        self.game_state = self._start.copy()
        self.agents = list(AGENTS)
        self.rewards = dict.fromkeys(AGENTS, 0.0)
        self._cumulative_rewards = dict.fromkeys(AGENTS, 0.0)
        self.terminations = dict.fromkeys(AGENTS, False)
        self.truncations = dict.fromkeys(AGENTS, False)
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in AGENTS}
        self._skip_agent_selection: str | None = None
        self.agent_selection = AGENTS[self.game_state[PLAYER]]
        self._shown()

    def observe(self, agent: str) -> dict[str, NDArray[Any]]:
        """Returns what an agent sees now."""
        seat = AGENTS.index(agent)
        state = self.game_state
        if state[PLAYER] != seat:
            state = state.copy()
            face(state, seat)
        planes, n, _ = self._shape
        obs = np.empty(planes * n * n, np.float32)
        self._observe(state, obs, NO_DATA)
        mask = np.zeros(n * n + 1, np.bool_)
        if self.agents and agent == self.agent_selection:
            if self._ended(agent):
                mask[-1] = True
            else:
                legal(state, mask, NO_DATA)
        shown = np.empty((n, n, planes), np.bool_)
        channels_last(obs, shown)
        return {"observation": shown, "action_mask": mask.view(np.int8)}

    def step(self, action: int | None) -> None:
        """Makes the selected agent's move; an agent whose game is over takes None.

        Raises:
            ValueError: the action is not in the action space, the game was not begun or is over.
        """
        if not self.agents:
            raise ValueError("there is no game to make a move in; call reset first")
        agent = self.agent_selection
        if self._ended(agent):
            self._was_dead_step(action)
            return
        if action is None or not 0 <= int(action) < self._start_actions():
            raise ValueError(f"action {action} was given, but 0 to {self._start_actions() - 1} are possible")
        if may_play(self.game_state, int(action)):
            self._play(int(action))
        else:
            self._forfeit(agent, int(action))
        self._accumulate_rewards()
        self._shown()

    def render(self) -> Any:
        """Returns the board as text (`ansi`), as a picture `[height, height, 3]` uint8 (`rgb_array`), or prints it."""
        if self.render_mode == "rgb_array":
            return board_picture(colors(self.game_state), last_point(self.game_state), size=self.screen_height)
        if self.render_mode == "human":
            print(describe(self.game_state), flush=True)
        return describe(self.game_state) if self.render_mode == "ansi" else None

    def state(self) -> NDArray[np.int8]:
        """Returns the board `[N, N]`: 0 empty, 1 black, 2 white."""
        return colors(self.game_state)

    def close(self) -> None:
        """Holds nothing."""

    def _start_actions(self) -> int:
        return self.rules.size**2 + 1

    def _ended(self, agent: str) -> bool:
        return self.terminations[agent] or self.truncations[agent]

    def _play(self, action: int) -> None:
        """Makes a legal move and selects who is next."""
        result = play(self.game_state, action, _NO_RNG, NO_DATA)
        self.agent_selection = AGENTS[self.game_state[PLAYER]]
        if not self.game_state[OVER]:
            return
        passed = bool(self.game_state[PASSES] == 2)
        for agent, own in zip(AGENTS, (result, 0.0 - result), strict=True):
            self.rewards[agent] = own if passed else 0.0
            self.terminations[agent], self.truncations[agent] = passed, not passed
            self.infos[agent] = {"result": own}

    def _forfeit(self, loser: str, action: int) -> None:
        """Ends the game by an illegal move."""
        position = Position(self.rules)
        position.state = self.game_state
        reason = position.forbidden(action, position.to_move)
        for agent in AGENTS:
            self.rewards[agent] = -1.0 if agent == loser else 0.0
            self.terminations[agent] = self.truncations[agent] = True
        self.infos[loser] = {"illegal": reason}
        self._deads_step_first()

    def _shown(self) -> None:
        if self.render_mode == "human":
            self.render()


def env(**options: Any) -> GoAECEnv:
    """Makes the environment; the options are `GoAECEnv`'s: board_size, komi, rules, features, render_mode."""
    return GoAECEnv(**options)
