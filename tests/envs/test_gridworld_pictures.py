import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from palestra.envs.gridmap import parse_map
from palestra.envs.gridworld_pictures import (
    draw_map,
    draw_policy,
    draw_side_by_side,
    draw_values,
    map_image,
    map_text,
    policy_text,
    save_figure,
    value_text,
)

CELLS = parse_map("G.#/SCP")


def test_map_text_shows_the_agent() -> None:
    assert map_text(CELLS) == "G.#\nSCP"
    assert map_text(CELLS, 1) == "G@#\nSCP"
    assert CELLS[0, 1] == ord(".")


def test_value_text_is_a_table_without_walls_and_cliffs() -> None:
    values = np.array([0.0, -0.01, 7.0, -12.5, 3.0, 0.25])
    assert value_text(CELLS, values) == "  0.0   0.0     #\n-12.5     C   0.2"
    assert value_text(CELLS, values, digits=2).splitlines()[1] == "-12.50      C   0.25"


def test_policy_text_shows_every_action_taken() -> None:
    policy = np.zeros((6, 4))
    policy[1], policy[3] = [0, 0, 0, 1], [0.5, 0.5, 0, 0]
    assert policy_text(CELLS, policy) == "G  ←  #\n↑→ C  P"
    kings = np.zeros((6, 9), bool)
    kings[1, 6], kings[3, 8] = True, True
    assert policy_text(CELLS, kings) == "G ↙ #\n· C P"


def test_map_image_colours_cells_and_marks_the_agent() -> None:
    image = map_image(CELLS, 3)
    assert image.shape == (64, 96, 3)
    assert image.dtype == np.uint8
    middles = image[16::32, 16::32].reshape(6, 3)
    assert len(np.unique(middles, axis=0)) == 6  # six kinds of cells, the agent over the start
    without = map_image(CELLS)
    changed = (image != without).any(axis=2)
    assert changed[32:, :32].any()
    assert not changed[:32].any()
    assert not changed[:, 32:].any()


def test_map_image_of_a_large_map_has_a_pixel_a_cell() -> None:
    cells = parse_map(np.full((600, 700), ord("S"), np.uint8))
    image = map_image(cells, 701)
    assert image.shape == (600, 700, 3)
    assert np.argwhere((image != image[0, 0]).any(axis=2)).tolist() == [[1, 1]]


@pytest.mark.parametrize(("size", "written"), [(4, 16), (40, 0)])
def test_numbers_and_arrows_are_left_out_where_they_have_no_room(size: int, written: int) -> None:
    cells = parse_map(np.full((size, size), ord("S"), np.uint8))
    figure = Figure(figsize=(9, 3))
    left, middle, right = figure.subplots(1, 3)
    draw_values(left, cells, -np.arange(cells.size))
    draw_policy(middle, cells, np.ones((cells.size, 4)))
    draw_map(right, cells)
    assert [text.get_text() for text in left.texts] == [f"{-i:.1f}" for i in range(written)]
    assert [len(axes.collections) > 0 for axes in (left, middle)] == [written > 0, written > 0]
    assert len(figure.axes) == (3 if written else 4)  # a scale in place of the numbers
    assert len(right.texts) == written


def test_long_numbers_give_way_to_a_scale() -> None:
    cells = parse_map(np.full((16, 16), ord("S"), np.uint8))
    for value, written in ((1.0, 256), (-123456.0, 0)):
        figure = Figure(figsize=(4, 4))
        axes = figure.subplots()
        draw_values(axes, cells, np.full(256, value))
        assert (len(axes.texts), len(figure.axes)) == (written, 1 if written else 2)


def test_arrows_point_where_the_actions_lead() -> None:
    axes = Figure().subplots()
    policy = np.zeros((6, 4))
    policy[1, 2] = policy[3, 1] = 1.0  # down, right
    draw_policy(axes, CELLS, policy)
    quiver: Any = axes.collections[-1]
    assert np.sign(quiver.U).tolist() == [0, 1]
    assert np.sign(quiver.V).tolist() == [1, 0]  # rows count downwards, and so does the axis
    assert axes.yaxis.get_inverted()


def test_side_by_side_makes_a_png(tmp_path: Path) -> None:
    values, policy = np.arange(6.0), np.ones((6, 4)) / 4
    figure = draw_side_by_side(CELLS, {"random": (values, policy), "optimal": (values, policy > 0)})
    path = tmp_path / "folder" / "picture.png"
    save_figure(figure, path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [part.get_suptitle() for part in figure.subfigs] == ["random", "optimal"]
    assert len(figure.axes) == 4


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"values must hold a number for each of the 6 cells, but have \[5\]"):
        value_text(CELLS, np.zeros(5))
    with pytest.raises(ValueError, match=r"a policy must be \[6, 4, 8 or 9\], but has shape \[6, 5\]"):
        policy_text(CELLS, np.zeros((6, 5)))


def test_playing_never_imports_matplotlib() -> None:
    code = (
        "import sys, gymnasium, palestra.envs; gymnasium.make('palestra/Maze-v0'); print('matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
