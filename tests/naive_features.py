"""Feature planes of Go worked out from plain boards: twins of `envs/go/features.py`."""

import numpy as np
from numpy.typing import NDArray

from tests.naive_go import Board, NaiveGo, after, catches, escapes, flood, liberties, neighbours, ways_out

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


def levels(counts: list[int]) -> list[list[float]]:
    """Returns eight planes: where a count is 1, 2 ... 7, and where it is 8 or more."""
    return [[float(count == k or (k == 8 and count > 8)) for count in counts] for k in range(1, 9)]


def age(game: NaiveGo, p: int) -> int:
    """Returns how many moves ago the stone on p was placed, 1 for the last one, 0 where none is."""
    return game.actions[::-1].index(p) + 1 if game.board[p] else 0


def ladder(game: NaiveGo, p: int, capture: bool) -> float:
    """Says whether a legal move catches in a ladder or escapes from one; NaN where a ko goes on for ever."""
    board, n, own = game.board, game.size, game.to_move
    ko = -1
    if game.last_capture == 1:
        ko = next((q for q in range(n * n) if game.why_not(q) == "ko"), -1)
    try:
        if capture:
            prey = [q for q in neighbours(n, p) if board[q] == 3 - own and len(liberties(board, n, q)) == 2]
            return float(any(catches(board, n, q, p, ko) for q in prey))
        mine = [q for q, there in enumerate(board) if there == own and len(liberties(board, n, q)) == 1]
        return float(any(escapes(board, n, q, p, ko) for q in mine if p in ways_out(board, n, q)))
    except RecursionError:
        return float("nan")


def is_eye(game: NaiveGo, p: int) -> bool:
    """Says whether an empty point is an eye of the player to move."""
    row, column = divmod(p, game.size)
    corners = [(row + r, column + c) for r in (-1, 1) for c in (-1, 1)]
    inside = [game.board[r * game.size + c] for r, c in corners if 0 <= r < game.size and 0 <= c < game.size]
    beside = [game.board[q] == game.to_move for q in neighbours(game.size, p)]
    return all(beside) and inside.count(3 - game.to_move) + (len(inside) < 4) < 2


def alphago(game: NaiveGo) -> Planes:
    """Returns the 48 planes `[48, N, N]`."""
    board, n, own = game.board, game.size, game.to_move
    points = range(n * n)
    legal = [game.why_not(p) == "" for p in points]
    new = [after(board, n, p, own) if legal[p] else (board, 0, 0) for p in points]
    free = [len(liberties(new[p][0], n, p)) if legal[p] and not new[p][2] else 0 for p in points]
    chain = [new[p][2] or len(flood(new[p][0], n, p)[0]) for p in points]
    planes = [plane(board, color) for color in (own, 3 - own, 0)]
    planes += [[1.0] * n * n]
    planes += levels([age(game, p) for p in points])
    planes += levels([len(liberties(board, n, p)) if board[p] else 0 for p in points])
    planes += levels([taken for _, taken, _ in new])
    planes += levels([chain[p] if legal[p] and free[p] < 2 else 0 for p in points])
    planes += levels(free)
    planes += [[ladder(game, p, capture) if legal[p] else 0.0 for p in points] for capture in (True, False)]
    planes += [[float(legal[p] and not is_eye(game, p)) for p in points]]
    planes += [[0.0] * n * n]
    return shaped(planes, n)


def alphago_value(game: NaiveGo) -> Planes:
    """Returns the 49 planes `[49, N, N]`."""
    return np.concatenate([alphago(game), shaped([[float(game.to_move == 1)] * game.size**2], game.size)])


def shaped(planes: list[list[float]], size: int) -> Planes:
    """Returns planes as an array `[C, N, N]`."""
    return np.array(planes, np.float32).reshape(len(planes), size, size)


TWINS = {"alphago-zero": alphago_zero, "alphago": alphago, "alphago-value": alphago_value, "stones": stones}
