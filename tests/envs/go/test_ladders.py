"""Ladders on boards made by hand, and beside a twin that reads them by flood fill and recursion."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from numba import config

from palestra.envs.go.board import point_of
from palestra.envs.go.game import parse_vertex, vertex
from palestra.envs.go.ladders import ladder_capture, ladder_escape
from palestra.envs.go.position import Position, from_rows
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import ACTION, KO
from tests.envs.go.checks import board_of, random_state
from tests.naive_go import catches, escapes, liberties, neighbours, ways_out

pytestmark = pytest.mark.kernel

BLACK, WHITE = 1, 2
OPEN = [  # White in the middle has two liberties, D5 and E4
    ". . . . . . . . .",
    ". . . . . . . . .",
    ". . . . . . . . .",
    ". . . . . . . . .",
    ". . X . . . . . .",
    ". . X O . . . . .",
    ". . . X X . . . .",
    ". . . . . . . . .",
    ". . . . . . . . .",
]


def put(rows: list[str], **stones: str) -> list[str]:
    """Returns the rows with more stones: X or O at names like C3."""
    cells = [row.split() for row in rows]
    for name, stone in stones.items():
        row, column = divmod(parse_vertex(len(rows), name), len(rows))
        cells[row][column] = stone
    return [" ".join(row) for row in cells]


def works(rows: list[str], color: int, name: str, kind: str = "capture") -> bool:
    """Asks whether a move is a ladder capture or escape."""
    position = from_rows(rows, Rules(size=len(rows)), to_move=color)
    p = point_of(position.state, parse_vertex(len(rows), name))
    return bool((ladder_capture if kind == "capture" else ladder_escape)(position.state, p, color))


def test_a_ladder_runs_to_the_edge_unless_something_is_in_its_way() -> None:
    assert works(OPEN, BLACK, "D5")
    assert works(OPEN, BLACK, "E4")
    assert not works(OPEN, WHITE, "D5")  # a hunter is of the other colour
    assert not works(OPEN, BLACK, "A1")  # nobody is beside it
    for breaker in ("F5", "G6", "H7", "F6", "G5", "F8"):
        assert not works(put(OPEN, **{breaker: "O"}), BLACK, "D5")
    assert works(put(OPEN, H3="O"), BLACK, "D5")  # stands beside the way
    assert works(put(OPEN, G6="X"), BLACK, "D5")
    assert works(put(OPEN, G6="O", F5="X"), BLACK, "E4")  # the chase ends before the breaker


def test_who_is_in_a_ladder_escapes_by_a_breaker_only() -> None:
    atari = put(OPEN, D5="X")
    assert not works(atari, WHITE, "E4", "escape")
    assert works(put(atari, G6="O"), WHITE, "E4", "escape")
    assert works(put(atari, E5="O", F4="O"), WHITE, "E4", "escape")
    assert not works(put(atari, G6="O"), WHITE, "E5", "escape")  # that is no liberty of the chain
    assert not works(put(OPEN, G6="O"), WHITE, "E4", "escape")  # the chain is not in atari yet


def test_taking_a_hunter_escapes_unless_the_chain_is_still_in_atari() -> None:
    rows = [
        ". . . . .",
        ". X O . .",
        ". O X . .",
        ". X O . .",
        ". . . . .",
    ]
    assert works(rows, WHITE, "D3", "escape")
    assert not works(put(rows, A4="X", A2="X"), WHITE, "A3", "escape")
    snapback = [
        ". . . . .",
        ". . . . .",
        "X X . . .",
        "O O X . .",
        "X . O X .",
    ]
    assert not works(snapback, WHITE, "B1", "escape")


def test_a_hunter_that_can_be_taken_is_no_ladder() -> None:
    rows = put(OPEN, D5="X", E4="O")  # White ran; Black's D3 and E3 now lack a liberty
    assert works(rows, BLACK, "F4")
    weak = put(rows, C3="O", D2="O", E2="O")
    assert not works(weak, BLACK, "E5")
    assert not works(weak, BLACK, "F4")


def test_ladders_along_an_edge() -> None:
    edge = [
        ". X O . . . . . .",
        ". . X . . . . . .",
        ". . . . . . . . .",
        ". . . . . . . . .",
        ". . . . . . . . .",
        ". . . . . . . . .",
        ". . . . . . . . .",
        ". . . . . . . . .",
        ". . . . . . . . .",
    ]
    assert works(edge, WHITE, "D9", "escape") is False
    assert works(put(edge, G8="O"), WHITE, "D9", "escape")


def turned(rows: list[str]) -> Iterator[tuple[list[str], str]]:
    """Yields a drawing in its eight orientations, and the name of the point that a star marks."""
    cells, n = np.array([row.split() for row in rows]), len(rows)
    for turn in (np.rot90(side, k) for side in (cells, cells.T) for k in range(4)):
        yield [" ".join(row) for row in turn], vertex(n, int(np.flatnonzero(turn.ravel() == "*")[0]))


def test_long_ladders_are_read_to_their_end() -> None:
    """Along an edge or across the board, where a hunter that first tried its other move would not get far."""
    empty = [" ".join("." * 19)] * 19
    edge = put(empty, T16="X", T15="O", S15="*", K1="O")  # K1 helps a chain that was let out to the left
    across = put(empty, C5="X", C4="X", D4="O", D3="X", E3="X", D5="*")
    for rows, name in [*turned(edge), *turned(across)]:
        assert works(rows, BLACK, name)
    for rows, name in [*turned(put(edge, S3="O")), *turned(put(across, Q16="O"))]:
        assert not works(rows, BLACK, name)
    assert not works(edge, BLACK, "T14")


def compare(position: Position) -> Counter[str]:
    """Compares every empty point for the player to move, but for chases without end, and counts what was found."""
    state, color, seen = position.state, position.to_move, Counter[str]()
    board, n = board_of(state), position.rules.size
    ko = int(state[state[KO] + ACTION]) if state[KO] else -1
    for p in [a for a, stone in enumerate(board) if stone == 0]:
        point = point_of(state, p)
        prey = [q for q in neighbours(n, p) if board[q] == 3 - color and len(liberties(board, n, q)) == 2]
        own = [q for q, stone in enumerate(board) if stone == color and len(liberties(board, n, q)) == 1]
        mine = [q for q in own if p in ways_out(board, n, q)]
        try:
            capture, escape = (
                any(catches(board, n, q, p, ko) for q in prey),
                any(escapes(board, n, q, p, ko) for q in mine),
            )
        except RecursionError:
            seen["endless"] += 1
            continue
        assert ladder_capture(state, point, color) == capture
        assert ladder_escape(state, point, color) == escape
        seen.update(capture=capture, no_capture=bool(prey) and not capture)
        seen.update(escape=escape, no_escape=bool(mine) and not escape)
    return seen


def test_random_positions_equal_the_twin() -> None:
    seen = Counter[str]()
    for size in [3, 4, 5] if config.DISABLE_JIT else [3, 4, 5, 6, 7, 9]:
        for seed in range(8 if config.DISABLE_JIT else 25):
            position = Position(Rules(size, superko="simple"))
            position.state = random_state(position.rules, size * size // 3 + seed % size**2, seed)
            seen += compare(position)
    assert min(seen[kind] for kind in ("capture", "no_capture", "escape", "no_escape")) >= 1
    assert seen["endless"] <= seen.total() / 50
