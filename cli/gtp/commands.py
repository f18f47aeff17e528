"""GTP commands about the engine and the board (Farnebäck, "Specification of the Go Text Protocol, version 2", draft 2).

Sections 4.1 and 6.3 say what each does and how it fails; `is_legal` to `list_stones` are GNU Go's, `last_move` and
`move_history` Leela Zero's too, `set_position` and `rectangular_boardsize` KataGo's.
"""

from importlib.metadata import version

from palestra.cli.gtp.args import (
    NAMES,
    CommandError,
    read_color,
    read_float,
    read_int,
    read_point,
    read_vertex,
    shown,
    syntax_error,
    take,
)
from palestra.cli.gtp.session import Command, Session
from palestra.cli.gtp.table import Setup, illegal
from palestra.envs.go.position import IllegalMoveError
from palestra.envs.go.rules import LARGEST, SMALLEST, Rules, handicap_points, most_handicap
from palestra.envs.go.state import BLACK, EMPTY, WHITE


def protocol_version(session: Session, args: list[str]) -> str:
    """Returns the version of GTP."""
    take(args, 0, 0, "")
    return "2"


def name(session: Session, args: list[str]) -> str:
    """Returns the engine's name, with the agent's."""
    take(args, 0, 0, "")
    return f"Palestra {session.brain.name}"


def program_version(session: Session, args: list[str]) -> str:
    """Returns the package's version."""
    take(args, 0, 0, "")
    return version("palestra")


def known_command(session: Session, args: list[str]) -> str:
    """Says whether there is a command: `known_command NAME`."""
    return "true" if " ".join(args) in session.commands else "false"


def list_commands(session: Session, args: list[str]) -> str:
    """Returns all commands, one a line."""
    take(args, 0, 0, "")
    return "\n".join(session.commands)


def leave(session: Session, args: list[str]) -> str:
    """Ends the engine once this is answered."""
    session.ended = True
    return ""


def boardsize(session: Session, args: list[str]) -> str:
    """Clears the board and changes its size: `boardsize N`, or `N N` for the rectangular one."""
    if len(args) == 2 and args[0] != args[1]:
        raise CommandError("unacceptable size: only square boards can be played")
    if not args or len(args) > 2:
        raise syntax_error("the size of the board is wanted")
    size = read_int(args[0], "the size", 0, 999_999_999)
    if not SMALLEST <= size <= LARGEST:
        raise CommandError(f"unacceptable size: {SMALLEST} to {LARGEST} can be played")
    rules = session.table.rules
    session.table.clear(_rules(rules, size, rules.komi))
    session.new_game()
    return ""


def query_boardsize(session: Session, args: list[str]) -> str:
    """Returns the size of the board."""
    take(args, 0, 0, "")
    return str(session.table.size)


def clear_board(session: Session, args: list[str]) -> str:
    """Begins a new game under the same rules."""
    take(args, 0, 0, "")
    session.table.clear()
    session.new_game()
    return ""


def komi(session: Session, args: list[str]) -> str:
    """Changes what White gets and keeps the board: `komi POINTS`, a multiple of a half."""
    take(args, 1, 1, "KOMI")
    rules = session.table.rules
    session.table.change_rules(_rules(rules, rules.size, read_float(args[0], "komi")))
    session.changed()
    return ""


def get_komi(session: Session, args: list[str]) -> str:
    """Returns what White gets."""
    take(args, 0, 0, "")
    return f"{session.table.rules.komi:g}"


def play(session: Session, args: list[str]) -> str:
    """Makes a move for either side: `play COLOR VERTEX`; one that is illegal changes nothing."""
    take(args, 2, 2, "COLOR VERTEX")
    color, action = read_color(args[0]), read_vertex(args[1], session.table.size)
    try:
        session.play(action, color)
    except IllegalMoveError as error:
        raise illegal(error) from None
    session.comment = ""
    return ""


def undo(session: Session, args: list[str]) -> str:
    """Takes back the last move."""
    take(args, 0, 0, "")
    return gg_undo(session, ["1"])


def gg_undo(session: Session, args: list[str]) -> str:
    """Takes back some moves, or one: `gg-undo [MOVES]`."""
    take(args, 0, 1, "[MOVES]")
    number = read_int(args[0], "the number of moves", 1, 999_999) if args else 1
    if number > len(session.table.moves):
        raise CommandError(f"cannot undo: {len(session.table.moves)} moves were made")
    for _ in range(number):
        session.table.undo()
    session.comment = ""
    return ""


def showboard(session: Session, args: list[str]) -> str:
    """Returns the board as text, with komi, rules and the number of moves."""
    take(args, 0, 0, "")
    rules = session.table.rules
    facts = f"komi {rules.komi:g}, {rules.superko} superko, {rules.scoring}, {len(session.table.moves)} moves"
    return f"\n{session.table.position}\n{facts}"


def fixed_handicap(session: Session, args: list[str]) -> str:
    """Puts handicap stones on the points that GTP lists (section 4.1.1): `fixed_handicap STONES`; names them."""
    take(args, 1, 1, "STONES")
    number = read_int(args[0], "the number of stones", -999, 999_999)
    size, most = session.table.size, most_handicap(session.table.size)
    if not 2 <= number <= most:
        raise CommandError("invalid number of stones: " + (f"2 to {most} are possible" if most else "none is possible"))
    return _place(session, [row * size + column for row, column in handicap_points(size, number)])


def place_free_handicap(session: Session, args: list[str]) -> str:
    """Puts handicap stones where the engine likes, on the same points, fewer if there are not as many; names them."""
    take(args, 1, 1, "STONES")
    size, most = session.table.size, most_handicap(session.table.size)
    number = read_int(args[0], "the number of stones", -999, 999_999)
    if number < 2 or not most:
        raise CommandError("invalid number of stones: 2 or more on a board of 7 lines or more are possible")
    return _place(session, [row * size + column for row, column in handicap_points(size, min(number, most))])


def set_free_handicap(session: Session, args: list[str]) -> str:
    """Puts handicap stones on given points: `set_free_handicap VERTEX VERTEX ...`."""
    size = session.table.size
    stones = [read_vertex(arg, size) for arg in args]
    if len(stones) < 2 or len(stones) > size * size - 1:
        raise CommandError(f"bad vertex list: {len(stones)} stones are given, but 2 to {size * size - 1} are wanted")
    if size * size in stones or len(set(stones)) < len(stones):
        raise CommandError("bad vertex list: a pass or a point given twice is no handicap")
    _place(session, stones)
    return ""


def set_position(session: Session, args: list[str]) -> str:
    """Sets up a board in place of the game: `set_position COLOR POINT COLOR POINT ...`."""
    if len(args) % 2:
        raise syntax_error("pairs of a colour and a point are wanted")
    stones: dict[int, list[int]] = {BLACK: [], WHITE: []}
    for color, point in zip(args[::2], args[1::2], strict=True):
        stones[read_color(color)].append(read_point(point, session.table.size))
    try:
        session.table.set_up(Setup(tuple(stones[BLACK]), tuple(stones[WHITE])))
    except ValueError as error:
        raise CommandError(f"bad vertex list: {error}") from None
    session.new_game()
    return ""


def is_legal(session: Session, args: list[str]) -> str:
    """Returns 1 for a move that is legal and 0 for others: `is_legal COLOR VERTEX`."""
    take(args, 2, 2, "COLOR VERTEX")
    color, action = read_color(args[0]), read_vertex(args[1], session.table.size)
    return "0" if session.table.forbidden(action, color) else "1"


def all_legal(session: Session, args: list[str]) -> str:
    """Returns the points where a colour may move: `all_legal COLOR`."""
    take(args, 1, 1, "COLOR")
    return session.table.names(session.table.legal(read_color(args[0]))[:-1].nonzero()[0])


def captures(session: Session, args: list[str]) -> str:
    """Returns how many stones a colour has taken: `captures COLOR`."""
    take(args, 1, 1, "COLOR")
    return str(session.table.position.captured[read_color(args[0]) - BLACK])


def color(session: Session, args: list[str]) -> str:
    """Returns what is on a point: `color VERTEX`, black, white or empty."""
    take(args, 1, 1, "VERTEX")
    stone = session.table.position.board.ravel()[read_point(args[0], session.table.size)]
    return NAMES.get(int(stone), "empty")


def countlib(session: Session, args: list[str]) -> str:
    """Returns how many liberties the chain at a point has: `countlib VERTEX`."""
    return str(len(_chain(session, args)[1]))


def findlib(session: Session, args: list[str]) -> str:
    """Returns the liberties of the chain at a point: `findlib VERTEX`."""
    return session.table.names(_chain(session, args)[1])


def list_stones(session: Session, args: list[str]) -> str:
    """Returns the points of a colour's stones: `list_stones COLOR`."""
    take(args, 1, 1, "COLOR")
    return session.table.names(session.table.stones(read_color(args[0])))


def last_move(session: Session, args: list[str]) -> str:
    """Returns colour and vertex of the last move; an error if none was made."""
    take(args, 0, 0, "")
    if not session.table.moves:
        raise CommandError("no previous move known")
    mover, action = session.table.moves[-1]
    return f"{NAMES[mover]} {session.table.name(action)}"


def move_history(session: Session, args: list[str]) -> str:
    """Returns all moves, the last one first, one a line."""
    take(args, 0, 0, "")
    moves = reversed(session.table.moves)
    return "\n".join(f"{NAMES[mover]} {session.table.name(action)}" for mover, action in moves)


def _rules(rules: Rules, size: int, komi: float) -> Rules:
    """Changes size and komi of rules; a handicap stays with the game."""
    from dataclasses import replace

    try:
        return replace(rules, size=size, komi=komi)
    except ValueError as error:
        raise CommandError(str(error)) from None


def _place(session: Session, stones: list[int]) -> str:
    """Puts handicap stones on the empty board and names them."""
    if session.table.moves or session.table.position.board.any():
        raise CommandError("board not empty")
    try:
        session.table.set_up(Setup(black=tuple(stones), to_move=WHITE, handicap=len(stones)))
    except ValueError as error:
        raise CommandError(f"bad vertex list: {error}") from None
    session.new_game()
    return session.table.names(stones)


def _chain(session: Session, args: list[str]) -> tuple[list[int], list[int]]:
    take(args, 1, 1, "VERTEX")
    action = read_point(args[0], session.table.size)
    if session.table.position.board.ravel()[action] == EMPTY:
        raise CommandError(f"vertex must not be empty: there is no stone at {shown(session.table.name(action))[1:-1]}")
    return session.table.chain(action)


COMMANDS: dict[str, Command] = {
    "protocol_version": protocol_version,
    "name": name,
    "version": program_version,
    "known_command": known_command,
    "list_commands": list_commands,
    "help": list_commands,
    "quit": leave,
    "boardsize": boardsize,
    "rectangular_boardsize": boardsize,
    "query_boardsize": query_boardsize,
    "clear_board": clear_board,
    "komi": komi,
    "get_komi": get_komi,
    "play": play,
    "undo": undo,
    "gg-undo": gg_undo,
    "showboard": showboard,
    "fixed_handicap": fixed_handicap,
    "place_free_handicap": place_free_handicap,
    "set_free_handicap": set_free_handicap,
    "set_position": set_position,
    "is_legal": is_legal,
    "all_legal": all_legal,
    "captures": captures,
    "color": color,
    "countlib": countlib,
    "findlib": findlib,
    "list_stones": list_stones,
    "last_move": last_move,
    "move_history": move_history,
}
