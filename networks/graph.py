"""Graph convolution (Kipf & Welling, "Semi-supervised classification with graph convolutional networks", 2017).

A graph of N nodes is the sparse matrix `[N, N]` that `normalized_adjacency` makes of its edges; a layer multiplies by
it and by its weights (their equation 2).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def normalized_adjacency(edges: Tensor, num_nodes: int) -> Tensor:
    """Returns D^-1/2 (A + I) D^-1/2 of an undirected graph as a sparse tensor `[num_nodes, num_nodes]`.

    `edges` `[2, E]` (integers) holds the two nodes of each edge, in one or both directions; an edge counts once, and
    every node is joined to itself once. D is diagonal: the sums of the rows of A + I.

    Raises:
        ValueError: the edges have another shape, or name nodes that are not there.
    """
    if edges.dim() != 2 or edges.shape[0] != 2 or edges.is_floating_point():
        raise ValueError(f"edges must be integers [2, E], but are {edges.dtype} {list(edges.shape)}")
    if edges.numel() and not 0 <= int(edges.min()) <= int(edges.max()) < num_nodes:
        raise ValueError(f"nodes must be from 0 to {num_nodes - 1}, but are from {edges.min()} to {edges.max()}")
    loops = torch.arange(num_nodes, device=edges.device).expand(2, -1)
    pairs = torch.unique(torch.cat([edges.long(), edges.long().flip(0), loops], dim=1), dim=1)
    scale = torch.bincount(pairs[0], minlength=num_nodes).float().rsqrt()
    values = scale[pairs[0]] * scale[pairs[1]]
    return torch.sparse_coo_tensor(pairs, values, (num_nodes, num_nodes), check_invariants=True).coalesce()


class GraphConv(nn.Module):
    """A layer: the features of each node's neighbourhood, averaged by the adjacency, times weights, plus a bias.

    Weights begin as Glorot & Bengio's (2010), uniform, and the bias at zero, as in the authors' code.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(in_channels, out_channels)))
        self.bias = nn.Parameter(torch.zeros(out_channels))

    def forward(self, x: Tensor, adjacency: Tensor | None = None) -> Tensor:
        """Maps nodes `[N, in_channels]`, dense or sparse, to `[N, out_channels]`.

        `adjacency` is a sparse `[N, N]`; without one no two nodes are joined.
        """
        x = torch.sparse.mm(x, self.weight) if x.is_sparse else x @ self.weight
        return (x if adjacency is None else torch.sparse.mm(adjacency, x)) + self.bias


class GCN(nn.Module):
    """Graph convolutions, each hidden one followed by a ReLU, with dropout before each: theirs has 16 hidden units.

    A batch is the nodes of a graph: `forward(x, adjacency)` maps `[N, in_channels]` to `[N, num_classes]`, one row a
    node. Without an adjacency no two nodes are joined, and this is an `mlp` on their vectors.

    Raises:
        ValueError: a layer has no units.
    """

    input_rank: ClassVar[int] = 1
    heads: ClassVar[tuple[str, ...]] = ("head",)

    def __init__(
        self, in_channels: int, num_classes: int | None = None, *, hidden: Sequence[int] = (16,), dropout: float = 0.5
    ) -> None:
        super().__init__()
        sizes = (in_channels, *hidden)
        if min(sizes) < 1 or num_classes == 0:
            raise ValueError(f"every layer must have at least one unit, but the sizes are {(*sizes, num_classes)}")
        self.in_channels, self.num_features, self.dropout = in_channels, sizes[-1], dropout
        self.features = nn.ModuleList()
        for num_in, num_out in pairwise(sizes):
            self.features.extend([GraphConv(num_in, num_out), nn.ReLU()])
        self.stages = tuple(f"features.{2 * i + 1}" for i in range(len(hidden)))
        self.head = None if num_classes is None else GraphConv(self.num_features, num_classes)

    def forward(self, x: Tensor, adjacency: Tensor | None = None) -> Tensor:
        """Maps nodes `[N, in_channels]`, dense or sparse, to `[N, num_classes]`.

        Raises:
            ValueError: the nodes and the adjacency do not fit together.
        """
        if x.dim() != 2 or x.shape[1] != self.in_channels:
            raise ValueError(f"nodes must be [N, {self.in_channels}], but are {list(x.shape)}")
        if adjacency is not None and adjacency.shape != (len(x), len(x)):
            raise ValueError(f"the adjacency of {len(x)} nodes must be square, but is {list(adjacency.shape)}")
        x = x.to(next(self.parameters(), x).dtype)
        for layer in self.features:
            x = layer(self._drop(x), adjacency) if isinstance(layer, GraphConv) else layer(x)
        return x if self.head is None else self.head(self._drop(x), adjacency)

    def _drop(self, x: Tensor) -> Tensor:
        """Sets values to zero at random while training; of a sparse tensor, those that it has."""
        if not x.is_sparse or not self.training:
            return F.dropout(x, self.dropout, self.training)
        values = F.dropout(x.values(), self.dropout)
        return torch.sparse_coo_tensor(x.indices(), values, x.shape, is_coalesced=True, check_invariants=False)
