"""Unconditional life beside its definition, and on boards after Benson's paper and Sensei's Library's page on it."""

import numpy as np
import pytest
from numba import config

from palestra.envs.go.benson import ALIVE, ENCLOSED, pass_alive
from palestra.envs.go.position import from_rows
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import State
from tests import naive_go
from tests.envs.go.checks import board_of, random_state
from tests.naive_go import after, flood

pytestmark = pytest.mark.kernel


def marks(state: State, color: int) -> list[int]:
    """Returns the marks of a colour."""
    out = np.full(len(board_of(state)), -1)
    pass_alive(state, color, out)
    return [int(m) for m in out]


def drawn(rows: list[str], color: int = 1) -> str:
    """Draws the marks: A alive, e enclosed."""
    n = len(rows)
    cells = "".join(".Ae"[m] for m in marks(from_rows(rows, Rules(size=n)).state, color))
    return " ".join(cells[k : k + n] for k in range(0, n * n, n))


def test_two_eyes_live_and_one_does_not() -> None:
    two = [". X . X .", "X X X X .", ". . . . .", ". . . . .", ". . . . ."]
    assert drawn(two) == "eAeA. AAAA. ..... ..... ....."
    one = [". X . . .", "X X X X .", ". . . . .", ". . . . .", ". . . . ."]
    assert drawn(one) == "..... ..... ..... ..... ....."
    assert drawn(two, color=2) == "..... ..... ..... ..... ....."


def test_a_false_eye_is_none_unless_both_chains_live() -> None:
    false = ["X X . X .", ". X O O .", "X X . . .", ". . . . .", ". . . . ."]
    assert "A" not in drawn(false)
    # two chains that share their only two eyes
    shared = [". X X X .", "X X . X X", "X . X X .", "X X X . .", ". . . . ."]
    assert drawn(shared).count("A") == 13


def test_enemies_in_an_eye_matter_only_where_they_keep_it_from_being_filled() -> None:
    prisoners = [". O . X .", "X X X X X", ". . . . .", ". . . . .", ". . . . ."]
    # of the left region both empty points are liberties of the chain, of the right one its only point
    assert drawn(prisoners) == "eeeAe AAAAA ..... ..... ....."
    large = [". . . X .", ". . . X .", "X X X X X", ". . . . .", ". . . . ."]
    assert "A" not in drawn(large)  # A5 is no liberty: White may make an eye there


def test_a_chain_that_depends_on_a_dead_one_is_dead() -> None:
    rows = [". X . X O .", "X X . X O .", "O O X O O .", ". . O . . .", ". . . . . .", ". . . . . ."]
    assert "A" not in drawn(rows)  # C4 can be taken, and with it the second eye
    rows[2] = "O X X X O ."
    assert drawn(rows) == "eAeA.. AAeA.. .AAA.. ...... ...... ......"


@pytest.mark.parametrize("size", [3, 4] if config.DISABLE_JIT else [2, 3, 4, 5, 6, 7, 9])
def test_random_positions_equal_the_definition(size: int) -> None:
    found = 0
    for seed in range(5 if config.DISABLE_JIT else 60):
        state = random_state(Rules(size, superko="simple"), size * size + seed % (2 * size * size), seed)
        board = board_of(state)
        for color in (1, 2):
            marked = marks(state, color)
            alive = {p for p, m in enumerate(marked) if m == ALIVE}
            assert alive == naive_go.pass_alive(board, size, color)
            found += bool(alive)
            for p, mark in enumerate(marked):
                if mark == ENCLOSED:
                    compare_region(board, size, p, color, alive)
    assert found or size < 4 or config.DISABLE_JIT


def compare_region(board: naive_go.Board, size: int, p: int, color: int, alive: set[int]) -> None:
    """Asserts that only live chains surround an enclosed point's region, and that it is vital to one of them."""
    inside, around = flood(tuple(int(stone == color) for stone in board), size, p)
    assert around <= alive
    free = {q for q in inside if board[q] == 0}
    assert any(free <= flood(board, size, q)[1] for q in around)


def test_no_sequence_of_moves_takes_what_is_alive_nor_spares_what_is_not() -> None:
    """On 2x2 and 3x3 boards the enemy's moves alone, Black passing, take exactly the chains not marked."""
    boards = [random_state(Rules(3, superko="simple"), 6 + seed % 14, seed) for seed in range(4)]
    rows = [[". X .", "X X X", ". X ."], [". X .", "X X .", ". . ."], ["X X .", "X . X", "X X X"]]
    boards += [from_rows(board, Rules(size=3)).state for board in rows]
    for state in boards:
        board, seen, todo = board_of(state), {board_of(state)}, [board_of(state)]
        lost: set[int] = set()
        while todo:
            now = todo.pop()
            lost |= {p for p, stone in enumerate(board) if stone == 1 and now[p] != 1}
            for p in [q for q, stone in enumerate(now) if stone == 0]:
                then = after(now, 3, p, 2)[0]
                if then not in seen:
                    seen.add(then)
                    todo.append(then)
        alive = {p for p, m in enumerate(marks(state, 1)) if m == ALIVE}
        assert alive == {p for p, stone in enumerate(board) if stone == 1} - lost


def test_marks_do_not_depend_on_symmetry() -> None:
    rows = np.array([row.split() for row in [". X . X .", "X X X X .", "O . . . .", ". X . . .", ". . . O O"]])
    counts = {
        (drawn([" ".join(r) for r in turned]).count("A"), drawn([" ".join(r) for r in turned]).count("e"))
        for k in range(4)
        for turned in (np.rot90(rows, k), np.rot90(rows, k).T)
    }
    assert counts == {(6, 2)}
