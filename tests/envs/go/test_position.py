"""Games in progress: either colour may move, moves are checked with a reason, undo, set-up, score."""

import copy

import numpy as np
import pytest

from palestra.envs.go.game import parse_vertex
from palestra.envs.go.position import IllegalMoveError, Position, from_rows
from palestra.envs.go.rules import Rules
from tests.envs.go.checks import check_board

BLACK, WHITE = 1, 2
KO = [". X O .", "X . X O", ". X O .", ". . . ."]


def snapshot(position: Position) -> tuple[bytes, int, list[tuple[int, int]]]:
    """Returns all that a move changes."""
    return position.state.tobytes(), position.to_move, list(position.moves)


def test_moves_by_turns_and_out_of_turn() -> None:
    position = Position(Rules(size=5))
    position.play(0)
    assert position.to_move == WHITE
    position.play(1, BLACK)
    assert position.to_move == WHITE
    position.play(25, WHITE)
    assert position.to_move == BLACK
    assert position.moves == [(BLACK, 0), (BLACK, 1), (WHITE, 25)]
    assert position.board[0].tolist() == [1, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("action", "color", "reason"),
    [
        (4, BLACK, "a stone is there"),
        (0, WHITE, "it would be suicide"),
        (10, BLACK, "actions are 0 to 9"),
        (-1, BLACK, "actions are 0 to 9"),
        (5, 3, "colour 3 is neither 1 .black. nor 2 .white."),
    ],
)
def test_a_forbidden_move_says_why_and_changes_nothing(action: int, color: int, reason: str) -> None:
    position = from_rows([". X .", "X X .", ". . ."], Rules(size=3))
    before = snapshot(position)
    with pytest.raises(IllegalMoveError, match=reason):
        position.play(action, color)
    assert snapshot(position) == before


def test_an_error_names_the_colour_and_the_point() -> None:
    position = Position(Rules(size=9))
    position.play(parse_vertex(9, "D4"))
    with pytest.raises(IllegalMoveError, match=r"^White D4: a stone is there$"):
        position.play(parse_vertex(9, "D4"))


def test_a_ko_binds_only_who_must_answer_it() -> None:
    position = from_rows(KO, Rules(size=4, superko="simple"), to_move=WHITE)
    position.play(5)
    assert position.forbidden(6, BLACK) == "the ko may not be taken back at once"
    assert not position.legal()[6]
    assert position.legal(WHITE)[6]
    position.play(6, WHITE)
    assert position.captured == (0, 1)


def test_superko_is_told_from_ko() -> None:
    rows = [". . . . .", "O O O O .", "O X X O .", "O X X X .", ". O . X ."]  # White sends two stones, and returns one
    position = from_rows(rows, Rules(size=5), to_move=WHITE)
    for name in ("C1", "A1"):
        position.play(parse_vertex(5, name))
    assert position.forbidden(parse_vertex(5, "B1"), WHITE) == "positional superko: the position was there before"


def test_a_game_that_is_over_takes_no_move_but_an_undo() -> None:
    position = Position(Rules(size=3))
    position.play(9)
    position.play(9)
    assert position.over
    assert position.forbidden(0, BLACK) == "the game is over by two passes"
    assert not position.legal().any()
    position.undo()
    assert not position.over
    position.play(0)
    capped = Position(Rules(size=3, max_moves=1))
    capped.play(0)
    assert capped.forbidden(1, WHITE) == "the game is over by the cap of 1 moves"


def test_undo_brings_every_word_back() -> None:
    random, position, past = np.random.default_rng(0), Position(Rules(size=4, max_moves=500)), []
    for _ in range(60):
        if position.over:
            break
        past.append(snapshot(position))
        position.play(int(random.choice(np.flatnonzero(position.legal()))))
        check_board(position.state)
    while past:
        position.undo()
        assert snapshot(position) == past.pop()
    with pytest.raises(ValueError, match="there is no move to take back"):
        position.undo()


def test_a_copy_goes_its_own_way() -> None:
    position = Position(Rules(size=3))
    position.play(0)
    other = copy.deepcopy(position)
    other.play(1)
    assert position.board.sum() == 1
    assert len(position.moves) == 1


def test_set_up_forgets_the_past() -> None:
    position = Position(Rules(size=4))
    for action in (0, 1, 2):
        position.play(action)
    position.setup(black=[5, 6], white=[9], to_move=WHITE)
    check_board(position.state)
    assert position.moves == []
    assert position.to_move == WHITE
    assert position.board.ravel().tolist() == [0, 0, 0, 0, 0, 1, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0]
    with pytest.raises(ValueError, match="no move to take back"):
        position.undo()


@pytest.mark.parametrize(
    ("black", "white", "sentence"),
    [
        ([0, 0], [], "a point is set up twice"),
        ([0], [0], "a point is set up twice"),
        ([9], [], "outside the board, whose points are 0 to 8"),
        ([], [-1], "outside the board"),
        ([0], [1, 3], "without a liberty"),
        (range(9), [], "without a liberty"),
    ],
)
def test_a_set_up_that_cannot_be_changes_nothing(black: list[int], white: list[int], sentence: str) -> None:
    position = Position(Rules(size=3))
    position.play(4)
    before = snapshot(position)
    with pytest.raises(ValueError, match=sentence):
        position.setup(black, white)
    assert snapshot(position) == before
    position.undo()


def test_a_set_up_with_handicap_keeps_what_white_gets() -> None:
    position = Position(Rules(size=9, komi=0.5, handicap=2, handicap_bonus="n"))
    assert position.to_move == WHITE
    assert position.score() == 81 - 2.5
    position.setup(black=[40])
    assert position.score() == 81 - 2.5
    assert position.board.sum() == 1


def test_drawings_must_fit() -> None:
    with pytest.raises(ValueError, match="3 rows of 3 points is wanted"):
        from_rows([". .", ". ."], Rules(size=3))
    assert from_rows(["# x .", "o O .", ". . ."], Rules(size=3)).board[:2].tolist() == [[1, 1, 0], [2, 2, 0]]
    assert "X O" in str(from_rows(["X O .", ". . .", ". . ."], Rules(size=3)))
