"""Small games that tests of search use."""

import dataclasses

import numpy as np
from numba import njit

from palestra.envs.game import HEADER, OVER, PLAYER, PLY, USED, Game
from palestra.envs.games import make_game
from palestra.envs.rng import randint


def _game(name: str, words: int, num_actions: int, play: object, legal: object, **options: object) -> Game:
    start = np.zeros(HEADER + words, np.int64)
    start[USED] = len(start)
    return Game(name, start, num_actions, play, legal, str, str, int, **options)  # type: ignore[arg-type]


@njit(cache=True)
def _take(state, action, rng, data):  # type: ignore[no-untyped-def]
    player = state[PLAYER]
    state[HEADER] -= action + 1
    state[PLY] += 1
    if action != 1:
        state[PLAYER] = 1 - player
    if state[HEADER] == 0:
        state[OVER] = 1
        return 1.0 - 2.0 * player
    return 0.0


@njit(cache=True)
def _can_take(state, mask, data):  # type: ignore[no-untyped-def]
    for action in range(3):
        mask[action] = action < state[HEADER]
    return min(state[HEADER], 3)


def keep_turn(heap: int = 9) -> Game:
    """Nim with one heap, of which one to three are taken, the last one wins, and who takes two moves again."""
    game = _game("keep-turn", 1, 3, _take, _can_take, max_plies=heap)
    game.start[HEADER] = heap
    return game


@njit(cache=True)
def _roll(state, action, rng, data):  # type: ignore[no-untyped-def]
    player = state[PLAYER]
    points = 1 + randint(rng, 3) if action == 1 else 2
    state[HEADER + player] |= points << 58 if state[PLY] < 2 else 0  # a word whose low bits say nothing
    state[HEADER + 2] += points * (1 - 2 * player)
    state[PLY] += 1
    state[PLAYER] = 1 - player
    state[OVER] = state[PLY] == 6
    return float(np.sign(state[HEADER + 2])) if state[OVER] else 0.0


@njit(cache=True)
def _may_roll(state, mask, data):  # type: ignore[no-untyped-def]
    mask[:] = state[OVER] == 0
    return 2 * (1 - state[OVER])


def line_of_dice() -> Game:
    """Two players in turn take two points, or one to three by chance; after six moves who has more has won."""
    return _game("line-of-dice", 3, 2, _roll, _may_roll, max_plies=6, deterministic=False)


@njit(cache=True)
def _believe(state, mask, prior, data):  # type: ignore[no-untyped-def]
    for action in range(len(mask)):
        prior[0, action], prior[1, action] = 0.5 * (action % 3 - 1), action % 3
        if action == 8 and state[PLY] < 4:
            mask[action] = False
    return 0


def beliefs() -> Game:
    """Tic-tac-toe with opinions about its moves; c1 is not looked at before the fifth move."""
    return dataclasses.replace(make_game("tic-tac-toe"), priors=_believe)


@njit(cache=True)
def _wander(state, action, rng, data):  # type: ignore[no-untyped-def]
    state[HEADER] = (state[HEADER] * 7 + action + 1) % 101
    state[PLAYER] = 1 - state[PLAYER]
    state[PLY] += 1
    state[OVER] = state[PLY] == 60
    return 0.0


@njit(cache=True)
def _may_wander(state, mask, data):  # type: ignore[no-untyped-def]
    for action in range(5):
        mask[action] = not state[OVER] and (action < 4 or state[PLY] > 0)
    return 0 if state[OVER] else 5 if state[PLY] > 0 else 4


@njit(cache=True)
def _see(state, obs, data):  # type: ignore[no-untyped-def]
    obs[0] = state[HEADER]
    return 0


def wander(place: int) -> Game:
    """Two players move a number about; five actions, of which the last is not allowed at first; nobody wins."""
    game = _game("wander", 1, 5, _wander, _may_wander, max_plies=60, observe=_see, obs_shape=(1,))
    game.start[HEADER] = place
    return game


def wander_network(obs: np.ndarray, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Stands for a network that looks at `wander`."""
    place = obs[:, :1].astype(np.float64)
    return 2.0 * np.sin(place * np.arange(1, 6)), 0.8 * np.cos(place[:, 0])
