"""Thousands of games of Go stepped in compiled loops: `GoBatch`, plain arrays for self-play, and `GoVectorEnv`.

The loops (`envs/go/batch.py`) do not hold Python's lock, so that several threads can each step a batch of their own.
Row i of a `GoVectorEnv` seeded with s plays exactly what a `GoEnv` seeded with s + i plays.
"""

from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from palestra.envs.game import functions
from palestra.envs.go.batch import (
    checked_actions,
    draw_all,
    face_all,
    legal_all,
    observe_all,
    open_rows,
    run_all,
    sensible_all,
    step_all,
    turn_all,
)
from palestra.envs.go.env import (
    NO_DATA,
    OPPONENTS,
    GoEnv,
    checked_color,
    chosen_rules,
    seat_in,
)
from palestra.envs.go.features import feature_set
from palestra.envs.go.game import go_game
from palestra.envs.go.rendering import check_render_mode, render
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import (
    OVER,
    PASSES,
    PLAYER,
    new_state,
)
from palestra.envs.rng import seed_state

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Planes = NDArray[np.float32]


class GoBatch:
    """B games under the same rules, each moved on by one action a step; for self-play and search.

    Arrays are `[B, ...]`; A = N * N + 1 actions, row * N + column or N * N, a pass. Features are named as in
    `envs/go/features.py`.

    Raises:
        ValueError: there are no games, or no such features.
    """

    def __init__(self, rules: Rules, num_games: int, seed: int = 0, features: str = "alphago-zero") -> None:
        if num_games < 1:
            raise ValueError(f"num_games is {num_games}, but at least one game is wanted")
        self.rules, self.num_games, self.num_actions = rules, num_games, rules.size**2 + 1
        game = go_game(rules, features=features)
        self.obs_shape, self._observe = game.obs_shape, functions(game).observe
        self._start = new_state(rules)
        self.states = np.tile(self._start, (num_games, 1))  # as in envs/go/state.py
        self._rngs = np.stack([seed_state(seed, i) for i in range(num_games)])

    @property
    def player(self) -> Ints:
        """Whose turn it is in each game `[B]`: 0 Black, 1 White."""
        return self.states[:, PLAYER].copy()

    def legal(self, out: Bools | None = None) -> Bools:
        """Returns Ω `[B, A]`, written into `out` if that is given; none is legal in a game that is over."""
        mask = _checked_out(out, (self.num_games, self.num_actions), np.bool_)
        legal_all(self.states, mask, NO_DATA)
        return mask

    def sensible(self) -> Bools:
        """Returns the legal moves `[B, A]` that fill no eye of the player's own; the pass only where there is none."""
        mask = np.empty((self.num_games, self.num_actions), np.bool_)
        sensible_all(self.states, mask)
        return mask

    def observe(self, out: Planes | None = None) -> Planes:
        """Returns the planes `[B, C, N, N]` as the players to move see them, written into `out` if that is given."""
        obs = _checked_out(out, (self.num_games, *self.obs_shape), np.float32)
        observe_all(self._observe, self.states, obs.reshape(self.num_games, -1), NO_DATA)
        return obs

    def draw(self) -> Ints:
        """Draws a legal action in each game `[B]`, a pass among them, each as likely; no game may be over."""
        if (self.states[:, OVER] != 0).any():
            raise ValueError("a game is over, so that nothing can be drawn in it; call reset first")
        actions = np.empty(self.num_games, np.int64)
        draw_all(self.states, self._rngs, actions)
        return actions

    def step(self, actions: Ints, *, reset: bool = True) -> tuple[Floats, Bools]:
        """Makes a move in each game `[B]` and returns Black's results (1, 0, -1; 0 in games that go on) and the ends.

        Games that ended, by two passes or by the cap on moves, begin anew, or stay as they are without `reset`.

        Raises:
            ValueError: the actions are no integers `[B]`, or one is not legal; then nothing has moved.
        """
        actions = checked_actions(self.rules, self.states, actions)
        reward, over = np.empty(self.num_games), np.empty(self.num_games, np.bool_)
        step_all(self.states, self._start, actions, reset, NO_DATA, reward, over)
        return reward, over

    def keep(self, where: Bools) -> None:
        """Goes on with the games where `where` `[B]` says so, in their order, and forgets the others."""
        self.states, self._rngs = self.states[where], self._rngs[where]
        self.num_games = len(self.states)

    def reset(self, where: Bools | None = None) -> None:
        """Begins all games anew, or those where `where` `[B]` says so."""
        self.states[slice(None) if where is None else where] = self._start

    def run(self, moves: int) -> int:
        """Makes so many uniformly drawn legal moves in each game, beginning ended ones anew; returns how many ended."""
        return int(run_all(self.states, self._start, self._rngs, moves, NO_DATA))


class GoVectorEnv(gym.vector.VectorEnv[Planes, Ints, Any]):
    """A batch of `GoEnv`s against the random opponent that reset in the same step, all within compiled loops.

    The options are `GoEnv`'s; infos are shaped as Gymnasium's `SyncVectorEnv` shapes them.

    Raises:
        ValueError: an option is none of those that are possible, or there is no game.
    """

    metadata = {**GoEnv.metadata, "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012

    def __init__(
        self,
        num_envs: int,
        size: int | None = None,
        *,
        komi: float | None = None,
        rules: str | Rules = "tromp-taylor",
        max_moves: int | None = None,
        opponent: str = "random",
        color: str = "black",
        features: str = "alphago-zero",
        max_episode_steps: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        check_render_mode(render_mode)
        if num_envs < 1:
            raise ValueError(f"num_envs is {num_envs}, but at least one game is wanted")
        self.rules = chosen_rules(rules, size, komi, max_moves)
        self.color = checked_color(color, self.rules)
        if opponent not in OPPONENTS:
            raise ValueError(f"opponent is {opponent!r}, but a batch of games knows {', '.join(OPPONENTS)} only")
        self.num_envs, self.render_mode = num_envs, render_mode
        observe, self._shape = feature_set(features, self.rules.size)
        self._observe = functions(replace(go_game(self.rules), observe=observe)).observe
        self.single_observation_space = gym.spaces.Box(0.0, 1.0, self._shape, np.float32)
        self.single_action_space = gym.spaces.Discrete(self.rules.size**2 + 1)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._start = new_state(self.rules)
        self.states = np.tile(self._start, (num_envs, 1))
        self._rngs: NDArray[np.uint64] | None = None  # [B, 4]
        self._limit = max_episode_steps or np.iinfo(np.int64).max
        self._games, self._elapsed, self.seats = np.zeros((3, num_envs), np.int64)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Planes, dict[str, Any]]:
        """Begins all games; game i is seeded with seed + i."""
        super().reset(seed=seed)
        if seed is not None or self._rngs is None:
            first = int(self.np_random.integers(2**62)) if seed is None else seed
            self._rngs = np.stack([seed_state(first + i) for i in range(self.num_envs)])
            self._games[:] = -1
        self._open(np.arange(self.num_envs))
        return self._seen(self.states), self._info(self._masks(self.states))

    def step(self, actions: Ints) -> tuple[Planes, Floats, Bools, Bools, dict[str, Any]]:
        """Makes all moves with the answers to them, and begins anew the games that ended.

        Raises:
            ValueError: the actions are no integers `[B]`, or one is not legal; then nothing has moved.
        """
        if self._rngs is None:
            raise gym.error.ResetNeeded("games must be reset before their first step")
        actions = checked_actions(self.rules, self.states, actions)
        result = np.empty(self.num_envs)
        turn_all(self.states, actions, self.seats, self._rngs, NO_DATA, result)
        self._elapsed += 1
        over, passed = self.states[:, OVER] != 0, self.states[:, PASSES] == 2
        ended, final = over | (self._elapsed >= self._limit), {}
        if ended.any():
            final = self._final(ended, over, result)
            self._open(np.flatnonzero(ended))
        terminated = over & passed
        info = self._info(self._masks(self.states)) | final
        return self._seen(self.states), np.where(terminated, result, 0.0), terminated, ended & ~terminated, info

    def render(self) -> tuple[Any, ...] | None:
        """Returns a text or picture a game, as `GoEnv.render` does."""
        return None if self.render_mode is None else tuple(render(state, self.render_mode) for state in self.states)

    def _open(self, rows: Ints) -> None:
        """Begins the next game of some rows."""
        self._elapsed[rows] = 0
        self._games[rows] += 1
        self.seats[rows] = [seat_in(self.color, int(game)) for game in self._games[rows]]
        open_rows(self.states, rows, self._start, self.seats, self._rngs, NO_DATA)

    def _seen(self, states: Ints) -> Planes:
        obs = np.empty((len(states), *self._shape), np.float32)
        observe_all(self._observe, states, obs.reshape(len(states), -1), NO_DATA)
        return obs

    def _masks(self, states: Ints) -> NDArray[np.int8]:
        mask = np.empty((len(states), self.rules.size**2 + 1), np.bool_)
        legal_all(states, mask, NO_DATA)
        return mask.view(np.int8)

    def _info(self, masks: NDArray[np.int8]) -> dict[str, Any]:
        return {"action_mask": masks, "_action_mask": np.ones(self.num_envs, np.bool_)}

    def _final(self, ended: Bools, over: Bools, result: Floats) -> dict[str, Any]:
        """Returns what the info says of episodes that ended; those with a result are over."""
        rows = np.flatnonzero(ended)
        states = self.states[rows]
        face_all(states, self.seats[rows])
        final_obs = np.full(self.num_envs, None, dtype=object)
        for i, obs in zip(rows, self._seen(states), strict=True):
            final_obs[i] = obs
        masks = np.zeros((self.num_envs, self.rules.size**2 + 1), np.int8)
        masks[rows] = self._masks(states)
        last: dict[str, Any] = {"action_mask": masks, "_action_mask": ended.copy()}
        if over.any():
            last |= {"result": np.where(over, result, 0.0), "_result": over.copy()}
        return {"final_obs": final_obs, "_final_obs": ended, "final_info": last, "_final_info": ended.copy()}


def _checked_out(out: NDArray[Any] | None, shape: tuple[int, ...], dtype: type) -> NDArray[Any]:
    """Returns the array to write into, a new one if none is given."""
    if out is None:
        return np.empty(shape, dtype)
    if out.shape != shape or out.dtype != dtype or not out.flags.c_contiguous:
        raise ValueError(
            f"out must be a contiguous array {list(shape)} of {dtype.__name__}, but is {list(out.shape)} of {out.dtype}"
        )
    return out
