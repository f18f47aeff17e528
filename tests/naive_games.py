"""Slow twins of the compiled games: boards as lists of lists, row 0 on top, and rules as they are told."""

from itertools import groupby

DIRECTIONS = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if down or right]


class NaiveRow:
    """Tic-tac-toe, connect four and gomoku: who has `length` stones in a row wins."""

    def __init__(self, rows: int, columns: int, length: int, *, falls: bool = False, exact: bool = False) -> None:
        self.rows, self.columns, self.length, self.falls, self.exact = rows, columns, length, falls, exact
        self.board: list[list[int | None]] = [[None] * columns for _ in range(rows)]
        self.player, self.over = 0, False
        squares = [(row, column) for row in range(rows) for column in range(columns)]
        keys = (lambda r, c: r), (lambda r, c: c), (lambda r, c: r - c), (lambda r, c: r + c)
        self.lines = [
            [square for square in squares if key(*square) == number]
            for key in keys
            for number in range(-columns, rows + columns)
        ]

    def moves(self) -> list[int]:
        if self.over:
            return []
        if self.falls:
            return [column for column in range(self.columns) if self.board[0][column] is None]
        return [i for i in range(self.rows * self.columns) if self.board[i // self.columns][i % self.columns] is None]

    def play(self, action: int) -> float:
        row, column = divmod(action, self.columns)
        if self.falls:
            row, column = max(row for row in range(self.rows) if self.board[row][action] is None), action
        mover = self.player
        self.board[row][column] = mover
        self.player = 1 - mover
        won = any(self._wins([self.board[r][c] for r, c in line], mover) for line in self.lines)
        self.over = won or all(square is not None for row_ in self.board for square in row_)
        return (1.0 if mover == 0 else -1.0) if won else 0.0

    def planes(self, player: int) -> list[int]:
        squares = [square for row in self.board for square in row]
        return [int(square == owner) for owner in (player, 1 - player) for square in squares] + [1] * len(squares)

    def _wins(self, line: list[int | None], mover: int) -> bool:
        lengths = [len(list(run)) for owner, run in groupby(line) if owner == mover]
        return self.length in lengths if self.exact else max(lengths, default=0) >= self.length


class NaiveOthello:
    """Othello; action 64 is the pass."""

    def __init__(self) -> None:
        self.board: list[list[int | None]] = [[None] * 8 for _ in range(8)]
        for row, column, player in ((3, 3, 1), (4, 4, 1), (3, 4, 0), (4, 3, 0)):
            self.board[row][column] = player
        self.player, self.over = 0, False

    def moves(self) -> list[int]:
        if self.over:
            return []
        return self.placings(self.player) or [64]

    def play(self, action: int) -> float:
        if action != 64:
            for row, column in [divmod(action, 8), *self._turned(action, self.player)]:
                self.board[row][column] = self.player
        self.player = 1 - self.player
        self.over = not self.placings(0) and not self.placings(1)
        if not self.over:
            return 0.0
        discs = [square for row in self.board for square in row]
        black, white = discs.count(0), discs.count(1)
        return float((black > white) - (black < white))

    def planes(self, player: int) -> list[int]:
        squares = [square for row in self.board for square in row]
        return [int(square == owner) for owner in (player, 1 - player) for square in squares] + [1] * len(squares)

    def placings(self, player: int) -> list[int]:
        return [i for i in range(64) if self.board[i // 8][i % 8] is None and self._turned(i, player)]

    def _turned(self, action: int, player: int) -> list[tuple[int, int]]:
        turned = []
        for down, right in DIRECTIONS:
            row, column = action // 8 + down, action % 8 + right
            line = []
            while 0 <= row < 8 and 0 <= column < 8 and self.board[row][column] == 1 - player:
                line.append((row, column))
                row, column = row + down, column + right
            if 0 <= row < 8 and 0 <= column < 8 and self.board[row][column] == player:
                turned += line
        return turned
