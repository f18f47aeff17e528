"""Pictures of boards: what is where."""

import numpy as np
import pytest
from numpy.typing import NDArray

from palestra.envs.go.position import Position
from palestra.envs.go.rendering import board_picture, check_render_mode, last_point, render, stars
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import new_state

BOARD = np.zeros((9, 9), np.int8)
BOARD[2, 3], BOARD[6, 5] = 1, 2


def patch(picture: NDArray[np.uint8], row: int, column: int, n: int = 9) -> NDArray[np.float64]:
    """The mean colour of a quarter of the field around a point."""
    field = len(picture) / (n + 1.6)
    x, y = (1.3 + column) * field, (1.3 + row) * field
    r = field / 8
    return picture[round(y - r) : round(y + r), round(x - r) : round(x + r)].mean(axis=(0, 1))  # type: ignore[no-any-return]


def test_stones_are_where_they_stand() -> None:
    picture = board_picture(BOARD)
    assert picture.shape == (480, 480, 3)
    assert picture.dtype == np.uint8
    assert patch(picture, 2, 3).max() < 90
    assert patch(picture, 6, 5).min() > 220
    wood = np.delete(np.stack([patch(picture, r + 0.5, c + 0.5) for r in range(8) for c in range(8)]), [], axis=0)
    assert (np.ptp(wood, axis=0) < 40).all()  # nothing lies between the lines, but for a stone's rim


def test_the_last_move_is_marked() -> None:
    plain, marked = board_picture(BOARD), board_picture(BOARD, last=(2, 3))
    differs = np.argwhere((plain != marked).any(axis=2))
    field = 480 / 10.6
    assert abs(differs.mean(axis=0) - [(1.3 + 2) * field, (1.3 + 3) * field]).max() < 1
    assert np.ptp(differs, axis=0).max() < field / 2


def test_heat_is_blue_above_and_red_below_zero() -> None:
    heat = np.zeros((9, 9))
    heat[4, 4], heat[5, 4], heat[0, 0] = 1.0, -1.0, 0.2
    picture, plain = board_picture(BOARD, heat=heat), board_picture(BOARD)
    blue, red = patch(picture, 4.2, 4.2), patch(picture, 5.2, 4.2)
    assert blue[2] > blue[0] + 30
    assert red[0] > red[2] + 60
    faint = np.abs(patch(picture, 0.2, 0.2) - patch(plain, 0.2, 0.2)).max()
    assert 5 < faint < np.abs(blue - patch(plain, 4.2, 4.2)).max() / 2
    np.testing.assert_array_equal(patch(picture, 7.5, 7.5), patch(plain, 7.5, 7.5))


@pytest.mark.parametrize(("n", "size"), [(2, 64), (19, 120), (25, 512), (5, 33)])
def test_all_sizes_can_be_drawn(n: int, size: int) -> None:
    board = np.random.default_rng(0).integers(0, 3, (n, n))
    assert board_picture(board, (0, n - 1), size=size).shape == (size, size, 3)


def test_wrong_boards_are_refused() -> None:
    with pytest.raises(ValueError, match="a square board"):
        board_picture(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="a square board"):
        board_picture(np.full((3, 3), 3))
    with pytest.raises(ValueError, match=r"heat has the shape \[2, 2\], but the board's, \[9, 9\]"):
        board_picture(BOARD, heat=np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"last move \(9, 0\) lies outside"):
        board_picture(BOARD, last=(9, 0))
    with pytest.raises(ValueError, match="picture of 31 pixels"):
        board_picture(BOARD, size=31)
    with pytest.raises(ValueError, match="render_mode is 'x'"):
        check_render_mode("x")


def test_handicap_points() -> None:
    assert [stars(n) for n in (5, 7, 8, 9, 13, 19)] == [[], [2, 4], [2, 5], [2, 4, 6], [3, 6, 9], [3, 9, 15]]


def test_the_last_point_of_a_state() -> None:
    position = Position(Rules(size=5))
    assert last_point(position.state) is None
    position.play(13)
    assert last_point(position.state) == (2, 3)
    position.play(25)
    assert last_point(position.state) is None


def test_a_state_is_rendered_as_asked() -> None:
    state = new_state(Rules(size=5))
    assert render(state, None) is None
    assert "Black to move" in render(state, "ansi")
    np.testing.assert_array_equal(render(state, "rgb_array"), board_picture(np.zeros((5, 5))))
