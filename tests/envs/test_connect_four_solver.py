"""The exact solver beside plain minimax, and on positions whose outcome is told by the rules alone."""

import numpy as np
import pytest

from palestra.envs.connect_four_solver import Solver
from palestra.envs.game import OVER, PLAYER, State, legal_mask
from palestra.envs.games import make_game
from palestra.envs.rng import seed_state
from tests.game_trees import played

GAME = make_game("connect-four")


@pytest.fixture(scope="module")
def solver() -> Solver:
    return Solver()


def after(state: State, column: int) -> tuple[State, int]:
    """Returns the state after a move and what it brought to who made it."""
    made = state.copy()
    reward = GAME.play(made, column, seed_state(0), GAME.data)
    return made, int(reward if state[PLAYER] == 0 else -reward)


def minimax(state: State) -> int:
    best = -1
    for column in np.flatnonzero(legal_mask(GAME, state)):
        made, reward = after(state, int(column))
        best = max(best, reward if made[OVER] else -minimax(made))
        if best == 1:
            break
    return best


def position(rng: np.random.Generator, plies: int) -> State:
    while True:
        state = GAME.start.copy()
        for _ in range(plies):
            state, _ = after(state, int(rng.choice(np.flatnonzero(legal_mask(GAME, state)))))
            if state[OVER]:
                break
        if not state[OVER]:
            return state


def test_every_move_is_worth_what_minimax_says(solver: Solver) -> None:
    rng, seen = np.random.default_rng(0), set()
    for _ in range(60):
        state = position(rng, int(rng.integers(31, 39)))
        columns, values = solver.moves(state)
        assert columns.tolist() == np.flatnonzero(legal_mask(GAME, state)).tolist()
        for column, value in zip(columns, values, strict=True):
            made, reward = after(state, int(column))
            assert value == (reward if made[OVER] else -minimax(made))
        seen |= set(values.tolist())
        assert solver.value(state) == values.max()
    assert seen == {-1, 0, 1}


def test_a_mirrored_position_is_worth_as_much(solver: Solver) -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        moves = []
        state = GAME.start.copy()
        while len(moves) < 18 and not state[OVER]:
            moves.append(int(rng.choice(np.flatnonzero(legal_mask(GAME, state)))))
            state, _ = after(state, moves[-1])
        if state[OVER]:
            continue
        mirrored = GAME.start.copy()
        for column in moves:
            mirrored, _ = after(mirrored, 6 - column)
        values = dict(zip(*solver.moves(state), strict=True))
        assert {6 - c: v for c, v in zip(*solver.moves(mirrored), strict=True)} == values


def test_a_game_that_is_over_is_refused(solver: Solver) -> None:
    with pytest.raises(ValueError, match="connect-four is over"):
        solver.moves(played(GAME, "1 2 1 2 1 2 1"))
