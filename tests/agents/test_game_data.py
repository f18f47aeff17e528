"""Reading games to learn from, and accuracy by the number of the move."""

from pathlib import Path

import numpy as np
import pytest

from palestra.agents.game_data import accuracy_by_move, read_and_split


def test_games_are_split_whole(games: Path) -> None:
    read, kept, held = read_and_split(str(games), 5, 0.1, 3)
    assert (len(read), len(kept), len(held)) == (20, 18, 2)


def test_games_that_cannot_be_used_are_said(games: Path) -> None:
    games.write_text(games.read_text() + "(;SZ[9];B[aa])(;SZ[5];B[aa];W[aa])")
    with pytest.warns(UserWarning, match="^2 games were left out, 20 are used: .*#21: the board has 9 lines") as said:
        read_and_split(str(games), 5, 0.1, 0)
    assert str(said[0].message).endswith("move 2: White A5: a stone is there")
    games.write_text(games.read_text() + 6 * "(;SZ[9];B[aa])")
    with pytest.warns(UserWarning, match="^8 games were left out") as said:
        read_and_split(str(games), 5, 0.1, 0)
    assert str(said[0].message).count("lines") == 4  # five are named
    assert str(said[0].message).endswith(" ...")


@pytest.mark.parametrize(
    ("path", "message"),
    [("", "the games are missing: --games PATH"), ("none.sgf", "there is no file or folder none.sgf")],
)
def test_games_that_are_not_there(path: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_and_split(path, 5, 0.1, 0)


def test_accuracy_by_hand() -> None:
    ply = np.array([0, 9, 10, 31, 5])
    first, five = np.array([True, False, False, True, False]), np.array([True, True, False, True, False])
    assert accuracy_by_move(ply, first, five) == {
        "top1": pytest.approx(0.4),
        "top5": pytest.approx(0.6),
        "positions": 5,
        "by_move": [
            [0, 3, pytest.approx(1 / 3), pytest.approx(2 / 3)],
            [10, 1, 0.0, 0.0],
            [30, 1, 1.0, 1.0],
        ],
    }
