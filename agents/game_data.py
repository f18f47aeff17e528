"""Game records as data to learn from: read once, said what was left out, and some games held out whole."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from palestra.envs.go.game_set import GameSet, read_game_set

Ints = NDArray[np.int64]
NAMED = 5  # games left out that are named


def read_and_split(path: str, size: int, held_out: float, seed: int) -> tuple[GameSet, Ints, Ints]:
    """Returns the games at a path, and the numbers of those to learn from and of the share that is held out.

    A warning says how many games were left out, and of the first ones why.

    Raises:
        ValueError: no path is given, there is nothing there, or no game can be used.
    """
    if not path:
        raise ValueError("the games are missing: --games PATH, an SGF file, an archive or a folder of them")
    refused: list[str] = []
    games = read_game_set(path, size, report=refused.append)
    if refused:
        some = "; ".join(refused[:NAMED]) + (" ..." if len(refused) > NAMED else "")
        warnings.warn(f"{len(refused):,} games were left out, {len(games):,} are used: {some}", stacklevel=3)
    return (games, *games.split(held_out, seed))


def accuracy_by_move(ply: Ints, first: NDArray[Any], five: NDArray[Any]) -> dict[str, Any]:
    """Returns `top1`, `top5`, the number of positions, and `by_move`: [first, positions, top1, top5] of ten moves."""
    hits = np.stack([first, five], axis=1).astype(np.float64)
    tens = [(10 * k, hits[ply // 10 == k]) for k in range(int(ply.max()) // 10 + 1)]
    by_move = [[move, len(part), *part.mean(0).tolist()] for move, part in tens if len(part)]
    top1, top5 = hits.mean(0).tolist()
    return {"top1": top1, "top5": top5, "positions": len(hits), "by_move": by_move}
