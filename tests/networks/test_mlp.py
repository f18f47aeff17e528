"""The perceptron and fully connected networks: arithmetic, parameters, and what they refuse."""

import numpy as np
import pytest
import torch

from palestra.networks import create
from palestra.networks.mlp import MLP, Perceptron, learn_by_mistakes
from palestra.networks.stages import freeze, num_parameters


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


def test_batch_norm_dropout_and_another_last_activation_stand_where_they_belong() -> None:
    network = MLP(3, 2, hidden=(4, 5), activation="tanh", last_activation="identity", batch_norm=True, dropout=0.5)
    kinds = [type(layer).__name__ for layer in network.features]
    hidden = ["Linear", "BatchNorm1d", "Tanh", "Dropout"]
    assert kinds == [*hidden, *hidden[:2], "Identity", "Dropout"]
    assert [type(network.get_submodule(path)).__name__ for path in network.stages] == ["Tanh", "Identity"]
    x = torch.randn(16, 3, generator=torch.Generator().manual_seed(0))
    network(x)
    assert (network.features(x) == 0).float().mean() > 0.2  # dropped
    network.eval()
    torch.testing.assert_close(network(x), network(x))
    freeze(network, 1)
    assert num_parameters(network) == 5 * 5 + 2 * 5 + 6 * 2  # the second layer, its norm and the head


def test_names_of_weights_stay_without_options() -> None:
    expected = {f"{path}.{name}" for path in ("features.0", "features.2", "head") for name in ("weight", "bias")}
    assert set(MLP(4, 2).state_dict()) == expected


def test_initialisation_by_name() -> None:
    network = MLP(6, 2, hidden=(6,), initialisation="orthogonal")
    weight = network.features[0].weight
    torch.testing.assert_close(weight @ weight.T, torch.eye(6), atol=1e-5, rtol=0)
    assert not network.head.bias.any()


@pytest.mark.parametrize("name", ["mlp", "perceptron"])
def test_takes_images_as_bytes(name: str) -> None:
    network = create(name, in_channels=3, num_classes=2, image_size=(4, 5), mean=[0.5] * 3, std=[0.25] * 3)
    torch.nn.init.normal_(network.head.weight)
    x = torch.randint(0, 256, (2, 3, 4, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    vectors = ((x / 255 - 0.5) / 0.25).flatten(1)
    torch.testing.assert_close(network(x), network.head(network.features(vectors)))
    assert network.input_rank == 3


def separable(num: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Samples `[N, 2]` with labels, and the bound on mistakes that the plane that made them proves."""
    generator = torch.Generator().manual_seed(seed)
    x = 2 * torch.rand(num, 2, generator=generator) - 1
    plane = torch.tensor([0.6, -0.8, 0.1])  # the last number is the bias
    extended = torch.cat([x, torch.ones(num, 1)], dim=1)
    distance = extended @ plane / plane.norm()
    keep = distance.abs() > 0.05
    bound = (extended[keep].norm(dim=1).max() / distance[keep].abs().min()).item() ** 2
    return x[keep], (distance[keep] > 0).long(), bound


@pytest.mark.parametrize("seed", range(5))
def test_perceptron_learns_what_a_plane_separates_within_the_mistake_bound(seed: int) -> None:
    # Novikoff 1962: at most (R / gamma)^2 mistakes in all.
    x, target, bound = separable(200, seed)
    network = Perceptron(2, 2)
    epochs = list(learn_by_mistakes(network, x, target, max_epochs=1000))
    assert epochs[-1][1] == {"mistakes": 0.0, "accuracy": 1.0}
    assert 0 < sum(metrics["mistakes"] for _, metrics in epochs) <= bound
    assert torch.equal(network(x).argmax(dim=1), target)


def test_perceptron_rule_by_hand() -> None:
    # Scores begin equal, so class 0 is guessed: the first sample is right, the second is moved to class 1.
    network = Perceptron(2, 3)
    x = torch.tensor([[1.0, 2.0], [3.0, -1.0]])
    first = next(learn_by_mistakes(network, x, torch.tensor([0, 1]), max_epochs=1))
    assert first == (1, {"mistakes": 1.0, "accuracy": 0.5})
    assert network.head.weight.tolist() == [[-3.0, 1.0], [3.0, -1.0], [0.0, 0.0]]
    assert network.head.bias.tolist() == [-1.0, 1.0, 0.0]


def test_perceptron_never_learns_xor() -> None:
    x, target = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), torch.tensor([0, 1, 1, 0])
    epochs = list(learn_by_mistakes(Perceptron(2, 2), x, target, max_epochs=50))
    assert len(epochs) == 50
    assert min(metrics["mistakes"] for _, metrics in epochs) > 0


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="at least one unit"):
        MLP(4, 2, hidden=(0,))
    with pytest.raises(ValueError, match="did you mean nature"):
        create("natur", in_channels=4)
    with pytest.raises(ValueError, match="dropout must be at least 0 and below 1, but is 1"):
        MLP(4, 2, dropout=1.0)
    with pytest.raises(ValueError, match="without num_classes"):
        next(learn_by_mistakes(Perceptron(2), torch.zeros(1, 2), torch.zeros(1), max_epochs=1))
