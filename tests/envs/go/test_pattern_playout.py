import numpy as np
import pytest

from palestra.envs.go.board import is_eye, place, point_of
from palestra.envs.go.pattern_playout import atari_move, pattern_move, pattern_playout
from palestra.envs.go.position import from_rows
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import ACTION, KO, new_state
from palestra.envs.rng import seed_state
from tests.envs.go.checks import NO_DATA, board_of
from tests.envs.go.test_patterns import fits, square_around
from tests.naive_go import after, owners


@pytest.mark.kernel
def test_every_move_of_a_playout_is_legal_under_simple_ko_and_fills_no_eye() -> None:
    rules, rng = Rules(size=5, komi=0.5, superko="simple"), seed_state(5)
    for _ in range(8):
        played, twin = new_state(rules), new_state(rules)
        trace = np.zeros(1 + 3 * 25, np.int64)
        result = pattern_playout(played, trace, rng, NO_DATA)
        for ply, action in enumerate(trace[1 : 1 + trace[0]]):
            color = 1 + ply % 2
            if action == 25:
                twin[KO] = 0
                continue
            p = point_of(twin, int(action))
            assert p != twin[KO]
            assert not is_eye(twin, p, color)
            assert after(board_of(twin), 5, int(action), color)[2] == 0
            place(twin, p, color)
        assert board_of(played) == board_of(twin)
        mine = owners(board_of(played), 5)
        if trace[0] < 75:
            assert result == (1.0 if mine.count(1) - mine.count(2) > 0.5 else -1.0)


def test_a_playout_takes_what_has_just_run_into_atari() -> None:
    state = from_rows(["XO...", ".X...", ".....", ".....", "....."], Rules(size=5)).state
    drawn = {int(state[atari_move(state, point_of(state, 1), 1, seed_state(k)) + ACTION]) for k in range(5)}
    assert drawn == {2}


def test_a_playout_saves_what_has_just_been_put_into_atari() -> None:
    state = from_rows(["XO...", ".....", ".....", ".....", "....."], Rules(size=5)).state
    drawn = {int(state[atari_move(state, point_of(state, 1), 1, seed_state(k)) + ACTION]) for k in range(5)}
    assert drawn == {5}


def test_a_playout_answers_with_any_shape_around_the_last_move() -> None:
    board = [".....", ".XOX.", ".....", ".....", "....."]
    state = from_rows(board, Rules(size=5)).state
    drawn = {int(state[pattern_move(state, point_of(state, 7), 1, seed_state(k)) + ACTION]) for k in range(60)}
    around = (1, 2, 3, 6, 8, 11, 12, 13)
    wanted = {a for a in around if "".join(board)[a] == "." and fits(square_around(board_of(state), 5, a, 1))}
    assert drawn == wanted
    assert wanted
