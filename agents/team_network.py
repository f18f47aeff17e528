"""The network of an agent in a team: itself, others and things as entities that attend to one another, lidar, memory.

Baker et al., "Emergent tool use from multi-agent autocurricula" (2020), Appendix B: a circular convolution over lidar;
each entity embedded together with the agent itself; residual self-attention under a mask; the mean of what is there;
LSTM. Ours shares the embedding's part for the agent itself among its entities, which is the same layer.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from palestra.networks.attention import SelfAttentionBlock, masked_mean
from palestra.networks.normalisation import RunningNorm
from palestra.networks.recurrent import Recurrent, State

LIDAR_CHANNELS = 9
RANGE = 6.0  # metres of lidar that count as one
ENTITIES = ("others", "things", "sites")  # sets of entities that observations may have
Shapes = Mapping[str, tuple[int, ...]]


class TeamNetwork(nn.Module):
    """Maps what an agent observes to outputs, with a memory.

    Observations are dictionaries: "me" `[B, T, C]` and, where there are such, "others" `[B, T, M, C]`, "things"
    `[B, T, K, C]`, "sites" `[B, T, S, C]` and "ranges" `[B, T, R]`; `mask` `[B, T, M + K + S]` (bool) says which of
    these entities count.
    """

    def __init__(
        self, shapes: Shapes, num_outputs: int, *, width: int = 64, num_heads: int = 4, memory: bool = True
    ) -> None:
        super().__init__()
        self.sets = [name for name in ENTITIES if name in shapes and shapes[name][0] > 0]
        self.norms = nn.ModuleDict({name: RunningNorm(shapes[name][-1]) for name in ("me", *self.sets)})
        rays = shapes["ranges"][0] if "ranges" in shapes else 0
        self.lidar = nn.Conv1d(1, LIDAR_CHANNELS, 3, padding=1, padding_mode="circular") if rays else None
        self.own = nn.Linear(shapes["me"][0] + LIDAR_CHANNELS * rays, width)
        self.of_own = nn.Linear(width, width)
        self.embed = nn.ModuleDict({name: nn.Linear(shapes[name][-1], width, bias=False) for name in self.sets})
        self.attention = SelfAttentionBlock(width, num_heads) if self.sets else None
        self.join = nn.Sequential(nn.Linear(2 * width if self.sets else width, width), nn.ReLU(), nn.LayerNorm(width))
        self.memory = Recurrent(width, num_units=width) if memory else None
        self.after = nn.LayerNorm(width)
        self.head = nn.Linear(width, num_outputs)

    def forward(
        self, obs: Mapping[str, Tensor], mask: Tensor | None, state: State | None = None, first: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Returns outputs `[B, T, num_outputs]` and the state after them; `first` `[B, T]`: an episode begins there."""
        batch, time = obs["me"].shape[:2]
        features = self.features({name: value.flatten(0, 1) for name, value in obs.items()}, _flat(mask))
        features = features.reshape(batch, time, -1)
        after: State = {}
        if self.memory is not None:
            if time == 1:
                out, after = self.memory.step(features[:, 0], state, first=None if first is None else first[:, 0])
                features = features + out[:, None]
            else:
                out, after = self.memory.sequence(features, state, first=first)
                features = features + out
        return self.head(self.after(features)), after

    def features(self, obs: Mapping[str, Tensor], mask: Tensor | None) -> Tensor:
        """Maps single moments `[P, ...]` to features `[P, width]`."""
        me = self.norms["me"](obs["me"])
        if self.lidar is not None:
            me = torch.cat([me, torch.relu(self.lidar(obs["ranges"][:, None] / RANGE)).flatten(1)], dim=1)
        own = torch.relu(self.own(me))
        if self.attention is None:
            return self.join(own)  # type: ignore[no-any-return]
        shared = self.of_own(own)[:, None]
        entities = [torch.relu(self.embed[name](self.norms[name](obs[name])) + shared) for name in self.sets]
        tokens = torch.cat([own[:, None], *entities], dim=1)  # [P, 1 + M + K + S, width]
        there = None if mask is None else torch.cat([torch.ones_like(mask[:, :1]), mask], dim=1)
        pooled = masked_mean(self.attention(tokens, there), there)
        return self.join(torch.cat([own, pooled], dim=1))  # type: ignore[no-any-return]

    def look(self, obs: Mapping[str, Tensor], mask: Tensor | None) -> None:
        """Takes observations `[P, ...]` into account in what is subtracted and divided by."""
        self.norms["me"].update(obs["me"])  # type: ignore[operator]
        begin = 0
        for name in self.sets:
            end = begin + obs[name].shape[1]
            rows = obs[name] if mask is None else obs[name][mask[:, begin:end]]
            self.norms[name].update(rows.reshape(-1, rows.shape[-1]))  # type: ignore[operator]
            begin = end

    def initial_state(self, batch_size: int) -> State:
        """Returns the state at the beginning of episodes."""
        return {} if self.memory is None else self.memory.initial_state(batch_size)


def _flat(mask: Tensor | None) -> Tensor | None:
    return None if mask is None else mask.flatten(0, 1)
