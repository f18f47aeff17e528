"""The rules of Go as an explicit value, and the sets of them that have names."""

import difflib
from dataclasses import dataclass, replace
from typing import Any, Literal

Superko = Literal["simple", "positional", "situational"]
Scoring = Literal["area", "territory"]
Bonus = Literal["none", "n-1", "n"]
SUPERKO: tuple[Superko, ...] = ("simple", "positional", "situational")
SCORING: tuple[Scoring, ...] = ("area", "territory")
BONUS: tuple[Bonus, ...] = ("none", "n-1", "n")
SMALLEST, LARGEST = 2, 25
MOST_HANDICAP = 9


def most_handicap(size: int) -> int:
    """Returns how many handicap stones have a usual point: 9 on odd boards from 9 up, 4 on others from 7 up."""
    if size < 7:
        return 0
    return MOST_HANDICAP if size >= 9 and size % 2 else 4


@dataclass(frozen=True)
class Rules:
    """What may be played and how a game is counted; a game ends by two passes in a row or by its cap.

    Raises:
        ValueError: a value is outside what is said at its field.
    """

    size: int = 19
    """Lines of the board, 2 to 25."""
    komi: float = 7.5
    """Points that White gets, a multiple of a half."""
    superko: Superko = "positional"
    """Which repetition is forbidden. simple: taking back a ko at once. positional: any position that was on the board
    before. situational: any such position with the same player to move."""
    suicide: bool = False
    """Whether a move may leave its own chain without liberties, which is then taken off."""
    scoring: Scoring = "area"
    """area: stones and surrounded points count. territory: surrounded points and prisoners count."""
    handicap: int = 0
    """Black stones on the usual points before White's first move, 0 or 2 to 9."""
    handicap_bonus: Bonus = "none"
    """Points that White gets for handicap stones: none, n or n-1 of them."""
    agreement: bool = False
    """Whether those who have both passed take dead stones off before they count, as people do (KataGo calls it
    friendlyPassOk). Matches and engines count so, a `Game` as `play_agreed` says, environments what stands."""
    max_moves: int = 0
    """Moves, passes among them, after which a game is cut off and counted; 0 means twice the points, at least 100."""

    def __post_init__(self) -> None:
        if not SMALLEST <= self.size <= LARGEST:
            raise ValueError(f"a board of size {self.size} was asked for, but {SMALLEST} to {LARGEST} are played")
        if not abs(self.komi) <= 1000 or self.komi * 2 != int(self.komi * 2):
            raise ValueError(f"komi is {self.komi}, but a multiple of 0.5 from -1000 to 1000 is wanted")
        for name, value, known in (
            ("superko", self.superko, SUPERKO),
            ("scoring", self.scoring, SCORING),
            ("handicap_bonus", self.handicap_bonus, BONUS),
        ):
            if value not in known:
                raise ValueError(f"{name} is {value!r}, but one of {', '.join(known)} is wanted")
        if self.handicap not in (0, *range(2, most_handicap(self.size) + 1)):
            most = most_handicap(self.size)
            wanted = f"0 or 2 to {most}" if most else "none"
            raise ValueError(
                f"a handicap of {self.handicap} on size {self.size} was asked for, but {wanted} is possible"
            )
        if self.max_moves < 0:
            raise ValueError(f"max_moves is {self.max_moves}, but 0 (twice the points) or more is wanted")

    @property
    def longest(self) -> int:
        """Moves after which a game is cut off."""
        return self.max_moves or max(100, 2 * self.size * self.size)

    @property
    def white_bonus(self) -> float:
        """Points that White gets in all: komi and what handicap stones give."""
        given = {"none": 0, "n-1": self.handicap - 1, "n": self.handicap}[self.handicap_bonus]
        return self.komi + max(given, 0)


NAMED = {
    # tromp.github.io/go.html: positional superko, suicide allowed, area
    "tromp-taylor": Rules(superko="positional", suicide=True),
    # Rules of the Chinese Weiqi Association (2002), articles 6 (no repetition), 9 (area); White gets n points
    "chinese": Rules(superko="positional", handicap_bonus="n", agreement=True),
    # Nihon Kiin (1989), articles 4 to 6 and 10: simple ko (long cycles are no result there, here the cap ends them)
    "japanese": Rules(superko="simple", scoring="territory", komi=6.5, agreement=True),
    # American Go Association (1991): situational superko; area and territory give the same result there
    "aga": Rules(superko="situational", handicap_bonus="n-1", agreement=True),
    # Computer Go Server: positional superko, no suicide, area
    "cgos": Rules(superko="positional"),
}
KOMI = {"cgos": {9: 7.0}}  # where a set has another komi on a small board


def rules_named(name: str, **changes: Any) -> Rules:
    """Returns a named set of rules; `size`, `komi` and the other fields may be changed, None changes nothing.

    Raises:
        ValueError: there is no such set (the nearest is offered), or a field is wrong.
    """
    if name not in NAMED:
        near = difflib.get_close_matches(name, NAMED, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(NAMED)}"
        raise ValueError(f"there are no rules named {name!r}; {hint}")
    wanted = {key: value for key, value in changes.items() if value is not None}
    size = int(wanted.get("size", NAMED[name].size))
    komi = KOMI.get(name, {}).get(size, NAMED[name].komi)
    return replace(NAMED[name], **{"komi": komi, **wanted})


def handicap_points(size: int, handicap: int) -> list[tuple[int, int]]:
    """Returns the usual points (row, column) of handicap stones, in the order of GTP 2, section 4.1.1."""
    near = 3 if size >= 13 else 2
    far, middle = size - 1 - near, size // 2
    corners = [(far, near), (near, far), (near, near), (far, far)]
    sides = [(middle, near), (middle, far), (near, middle), (far, middle)]
    points = corners[: min(handicap, 4)] + sides[: 2 * max(0, (handicap - 4) // 2)]
    return points + [(middle, middle)] * (handicap in (5, 7, 9))
