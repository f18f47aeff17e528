"""Graph convolution against dense matrices."""

import importlib.util
import os
from pathlib import Path

import pytest
import torch
from torch import Tensor

from palestra.networks import create
from palestra.networks.graph import GCN, GraphConv, normalized_adjacency
from palestra.networks.pretrained import from_pretrained, save_pretrained

EDGES = torch.tensor([[0, 1, 1, 3, 3, 2], [1, 2, 2, 2, 3, 3]])  # with one twice, one both ways, and a loop
N, C = 5, 4  # node 4 has no edge


def dense_adjacency() -> Tensor:
    a = torch.tensor([[0, 1, 0, 0, 0], [1, 0, 1, 0, 0], [0, 1, 0, 1, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0.0]])
    a += torch.eye(N)
    d = torch.diag(a.sum(1) ** -0.5)
    return d @ a @ d


def nodes() -> Tensor:
    return torch.randn(N, C, generator=torch.Generator().manual_seed(0))


def test_adjacency_is_the_formula() -> None:
    adjacency = normalized_adjacency(EDGES, N)
    torch.testing.assert_close(adjacency.to_dense(), dense_adjacency())
    assert adjacency.is_sparse
    assert adjacency.values().numel() == 3 * 2 + N
    assert normalized_adjacency(torch.zeros(2, 0, dtype=torch.int64), 3).to_dense().equal(torch.eye(3))


@pytest.mark.parametrize("sparse", [False, True])
def test_network_is_the_dense_computation(sparse: bool) -> None:
    torch.manual_seed(0)
    network, a = create("gcn", in_channels=C, num_classes=3, hidden=(6,)).eval(), dense_adjacency()
    (w0, b0), (w1, b1) = ((p.weight, p.bias) for p in (network.features[0], network.head))
    torch.nn.init.normal_(b0)
    torch.nn.init.normal_(b1)
    x = nodes()
    expected = a @ torch.relu(a @ x @ w0 + b0) @ w1 + b1
    actual = network(x.to_sparse() if sparse else x, normalized_adjacency(EDGES, N))
    torch.testing.assert_close(actual, expected)
    of, weigh = list(network.parameters()), torch.randn(N, 3)
    expected_gradient = torch.autograd.grad((expected * weigh).sum(), of)
    torch.testing.assert_close(torch.autograd.grad((actual * weigh).sum(), of), expected_gradient)


def test_permutation_equivariance() -> None:
    network, x, order = GCN(C, 3).eval(), nodes(), torch.tensor([3, 0, 4, 1, 2])
    renamed = order.argsort()[EDGES]  # node order[i] is now called i
    out = network(x, normalized_adjacency(EDGES, N))
    torch.testing.assert_close(network(x[order], normalized_adjacency(renamed, N)), out[order])


def test_without_edges_it_is_fully_connected_layers() -> None:
    network, x = GCN(C, 3).eval(), nodes()
    none = normalized_adjacency(torch.zeros(2, 0, dtype=torch.int64), N)
    torch.testing.assert_close(network(x), network(x, none))


def test_dropout_keeps_the_mean_of_sparse_features() -> None:
    layer, x = GCN(C, hidden=(2,), dropout=0.25), torch.ones(2000, C).to_sparse()
    dropped = layer._drop(x).to_dense()
    assert {round(v, 4) for v in dropped.unique().tolist()} == {0.0, round(1 / 0.75, 4)}
    assert abs(float(dropped.mean()) - 1) < 0.03  # five standard errors of 8000 draws
    assert layer.eval()._drop(x).to_dense().eq(1).all()


def test_features_stages_and_saving(tmp_path: Path) -> None:
    network, adjacency = (
        create("gcn", in_channels=C, num_classes=3, hidden=(7, 6)).eval(),
        normalized_adjacency(EDGES, N),
    )
    loaded = from_pretrained(save_pretrained(network, tmp_path)).eval()
    torch.testing.assert_close(loaded(nodes(), adjacency), network(nodes(), adjacency), rtol=0, atol=0)
    assert network.num_features == 6
    assert GCN(C, hidden=(7, 6))(nodes(), adjacency).shape == (N, 6)
    maps = create("gcn", in_channels=C, num_classes=3, hidden=(7, 6), features_only=True)
    assert [m.shape for m in maps(nodes())] == [(N, 7), (N, 6)]


def test_parameter_count_is_the_papers_network_on_cora() -> None:
    # Kipf & Welling 2017, Sections 5.1 and 5.2: 1433 words, 16 hidden units, 7 classes; a bias a unit.
    assert sum(p.numel() for p in GCN(1433, 7).parameters()) == 1433 * 16 + 16 + 16 * 7 + 7


@pytest.mark.slow
@pytest.mark.skipif("PALESTRA_DATA" not in os.environ, reason="PALESTRA_DATA names no folder with cora/cora.npz")
def test_accuracy_on_cora() -> None:
    # Kipf & Welling 2017, Table 2: 81.5 %; less three standard errors of three seeds that spread by 0.6 each.
    spec = importlib.util.spec_from_file_location("cora", Path(__file__).parents[2] / "benchmarks" / "cora.py")
    assert spec is not None
    assert spec.loader is not None
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    cora = benchmark.load(Path(os.environ["PALESTRA_DATA"]))
    assert len({*cora.train.tolist(), *cora.valid.tolist(), *cora.test.tolist()}) == 140 + 500 + 1000
    assert sum(benchmark.learn(cora, seed)[1] for seed in range(3)) / 3 >= 81.5 - 3 * 0.6 / 3**0.5


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match=r"edges must be integers \[2, E\]"):
        normalized_adjacency(EDGES.T, N)
    with pytest.raises(ValueError, match="nodes must be from 0 to 2, but are from 0 to 3"):
        normalized_adjacency(EDGES, 3)
    with pytest.raises(ValueError, match="at least one unit"):
        GCN(C, 3, hidden=(0,))
    with pytest.raises(ValueError, match=r"nodes must be \[N, 4\]"):
        GCN(C, 3)(torch.zeros(N, C + 1))
    with pytest.raises(ValueError, match="adjacency of 5 nodes"):
        GCN(C, 3)(nodes(), torch.eye(4).to_sparse())
    assert GraphConv(C, 2)(nodes()).shape == (N, 2)
