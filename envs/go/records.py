"""Records of Go games: the main line of a game tree as moves, written as SGF, and played through the engine.

Actions are row * N + column from the top left, N * N passes; Black is 1, White 2, as in `envs/go/position.py`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np

from palestra.envs.go.position import IllegalMoveError, Position
from palestra.envs.go.rules import LARGEST, NAMED, SMALLEST, Rules, handicap_points, most_handicap, rules_named
from palestra.envs.go.sgf import Node, escape, main_line, read_move, read_points, write_point
from palestra.envs.go.sgf_files import Report, read_games, write_games
from palestra.envs.go.sgf_info import handicap_of, komi_of, result_of, rules_of, size_of
from palestra.envs.go.state import BLACK, WHITE

COLORS = {"B": BLACK, "W": WHITE}
_LETTER = {color: letter for letter, color in COLORS.items()}
_WRITTEN = {"chinese": "Chinese", "japanese": "Japanese", "aga": "AGA", "tromp-taylor": "Tromp-Taylor", "cgos": "CGOS"}
_TEXTS = {  # property: field of a record
    "PB": "black_player",
    "PW": "white_player",
    "BR": "black_rank",
    "WR": "white_rank",
    "DT": "date",
}


@dataclass(frozen=True)
class Setup:
    """Stones put down or taken off before a move (AB, AW, AE, PL); points as actions."""

    before: int
    """The number of moves made by then."""
    black: tuple[int, ...] = ()
    white: tuple[int, ...] = ()
    empty: tuple[int, ...] = ()
    to_move: int = 0
    """1 Black, 2 White; 0 leaves it."""


@dataclass(frozen=True)
class GameRecord:
    """A game from its first move to its last."""

    size: int
    moves: tuple[tuple[int, int], ...] = ()
    """(colour, action) each."""
    komi: float | None = None
    """None where it is not known."""
    rules: str = ""
    """The name of a set of rules, or what the file calls them; empty where they are not known."""
    handicap: int = 0
    setups: tuple[Setup, ...] = ()
    """In order of `before`; handicap stones among them."""
    result: str = "?"
    """As FF[4] writes it: B+3.5, W+R, 0, Void, ?."""
    black_player: str = ""
    white_player: str = ""
    black_rank: str = ""
    white_rank: str = ""
    date: str = ""
    source: str = ""
    """file#game."""

    @property
    def to_move(self) -> int:
        """Who begins: as the first set-up says, else who makes the first move, else Black."""
        said = next((setup.to_move for setup in self.setups if setup.before == 0 and setup.to_move), 0)
        return said or (self.moves[0][0] if self.moves else BLACK)

    @property
    def winner(self) -> int:
        """1 Black, 2 White, 0 nobody, or nobody knows."""
        return COLORS.get(self.result[:1], 0) if self.result[1:2] == "+" else 0


def record_of(root: Node, source: str = "") -> GameRecord:
    """Returns the main line of a Go game.

    Set-up in a node goes before its moves. Where HA gives stones, AB none and White begins, the stones are put on the
    usual points.

    Raises:
        ValueError: it is another game, the board is not a square of 2 to 25 lines, or a point or colour is wrong; the
            sentence begins with `source`.
    """
    name = f"{source}: " if source else ""
    if root.simple("GM") not in ("", "1"):
        raise ValueError(f"{name}GM is {root.simple('GM')[:20]!r}, but 1, Go, is wanted")
    try:
        columns, rows = size_of(root)
    except ValueError as error:
        raise ValueError(f"{name}{error}") from None
    if columns != rows or not SMALLEST <= columns <= LARGEST:
        raise ValueError(
            f"{name}the board is {columns}x{rows}, but a square of {SMALLEST} to {LARGEST} lines is wanted"
        )
    moves: list[tuple[int, int]] = []
    setups: list[Setup] = []
    for node in main_line(root):
        try:
            _add_node(node, columns, moves, setups)
        except ValueError as error:
            raise ValueError(f"{name}move {len(moves) + 1}: {error}") from None
    record = GameRecord(
        columns,
        tuple(moves),
        komi=komi_of(root),
        rules=rules_of(root),
        handicap=handicap_of(root),
        setups=tuple(setups),
        result=result_of(root),
        source=source,
        **{field: root.simple(name) for name, field in _TEXTS.items()},
    )
    return _with_handicap(record)


def _add_node(node: Node, size: int, moves: list[tuple[int, int]], setups: list[Setup]) -> None:
    """Adds what a node does to moves and set-ups."""
    given = node.properties
    if not given.keys().isdisjoint(("AB", "AW", "AE", "PL")):
        lists = (read_points(given.get(name, ()), size, size) for name in ("AB", "AW", "AE"))
        black, white, empty = (tuple(row * size + column for row, column in points) for points in lists)
        player = node.simple("PL")
        if "PL" in given and player[:1].upper() not in COLORS:
            raise ValueError(f"PL is {player[:20]!r}, but B or W is wanted")
        setups.append(Setup(len(moves), black, white, empty, COLORS.get(player[:1].upper(), 0)))
    for name, values in given.items():
        if name in COLORS:
            if len(values) > 1:
                raise ValueError(f"{name} has {len(values)} values, but one point is wanted")
            moves.append((COLORS[name], _action(values[0].strip(), size)))


@lru_cache(maxsize=8192)
def _action(move: str, size: int) -> int:
    point = read_move(move, size, size)
    return size * size if point is None else point[0] * size + point[1]


def _with_handicap(record: GameRecord) -> GameRecord:
    """Puts handicap stones on the usual points where a file names their number only."""
    white_begins = bool(record.moves) and record.moves[0][0] == WHITE
    placed = any(setup.black for setup in record.setups if setup.before == 0)
    if placed or not white_begins or not 2 <= record.handicap <= most_handicap(record.size):
        return record
    points = sorted(r * record.size + c for r, c in handicap_points(record.size, record.handicap))
    return replace(record, setups=(Setup(0, tuple(points), to_move=WHITE), *record.setups))


def tree_of(record: GameRecord) -> Node:
    """Returns a record as a game tree without variations, in FF[4]; `record_of` gives the record back.

    Raises:
        ValueError: a colour or an action is wrong.
    """
    if bad := [m for m in record.moves if m[0] not in _LETTER or not 0 <= m[1] <= record.size**2]:
        raise ValueError(f"the move {bad[0]} is not (1 or 2, an action from 0 to {record.size**2})")
    root = Node({"GM": ["1"], "FF": ["4"], "CA": ["UTF-8"], "AP": ["Palestra"], "SZ": [str(record.size)]})
    if record.komi is not None:
        root.properties["KM"] = [f"{record.komi:g}"]
    if record.handicap:
        root.properties["HA"] = [str(record.handicap)]
    texts = {"RU": _WRITTEN.get(record.rules, record.rules), **{p: getattr(record, f) for p, f in _TEXTS.items()}}
    root.properties |= {name: [escape(text)] for name, text in {**texts, "RE": record.result}.items() if text}
    nodes: list[dict[str, list[str]]] = []
    setups = sorted(record.setups, key=lambda setup: setup.before)
    for i in range(len(record.moves) + 1):
        nodes += [_setup_properties(setup, record.size) for setup in setups if setup.before == i]
        nodes += [{_LETTER[c]: [_letters(a, record.size)]} for c, a in record.moves[i : i + 1]]
    if setups and setups[0].before == 0:
        root.properties |= nodes.pop(0)
    last = root
    for properties in nodes:
        last.children.append(Node(properties))
        last = last.children[0]
    return root


def write_record(path: str | Path, record: GameRecord, append: bool = False) -> None:
    """Writes a record to a file, or behind what is there.

    Raises:
        ValueError: see `tree_of`.
    """
    write_games(path, [tree_of(record)], append)


def _letters(action: int, size: int) -> str:
    return "" if action == size * size else write_point(action // size, action % size)


def _setup_properties(setup: Setup, size: int) -> dict[str, list[str]]:
    lists = {"AB": setup.black, "AW": setup.white, "AE": setup.empty}
    player = {"PL": [_LETTER[setup.to_move]]} if setup.to_move else {}
    return {name: [_letters(p, size) for p in points] for name, points in lists.items() if points} | player


def rules_for(record: GameRecord) -> Rules:
    """Returns the rules of a record; where they are not known, those that forbid least: simple ko, suicide allowed.

    Komi that is not known is that of the rules; one that is no multiple of a half is rounded to one.
    """
    handicap = record.handicap if 2 <= record.handicap <= most_handicap(record.size) else 0
    komi = None if record.komi is None else max(-1000.0, min(1000.0, round(record.komi * 2) / 2))
    if record.rules in NAMED:
        return rules_named(record.rules, size=record.size, komi=komi, handicap=handicap)
    least = Rules(record.size, superko="simple", suicide=True, handicap=handicap)
    return least if komi is None else replace(least, komi=komi)


def replay(record: GameRecord, rules: Rules | None = None) -> Position:
    """Plays a record through the engine and returns the last position; by default under `rules_for(record)`.

    The stones are the record's, also where the rules have a handicap. A cap on moves holds where `rules` sets one.
    Passes after the two that end a game are left out. A set-up between moves forgets ko, prisoners and repetition.

    Raises:
        IllegalMoveError: the rules forbid a move; file, game, number of the move, the move and the reason are named.
        ValueError: the rules are for another board, or a set-up is impossible.
    """
    name = f"{record.source}: " if record.source else ""
    rules = rules_for(record) if rules is None else rules
    if rules.size != record.size:
        raise ValueError(f"{name}the board has {record.size} lines, but the rules are for {rules.size}")
    if not rules.max_moves:
        rules = replace(rules, max_moves=max(rules.longest, len(record.moves) + 1))
    position = Position(rules)
    position.setup(to_move=record.to_move)
    setups = {setup.before for setup in record.setups}
    for i, (color, action) in enumerate((*record.moves, (0, 0))):
        if i in setups:
            _set_up(position, record, i, color)
        if color and not (position.over and action == position.pass_action):
            try:
                position.play(action, color)
            except IllegalMoveError as error:
                raise IllegalMoveError(f"{name}move {i + 1}: {error}") from None
    return position


def _set_up(position: Position, record: GameRecord, before: int, color: int) -> None:
    """Does the set-ups before a move of a colour, 0 if none follows."""
    board = position.board.reshape(-1)
    for setup in record.setups:
        if setup.before == before:
            for points, stone in ((setup.empty, 0), (setup.black, BLACK), (setup.white, WHITE)):
                board[list(points)] = stone
            color = setup.to_move or color
    black, white = (np.flatnonzero(board == stone).tolist() for stone in (BLACK, WHITE))
    try:
        position.setup(black, white, color or position.to_move)
    except ValueError as error:
        raise ValueError(f"{record.source}: set-up before move {before + 1}: {error}") from None


@dataclass
class Tally:
    """What `replay_all` has met."""

    games: int = 0
    """Replayed to their ends."""
    moves: int = 0
    """Of these games."""
    illegal: int = 0
    """Games with a move that the rules forbid."""
    refused: int = 0
    """Games on other boards, with impossible set-ups and the like."""


def replay_all(
    path: str | Path | BinaryIO,
    rules: Callable[[GameRecord], Rules] = rules_for,
    *,
    report: Report,
    tally: Tally | None = None,
) -> Iterator[tuple[GameRecord, Position]]:
    """Yields the games of a collection that can be replayed, with their last positions; see `read_games` for `path`.

    `report` gets a sentence for every other game, and the rest goes on; `tally` is counted up.
    """
    tally = Tally() if tally is None else tally
    for source, root in read_games(path, report):
        try:
            record = record_of(root, source)
            position = replay(record, rules(record))
        except ValueError as error:
            tally.illegal += isinstance(error, IllegalMoveError)
            tally.refused += not isinstance(error, IllegalMoveError)
            report(str(error))
            continue
        tally.games += 1
        tally.moves += len(record.moves)
        yield record, position
