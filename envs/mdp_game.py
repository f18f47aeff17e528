"""An MDP as a game of one player, so that search can plan in it.

Chance is in `play`, which draws the outcome of a state and an action; what a search estimates is then the expected
return, discounted by the MDP's γ.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from palestra.envs.game import HEADER, OVER, PLY, USED, Game
from palestra.envs.game import State as GameState
from palestra.envs.mdp import MDP
from palestra.envs.rng import categorical

STATE = HEADER  # the word that holds the MDP's state
_WORDS = HEADER + 1
# data: S, A, K and the horizon, then [S, A, K] next states, probabilities, rewards and ends, then [S, A] Ω
_TABLES = 4


@njit(cache=True)
def _play(state, action, rng, data):  # type: ignore[no-untyped-def]
    num_states, num_actions, num_outcomes = np.int64(data[0]), np.int64(data[1]), np.int64(data[2])
    table = num_states * num_actions * num_outcomes
    pair = (state[STATE] * num_actions + action) * num_outcomes
    chances = _TABLES + table + pair
    outcome = _TABLES + pair + categorical(rng, data[chances : chances + num_outcomes])
    state[STATE] = np.int64(data[outcome])
    state[PLY] += 1
    if data[outcome + 3 * table] != 0.0 or state[PLY] >= data[3]:
        state[OVER] = 1
    return data[outcome + 2 * table]


@njit(cache=True)
def _legal(state, mask, data):  # type: ignore[no-untyped-def]
    num_actions = np.int64(data[1])
    allowed = len(data) - np.int64(data[0]) * num_actions + state[STATE] * num_actions
    count = 0
    for action in range(num_actions):
        mask[action] = not state[OVER] and data[allowed + action] != 0.0
        count += mask[action]
    return count


def _describe(state: GameState) -> str:
    over = ", over" if state[OVER] else ""
    return f"state {state[STATE]} after {state[PLY]} moves{over}"


def _packed(mdp: MDP, max_plies: int) -> NDArray[np.float64]:
    sizes = [*mdp.next_state.shape, max_plies]
    tables = (mdp.next_state, mdp.probability, mdp.reward, mdp.terminated, mdp.allowed)
    return np.concatenate([np.array(sizes, np.float64), *(table.ravel().astype(np.float64) for table in tables)])


def mdp_game(mdp: MDP, start: int, max_plies: int = 1000) -> Game:
    """Returns an MDP as a game from the state `start`; it is over when it terminates, and after `max_plies` moves.

    Raises:
        ValueError: there is no such state, or no move is left to make.
    """
    if not 0 <= start < mdp.num_states:
        raise ValueError(f"the start is state {start}, but states are numbered 0 to {mdp.num_states - 1}")
    if max_plies < 1:
        raise ValueError(f"max_plies is {max_plies}, but at least one move is wanted")

    def parse(text: str) -> int:
        if not text.strip().isdecimal() or int(text) >= mdp.num_actions:
            raise ValueError(f"{text!r} is not an action: a number 0 to {mdp.num_actions - 1} is wanted")
        return int(text)

    first = np.zeros(_WORDS, np.int64)
    first[USED], first[STATE] = _WORDS, start
    return Game(
        name="mdp",
        start=first,
        num_actions=mdp.num_actions,
        play=_play,
        legal=_legal,
        describe=_describe,
        action_name=str,
        parse_action=parse,
        max_plies=max_plies,
        num_players=1,
        deterministic=bool(((mdp.probability > 0.0).sum(axis=2)[mdp.allowed] == 1).all()),
        discount=mdp.discount,
        data=_packed(mdp, max_plies),
    )
