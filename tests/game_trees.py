"""What tests ask of any game: random games beside a twin, playouts, counts of its tree, and its value."""

from typing import Any, Protocol

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from palestra.envs.game import OVER, PLAYER, PLY, SIGNATURES, Game, State, legal_mask, move
from palestra.envs.rng import seed_state

_PLAY, _LEGAL = types.FunctionType(SIGNATURES["play"]), types.FunctionType(SIGNATURES["legal"])
_TOOLS = _PLAY, _LEGAL, types.float64[::1], types.uint64[::1], types.int64[:, ::1], types.boolean[:, ::1]


class Twin(Protocol):
    """A game told slowly."""

    player: int
    over: bool

    def moves(self) -> list[int]: ...
    def play(self, action: int) -> float: ...
    def planes(self, player: int) -> list[int]: ...


def played(game: Game, moves: str) -> State:
    """Returns the state after moves given by their names."""
    state = game.start.copy()
    for name in moves.split():
        move(game, state, game.parse_action(name), seed_state(0))
    return state


def assert_equals_twin(game: Game, twin: Twin, seed: int) -> float:
    """Plays a random game on both, compares all that can be seen of them, and returns the reward."""
    random, rng, state = np.random.default_rng(seed), seed_state(seed), game.start.copy()
    mask, planes = np.ones(game.num_actions, np.bool_), np.full(game.obs_shape, 7.0, np.float32)
    reward = 0.0
    for ply in range(game.max_plies + 1):
        moves = twin.moves()
        assert game.legal(state, mask, game.data) == len(moves)
        assert np.flatnonzero(mask).tolist() == moves
        assert (state[PLAYER], state[OVER], state[PLY]) == (twin.player, twin.over, ply)
        game.observe(state, planes.reshape(-1), game.data)
        assert planes.ravel().tolist() == twin.planes(twin.player)
        if twin.over:
            return reward
        action = int(random.choice(moves))
        reward = float(game.play(state, action, rng, game.data))
        assert reward == twin.play(action)
    raise AssertionError("the game is longer than it says")


def assert_playout_is_a_game(game: Game, state: State, seed: int) -> None:
    """Replays the moves of a playout: they are legal, end the game, and lead to the same state and reward."""
    trace, ended = np.full(1 + game.max_plies, -1), state.copy()
    reward = game.playout(ended, trace, seed_state(seed), game.data)
    state, again = state.copy(), 0.0
    for action in trace[1 : 1 + trace[0]]:
        again = move(game, state, int(action), seed_state(seed))
    assert again == reward
    assert state[OVER]
    assert state.tolist() == ended.tolist()


def assert_playouts_are_uniform(game: Game, state: State, num: int, depth: int = 1) -> None:
    """Checks how often playouts make each move as move `depth`, which must be legal or not whatever came before."""
    mask, counts = legal_mask(game, state), np.zeros(game.num_actions)
    trace, rng = np.zeros(1 + game.max_plies, np.int64), seed_state(num)
    for _ in range(num):
        game.playout(state.copy(), trace, rng, game.data)
        counts[trace[depth]] += 1
    p = 1 / mask.sum()
    assert (counts[~mask] == 0).all()
    assert np.abs(counts[mask] - num * p).max() < 5 * np.sqrt(num * p * (1 - p))  # five standard errors


@njit(types.int64(*_TOOLS, types.int64[::1], types.int64), cache=True)
def _leaves(play, legal, data, rng, states, masks, ends, depth):  # type: ignore[no-untyped-def]
    if states[depth, OVER] or depth + 1 == len(states):
        return 1
    count = 0
    legal(states[depth], masks[depth], data)
    for action in range(masks.shape[1]):
        if masks[depth, action]:
            states[depth + 1] = states[depth]
            reward = play(states[depth + 1], action, rng, data)
            if states[depth + 1, OVER]:
                ends[1 - int(reward)] += 1
            count += _leaves(play, legal, data, rng, states, masks, ends, depth + 1)
    return count


def leaves(game: Game, depth: int, state: State | None = None) -> tuple[int, list[int]]:
    """Counts the games of `depth` moves and the shorter ones; the second is how many were won, drawn and lost."""
    states, masks, ends = _stack(game, depth, state)
    return int(_leaves(game.play, game.legal, game.data, seed_state(0), states, masks, ends, 0)), ends.tolist()


@njit(types.int64(*_TOOLS, types.int64, types.int64, types.int64, types.int64), cache=True)
def _score(play, legal, data, rng, states, masks, depth, alpha, beta, longest):  # type: ignore[no-untyped-def]
    legal(states[depth], masks[depth], data)
    for action in range(masks.shape[1]):
        if masks[depth, action] and alpha < beta:
            states[depth + 1] = states[depth]
            reward = int(play(states[depth + 1], action, rng, data)) * (1 - 2 * states[depth, PLAYER])
            score = reward * ((longest + 2 - states[depth + 1, PLY]) // 2)
            if not states[depth + 1, OVER]:
                score = -_score(play, legal, data, rng, states, masks, depth + 1, -beta, -alpha, longest)
            alpha = max(alpha, score)
    return alpha


def score(game: Game, state: State) -> int:
    """Returns the value for the player to move by alpha-beta: won with the last stone 1, with the last but one 2."""
    states, masks, _ = _stack(game, game.max_plies, state)
    tools = game.play, game.legal, game.data, seed_state(0), states, masks
    return int(_score(*tools, 0, -game.max_plies, game.max_plies, game.max_plies))


def _stack(game: Game, depth: int, state: State | None) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    states = np.zeros((depth + 1, len(game.start)), np.int64)
    states[0] = game.start if state is None else state
    return states, np.zeros((depth + 1, game.num_actions), np.bool_), np.zeros(3, np.int64)


def positions(game: Game, depth: int) -> list[int]:
    """Counts the different positions after 0 to `depth` moves, over or not."""
    counts, front, rng = [1], {game.start.tobytes()}, seed_state(0)
    while len(counts) <= depth:
        found = set()
        for key in front:
            state = np.frombuffer(key, np.int64)
            for action in np.flatnonzero(legal_mask(game, state.copy())):
                after = state.copy()
                game.play(after, action, rng, game.data)
                found.add(after.tobytes())
        front = found
        counts.append(len(front))
    return counts
