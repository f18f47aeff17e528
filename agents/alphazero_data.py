"""What AlphaZero learns from: the latest positions of its games, shown turned and mirrored where the rules allow it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from palestra.agents.search_games import Samples
from palestra.agents.symmetry import NUM, tables, turn_boards


class Window:
    """The latest positions, at most `size` of them."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._samples: Samples | None = None

    def __len__(self) -> int:
        """Returns the number of positions."""
        return 0 if self._samples is None else len(self._samples.value)

    def add(self, parts: Sequence[Samples]) -> int:
        """Adds positions, forgets the oldest ones, and returns how many were added."""
        fresh = sum(len(part.value) for part in parts)
        every = [*([] if self._samples is None else [self._samples]), *parts]
        self._samples = Samples(*(np.concatenate(arrays)[-self._size :] for arrays in zip(*every, strict=True)))
        return fresh

    def sample(self, rng: np.random.Generator, count: int) -> Samples:
        """Draws positions, each as likely."""
        assert self._samples is not None
        rows = rng.integers(len(self), size=count)
        obs, policy, value, owner, lead = self._samples
        return Samples(obs[rows], policy[rows], value[rows], owner[rows], lead[rows])

    def state(self) -> dict[str, Any]:
        """Returns all positions."""
        return {} if self._samples is None else dict(self._samples._asdict())

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes back what `state` gave."""
        self._samples = Samples(**{name: np.array(value) for name, value in state.items()}) if state else None


def learning_batch(samples: Samples, symmetry: str, rng: np.random.Generator) -> tuple[Tensor, ...]:
    """Returns boards `[B, C, H, W]`, policies, values, owners and leads, each part turned by a symmetry of the game."""
    obs = torch.from_numpy(samples.obs).float()
    policy, owner = torch.from_numpy(samples.policy), torch.from_numpy(samples.owner).float()
    if symmetry != "none":
        kinds = NUM if symmetry == "square" else 2
        order = rng.permutation(kinds).tolist()  # so that a rest of the batch goes to any of them
        parts = [turned(*part, k, symmetry) for part, k in zip(_split(obs, policy, owner, kinds), order, strict=True)]
        obs, policy, owner = (torch.cat(part) for part in zip(*parts, strict=True))
    return obs, policy, torch.from_numpy(samples.value), owner, torch.from_numpy(samples.lead)


def turned(obs: Tensor, policy: Tensor, owner: Tensor, k: int, symmetry: str) -> tuple[Tensor, Tensor, Tensor]:
    """Turns boards `[B, C, H, W]`, policies `[B, A]` and owners `[B, P]` by the k-th symmetry."""
    if symmetry == "mirror":
        return (obs.flip(3), policy.flip(1), owner) if k else (obs, policy, owner)
    source = tables(obs.shape[-1])[0][k]
    return turn_boards(obs, k), policy[:, source[: policy.shape[1]]], owner[:, source[: owner.shape[1]]]


def _split(obs: Tensor, policy: Tensor, owner: Tensor, kinds: int) -> list[tuple[Tensor, Tensor, Tensor]]:
    return list(zip(obs.tensor_split(kinds), policy.tensor_split(kinds), owner.tensor_split(kinds), strict=True))


def losses_of(network: Any, batch: Sequence[Tensor], *, bf16: bool = False) -> dict[str, Tensor]:
    """Returns the mean losses of a batch as `learning_batch` gives it, by name.

    `policy` is the cross-entropy, `value` the squared error; where there are owners, `owner` is the squared error of
    whose each point is, and `lead` Huber's loss of the lead, in sides of the board.
    """
    obs, policy, value, owner, lead = batch
    with torch.autocast(obs.device.type, torch.bfloat16, enabled=bf16):
        planes = network.planes(obs)
    out = network.head(planes)
    losses = {
        "policy": -(policy * out[:, :-1].log_softmax(1)).sum(1).mean(),
        "value": (out[:, -1].tanh() - value).square().mean(),
    }
    if owner.shape[1]:
        outcome = network.head.outcome(planes)
        losses["owner"] = (outcome[:, :-1].tanh() - owner).square().mean()
        losses["lead"] = nn.functional.smooth_l1_loss(outcome[:, -1], lead / obs.shape[-1])
    return losses
