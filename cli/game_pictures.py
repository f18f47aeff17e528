"""Pictures of a game of Go beside what its players think: the board with likely moves, and who is expected to win."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from palestra.agents.thoughts import Thoughts
from palestra.envs.game import PLAYER, PLY, State
from palestra.envs.go.game import colors
from palestra.envs.go.rendering import SIDE, board_picture, last_point

PANEL = 360  # pixels beside the board
MARGIN, CURVE = 44, (200, 420)  # of the panel; top and bottom of the curve
PAPER, INK, FAINT = (250, 248, 243), (40, 40, 44), (190, 186, 178)
COLORS = ((24, 64, 160), (190, 40, 30))  # what Black and what White expect
FEWEST = 40  # moves that the curve has room for


class GamePictures:
    """Draws position after position of a game, and keeps what was expected on the way."""

    def __init__(self, black: str, white: str) -> None:
        self._names = (black, white)
        self._expected: list[tuple[int, int, float]] = []  # number of the move, player, share of wins for Black

    def draw(
        self, state: State, thoughts: Thoughts, lines: Sequence[str], heat: NDArray[np.float64] | None = None
    ) -> NDArray[np.uint8]:
        """Returns a picture `[480, 840, 3]` uint8 of a position, what is thought of it, and lines that say more.

        `heat` `[N, N]`, from -1 to 1, colours the board in place of the likely moves.
        """
        from PIL import Image, ImageDraw

        player, number = int(state[PLAYER]), int(state[PLY])
        if thoughts.value is not None:
            win = (thoughts.value + 1) / 2
            self._expected.append((number, player, win if player == 0 else 1 - win))
        board = colors(state)
        image = Image.new("RGB", (SIDE + PANEL, SIDE), PAPER)
        heat = heat_of(thoughts, len(board)) if heat is None else heat
        image.paste(Image.fromarray(board_picture(board, last_point(state), heat)), (0, 0))
        pen = ImageDraw.Draw(image, "RGBA")
        self._write(pen, lines, player)
        self._curve(pen, number)
        return np.array(image, np.uint8)

    def _write(self, pen: Any, lines: Sequence[str], player: int) -> None:
        from PIL import ImageFont

        font, small = ImageFont.load_default(18), ImageFont.load_default(15)
        for i, name in enumerate(self._names):
            y = 22 + 30 * i
            x = SIDE + MARGIN - 20
            pen.ellipse((x, y + 2, x + 14, y + 16), (28, 28, 30) if i == 0 else (255, 255, 255), INK)
            text = name if len(name) < 30 else f"{name[:28]}..."
            pen.text((x + 24, y), text, INK if i == player else FAINT, font)
        for i, line in enumerate(lines):
            pen.text((SIDE + MARGIN - 20, 96 + 26 * i), line, INK, small)

    def _curve(self, pen: Any, number: int) -> None:
        """Draws the share of wins that each player expects for Black, over the moves."""
        from PIL import ImageFont

        if not self._expected:
            return
        font, (top, bottom) = ImageFont.load_default(12), CURVE
        left, right = SIDE + MARGIN, SIDE + PANEL - 16
        for share in (0.0, 0.5, 1.0):
            y = bottom - share * (bottom - top)
            pen.line([(left, y), (right, y)], FAINT, 1)
            pen.text((left - 6, y), f"{share:.0%}", INK, font, anchor="rm")
        pen.text((left, top - 14), "Black is expected to win, by Black", COLORS[0], font, anchor="ls")
        pen.text((right, top - 14), "by White", COLORS[1], font, anchor="rs")
        length = max(FEWEST, number + 1)
        pen.text((right, bottom + 8), f"move {length}", INK, font, anchor="rt")
        for player, color in enumerate(COLORS):
            places = [
                (left + (right - left) * at / length, bottom - share * (bottom - top))
                for at, who, share in self._expected
                if who == player
            ]
            if len(places) > 1:
                pen.line(places, color, 2)
            if places:
                x, y = places[-1]
                pen.ellipse((x - 3, y - 3, x + 3, y + 3), color)


def heat_of(thoughts: Thoughts, size: int) -> NDArray[np.float64] | None:
    """Returns how strongly each point is coloured: the likeliest move fully, others by their share of it."""
    if thoughts.policy is None:
        return None
    points = thoughts.policy[: size * size]
    strength = np.sqrt(points / max(points.max(), 1e-12))
    return np.asarray(np.where(strength > 0.1, strength, 0.0).reshape(size, size))
