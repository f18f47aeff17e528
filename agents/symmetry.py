"""The eight symmetries of a square board: boards, actions and logits turned and mirrored."""

from functools import cache

import torch
from torch import Tensor

NUM = 8


@cache
def tables(size: int) -> tuple[Tensor, Tensor]:
    """Returns `[8, N * N + 1]` twice: from which action each comes under a symmetry, and to which it goes.

    The first four are quarter turns, the others the same mirrored; the pass, N * N, stays.
    """
    board = torch.arange(size * size).view(size, size)
    turned = [torch.rot90(board, k) for k in range(4)]
    points = torch.stack([*turned, *(x.flip(1) for x in turned)]).flatten(1)
    source = torch.cat([points, torch.full((NUM, 1), size * size)], dim=1)
    return source, source.argsort(dim=1)


def turn_boards(obs: Tensor, k: int) -> Tensor:
    """Turns boards `[B, C, N, N]` by the k-th symmetry."""
    obs = torch.rot90(obs, k % 4, (2, 3))
    return obs.flip(3) if k >= 4 else obs


def turn_actions(action: Tensor, k: int, size: int) -> Tensor:
    """Says where actions, of any shape, go under the k-th symmetry."""
    return tables(size)[1].to(action.device)[k][action]


def turn_back(logits: Tensor, k: int, size: int) -> Tensor:
    """Brings logits `[B, N * N]` or `[B, N * N + 1]` of boards that were turned back into the order of the actions."""
    return logits[:, tables(size)[1].to(logits.device)[k][: logits.shape[1]]]


def spread(obs: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
    """Turns each eighth of a batch, boards `[B, C, N, N]` and actions `[B]`, by another symmetry."""
    parts = list(enumerate(zip(obs.tensor_split(NUM), action.tensor_split(NUM), strict=True)))
    size = obs.shape[-1]
    boards = torch.cat([turn_boards(x, k) for k, (x, _) in parts])
    return boards, torch.cat([turn_actions(a, k, size) for k, (_, a) in parts])
