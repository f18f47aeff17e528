"""Feature planes of Go worked out from plain boards: twins of `envs/go/features.py`."""

import numpy as np
from numpy.typing import NDArray

from tests.naive_go import Board, NaiveGo

Planes = NDArray[np.float32]


def plane(board: Board, color: int) -> list[float]:
    """Returns where the stones of a colour are."""
    return [float(there == color) for there in board]


def alphago_zero(game: NaiveGo) -> Planes:
    """Returns the 17 planes `[17, N, N]`."""
    own, empty = game.to_move, (0,) * game.size**2
    boards = [board for board, _ in game.past[::-1]][:8]
    boards += [empty] * (8 - len(boards))
    planes = [plane(board, color) for board in boards for color in (own, 3 - own)]
    return shaped([*planes, [float(own == 1)] * game.size**2], game.size)


def stones(game: NaiveGo) -> Planes:
    """Returns the 4 planes `[4, N, N]`."""
    own = game.to_move
    forbidden = [float(game.why_not(p) not in ("", "occupied")) for p in range(game.size**2)]
    planes = [plane(game.board, own), plane(game.board, 3 - own), forbidden, [float(own == 1)] * game.size**2]
    return shaped(planes, game.size)


def shaped(planes: list[list[float]], size: int) -> Planes:
    """Returns planes as an array `[C, N, N]`."""
    return np.array(planes, np.float32).reshape(len(planes), size, size)


TWINS = {"alphago-zero": alphago_zero, "stones": stones}
