"""Positions of random games, for tests of what is read off a board."""

from collections.abc import Iterator

import numpy as np

from palestra.envs.go.play import legal, play
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import OVER, State, new_state
from tests.envs.go.checks import NO_DATA, NO_RNG


def random_positions(rules: Rules, seed: int, number: int, every: int = 3) -> Iterator[State]:
    """Yields states of games in which all moves are drawn among the legal ones, passes last."""
    draw = np.random.default_rng(seed)
    mask = np.zeros(rules.size**2 + 1, np.bool_)
    while True:
        state, ply = new_state(rules), 0
        while not state[OVER]:
            legal(state, mask, NO_DATA)
            actions = np.flatnonzero(mask)
            play(state, int(draw.choice(actions[:-1] if len(actions) > 1 else actions)), NO_RNG, NO_DATA)
            ply += 1
            if ply % every == 0:
                yield state.copy()
                number -= 1
                if number == 0:
                    return
