"""Fully connected networks: shapes, parameters, and what they refuse."""

import numpy as np
import pytest
import torch

from palestra.networks import create
from palestra.networks.mlp import MLP


def test_computes_its_layers() -> None:
    network = create("mlp", in_channels=3, num_classes=2, hidden=(5,), activation="tanh")
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    first, head = network.features[0], network.head
    expected = torch.tanh(x @ first.weight.T + first.bias) @ head.weight.T + head.bias
    torch.testing.assert_close(network(x), expected)


def test_parameter_count() -> None:
    # Each layer has (inputs + 1) x outputs: 5 x 64 + 65 x 64 + 65 x 2.
    network = MLP(4, 2, hidden=(64, 64))
    assert sum(p.numel() for p in network.parameters()) == 5 * 64 + 65 * 64 + 65 * 2


def test_gives_features_without_classes() -> None:
    network = MLP(4, hidden=(7, 6))
    assert network.num_features == 6
    assert network(torch.zeros(2, 4, dtype=torch.int64)).shape == (2, 6)


def test_no_hidden_layer_is_linear() -> None:
    network = MLP(4, 3, hidden=())
    x = torch.eye(4)
    np.testing.assert_allclose(network(x).detach(), (network.head.weight.T + network.head.bias).detach(), atol=1e-6)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="at least one unit"):
        MLP(4, 2, hidden=(0,))
    with pytest.raises(ValueError, match="did you mean nature"):
        create("natur", in_channels=4)
