"""Arguments of GTP commands: numbers, colours, points; what cannot be read is a `CommandError`."""

import math
import re

from palestra.envs.go.game import parse_vertex
from palestra.envs.go.state import BLACK, WHITE

NAMES = {BLACK: "black", WHITE: "white"}
LETTERS = {BLACK: "B", WHITE: "W"}
_COLORS = {"b": BLACK, "black": BLACK, "w": WHITE, "white": WHITE}
_INT, _FLOAT = re.compile(r"[+-]?[0-9]{1,9}"), re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_SHOWN = 30  # characters of an argument that a message repeats


class CommandError(Exception):
    """A command fails; the text is what follows the question mark."""


def shown(argument: str) -> str:
    """Returns an argument as a message repeats it: ASCII, quoted, not too long."""
    cut = argument if len(argument) <= _SHOWN else argument[:_SHOWN] + "..."
    return ascii(cut)


def syntax_error(what: str) -> CommandError:
    """Makes the failure of arguments that cannot be read."""
    return CommandError(f"syntax error: {what}")


def take(args: list[str], least: int, most: int, usage: str) -> list[str]:
    """Checks the number of arguments."""
    if not least <= len(args) <= most:
        wanted = f"arguments are {usage}" if usage else "there are no arguments"
        raise syntax_error(f"{wanted}, but {len(args)} came")
    return args


def read_int(text: str, what: str, least: int, most: int) -> int:
    """Reads a whole number."""
    if not _INT.fullmatch(text) or not least <= int(text) <= most:
        raise syntax_error(f"{what} is {shown(text)}, but a whole number from {least} to {most} is wanted")
    return int(text)


def read_float(text: str, what: str) -> float:
    """Reads a finite number."""
    value = float(text) if _FLOAT.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise syntax_error(f"{what} is {shown(text)}, but a number is wanted")
    return value


def read_seconds(text: str, what: str) -> float:
    """Reads a time; as some controllers send times below 0, these are 0."""
    value = read_float(text, what)
    if value > 1e9:
        raise syntax_error(f"{what} is {shown(text)}, but seconds up to 1e9 are wanted")
    return max(value, 0.0)


def is_color(text: str) -> bool:
    """Says whether a word names a colour."""
    return text.lower() in _COLORS


def read_color(text: str) -> int:
    """Reads a colour: 1 black, 2 white."""
    if not is_color(text):
        raise syntax_error(f"the colour is {shown(text)}, but black or white is wanted")
    return _COLORS[text.lower()]


def read_vertex(text: str, size: int) -> int:
    """Reads a point or pass as an action."""
    if len(text) > 4:
        raise syntax_error(f"{shown(text)} is no point, as in D4, and not pass")
    try:
        return parse_vertex(size, text)
    except ValueError as error:
        raise syntax_error(str(error).encode("ascii", "backslashreplace").decode()) from None


def read_point(text: str, size: int) -> int:
    """Reads a point as an action."""
    action = read_vertex(text, size)
    if action == size * size:
        raise syntax_error("a point is wanted, not a pass")
    return action


def read_bool(text: str, what: str) -> bool:
    """Reads true or false."""
    if text.lower() not in ("true", "false"):
        raise syntax_error(f"{what} is {shown(text)}, but true or false is wanted")
    return text.lower() == "true"
