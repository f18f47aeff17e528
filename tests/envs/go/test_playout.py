"""Uniform playouts replayed in the twin: every move is one of those allowed, and each of them is as likely."""

import numpy as np
import pytest
from numba import config

from palestra.envs.game import PLAYER
from palestra.envs.go.board import is_eye, place, point_of
from palestra.envs.go.playout import draw_point, lead_2, playout
from palestra.envs.go.position import from_rows
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import ACTION, KO, PASSES, State, new_state
from palestra.envs.rng import seed_state
from tests.envs.go.checks import NO_DATA, board_of, check_chain, random_state
from tests.naive_go import NaiveGo, neighbours

pytestmark = pytest.mark.kernel

SIZES = [2, 3, 4] if config.DISABLE_JIT else [2, 3, 4, 5, 7, 9]


def settled(board: tuple[int, ...], size: int) -> list[int]:
    """Lists whose each point is: its stone's, or that of all its neighbours if they are one colour's."""
    beside = [{board[q] for q in neighbours(size, p)} for p in range(size * size)]
    return [color or (around.pop() if len(around) == 1 else 0) for color, around in zip(board, beside, strict=True)]


def allowed(state: State, twin: NaiveGo) -> set[int]:
    """Returns the moves of a playout: no suicide, no simple ko, no own eye."""
    free = {p for p in range(twin.pass_action) if not twin.why_not(p)}
    return {p for p in free if not is_eye(state, point_of(state, p), twin.to_move)}


@pytest.mark.parametrize("size", SIZES)
def test_every_move_of_a_playout_is_allowed(size: int) -> None:
    for seed in range(2 if config.DISABLE_JIT else 100 // size):
        rules = Rules(size, 0.5, superko="simple", max_moves=1000)
        start = random_state(rules, seed * size, seed)
        start[[KO, PASSES]] = 0
        trace = np.zeros(3 * size * size + 1, np.int64)
        end, replayed = start.copy(), start.copy()
        result = playout(end, trace, seed_state(seed), NO_DATA)
        twin = NaiveGo(rules, board_of(start), int(start[PLAYER]) + 1)
        moves = [int(a) for a in trace[1 : trace[0] + 1]]
        for action in moves:
            choices = allowed(replayed, twin)
            assert action in choices if choices else action == twin.pass_action
            if action != twin.pass_action:
                place(replayed, point_of(replayed, action), twin.to_move)
            twin.play(action)
            assert board_of(replayed) == twin.board
        assert moves[-2:] == [twin.pass_action] * 2 or len(moves) == 3 * size * size
        owner = settled(twin.board, size)
        lead = owner.count(1) - owner.count(2) - 0.5
        assert board_of(end) == twin.board
        assert (lead_2(end) / 2, result) == (lead, np.sign(lead))
        points = [int(point_of(end, a)) for a in range(size * size)]
        for action, stone in enumerate(twin.board):
            if stone:
                check_chain(end, twin.board, points, action)


@pytest.mark.parametrize("rounds", [300 if config.DISABLE_JIT else 4000])
def test_each_allowed_point_is_as_likely(rounds: int) -> None:
    rows = [". X O .", "X . X O", ". X O .", ". . . ."]
    position = from_rows(rows, Rules(size=4, superko="simple"), to_move=2)
    position.play(5)  # the ko: Black may not take back at C3
    twin = NaiveGo(position.rules, board_of(position.state), 1)
    choices = allowed(position.state, twin) - {6}
    assert choices < {p for p, stone in enumerate(twin.board) if stone == 0}
    rng, state = seed_state(3), position.state.copy()
    drawn = [int(state[draw_point(state, 1, rng) + ACTION]) for _ in range(rounds)]
    assert set(drawn) == choices
    counts = np.bincount(drawn, minlength=16)[sorted(choices)]
    expected = rounds / len(choices)
    # chi-squared below its mean plus five standard deviations, which is sqrt(2 k) for k degrees of freedom
    k = len(choices) - 1
    assert ((counts - expected) ** 2 / expected).sum() < k + 5 * np.sqrt(2 * k)


def test_no_point_is_drawn_where_all_are_eyes_or_suicide() -> None:
    state = from_rows([". X .", "X X X", "X X ."], Rules(size=3)).state
    assert draw_point(state, 1, seed_state(0)) == 0
    assert draw_point(state, 2, seed_state(0)) == 0


def test_the_same_seed_plays_the_same_game() -> None:
    traces = []
    for seed in (1, 1, 2):
        trace = np.zeros(3 * 25 + 1, np.int64)
        playout(new_state(Rules(size=5)), trace, seed_state(seed), NO_DATA)
        traces.append(trace.tolist())
    assert traces[0] == traces[1] != traces[2]


def test_after_a_pass_the_ko_may_be_filled() -> None:
    position = from_rows(["O . X", "O X X", ". O X"], Rules(size=3, superko="simple"))
    position.play(6)  # takes the ko; White can play nowhere else
    assert position.state[KO] == point_of(position.state, 7)
    seconds = set()
    for seed in range(20):
        trace = np.zeros(28, np.int64)
        playout(position.state.copy(), trace, seed_state(seed), NO_DATA)
        assert trace[1] == 9
        seconds.add(int(trace[2]))
    assert seconds == {1, 7}
