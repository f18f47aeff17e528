r"""SGF, the Smart Game Format FF[4]: game trees as text, read and written.

Hollosi, "SGF FF[4] - Smart Game Format" (red-bean.com/sgf, 2006): section 2 is the grammar, section 3 the types of
values. Values are kept as they stand in the file, escapes and all, so that unknown properties survive; `read_text`,
`read_simple` and `compose` read them, `escape` makes them. Beyond FF[4] are read, as FF[1] to FF[3] and files in the
wild have them: small letters in names (`CoPyright[` is `CP[`), digits in names, a property given twice in a node (its
values are joined), and any text before, between and after the games. Files are read by `envs/go/sgf_files.py`.

Trees may be deep: what walks them must not be recursive.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

LARGEST = 52  # lines that a letter can name (FF[4], Go, "Move, Point & Stone type")
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

VALUE = r"[^\]\\]*+(?:\\.[^\]\\]*+)*+"  # possessive: no way back, so that work and memory stay linear
_PLAIN = r"(?:;[BW]\[[A-Za-z]{0,2}\](?=\s*+[;()])\s*+)++"  # nodes that are a move and nothing else
_TOKEN = re.compile(
    rf"\s*+(?:({_PLAIN})|(;)?+\s*+([A-Za-z][A-Za-z0-9]*+)\s*+\[({VALUE})\]|\[({VALUE})\]|([;()])|(.)|(\Z))",
    re.DOTALL,
)
_MOVES, _PROPERTY, _VALUE, _STRUCTURE = 1, 4, 5, 6  # the last group of a token that matched
_MOVE = re.compile(r";([BW])\[([A-Za-z]*)\]")
_GAME = re.compile(r"\(\s*+;")
_STRAY = re.compile(r";\s*+[A-Z]++\s*+\[")
_SMALL = dict.fromkeys(range(ord("a"), ord("z") + 1))
_NAME = re.compile(r"[A-Z][A-Z0-9]*")
_ANY_NAME = re.compile(r";?\s*([A-Za-z][A-Za-z0-9]*)\s*(\[?)")
_WHOLE_VALUE = re.compile(VALUE, re.DOTALL)
_BREAK = r"\r\n|\n\r|\r|\n"
_ESCAPES = re.compile(rf"\\(?:({_BREAK})|(.))|({_BREAK})", re.DOTALL)
_FIRST_PART = re.compile(r"[^\\:]*+(?:\\.[^\\:]*+)*+", re.DOTALL)
_BLANKS = str.maketrans("\t\v\f", "   ")
_OPENED, _INSIDE, _CLOSED = "'('", "a node", "')'"  # what came last
_WANTED = {_OPENED: "';'", _INSIDE: "a property, ';', '(' or ')'", _CLOSED: "'(' or ')'"}


@dataclass(slots=True, eq=False, repr=False)
class Node:
    """A node of a game tree: values as they stand in the file by property, and what may follow, main line first."""

    properties: dict[str, list[str]] = field(default_factory=dict)
    children: list["Node"] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"Node({self.properties!r}, {len(self.children)} children)"

    def text(self, name: str) -> str:
        """Returns a property's first value read as Text; empty where it is lacking."""
        return read_text(self.properties.get(name, [""])[0])

    def simple(self, name: str) -> str:
        """Returns a property's first value read as SimpleText, without blanks around it; empty where it is lacking."""
        return read_simple(self.properties.get(name, [""])[0]).strip()


def parse(given: str) -> list[Node]:
    """Returns the roots of a collection's game trees, at least one.

    Raises:
        ValueError: there is no game, or one is damaged; line and column are named.
    """
    roots: list[Node] = []
    end = 0
    while match := _GAME.search(given, end):
        root, after = parse_game(given, match.start())
        check_between(given, end if roots else match.start(), match.start())
        roots.append(root)
        end = after
    if not roots:
        raise ValueError("there is no game in it, which would begin with '(;'")
    check_between(given, end, len(given))
    return roots


def parse_game(given: str, start: int = 0, origin: tuple[int, int] = (1, 1)) -> tuple[Node, int]:
    """Reads the game tree whose '(' is at `start`; returns its root and where it ends.

    `origin` is the line and column at which the text begins in its file, for the errors.

    Raises:
        ValueError: it is damaged; line and column are named.
    """
    node = top = Node()  # above the root
    values: list[str] | None = None
    stack = [top]
    last = _OPENED if given.startswith("(", start) else _CLOSED
    for match in _TOKEN.finditer(given, start + 1):
        kind = match.lastindex
        if kind == _MOVES and last is not _CLOSED:
            node, values, last = _add_moves(node, match[_MOVES]), None, _INSIDE
        elif kind == _PROPERTY:
            opens, name, value = match.group(2, 3, 4)
            name = name if name.isupper() else name.translate(_SMALL)
            if not name[:1].isalpha() or last is _CLOSED or (last is _OPENED and not opens):
                break
            if opens:
                values = [value]
                above, node, last = node, Node({name: values}, []), _INSIDE
                above.children.append(node)
            else:
                values = node.properties.setdefault(name, [])
                values.append(value)
        elif kind == _VALUE and values is not None:
            values.append(match[_VALUE])
        elif kind == _STRUCTURE and last is not (_CLOSED if match[_STRUCTURE] == ";" else _OPENED):
            values = None
            if match[_STRUCTURE] == ";":
                above, node, last = node, Node({}, []), _INSIDE
                above.children.append(node)
            elif match[_STRUCTURE] == "(":
                stack.append(node)
                last = _OPENED
            else:
                node, last = stack.pop(), _CLOSED
                if not stack:
                    return top.children[0], match.end()
        else:
            break
    raise _damage(given, match, last, origin)


def _add_moves(above: Node, run: str) -> Node:
    """Adds nodes that are a move each below a node, and returns the last."""
    moves = _MOVE.findall(run)
    name, value = moves.pop()
    node = below = Node({name: [value]}, [])
    for name, value in reversed(moves):
        below = Node({name: [value]}, [below])
    above.children.append(below)
    return node


def _damage(given: str, match: re.Match[str], last: str, origin: tuple[int, int]) -> ValueError:
    """Says what is wrong with the token at which the reading of a game ended."""
    at = match.end() - len(match[0].lstrip())
    named = _ANY_NAME.match(given, at)
    if at == len(given):
        what = "the game is not closed: ')' is wanted"
    elif match.lastindex == _PROPERTY and named and not named[1].translate(_SMALL)[:1].isalpha():
        at, what = match.start(3), f"the property {named[1][:20]} does not begin with a capital letter"
    elif match.lastindex == _VALUE:
        what = "a value stands there without the name of a property before it"
    elif match.lastindex in (_MOVES, _PROPERTY, _STRUCTURE):
        what = f"{match[0].lstrip()[:1]!r} stands after {last}, where {_WANTED[last]} is wanted"
    elif given[at] == "[" or (named and named[2]):
        what = "a value is not closed: ']' is wanted"
    elif named:
        what = f"the property {named[1][:20]} has no value: '[' is wanted"
    else:
        what = f"{given[at]!r} stands there, where {_WANTED[last]} is wanted"
    return ValueError(f"{place(given, at, origin)}: {what}")


def check_between(given: str, start: int, end: int) -> None:
    """Refuses text between games that holds moves: a game was closed too early.

    Raises:
        ValueError: there are nodes with properties in it.
    """
    if match := _STRAY.search(given, start, end):
        raise ValueError(f"{place(given, match.start())}: a node stands outside of any game; is there a ')' too many?")


def place(given: str, at: int, origin: tuple[int, int] = (1, 1)) -> str:
    """Names a place in a text that begins at `origin`, a line and column counted from one."""
    mark = "\n" if "\n" in given else "\r"
    breaks, column = given.count(mark, 0, at), at - given.rfind(mark, 0, at)
    return f"line {origin[0] + breaks}, column {column if breaks else column + origin[1] - 1}"


def dump(roots: Iterable[Node]) -> str:
    """Writes game trees, a line each but for line breaks in values; `parse` gives the same trees back.

    Raises:
        ValueError: a name or value cannot be written, as a value with a ']' that is not escaped.
    """
    parts: list[str] = []
    for root in roots:
        _dump(root, parts)
    return "".join(parts)


def _dump(root: Node, parts: list[str]) -> None:
    waiting: list[Node | str] = [")\n", root, "("]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            parts.append(node)
            continue
        parts.append(";")
        for name, values in node.properties.items():
            if not _NAME.fullmatch(name) or not values:
                raise ValueError(f"{name[:20]!r} has {len(values)} values, but a name in capitals and one are wanted")
            if bad := [value for value in values if not _WHOLE_VALUE.fullmatch(value)]:
                raise ValueError(f"the value {bad[0][:40]!r} of {name} has a bare ']' or ends in '\\'; use escape")
            parts.append(f"{name}[{']['.join(values)}]")
        if len(node.children) == 1:
            waiting.append(node.children[0])
        else:
            for child in reversed(node.children):
                waiting += [")", child, "("]


def main_line(root: Node) -> Iterator[Node]:
    """Yields the nodes from a root along the first variations to the end."""
    yield root
    while root.children:
        root = root.children[0]
        yield root


def read_text(value: str) -> str:
    r"""Reads a value as Text: no escapes, line breaks as "\n", other white space as blanks (FF[4], section 3.2).

    A line break after a backslash is a soft one and vanishes.
    """
    if "\\" in value or "\r" in value or "\n" in value:
        value = _ESCAPES.sub(lambda match: "" if match[1] else match[2] or "\n", value)
    return value.translate(_BLANKS)


def read_simple(value: str) -> str:
    """Reads a value as SimpleText: as Text, with blanks for line breaks (FF[4], section 3.3)."""
    return read_text(value).replace("\n", " ")


def escape(given: str, composed: bool = False) -> str:
    r"""Makes a value of a text: "\" before "\" and "]", and before ":" where the value is composed of two."""
    return re.sub(r"[\\\]:]" if composed else r"[\\\]]", r"\\\g<0>", given)


def compose(value: str) -> tuple[str, str]:
    """Splits a composed value at its first colon that is not escaped; the second part is empty where there is none.

    Both parts are still as they stand in the file (FF[4], section 3.5).
    """
    match = _FIRST_PART.match(value)
    end = match.end() if match else len(value)
    return value[:end], value[end + 1 :]


def read_point(value: str, columns: int, rows: int) -> tuple[int, int]:
    """Reads a point as (row, column) from the top left.

    Raises:
        ValueError: it is not two letters, or lies outside the board.
    """
    given = value.strip()
    if len(given) == 2 and given.isascii() and given.isalpha():
        column, row = LETTERS.index(given[0]), LETTERS.index(given[1])
        if column < columns and row < rows:
            return row, column
    last = write_point(rows - 1, columns - 1)
    raise ValueError(
        f"{given[:20]!r} is no point of a board of {columns}x{rows}; two letters from aa to {last} are wanted"
    )


def read_move(value: str, columns: int, rows: int) -> tuple[int, int] | None:
    """Reads a move as (row, column); None is a pass: no letters, or tt on boards up to 19x19, as in FF[3].

    Raises:
        ValueError: it is neither a pass nor a point of the board.
    """
    given = value.strip()
    if not given or (given == "tt" and columns <= 19 and rows <= 19):
        return None
    return read_point(given, columns, rows)


def read_points(values: Iterable[str], columns: int, rows: int) -> list[tuple[int, int]]:
    """Reads a list of points, rectangles as aa:cc among them (FF[4], section 3.5.1), as (row, column) by rows.

    Raises:
        ValueError: a value is neither a point of the board nor two of them.
    """
    board = np.zeros((rows, columns), np.bool_)
    for value in values:
        if ":" in value:
            (top, left), (bottom, right) = (read_point(corner, columns, rows) for corner in compose(value))
            board[min(top, bottom) : max(top, bottom) + 1, min(left, right) : max(left, right) + 1] = True
        else:
            board[read_point(value, columns, rows)] = True
    return [(int(row), int(column)) for row, column in np.argwhere(board)]


def write_point(row: int, column: int) -> str:
    """Names a point by its letters, as in cd for column 2 and row 3."""
    return LETTERS[column] + LETTERS[row]
