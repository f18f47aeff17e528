"""Parts of a move beside flood fill, on random positions."""

import numpy as np
import pytest
from numba import config

from palestra.envs.go.board import (
    breathes,
    change,
    is_eye,
    is_legal,
    neighbour,
    only_liberty,
    packed,
    place,
    point_of,
    repeats,
)
from palestra.envs.go.position import from_rows
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import (
    ACTION,
    BOARDS,
    COLOR,
    EMPTIES,
    EMPTY_POINT,
    HASH,
    KO,
    NUM_BOARDS,
    POINTS,
    RECORD,
    State,
    board_words,
    new_state,
)
from tests.envs.go.checks import board_of, check_board, check_chain, random_state
from tests.naive_go import after, flood, liberties, neighbours

pytestmark = pytest.mark.kernel

SEEDS = range(4 if config.DISABLE_JIT else 40)


def positions() -> list[State]:
    """Random positions of small boards, many with chains that have few liberties."""
    sizes = (3, 4) if config.DISABLE_JIT else (2, 3, 4, 5, 7)
    rules = [Rules(n, superko="simple", suicide=True) for n in sizes]
    return [random_state(rule, 3 * rule.size + seed % rule.size**2, seed) for seed in SEEDS for rule in rules]


def empty_points(state: State) -> list[int]:
    """Lists the empty points in the order of the state."""
    return [int(state[POINTS + RECORD * k + EMPTY_POINT]) for k in range(state[EMPTIES])]


def test_points_and_their_neighbours() -> None:
    state = new_state(Rules(size=5))
    for action in range(25):
        p = point_of(state, action)
        beside = [int(neighbour(state, p, i)) for i in range(4)]
        inside = {int(point_of(state, q)) for q in neighbours(5, action)}
        assert {q for q in beside if state[q + COLOR] == 0} == inside
        assert [(q - p) // RECORD for q in beside] == [-1, 1, -6, 6]


def test_breathing_and_only_liberties() -> None:
    for state in positions():
        board, n = board_of(state), round(len(board_of(state)) ** 0.5)
        for action in range(n * n):
            p = point_of(state, action)
            if board[action]:
                for q in flood(board, n, action)[1]:
                    if board[q] == 0:
                        lone = liberties(board, n, action) == {q}
                        assert only_liberty(state, p, packed(point_of(state, q))) == lone
                continue
            for color in (1, 2):
                assert breathes(state, p, color) == (after(board, n, action, color)[2] == 0)


def test_eyes() -> None:
    """An eye has only friends beside it, and fewer than two enemies at its corners, or none at the edge."""
    for state in positions():
        board, n = board_of(state), round(len(board_of(state)) ** 0.5)
        for action in range(n * n):
            row, column = divmod(action, n)
            corners = [(row + i, column + j) for i in (-1, 1) for j in (-1, 1)]
            inside = [r * n + c for r, c in corners if 0 <= r < n and 0 <= c < n]
            for color in (1, 2):
                if board[action] == 0:
                    enemies = sum(board[q] == 3 - color for q in inside) + (len(inside) < 4)
                    eye = all(board[q] == color for q in neighbours(n, action)) and enemies < 2
                    assert is_eye(state, point_of(state, action), color) == eye


def test_the_change_of_hash_and_bits_is_that_of_the_move() -> None:
    for state in positions():
        board, n = board_of(state), round(len(board_of(state)) ** 0.5)
        size = 2 * board_words(n)
        bits = int(state[BOARDS])
        for p in empty_points(state):
            for color in (1, 2):
                moved, trial = state.copy(), state.copy()
                captured = place(moved, p, color)
                wanted, taken, _ = after(board, n, int(state[p + ACTION]), color)
                assert (board_of(moved), captured) == (wanted, taken)
                trial[bits : bits + NUM_BOARDS * size] = 0
                key = change(trial, p, color, bits)
                differs = {a for a in range(n * n) if board[a] != wanted[a]}
                packed_bits = trial[bits : bits + size].view(np.uint8).reshape(2, -1)
                flags = np.unpackbits(packed_bits, axis=1, bitorder="little")[:, : n * n]
                assert {int(a) for a in np.flatnonzero(flags.any(0))} == differs
                assert change(state, p, color, 0) == key
                moved[HASH] ^= key
                check_board(moved)


def test_place_alone_keeps_the_board_whole() -> None:
    """As playouts use it: no hash, no past."""
    for seed in SEEDS:
        n = 2 + seed % (3 if config.DISABLE_JIT else 6)
        random, state = np.random.default_rng(seed), new_state(Rules(size=n))
        for ply in range(2 * n * n):
            color = 1 + ply % 2
            may = [p for p in empty_points(state) if p != state[KO] and breathes(state, p, color)]
            if may:
                place(state, int(random.choice(may)), color)
        board, points = board_of(state), [int(point_of(state, a)) for a in range(n * n)]
        for action, stone in enumerate(board):
            if stone:
                check_chain(state, board, points, action)


def test_simple_ko_is_one_stone_for_one() -> None:
    ko = [". X O .", "X . X O", ". X O .", ". . . ."]
    position = from_rows(ko, Rules(size=4, superko="simple"), to_move=2)
    position.play(5)  # White takes the stone at C3
    assert int(position.state[KO]) == point_of(position.state, 6)
    assert position.forbidden(6, 1) == "the ko may not be taken back at once"
    assert position.forbidden(6, 2) == ""  # its owner may fill it
    position.play(15, 1)
    assert position.state[KO] == 0
    position.play(16, 2)
    assert position.forbidden(6, 1) == ""


def test_superko_looks_back_only_where_a_stone_was() -> None:
    state = new_state(Rules(size=3, suicide=True))
    for p in empty_points(state):
        assert not repeats(state, p, 1)
        assert is_legal(state, p, 1)
