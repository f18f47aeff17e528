"""A game of Go in progress, as programs around the engine use it: checked moves, undo, set-up, score."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from palestra.envs.go.board import breathes, is_legal, point_of
from palestra.envs.go.game import colors, go_game, vertex
from palestra.envs.go.play import legal, play, set_up
from palestra.envs.go.rules import Rules
from palestra.envs.go.scoring import owners, score_2
from palestra.envs.go.state import (
    BLACK,
    COLOR,
    EMPTY,
    KO,
    KOMI_2,
    LOST_BLACK,
    OVER,
    PASSES,
    PLAYER,
    WHITE,
    State,
    new_state,
)

_NO_RNG = np.zeros(4, np.uint64)
_NO_DATA = np.zeros(1)


class IllegalMoveError(ValueError):
    """A move that the rules forbid; the sentence says why."""


class Position:
    """The state of one game under `rules`, and the states before it.

    Either colour may move at any time, as in GTP and game records. Actions are row * N + column, N * N is a pass.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.state: State = new_state(rules)
        self.moves: list[tuple[int, int]] = []  # (colour, action) since the beginning or the last set-up
        self._past: list[State] = []

    @property
    def pass_action(self) -> int:
        """The action that passes."""
        return self.rules.size**2

    @property
    def board(self) -> NDArray[np.int8]:
        """The stones `[N, N]`, the top row first: 0 empty, 1 black, 2 white."""
        return colors(self.state)

    @property
    def to_move(self) -> int:
        """The colour to move, 1 black or 2 white."""
        return int(self.state[PLAYER]) + BLACK

    @property
    def over(self) -> bool:
        """Whether two passes or the cap on moves have ended the game."""
        return bool(self.state[OVER])

    @property
    def captured(self) -> tuple[int, int]:
        """How many stones Black and White have taken."""
        return int(self.state[LOST_BLACK + 1]), int(self.state[LOST_BLACK])

    def play(self, action: int, color: int | None = None) -> None:
        """Makes a move for a colour, by default the one whose turn it is.

        Raises:
            IllegalMoveError: the rules forbid it; nothing has changed.
        """
        color = self.to_move if color is None else color
        if reason := self.forbidden(action, color):
            raise IllegalMoveError(
                f"{'Black' if color == BLACK else 'White'} {vertex_or_number(self, action)}: {reason}"
            )
        self._past.append(self.state)
        self.state = self._turned(color, copy=True)
        play(self.state, action, _NO_RNG, _NO_DATA)
        self.moves.append((color, action))

    def forbidden(self, action: int, color: int) -> str:
        """Says why a colour may not make a move; empty if it may."""
        if color not in (BLACK, WHITE):
            return f"colour {color} is neither 1 (black) nor 2 (white)"
        if not 0 <= action <= self.pass_action:
            return f"actions are 0 to {self.pass_action}"
        if self.state[OVER]:
            how = "two passes" if self.state[PASSES] >= 2 else f"the cap of {self.rules.longest} moves"
            return f"the game is over by {how}"
        if action == self.pass_action:
            return ""
        state = self._turned(color)
        p = point_of(state, action)
        if state[p + COLOR] != EMPTY:
            return "a stone is there"
        if state[KO] == p:
            return "the ko may not be taken back at once"
        if not self.rules.suicide and not breathes(state, p, color):
            return "it would be suicide"
        if not is_legal(state, p, color):
            return f"{self.rules.superko} superko: the position was there before"
        return ""

    def legal(self, color: int | None = None) -> NDArray[np.bool_]:
        """Returns Ω `[N * N + 1]` of a colour, by default the one whose turn it is; none once the game is over."""
        mask = np.zeros(self.pass_action + 1, np.bool_)
        legal(self._turned(self.to_move if color is None else color), mask, _NO_DATA)
        return mask

    def undo(self) -> None:
        """Takes the last move back.

        Raises:
            ValueError: there is none.
        """
        if not self._past:
            raise ValueError("there is no move to take back")
        self.state = self._past.pop()
        self.moves.pop()

    def setup(self, black: Iterable[int] = (), white: Iterable[int] = (), to_move: int = BLACK) -> None:
        """Makes the board hold these stones (points as actions) and none else; the past is forgotten.

        Raises:
            ValueError: a point is outside, named twice, or a stone has no liberty; nothing has changed.
        """
        stones = [(int(p), BLACK) for p in black] + [(int(p), WHITE) for p in white]
        points = [p for p, _ in stones]
        if len(set(points)) < len(points):
            raise ValueError("a point is set up twice, but it can hold one stone")
        if any(not 0 <= p < self.pass_action for p in points):
            raise ValueError(f"a stone is set up outside the board, whose points are 0 to {self.pass_action - 1}")
        state = bare_state(self.rules)
        state[PLAYER] = to_move - BLACK
        if not set_up(state, np.array(points, np.int64), np.array([c for _, c in stones], np.int64)):
            raise ValueError("a stone is set up without a liberty, but every chain must have one")
        self.state, self.moves, self._past = state, [], []

    def owners(self) -> NDArray[np.int64]:
        """Returns whose each point is `[N, N]`, all stones being alive: 0 nobody's, 1 Black's, 2 White's."""
        owner = np.empty(self.pass_action, np.int64)
        owners(self.state, owner)
        return owner.reshape(self.rules.size, self.rules.size)

    def score(self) -> float:
        """Returns Black's lead, komi counted, all stones being alive."""
        return float(score_2(self.state)) / 2

    def _turned(self, color: int, copy: bool = False) -> State:
        """Returns the state with a colour to move; a ko stops only the player whose turn it is."""
        if color == self.to_move:
            return self.state.copy() if copy else self.state
        state = self.state.copy()
        state[PLAYER], state[KO] = color - BLACK, 0
        return state

    def __str__(self) -> str:
        return go_game(self.rules).describe(self.state)


def bare_state(rules: Rules) -> State:
    """Returns an empty board on which White still gets what handicap stones give."""
    state = new_state(rules)
    if rules.handicap:
        komi, state = state[KOMI_2], new_state(replace(rules, handicap=0))
        state[KOMI_2] = komi
    return state


def vertex_or_number(position: Position, action: int) -> str:
    """Names an action for people; one that does not exist by its number."""
    return vertex(position.rules.size, action) if 0 <= action <= position.pass_action else str(action)


def from_rows(rows: Sequence[str], rules: Rules, to_move: int = BLACK) -> Position:
    """Makes a position from a drawing: X or # black, O white, anything else but blanks empty; the top row first.

    Raises:
        ValueError: the drawing is not square, not of the rules' size, or a chain has no liberty.
    """
    cells = ["".join(row.split()).upper() for row in rows]
    if len(cells) != rules.size or any(len(row) != rules.size for row in cells):
        raise ValueError(f"a drawing of {rules.size} rows of {rules.size} points is wanted, but this has other sizes")
    line = "".join(cells)
    position = Position(rules)
    black = [i for i, c in enumerate(line) if c in "X#"]
    position.setup(black, [i for i, c in enumerate(line) if c == "O"], to_move)
    return position
