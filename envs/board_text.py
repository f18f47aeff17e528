"""Boards as text: the names of squares, a letter for the column and a number for the row, and the drawing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Squares:
    """The squares of a board, numbered row by row from the top left corner."""

    rows: int
    columns: int
    top_is_one: bool = False
    """Whether rows are counted from the top, as in Othello, not from the bottom, as in chess."""

    def row_name(self, row: int) -> str:
        """Names a row, of which 0 is the top one."""
        return str(row + 1 if self.top_is_one else self.rows - row)

    def name(self, square: int) -> str:
        """Names a square, as in d3."""
        row, column = divmod(square, self.columns)
        return LETTERS[column] + self.row_name(row)

    def parse(self, text: str) -> int:
        """Reads a square's name.

        Raises:
            ValueError: it is none of this board.
        """
        found = re.fullmatch(r"([a-z])([1-9][0-9]?)", text.strip().lower())
        if found:
            column, row = LETTERS.index(found[1]), int(found[2]) - 1
            if column < self.columns and row < self.rows:
                return (row if self.top_is_one else self.rows - 1 - row) * self.columns + column
        last = LETTERS[self.columns - 1]
        raise ValueError(f"{text!r} is not a square: a letter a to {last} and a number 1 to {self.rows} are wanted")

    def draw(self, symbols: Sequence[str], marked: int = -1) -> str:
        """Draws a board with its coordinates; squares show `symbols [rows * columns]`, and `marked` is in brackets."""
        width = len(str(self.rows))
        letters = " " * (width + 2) + " ".join(LETTERS[: self.columns])
        lines = [letters]
        for row in range(self.rows):
            gaps = [" "] * (self.columns + 1)
            if row == marked // self.columns:
                gaps[marked % self.columns], gaps[marked % self.columns + 1] = "(", ")"
            cells = [*symbols[row * self.columns : (row + 1) * self.columns], ""]
            name = self.row_name(row)
            lines.append(f"{name:>{width}} {''.join(map(str.__add__, gaps, cells))}{name}")
        return "\n".join([*lines, letters])


def outcome(reward: float, names: tuple[str, str]) -> str:
    """Says who won, given player 0's reward at the end."""
    return "draw" if reward == 0.0 else f"{names[0 if reward > 0.0 else 1]} wins"
