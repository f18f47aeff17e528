"""Go against a built-in opponent as a Gymnasium `Env`; a batch of such games is in `envs/go/vector.py`.

One step is the agent's move and the opponent's answer. What is seen is seen by the agent, also when a game is over.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
from numba import njit
from numpy.typing import NDArray

from palestra.envs.go.board import is_eye, is_legal, open_point, point_of
from palestra.envs.go.features import feature_set
from palestra.envs.go.play import legal, play
from palestra.envs.go.position import Position
from palestra.envs.go.rendering import RENDER_MODES, check_render_mode, render
from palestra.envs.go.rules import Rules, rules_named
from palestra.envs.go.state import (
    ACTION,
    BLACK,
    COLOR,
    COUNT,
    EMPTIES,
    EMPTY,
    EMPTY_POINT,
    KO,
    OVER,
    PASSES,
    PLAYER,
    POINTS,
    RECORD,
    SIZE,
    State,
    new_state,
)
from palestra.envs.rng import State as Rng
from palestra.envs.rng import randint, seed_state

COLORS = ("black", "white", "alternate")
OPPONENTS = ("random",)
NO_DATA = np.zeros(1)

Opponent = Callable[[State], int]
Planes = NDArray[np.float32]


@njit(cache=True, nogil=True)
def set_aside(state, k, left):  # type: ignore[no-untyped-def]
    """Exchanges the k-th empty point with that at `left`, in the list of them."""
    p, other = state[POINTS + RECORD * k + EMPTY_POINT], state[POINTS + RECORD * left + EMPTY_POINT]
    state[POINTS + RECORD * left + EMPTY_POINT], state[p + COUNT] = p, left
    state[POINTS + RECORD * k + EMPTY_POINT], state[other + COUNT] = other, k


@njit(cache=True, nogil=True)
def random_answer(state, rng):  # type: ignore[no-untyped-def]
    """Draws one of the legal moves that fill no eye of the player's own, each as likely; a pass if there is none."""
    color, left = state[PLAYER] + BLACK, state[EMPTIES]
    while left > 0:
        k = randint(rng, left)
        p = state[POINTS + RECORD * k + EMPTY_POINT]
        if (open_point(state, p) or is_legal(state, p, color)) and not is_eye(state, p, color):
            return state[p + ACTION]
        left -= 1
        set_aside(state, k, left)
    return state[SIZE] * state[SIZE]


@njit(cache=True, nogil=True)
def open_game(state, seat, rng, data):  # type: ignore[no-untyped-def]
    """Lets the random opponent move until it is the turn of the agent, player `seat`."""
    while state[PLAYER] != seat and not state[OVER]:
        play(state, random_answer(state, rng), rng, data)


@njit(cache=True, nogil=True)
def turn(state, action, seat, rng, data):  # type: ignore[no-untyped-def]
    """Plays the agent's legal move and the random opponent's answer; returns the agent's result once it is over."""
    result = play(state, action, rng, data)
    if not state[OVER]:
        result = play(state, random_answer(state, rng), rng, data)
    return 0.0 - result if seat else result


@njit(cache=True, nogil=True)
def may_play(state, action):  # type: ignore[no-untyped-def]
    """Says whether the player to move may make a move; any number may be given."""
    num_points = state[SIZE] * state[SIZE]
    if state[OVER] or not 0 <= action <= num_points:
        return False
    if action == num_points:
        return True
    p = point_of(state, action)
    return state[p + COLOR] == EMPTY and is_legal(state, p, state[PLAYER] + BLACK)


@njit(cache=True, nogil=True)
def face(state, seat):  # type: ignore[no-untyped-def]
    """Turns a position to a player as though it were its turn and the game not over: what its last sight is."""
    if state[PLAYER] != seat:
        state[PLAYER], state[KO] = seat, 0
    state[OVER] = 0


def chosen_rules(rules: str | Rules, size: int | None, komi: float | None, max_moves: int | None = None) -> Rules:
    """Returns the rules of a name, or those given, with what is not None changed.

    Raises:
        ValueError: there are no such rules, or a value is not possible.
    """
    wanted = {"size": size, "komi": komi, "max_moves": max_moves}
    changes: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    return replace(rules, **changes) if isinstance(rules, Rules) else rules_named(rules, **changes)


def seat_in(color: str, game: int) -> int:
    """Returns which player the agent is, 0 Black or 1 White, in its game'th game."""
    return game % 2 if color == "alternate" else COLORS.index(color)


def checked_color(color: str, rules: Rules) -> str:
    """Returns the agent's colour.

    Raises:
        ValueError: there is no such colour, or the cap ends a game before the agent's first move.
    """
    if color not in COLORS:
        raise ValueError(f"color is {color!r}, but one of {', '.join(COLORS)} is wanted")
    if rules.longest < 2:
        raise ValueError(f"max_moves is {rules.max_moves}, but at least 2 is wanted: a move of each player")
    return color


def illegal(rules: Rules, state: State, action: Any, where: str = "") -> ValueError:
    """Says what is wrong with a move that `may_play` refused."""
    position = Position(rules)
    position.state = state
    reason = position.forbidden(int(action), position.to_move)
    return ValueError(f"action {action} {where}is not legal: {reason}; the action mask says which are")


class GoEnv(gym.Env[Planes, np.int64]):
    """Go against `opponent`: random, which fills no eye of its own, or a function from a state to an action.

    `info["action_mask"]` `[N * N + 1]` int8 is Ω. The reward is 1, 0 or -1 when two passes end a game. At the cap on
    moves it is truncated with reward 0. In both cases `info["result"]` is 1, 0 or -1 by the score.

    Raises:
        ValueError: an option is none of those that are possible.
    """

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": 2}  # noqa: RUF012  (Gymnasium's name)

    def __init__(
        self,
        size: int | None = None,
        *,
        komi: float | None = None,
        rules: str | Rules = "tromp-taylor",
        max_moves: int | None = None,
        opponent: str | Opponent = "random",
        color: str = "black",
        features: str = "alphago-zero",
        render_mode: str | None = None,
    ) -> None:
        check_render_mode(render_mode)
        self.rules = chosen_rules(rules, size, komi, max_moves)
        self.color = checked_color(color, self.rules)
        if not callable(opponent) and opponent not in OPPONENTS:
            raise ValueError(f"opponent is {opponent!r}, but one of {', '.join(OPPONENTS)} or a function is wanted")
        self.opponent = opponent if callable(opponent) else None
        self.render_mode = render_mode
        self._observe, shape = feature_set(features, self.rules.size)
        self.observation_space = gym.spaces.Box(0.0, 1.0, shape, np.float32)
        self.action_space = gym.spaces.Discrete(self.rules.size**2 + 1)
        self._start = new_state(self.rules)
        self.state = self._start.copy()
        self._rng: Rng | None = None
        self._game, self.seat = -1, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Planes, dict[str, Any]]:
        """Begins a game; the opponent has moved if the agent's colour is not the first."""
        super().reset(seed=seed)
        if seed is not None or self._rng is None:
            self._rng = seed_state(int(self.np_random.integers(2**63)) if seed is None else seed)
            self._game = -1
        self._game += 1
        self.seat = seat_in(self.color, self._game)
        self.state = self._start.copy()
        if self.opponent is None:
            open_game(self.state, self.seat, self._rng, NO_DATA)
        elif self.state[PLAYER] != self.seat:
            self._answer(self.opponent)
        return self._obs(), self._info()

    def step(self, action: np.int64) -> tuple[Planes, float, bool, bool, dict[str, Any]]:
        """Makes the agent's move and the opponent's answer.

        Raises:
            ValueError: the move is not legal; nothing has changed.
        """
        if self._rng is None:
            raise gym.error.ResetNeeded("a game must be reset before its first step")
        if not may_play(self.state, int(action)):
            raise illegal(self.rules, self.state, action)
        if self.opponent is None:
            result = float(turn(self.state, int(action), self.seat, self._rng, NO_DATA))
        else:
            result = play(self.state, int(action), self._rng, NO_DATA)
            result = result if self.state[OVER] else self._answer(self.opponent)
            result = 0.0 - result if self.seat else result
        over, passed = bool(self.state[OVER]), self.state[PASSES] == 2
        if not over:
            return self._obs(), 0.0, False, False, self._info()
        info = self._info() | {"result": result}
        return self._obs(), result if passed else 0.0, bool(passed), not passed, info

    def render(self) -> Any:
        """Returns the board: text (`ansi`) or a picture `[480, 480, 3]` uint8 (`rgb_array`)."""
        return render(self.state, self.render_mode)

    def _answer(self, opponent: Opponent) -> float:
        """Plays what a function answers and returns Black's result."""
        action = int(opponent(self.state.copy()))
        if not may_play(self.state, action):
            raise illegal(self.rules, self.state, action)
        return float(play(self.state, action, self._rng, NO_DATA))

    def _last_sight(self) -> State:
        """Returns the state as the agent sees it."""
        if not self.state[OVER]:
            return self.state
        state = self.state.copy()
        face(state, self.seat)
        return state

    def planes(self, state: State) -> Planes:
        """Returns what a position on this size of board looks like to the player to move."""
        shape = self.observation_space.shape or ()
        obs = np.empty(int(np.prod(shape)), np.float32)
        self._observe(state, obs, NO_DATA)
        return obs.reshape(shape)

    def _obs(self) -> Planes:
        return self.planes(self._last_sight())

    def _info(self) -> dict[str, Any]:
        mask = np.empty(self.rules.size**2 + 1, np.bool_)
        legal(self._last_sight(), mask, NO_DATA)
        return {"action_mask": mask.view(np.int8)}
