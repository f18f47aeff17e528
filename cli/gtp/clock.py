"""Time in games of Go: what a controller says of the clock, and how long a move may take."""

import math
from dataclasses import dataclass
from typing import Literal

Kind = Literal["none", "absolute", "canadian", "byoyomi"]
KINDS: tuple[Kind, ...] = ("none", "absolute", "canadian", "byoyomi")
LAG = 0.1  # seconds that an answer may need on its way
SHARE = 0.95  # of what is left that one move may take at most
LEAST = 0.01  # seconds
OWN_MOVES = 0.35  # of the points: moves that one player makes in a game
LAST_MOVES = 0.1  # of the points: moves that may always be left


@dataclass(frozen=True)
class TimeSettings:
    """A time system; all times are in seconds."""

    kind: Kind = "none"
    main: float = 0.0
    """Time before overtime begins."""
    period: float = 0.0
    """Length of a period of overtime."""
    number: int = 0
    """canadian: stones to play in a period. byoyomi: periods of one move each."""


@dataclass(frozen=True)
class TimeLeft:
    """What a player has left, as `time_left` says it."""

    seconds: float
    """Of main time, or of the current period."""
    number: int = 0
    """0 in main time; otherwise stones to play in this period, or periods left for byoyomi."""


def standard(main: float, period: float, stones: int) -> TimeSettings:
    """Reads `time_settings` (GTP 2 draft 2, section 4.2): periods without stones are no limit."""
    if period > 0 and stones == 0:
        return TimeSettings()
    if period > 0:
        return TimeSettings("canadian", main, period, stones)
    return TimeSettings("absolute", main)


def moves_left(size: int, played: int) -> float:
    """Returns how many more moves a player should have time for who has made `played` on a board of `size` lines."""
    points = size * size
    return max(OWN_MOVES * points - played, LAST_MOVES * points, 4.0)


def budget(settings: TimeSettings, left: TimeLeft | None, size: int, played: int) -> float:
    """Returns the seconds for the next move; infinite without a limit.

    Main time is spread evenly over the moves to come, a canadian period over its stones, and a move of byoyomi takes
    its period. Before overtime a move may take as long as one of overtime would, the main time allowing.
    """
    if settings.kind == "none":
        return math.inf
    left = left or TimeLeft(settings.main)
    overtime = _overtime(settings, left)
    if left.number or left.seconds <= 0 or (settings.main <= 0 and settings.kind != "absolute"):
        return max(overtime, LEAST)
    wanted = max(left.seconds / moves_left(size, played), overtime)
    return max(min(wanted - LAG, SHARE * (left.seconds + overtime) - LAG), LEAST)


def _overtime(settings: TimeSettings, left: TimeLeft) -> float:
    """Returns the seconds for a move in the current period of overtime, or in the first one."""
    if settings.kind == "absolute" or settings.number == 0:
        return 0.0
    seconds = left.seconds if left.number else settings.period
    stones = (left.number or settings.number) if settings.kind == "canadian" else 1
    return max(min(seconds / stones, SHARE * seconds) - LAG, 0.0)
