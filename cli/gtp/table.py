"""The game that a GTP engine keeps: rules, position, handicap, and what the protocol asks of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from palestra.cli.gtp.args import CommandError
from palestra.envs.game import State
from palestra.envs.go.game import vertex
from palestra.envs.go.play import legal
from palestra.envs.go.position import IllegalMoveError, Position
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import BLACK, EMPTY, KO, OVER, PASSES, PLAYER

LEAST_CAP = 1000  # moves: programs and people go on longer than games of self-play do
_NO_DATA = np.zeros(1)


@dataclass(frozen=True)
class Setup:
    """Stones on the board before the first move, as actions."""

    black: tuple[int, ...] = ()
    white: tuple[int, ...] = ()
    to_move: int = BLACK
    handicap: int = 0
    """How many of the black stones are a handicap."""


class Table:
    """A game of Go in which either colour may move at any time, also after two passes.

    `rules` are those agreed on, without handicap. What fails changes nothing.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.setup = Setup()
        self.position = Position(self.played_rules(rules, 0))

    @property
    def size(self) -> int:
        """Lines of the board."""
        return self.rules.size

    @property
    def state(self) -> State:
        """The state, as the kernels see it."""
        return self.position.state

    @property
    def moves(self) -> list[tuple[int, int]]:
        """Moves (colour, action) since the set-up."""
        return self.position.moves

    def played_rules(self, rules: Rules, handicap: int) -> Rules:
        """Returns the rules as the engine plays them: what White gets for handicap stones is part of komi."""
        bonus = {"none": 0, "n-1": handicap - 1, "n": handicap}[rules.handicap_bonus]
        cap = rules.max_moves or max(LEAST_CAP, 3 * rules.size**2)
        return replace(rules, komi=rules.komi + max(bonus, 0), handicap=0, handicap_bonus="none", max_moves=cap)

    def clear(self, rules: Rules | None = None) -> None:
        """Begins a new game, under other rules if some are given."""
        rules = rules or self.rules
        position = Position(self.played_rules(rules, 0))
        self.rules, self.setup, self.position = rules, Setup(), position

    def set_up(self, setup: Setup) -> None:
        """Begins a game from a set-up.

        Raises:
            ValueError: it is not possible.
        """
        self.position, self.setup = _placed(self.played_rules(self.rules, setup.handicap), setup), setup

    def change_rules(self, rules: Rules) -> None:
        """Goes on under other rules, all moves made again.

        Raises:
            ValueError: a move that was made is illegal under them.
        """
        position = _placed(self.played_rules(rules, self.setup.handicap), self.setup)
        for color, action in self.moves:
            _reopen(position)
            position.play(action, color)
        self.rules, self.position = rules, position

    def play(self, action: int, color: int) -> None:
        """Makes a move.

        Raises:
            IllegalMoveError: the rules forbid it.
        """
        _reopen(self.position)
        self.position.play(action, color)

    def undo(self) -> None:
        """Takes the last move back.

        Raises:
            ValueError: there is none.
        """
        self.position.undo()

    def forbidden(self, action: int, color: int) -> str:
        """Says why a move is illegal; empty if it is not."""
        _reopen(self.position)
        return self.position.forbidden(action, color)

    def legal(self, color: int) -> NDArray[np.bool_]:
        """Returns Ω `[N * N + 1]` of a colour."""
        mask = np.zeros(self.size**2 + 1, np.bool_)
        legal(self.state_for(color), mask, _NO_DATA)
        return mask

    def state_for(self, color: int) -> State:
        """Returns the state with a colour to move."""
        _reopen(self.position)
        state = self.state
        if color != self.position.to_move:
            state = state.copy()
            state[PLAYER], state[KO] = color - BLACK, 0
        return state

    def name(self, action: int) -> str:
        """Names an action as GTP does."""
        return vertex(self.size, action)

    def names(self, actions: Iterable[int]) -> str:
        """Names some actions, with blanks between."""
        return " ".join(self.name(int(action)) for action in actions)

    def stones(self, color: int) -> list[int]:
        """Returns where a colour's stones stand."""
        return [int(a) for a in np.flatnonzero(self.position.board == color)]

    def chain(self, action: int) -> tuple[list[int], list[int]]:
        """Returns the stones and the liberties of the chain at a point."""
        return chain_at(self.position.board.ravel().tolist(), self.size, action)

    def chains(self) -> list[tuple[int, list[int]]]:
        """Returns all chains as colours and stones."""
        cells, seen, found = self.position.board.ravel().tolist(), set[int](), []
        for action, color in enumerate(cells):
            if color != EMPTY and action not in seen:
                stones, _ = chain_at(cells, self.size, action)
                seen.update(stones)
                found.append((color, stones))
        return found


def chain_at(cells: Sequence[int], size: int, action: int) -> tuple[list[int], list[int]]:
    """Returns the stones and liberties, in order, of the chain at a point of `cells [N * N]`."""
    color, waiting = cells[action], [action]
    stones, liberties = {action}, set()
    while waiting:
        for near in neighbours(size, waiting.pop()):
            if cells[near] == EMPTY:
                liberties.add(near)
            elif cells[near] == color and near not in stones:
                stones.add(near)
                waiting.append(near)
    return sorted(stones), sorted(liberties)


def neighbours(size: int, action: int) -> list[int]:
    """Returns the points beside a point."""
    row, column = divmod(action, size)
    near = [(row - 1, column), (row, column - 1), (row, column + 1), (row + 1, column)]
    return [r * size + c for r, c in near if 0 <= r < size and 0 <= c < size]


def illegal(error: IllegalMoveError) -> CommandError:
    """Makes the failure of an illegal move."""
    return CommandError(f"illegal move: {error}")


def _placed(rules: Rules, setup: Setup) -> Position:
    position = Position(rules)
    if setup != Setup():
        position.setup(setup.black, setup.white, setup.to_move)
    return position


def _reopen(position: Position) -> None:
    """Lets the game go on after two passes, as it does when stones are disputed; its cap stays."""
    if position.over and position.state[PASSES] >= 2:
        state = position.state.copy()
        state[OVER], state[PASSES] = len(position.moves) >= position.rules.longest, 0
        position.state = state
