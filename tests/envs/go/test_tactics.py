import pytest

from palestra.envs.go.board import breathes, point_of
from palestra.envs.go.position import from_rows
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import ACTION, State
from palestra.envs.go.tactics import atari_point, is_self_atari, rescue
from tests.envs.go.checks import board_of
from tests.envs.go.positions import random_positions
from tests.naive_go import after, flood, liberties

SMALL = Rules(size=5)


@pytest.mark.kernel
def test_what_one_word_of_liberties_says_is_what_flood_fill_finds() -> None:
    checked = 0
    for state in random_positions(SMALL, seed=1, number=60):
        board = board_of(state)
        for action, color in enumerate(board):
            if color:
                found = liberties(board, 5, action)
                wanted = int(point_of(state, found.pop())) if len(found) == 1 else 0
                assert atari_point(state, point_of(state, action)) == wanted
                checked += wanted > 0
    assert checked > 50


@pytest.mark.kernel
def test_a_self_atari_takes_nothing_and_leaves_at_most_one_liberty() -> None:
    seen = {True: 0, False: 0}
    for state in random_positions(SMALL, seed=2, number=60):
        board = board_of(state)
        for action, there in enumerate(board):
            for color in (1, 2):
                p = point_of(state, action)
                if there or not breathes(state, p, color):
                    continue
                then, taken, _ = after(board, 5, action, color)
                wanted = not taken and len(liberties(then, 5, action)) < 2
                assert is_self_atari(state, p, color) == wanted
                seen[wanted] += 1
    assert min(seen.values()) > 50


def rescues(state: State, action: int) -> set[int]:
    """Lists the moves that save a chain in atari: taking a neighbour in atari, or gaining a second liberty."""
    board, color = board_of(state), int(board_of(state)[action])
    around = flood(board, 5, action)[1]
    saved = set()
    for q in around:
        if board[q] == 3 - color and len(found := liberties(board, 5, q)) == 1:
            saved |= {p for p in found if breathes(state, point_of(state, p), color)}
    if saved:
        return saved
    (p,) = liberties(board, 5, action)
    then, _, own = after(board, 5, p, color)
    return {p} if not own and len(liberties(then, 5, p)) > 1 else set()


@pytest.mark.kernel
def test_a_rescue_takes_a_neighbour_or_gains_a_liberty() -> None:
    seen = {True: 0, False: 0}
    for state in random_positions(SMALL, seed=3, number=120):
        board = board_of(state)
        for action, color in enumerate(board):
            if color and len(liberties(board, 5, action)) == 1:
                p = rescue(state, point_of(state, action), color)
                wanted = rescues(state, action)
                assert (int(state[p + ACTION]) in wanted) if wanted else p == 0
                seen[bool(wanted)] += 1
    assert min(seen.values()) > 20


@pytest.mark.parametrize(
    ("rows", "saved"), [(["OX...", ".X..."], None), (["OX...", "....."], 5), (["OX..X", ".XX.."], None)]
)
def test_running_saves_a_chain_in_the_corner_only_where_it_gains_a_liberty(rows: list[str], saved: int | None) -> None:
    state = from_rows([*rows, ".....", ".....", "....."], SMALL, to_move=2).state
    p = rescue(state, point_of(state, 0), 2)
    assert p == 0 if saved is None else state[p + ACTION] == saved
