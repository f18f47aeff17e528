"""Liberties beside flood fill, and what a move would do beside the move made by the twin."""

import numpy as np
import pytest
from numba import config

from palestra.envs.go.board import point_of
from palestra.envs.go.liberties import (
    captures,
    last_liberty,
    liberties,
    liberties_after,
    list_liberties,
    self_atari_size,
    size_after,
)
from palestra.envs.go.position import from_rows
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import ACTION, State
from tests import naive_go
from tests.envs.go.checks import board_of, random_state

pytestmark = pytest.mark.kernel

CASES = [(3, 12), (4, 20)] if config.DISABLE_JIT else [(2, 5), (3, 14), (4, 20), (5, 40), (7, 60), (9, 130), (19, 340)]


@pytest.mark.parametrize(("size", "moves"), CASES)
def test_all_equal_flood_fill(size: int, moves: int) -> None:
    for seed in range(2 if config.DISABLE_JIT or size == 19 else 12):
        state = random_state(Rules(size, suicide=True), moves - seed, seed)
        board = board_of(state)
        points = [int(point_of(state, a)) for a in range(size**2)]
        for action, p in enumerate(points):
            if board[action]:
                free = naive_go.liberties(board, size, action)
                found = np.zeros(size**2, np.int64)
                assert list_liberties(state, p, found) == len(free) == liberties(state, p)
                assert {int(state[q + ACTION]) for q in found[: len(free)]} == free
                assert last_liberty(state, p) == (points[free.pop()] if len(free) == 1 else 0)
                continue
            for color in (1, 2):
                compare_move(board, size, action, color, state, p)


def compare_move(board: naive_go.Board, size: int, action: int, color: int, state: State, p: int) -> None:
    """Compares what a move would do with what it does."""
    after, taken, own = naive_go.after(board, size, action, color)
    assert captures(state, p, color) == taken
    stones = own or len(naive_go.flood(after, size, action)[0])
    free = 0 if own else len(naive_go.liberties(after, size, action))
    assert size_after(state, p, color) == stones
    assert liberties_after(state, p, color) == free
    assert self_atari_size(state, p, color) == (stones if free < 2 else 0)


def test_listing_stops_when_the_list_is_full() -> None:
    state = from_rows([". . . .", ". X X .", ". . . .", ". . . O"], Rules(size=4)).state
    stone, found = point_of(state, 5), np.zeros(3, np.int64)
    assert list_liberties(state, stone, found) == 3
    assert len({*found.tolist()}) == 3
    assert liberties(state, stone) == 6


def test_a_throw_in_is_self_atari_and_a_capture_gives_liberties() -> None:
    rows = [
        ". . . . .",
        ". . . . .",
        "X X . . .",
        "O O X . .",
        ". . O X .",
    ]  # the snapback: Black A1 is one stone in atari; White B1 then takes it and is four stones in atari
    position = from_rows(rows, Rules(size=5))
    state = position.state
    assert self_atari_size(state, point_of(state, 20), 1) == 1
    position.play(20)
    state = position.state
    b1 = point_of(state, 21)
    assert captures(state, b1, 2) == 1
    assert liberties_after(state, b1, 2) == 1
    assert self_atari_size(state, b1, 2) == 4


def test_a_chain_on_two_sides_is_counted_once() -> None:
    state = from_rows([". O X", "O O X", "X X ."], Rules(size=3)).state
    corner = point_of(state, 0)
    assert captures(state, corner, 1) == 3
    assert size_after(state, corner, 2) == 4
    assert liberties_after(state, corner, 1) == 2
    assert self_atari_size(state, corner, 2) == 4
