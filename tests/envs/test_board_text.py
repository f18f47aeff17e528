"""Names of squares there and back, and drawings."""

import pytest

from palestra.envs.board_text import Squares, outcome


def test_rows_are_counted_from_below_or_from_above() -> None:
    assert [Squares(3, 3).name(square) for square in (0, 2, 4, 6)] == ["a3", "c3", "b2", "a1"]
    assert [Squares(8, 8, top_is_one=True).name(square) for square in (0, 19, 63)] == ["a1", "d3", "h8"]
    assert Squares(15, 15).name(7 * 15 + 7) == "h8"


@pytest.mark.parametrize("board", [Squares(3, 3), Squares(25, 25), Squares(2, 7, top_is_one=True)])
def test_names_are_read_back(board: Squares) -> None:
    squares = range(board.rows * board.columns)
    assert [board.parse(board.name(square)) for square in squares] == list(squares)
    assert board.parse(f" {board.name(3).upper()}\n") == 3


@pytest.mark.parametrize("text", ["", "a", "1", "a0", "a4", "d1", "a01", "11", "a1b", "aa1", "ä1", "a¹", "pass"])
def test_a_wrong_name_is_told_what_is_wanted(text: str) -> None:
    with pytest.raises(ValueError, match="is not a square: a letter a to c and a number 1 to 3 are wanted"):
        Squares(3, 3).parse(text)


def test_drawing() -> None:
    lines = Squares(10, 2).draw([".", ".", "X"] + ["."] * 17, 2).splitlines()
    assert lines[:3] == ["    a b", "10  . . 10", " 9 (X). 9"]
    assert lines[-2:] == [" 1  . . 1", "    a b"]
    assert Squares(2, 2).draw(["X", "O", ".", "."], 1) == "   a b\n2  X(O)2\n1  . . 1\n   a b"
    assert Squares(2, 2).draw(["X", "O", ".", "."], 0) == "   a b\n2 (X)O 2\n1  . . 1\n   a b"
    assert Squares(2, 2).draw(["X", "O", ".", "."]) == "   a b\n2  X O 2\n1  . . 1\n   a b"


def test_outcomes() -> None:
    assert [outcome(reward, ("X", "O")) for reward in (1.0, 0.0, -1.0)] == ["X wins", "draw", "O wins"]
