"""Any game of two players as a Gymnasium environment against a random opponent: `palestra/Game-v0`."""

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from palestra.envs.board_env import check_board
from palestra.envs.game import OVER, PLAYER, State, legal_mask, move
from palestra.envs.games import make_game
from palestra.envs.go.env import GoEnv, seat_in
from palestra.envs.rng import randint, seed_state

Planes = NDArray[np.float32]


def game_name(env: Any) -> str:
    """Returns the name of the game that an unwrapped environment plays, as go-9x9; nothing where it plays none."""
    if isinstance(env, GoEnv):
        return f"go-{env.rules.size}x{env.rules.size}"
    return env.game.name if isinstance(env, GameEnv) else ""


class GameEnv(gym.Env[Planes, np.int64]):
    """A game by name against an opponent that draws its legal moves, each as likely; the agent begins every other game.

    Observations are the game's planes, `info["action_mask"]` `[A]` int8 is Ω. The reward is 1, 0 or -1 in the end. Go
    has the rules tromp-taylor unless others are named; further options are the game's, as `size`.

    Raises:
        ValueError: there is no such game or option, or it is not for two players that see planes.
    """

    metadata = {"render_modes": ["ansi"], "render_fps": 2}  # noqa: RUF012  (Gymnasium's name)

    def __init__(self, game: str = "tic-tac-toe", *, render_mode: str | None = None, **options: Any) -> None:
        if game.partition("-")[0] == "go":
            options = {"rules": "tromp-taylor"} | options
        self.game = make_game(game, **options)
        check_board(self.game, render_mode)
        self.render_mode = render_mode
        self.observation_space = gym.spaces.Box(0.0, 1.0, self.game.obs_shape, np.float32)
        self.action_space = gym.spaces.Discrete(self.game.num_actions)
        self.state = self.game.start.copy()
        self._rng: NDArray[np.uint64] | None = None
        self._played, self.seat = -1, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Planes, dict[str, Any]]:
        """Begins a game; the opponent has moved where it begins."""
        super().reset(seed=seed)
        if seed is not None or self._rng is None:
            self._rng = seed_state(int(self.np_random.integers(2**63)) if seed is None else seed)
            self._played = -1
        self._played += 1
        self.seat, self.state = seat_in("alternate", self._played), self.game.start.copy()
        self._answers(self._rng)
        return self._obs(), self._info()

    def step(self, action: np.int64) -> tuple[Planes, float, bool, bool, dict[str, Any]]:
        """Makes the agent's move and the opponent's answers.

        Raises:
            ValueError: the move is not legal; nothing has changed.
        """
        if self._rng is None:
            raise gym.error.ResetNeeded("a game must be reset before its first step")
        result = move(self.game, self.state, int(action), self._rng) + self._answers(self._rng)
        reward = result if self.seat == 0 else 0.0 - result
        return self._obs(), reward, bool(self.state[OVER]), False, self._info()

    def render(self) -> str | None:
        """Returns the board as text."""
        return self.game.describe(self.state) if self.render_mode == "ansi" else None

    def planes(self, state: State) -> Planes:
        """Returns what a state looks like to the player to move."""
        obs = np.zeros(self.game.obs_shape, np.float32)
        self.game.observe(state, obs.reshape(-1), self.game.data)
        return obs

    def _answers(self, rng: NDArray[np.uint64]) -> float:
        """Lets the opponent move until it is the agent's turn, and returns player 0's reward."""
        result = 0.0
        while not self.state[OVER] and self.state[PLAYER] != self.seat:
            moves = np.flatnonzero(legal_mask(self.game, self.state))
            result += move(self.game, self.state, int(moves[randint(rng, len(moves))]), rng)
        return result

    def _obs(self) -> Planes:
        state = self.state.copy()
        state[PLAYER] = self.seat
        return self.planes(state)

    def _info(self) -> dict[str, Any]:
        return {"action_mask": legal_mask(self.game, self.state).astype(np.int8)}
