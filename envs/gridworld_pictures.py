"""Pictures of grid worlds: text for the terminal, arrays of pixels, and figures (matplotlib is imported for them only).

Values are `[S]`, policies `[S, A]` (probabilities, or True for each of several best actions), cells `[H, W]` as in
`envs/gridmap.py`; S = H * W row by row and actions as in `envs/gridrules.py`. Cells in which nothing is decided (walls,
goals, pits, cliffs) show what they are instead of an arrow.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from palestra.envs.gridmap import CLIFF, DIGITS, FLOOR, GOAL, PIT, START, WALL, Cells

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ARROWS = "↑→↓←↗↘↙↖·"
DIRECTIONS = ((0, -1), (1, 0), (0, 1), (-1, 0), (0.7, -0.7), (0.7, 0.7), (-0.7, 0.7), (-0.7, -0.7), (0, 0))  # x, y
PICTURE_SIDE = 512  # pixels, the most of a longer side with cells of more than one pixel
MAX_ARROWS = 32  # cells, the longest side with something drawn into each cell
MIN_FONT = 5.0  # points
_COLOURS = {FLOOR: 0xF4F1EA, WALL: 0x3A3F47, START: 0xCFE3F5, GOAL: 0x7CC08A, PIT: 0xD9705F, CLIFF: 0xB5523F}
_JUMP, _AGENT = 0xD8C6EC, (0x1F, 0x5F, 0xA8)
_INK, _STONE, _ARROW = "#20242a", "#3a3f47", "#1f5fa8"
_NOWHERE = (WALL, CLIFF)  # nobody is ever there
_DONE = (WALL, GOAL, PIT, CLIFF, *DIGITS.encode())


def map_text(cells: Cells, state: int | None = None) -> str:
    """Returns the map, a line a row, with '@' where the agent is."""
    shown = cells.copy()
    if state is not None:
        shown.flat[state] = ord("@")
    return "\n".join(row.tobytes().decode("ascii") for row in shown)


def value_text(cells: Cells, values: NDArray[Any], digits: int = 1) -> str:
    """Returns a table of the values `[S]` with so many digits after the point; walls and cliffs as on the map."""
    texts = [
        chr(cell) if cell in _NOWHERE else _number(value, digits)
        for cell, value in zip(cells.flat, _grid(cells, values).flat, strict=True)
    ]
    return _table(texts, cells.shape[1], right=True)


def policy_text(cells: Cells, policy: NDArray[Any]) -> str:
    """Returns a table of arrows, one for each action that the policy `[S, A]` takes."""
    takes = _takes(cells, policy)
    arrows = np.array(list(ARROWS))
    texts = [
        chr(cell) if cell in _DONE else "".join(arrows[np.flatnonzero(takes[s])]) for s, cell in enumerate(cells.flat)
    ]
    return _table(texts, cells.shape[1], right=False)


def map_image(cells: Cells, state: int | None = None, side: int | None = None) -> NDArray[np.uint8]:
    """Returns the map as a picture `[height, width, 3]` with the agent as a disc (or a pixel, on large maps).

    `side` is that of a cell, in pixels; without it large maps get small cells.
    """
    side = side or max(1, min(32, PICTURE_SIDE // max(cells.shape)))
    image = np.kron(_palette()[cells], np.ones((side, side, 1), np.uint8))
    if side > 3:
        image[::side], image[:, ::side] = image[::side] // 8 * 7, image[:, ::side] // 8 * 7
    if state is not None:
        row, col = divmod(state, cells.shape[1])
        y, x = np.mgrid[:side, :side] - (side - 1) / 2
        disc = x**2 + y**2 <= max((0.35 * side) ** 2, 0.5)
        image[row * side : (row + 1) * side, col * side : (col + 1) * side][disc] = _AGENT
    return image


def draw_map(axes: "Axes", cells: Cells) -> None:
    """Draws the map: a colour a cell, and on small maps the letters of all cells but floor and walls."""
    axes.imshow(_palette()[cells], interpolation="nearest")
    _grid_lines(axes, cells)
    if max(cells.shape) > MAX_ARROWS:
        return
    for (row, col), cell in np.ndenumerate(cells):
        if cell not in (FLOOR, WALL):
            axes.text(col, row, chr(cell), ha="center", va="center", fontsize=_font(axes, cells, 2), color=_INK)


def draw_values(axes: "Axes", cells: Cells, values: NDArray[Any], digits: int = 1) -> None:
    """Draws the values `[S]` as a heat map with numbers or, where these have no room, a scale; walls are dark."""
    hidden = np.isin(cells, _NOWHERE)
    table = _grid(cells, values)
    axes.set_facecolor(_STONE)
    image = axes.imshow(np.ma.masked_array(table, hidden), cmap="viridis", interpolation="nearest")
    _grid_lines(axes, cells)
    low, high = table[~hidden].min(), table[~hidden].max()
    font = _font(axes, cells, max(len(_number(value, digits)) for value in (low, high)))
    if max(cells.shape) > MAX_ARROWS or font < MIN_FONT:
        axes.figure.colorbar(image, ax=axes, fraction=0.046, pad=0.03)
        return
    for row, col in np.argwhere(~hidden):
        value = table[row, col]
        colour = "white" if value - low <= 0.55 * (high - low) else _INK
        axes.text(col, row, _number(value, digits), ha="center", va="center", fontsize=font, color=colour)


def draw_policy(axes: "Axes", cells: Cells, policy: NDArray[Any]) -> None:
    """Draws the map and, unless it is large, arrows for the policy `[S, A]`, longer for likelier actions."""
    takes = _takes(cells, policy) & ~np.isin(cells.ravel(), _DONE)[:, None]
    draw_map(axes, np.where(np.isin(cells, _DONE), cells, FLOOR).astype(np.uint8))
    if max(cells.shape) > MAX_ARROWS:
        return
    likely = np.asarray(policy, np.float64)
    s, a = np.nonzero(takes)
    alone = takes[s].sum(axis=1) == 1
    length = np.where(alone, 0.62, 0.42) * likely[s, a] / likely[s].max(axis=1)
    dx, dy = np.array(DIRECTIONS)[a].T * length
    row, col = np.divmod(s, cells.shape[1])
    style: dict[str, Any] = {"angles": "xy", "scale_units": "xy", "scale": 1, "units": "xy", "width": 0.045}
    head: dict[str, Any] = {"headwidth": 4, "headlength": 4, "headaxislength": 3.6}
    axes.quiver(col - alone * dx / 2, row - alone * dy / 2, dx, dy, color=_ARROW, **style, **head)


def draw_side_by_side(cells: Cells, panels: Mapping[str, tuple[NDArray[Any], NDArray[Any]]]) -> "Figure":
    """Returns a figure with two pictures a panel, the values `[S]` and the policy `[S, A]`, under the panel's title."""
    from matplotlib.figure import Figure

    height, width = cells.shape
    side = float(np.clip(0.55 * width, 3.4, 7.0))  # inches
    figure = Figure(figsize=(2 * side * len(panels), side * min(height / width, 2) + 0.5), layout="constrained")
    for part, (title, (values, policy)) in zip(
        np.atleast_1d(np.array(figure.subfigures(1, len(panels), wspace=0.06))), panels.items(), strict=True
    ):
        part.suptitle(title, fontsize=15)
        left, right = part.subplots(1, 2)
        draw_values(left, cells, values)
        draw_policy(right, cells, policy)
    return figure


def save_figure(figure: "Figure", path: str | Path) -> None:
    """Writes a figure as PNG (or what the path's suffix says), making folders as needed."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, facecolor="white")


def _grid(cells: Cells, values: NDArray[Any]) -> NDArray[np.float64]:
    values = np.asarray(values, np.float64)
    if values.size != cells.size:
        raise ValueError(f"values must hold a number for each of the {cells.size} cells, but have {list(values.shape)}")
    return values.reshape(cells.shape)


def _takes(cells: Cells, policy: NDArray[Any]) -> NDArray[np.bool_]:
    policy = np.asarray(policy)
    if policy.ndim != 2 or len(policy) != cells.size or policy.shape[1] not in (4, 8, 9):
        raise ValueError(f"a policy must be [{cells.size}, 4, 8 or 9], but has shape {list(policy.shape)}")
    return policy > 0


def _table(texts: list[str], width: int, *, right: bool) -> str:
    room = max(len(text) for text in texts)
    padded = [text.rjust(room) if right else text.center(room) for text in texts]
    return "\n".join(" ".join(padded[i : i + width]).rstrip() for i in range(0, len(padded), width))


def _palette() -> NDArray[np.uint8]:
    """Returns `[256, 3]`: the colour of each letter."""
    palette = np.full(256, _JUMP, np.uint32)
    for letter, colour in (_COLOURS | {int(digit): _COLOURS[GOAL] for digit in DIGITS.encode()}).items():
        palette[letter] = colour
    return np.stack([palette >> 16 & 255, palette >> 8 & 255, palette & 255], axis=1).astype(np.uint8)


def _grid_lines(axes: "Axes", cells: Cells) -> None:
    height, width = cells.shape
    axes.set_xticks([])
    axes.set_yticks([])
    thin = 1.0 if max(cells.shape) <= 12 else 0.4
    if max(cells.shape) <= MAX_ARROWS:
        axes.hlines(np.arange(1, height) - 0.5, -0.5, width - 0.5, color="white", linewidth=thin)
        axes.vlines(np.arange(1, width) - 0.5, -0.5, height - 0.5, color="white", linewidth=thin)


def _font(axes: "Axes", cells: Cells, letters: int) -> float:
    """Returns the size, in points, at which so many letters fit into a cell."""
    height, width = cells.shape
    inches = min(axes.bbox.width / width, axes.bbox.height / height) / axes.figure.dpi
    return float(min(13.0, inches * 72 / (0.55 * letters + 0.8)))


def _number(value: float, digits: int) -> str:
    return f"{np.round(value, digits) + 0.0:.{digits}f}"  # adding zero turns -0.0 into 0.0
