"""Maps of grid worlds, written with a letter a cell; rows are separated by a newline or by '/'.

    .        floor
    #        wall: cannot be entered
    S        start; of several, each episode draws one, all equally likely
    G        goal: ends the episode and pays 1
    0 to 9   goals that pay that much
    P        pit: ends the episode and pays -1
    C        cliff: entering it pays -100 and takes back to the start, of which there must then be only one
    A … Z    a jump (any capital but C, G, P and S): whatever is done there leads to the cell with the small letter and
             pays what a step pays; several may lead to the same cell (Sutton and Barto, 2nd edition, Example 3.5)
    a … z    floor, where the jump of the capital letter leads

What G, P, C, the digits and the jumps pay can be set letter by letter (`rewards` in `envs/gridworld.py`).
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.uint8]  # [H, W], ASCII codes

FLOOR: Final = ord(".")
WALL: Final = ord("#")
START: Final = ord("S")
GOAL: Final = ord("G")
PIT: Final = ord("P")
CLIFF: Final = ord("C")
ZERO: Final = ord("0")
NINE: Final = ord("9")
DIGITS = "0123456789"
JUMPS = "ABDEFHIJKLMNOQRTUVWXYZ"
LEGEND = (
    "'.' floor, '#' wall, 'S' start, 'G' goal, 'P' pit, 'C' cliff, '0' to '9' goals that pay that much, "
    "any other capital a jump to its small letter"
)
_PAYS = {"G": 1.0, "P": -1.0, "C": -100.0} | {digit: float(digit) for digit in DIGITS}


def parse_map(map: str | Sequence[str] | Cells) -> Cells:
    """Reads a map: one string, one string a row, or ASCII codes `[H, W]`. Blanks around rows do not count.

    Raises:
        ValueError: the map is empty, ragged or without a start, or a letter is unknown or misplaced.
    """
    if isinstance(map, np.ndarray):
        if map.ndim != 2 or map.dtype != np.uint8 or not map.size:
            raise ValueError(f"a map of ASCII codes must be [H, W] uint8, but is {list(map.shape)} {map.dtype}")
        cells = np.ascontiguousarray(map)
    else:
        rows = map.strip().replace("/", "\n").split("\n") if isinstance(map, str) else map
        cells = _codes([row.strip() for row in rows])
    _check_letters(cells)
    return cells


def leads_to(cells: Cells) -> NDArray[np.int64]:
    """Returns `[128]`: the cell to which a jump's or the cliff's letter leads, -1 for all other letters."""
    leads = np.full(128, -1, np.int64)
    leads[CLIFF] = np.argmax(cells == START)
    for letter in JUMPS:
        if (cells == ord(letter)).any():
            leads[ord(letter)] = np.argmax(cells == ord(letter.lower()))
    return leads


def letter_rewards(rewards: Mapping[str, float] | None) -> NDArray[np.float64]:
    """Returns `[128]`: what each letter pays, NaN where it pays what a step does.

    Raises:
        ValueError: a letter cannot have a reward of its own, or the reward is not finite.
    """
    pays = np.full(128, np.nan)
    for letter, reward in (_PAYS | dict(rewards or {})).items():
        if letter not in _PAYS and (len(letter) != 1 or letter not in JUMPS):
            raise ValueError(f"{letter!r} cannot have a reward, but G, P, C, 0 to 9 and the capitals of jumps can")
        if not np.isfinite(reward):
            raise ValueError(f"the reward of {letter!r} is {reward}, but must be finite")
        pays[ord(letter)] = reward
    return pays


def _codes(rows: Sequence[str]) -> Cells:
    if not rows or not rows[0]:
        raise ValueError("the map is empty, but rows of cells are wanted, such as 'S.G/...'")
    for number, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise ValueError(f"row {number + 1} of the map has {len(row)} cells, but row 1 has {len(rows[0])}")
    codes = np.frombuffer("".join(rows).encode("utf-32-le"), np.uint32).reshape(len(rows), -1)
    if (codes > 127).any():
        _reject(rows, *np.argwhere(codes > 127)[0].tolist())
    return codes.astype(np.uint8)


def _check_letters(cells: Cells) -> None:
    counts = np.bincount(cells.ravel(), minlength=256)
    known = {*".#SGPC", *DIGITS}
    for letter in JUMPS:
        small = letter.lower()
        if counts[ord(letter)]:
            known |= {letter, small}
            if counts[ord(small)] != 1:
                raise ValueError(
                    f"the jump {letter} leads to {small}, of which the map has {counts[ord(small)]}, not one"
                )
    for code in np.flatnonzero(counts):
        if chr(code) not in known:
            row, column = np.argwhere(cells == code)[0].tolist()
            _reject([line.tobytes().decode("latin-1") for line in cells], row, column)
    if not counts[START]:
        raise ValueError("the map has no start: at least one cell must be 'S'")
    if counts[CLIFF] and counts[START] > 1:
        raise ValueError(f"the cliff takes back to the start, but the map has {counts[START]} of them, not one")


def _reject(rows: Sequence[str], row: int, column: int) -> None:
    letter = rows[row][column]
    raise ValueError(f"row {row + 1}, column {column + 1} of the map is {letter!r}, but a cell is one of {LEGEND}")
