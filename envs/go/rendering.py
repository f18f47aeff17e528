"""Pictures of Go boards, drawn with Pillow, and what environments show of a position."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from palestra.envs.go.game import COLUMNS, colors, describe
from palestra.envs.go.state import BLACK, EMPTY, LAST, POINTS, RECORD, STRIDE, State

RENDER_MODES = ("ansi", "rgb_array")
SIDE = 480  # pixels
SMALLEST_SIDE, LARGEST_SIDE = 32, 4096
LETTERED = 10  # pixels of a field, below which no coordinates are written
FINER = 3  # how many times larger a picture is drawn before it is reduced, which smooths its edges
WOOD, LINE, TEXT = (222, 184, 122), (70, 50, 28), (96, 70, 40)
STONES = {1: ((28, 28, 30), (92, 92, 96), (10, 10, 10)), 2: ((240, 238, 232), (255, 255, 255), (120, 112, 100))}
HEAT = {1: (24, 64, 160), -1: (190, 40, 30)}  # positive blue, negative red


def board_picture(
    board: ArrayLike, last: tuple[int, int] | None = None, heat: ArrayLike | None = None, size: int = SIDE
) -> NDArray[np.uint8]:
    """Draws a board `[N, N]` (0 empty, 1 black, 2 white; the top row first) as `[size, size, 3]` uint8.

    A ring marks the stone at `last` (row, column). `heat` `[N, N]` from -1 to 1 colours the fields, red below zero and
    blue above, the stronger the farther from it: who owns a point, or how likely a move is.

    Raises:
        ValueError: the board is not square or holds other numbers, the heat has another shape, `last` is outside, or
            the size is not from 32 to 4096.
    """
    stones = np.asarray(board)
    if stones.ndim != 2 or stones.shape[0] != stones.shape[1] or not np.isin(stones, (0, 1, 2)).all():
        raise ValueError(f"a square board of 0, 1 and 2 is wanted, but this is {list(stones.shape)} with other numbers")
    n = len(stones)
    warmth = np.zeros((n, n)) if heat is None else np.asarray(heat, np.float64)
    if warmth.shape != stones.shape:
        raise ValueError(f"heat has the shape {list(warmth.shape)}, but the board's, {[n, n]}, is wanted")
    if last is not None and not (0 <= last[0] < n and 0 <= last[1] < n):
        raise ValueError(f"the last move {last} lies outside the board; a row and a column below {n} are wanted")
    if not SMALLEST_SIDE <= size <= LARGEST_SIDE:
        raise ValueError(f"a picture of {size} pixels was asked for, but {SMALLEST_SIDE} to {LARGEST_SIDE} are wanted")
    return _Canvas(n, size).draw(stones, last, np.clip(warmth, -1.0, 1.0))


class _Canvas:
    """A board of n lines on a square of `size` pixels."""

    def __init__(self, n: int, size: int) -> None:
        from PIL import Image, ImageDraw

        self.n, self.size = n, size
        self.field = size * FINER / (n + 1.6)  # pixels between two lines
        self.margin = 1.3 * self.field
        if self.field < LETTERED * FINER:
            self.field = size * FINER / n
            self.margin = self.field / 2
        self.image = Image.new("RGB", (size * FINER, size * FINER), WOOD)
        self.pen = ImageDraw.Draw(self.image, "RGBA")

    def draw(self, stones: NDArray[Any], last: tuple[int, int] | None, heat: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Draws all, from the wood up."""
        self._lines()
        if self.field >= LETTERED * FINER and self.margin > self.field:
            self._coordinates()
        for row, column in np.argwhere(heat != 0.0).tolist():
            value = float(heat[row, column])
            red, green, blue = HEAT[1 if value > 0 else -1]
            self._square(row, column, 0.48, (red, green, blue, round(190 * abs(value))))
        for row, column in np.argwhere(stones != EMPTY).tolist():
            self._stone(row, column, int(stones[row, column]))
        if last is not None:
            self._mark(*last, int(stones[last]))
        return np.array(self.image.reduce(FINER), np.uint8)

    def _at(self, row: int, column: int) -> tuple[float, float]:
        """Returns where a point lies, x first."""
        return self.margin + column * self.field, self.margin + row * self.field

    def _box(self, row: float, column: float, radius: float) -> tuple[float, float, float, float]:
        x, y = self.margin + column * self.field, self.margin + row * self.field
        r = radius * self.field
        return x - r, y - r, x + r, y + r

    def _lines(self) -> None:
        width = max(1, round(self.field * 0.035))
        for i in range(self.n):
            edge = width * 2 if i in (0, self.n - 1) else width
            self.pen.line([self._at(i, 0), self._at(i, self.n - 1)], LINE, edge)
            self.pen.line([self._at(0, i), self._at(self.n - 1, i)], LINE, edge)
        for row in stars(self.n):
            for column in stars(self.n):
                self.pen.ellipse(self._box(row, column, 0.1), LINE)

    def _coordinates(self) -> None:
        from PIL import ImageFont

        font = ImageFont.load_default(self.field * 0.42)
        for i in range(self.n):
            for place, text in (
                ((-0.85, i), COLUMNS[i]),
                ((self.n - 0.15, i), COLUMNS[i]),
                ((i, -0.85), str(self.n - i)),
                ((i, self.n - 0.15), str(self.n - i)),
            ):
                x, y = self.margin + place[1] * self.field, self.margin + place[0] * self.field
                self.pen.text((x, y), text, TEXT, font, anchor="mm")

    def _stone(self, row: int, column: int, color: int) -> None:
        body, light, rim = STONES[color]
        self.pen.ellipse(self._box(row + 0.04, column + 0.03, 0.48), (40, 25, 10, 90))  # its shadow
        self.pen.ellipse(self._box(row, column, 0.47), body, rim, max(1, round(self.field * 0.025)))
        for step in range(6):  # a soft gleam at the upper left
            shade = tuple(round(a + (b - a) * (step + 1) / 9) for a, b in zip(body, light, strict=True))
            shift = 0.06 + 0.015 * step
            self.pen.ellipse(self._box(row - shift, column - shift, 0.34 - 0.05 * step), shade)

    def _mark(self, row: int, column: int, color: int) -> None:
        ink = (245, 245, 245) if color == BLACK else (20, 20, 20)
        self.pen.ellipse(self._box(row, column, 0.22), None, ink, max(1, round(self.field * 0.06)))

    def _square(self, row: int, column: int, half: float, fill: tuple[int, int, int, int]) -> None:
        self.pen.rectangle(self._box(row, column, half), fill)


def stars(size: int) -> list[int]:
    """Returns the lines, counted from 0, whose crossings are handicap points; none below size 7."""
    near = 3 if size >= 13 else 2
    if size < 7:
        return []
    return [near, size // 2, size - 1 - near] if size % 2 and size >= 9 else [near, size - 1 - near]


def last_point(state: State) -> tuple[int, int] | None:
    """Returns row and column of the last move, None for a pass or before the first."""
    if not state[LAST]:
        return None
    row, column = divmod(int(state[LAST]) - POINTS, int(state[STRIDE]))
    return row - 1, column // RECORD - 1


def check_render_mode(render_mode: str | None, modes: tuple[str, ...] = RENDER_MODES) -> None:
    """Checks a render mode.

    Raises:
        ValueError: it is not known.
    """
    if render_mode not in (None, *modes):
        raise ValueError(f"render_mode is {render_mode!r}, but one of {', '.join(modes)} is wanted")


def render(state: State, render_mode: str | None) -> Any:
    """Shows a position as text (`ansi`) or as a picture `[480, 480, 3]` uint8 (`rgb_array`); None for no mode."""
    if render_mode == "ansi":
        return describe(state)
    return board_picture(colors(state), last_point(state)) if render_mode == "rgb_array" else None
