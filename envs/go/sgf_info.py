"""What the root of a game says of the game: board, komi, handicap, rules, result; as files in the wild write it."""

import re

from palestra.envs.go.sgf import LARGEST, Node

_NUMBER = re.compile(r"[+-]?(?:\d{1,9}(?:[.,]\d{0,9})?|[.,]\d{1,9})")
_WINNER = re.compile(r"(b|w|black|white)\s*\+\s*(.*)", re.IGNORECASE)
_HOW = {"r": "R", "resign": "R", "resignation": "R", "t": "T", "time": "T", "f": "F", "forfeit": "F"}
_NO_WINNER = {"0": "0", "draw": "0", "jigo": "0", "void": "Void", "?": "?"}
RULES = {  # what RU says, small and without signs: the name of a set in `envs/go/rules.py`
    "chinese": "chinese",
    "cn": "chinese",
    "japanese": "japanese",
    "jp": "japanese",
    "korean": "japanese",
    "aga": "aga",
    "bga": "aga",
    "french": "aga",
    "tromptaylor": "tromp-taylor",
    "tt": "tromp-taylor",
    "cgos": "cgos",
}


def size_of(root: Node) -> tuple[int, int]:
    """Returns columns and rows of the board; 19x19 where SZ is absent, as FF[4] has it for Go.

    Raises:
        ValueError: SZ is neither a number nor two, or beyond 52.
    """
    given = root.simple("SZ") if "SZ" in root.properties else "19"
    match = re.fullmatch(r"\s*(\d{1,2})\s*(?:[:x]\s*(\d{1,2})\s*)?", given, re.ASCII)
    columns, rows = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not (1 <= columns <= LARGEST and 1 <= rows <= LARGEST):
        raise ValueError(f"SZ is {given[:20]!r}, but one number from 1 to {LARGEST} or two, as in 9:13, are wanted")
    return columns, rows


def komi_of(root: Node) -> float | None:
    """Returns the points that White gets, or None where KM is absent, empty, no number, or beyond any board.

    0 stays 0, though some servers write it for a komi that they do not tell. Two habits of Chinese servers are undone:
    hundredths (650 is 6.5; anything from 200 up, and 50 where AP is foxwq), and stones in place of points, of which two
    make one (3.75, or 375 in hundredths, is 7.5): what is below 5 and has a quarter left over, and 350, counts stones.
    """
    match = _NUMBER.match(root.simple("KM"))
    if not match:
        return None
    komi = round(float(match[0].replace(",", ".")), 3)
    hundredths = abs(komi) >= 200 or (abs(komi) == 50 and "foxwq" in ":".join(root.properties.get("AP", [])))
    if hundredths:
        komi = round(komi / 100, 3)
    if abs(komi) < 5 and (komi * 2 % 1 == 0.5 or (hundredths and abs(komi) == 3.5)):
        komi *= 2
    return komi if abs(komi) < 200 else None


def handicap_of(root: Node) -> int:
    """Returns the number of handicap stones, 0 where HA is absent or no number; 1, which gives no stone, is 0 too."""
    match = re.match(r"\d{1,3}", root.simple("HA"), re.ASCII)
    handicap = int(match[0]) if match else 0
    return 0 if handicap == 1 else handicap


def rules_of(root: Node) -> str:
    """Returns the name of the rules: one of `envs/go/rules.py` if RU means it, else what RU says, empty if absent."""
    given = root.simple("RU")
    return RULES.get(re.sub(r"[^a-z]", "", given.lower().removesuffix("rules")), given)


def result_of(root: Node) -> str:
    """Returns the result as FF[4] writes it: B+3.5, W+R, W+T, B+F, B+ (by how much is unknown), 0, Void or ?.

    Draw and Jigo are 0, B+Resign is B+R, 3.50 is 3.5; what is not understood, and no RE at all, is ?.
    """
    given = root.simple("RE")
    match = _WINNER.match(given)
    if not match:
        return _NO_WINNER.get(given.lower(), "?")
    winner, how = match[1][0].upper(), match[2].strip().lower()
    points = _NUMBER.match(how)
    if points:
        return f"{winner}+{float(points[0].replace(',', '.')):g}"
    return f"{winner}+{_HOW.get(how.split()[0].rstrip('.'), '')}" if how else f"{winner}+"
