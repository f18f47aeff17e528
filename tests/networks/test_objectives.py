"""Objectives: the loss by name, the network's own, and what is refused."""

import pytest
import torch
from torch import Tensor, nn

from palestra.networks import create
from palestra.networks.objectives import Objective, objective_of, supervised


class Own(nn.Module):
    """A network that brings its objective."""

    def forward(self, x: Tensor) -> Tensor:
        """Returns ones, one for each of two classes."""
        return torch.ones(len(x), 2)

    def objective(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, Tensor]]:
        """Returns the first inputs."""
        return batch[0][:, 0], {}


def test_auto_is_the_networks_own_objective_and_a_name_overrules_it() -> None:
    batch = (torch.tensor([[3.0], [5.0]]), torch.tensor([0, 1]))
    own = Own()
    assert objective_of(own, "auto")(own, batch)[0].tolist() == [3.0, 5.0]
    assert objective_of(own, "mse")(own, batch)[0].tolist() == [0.5, 0.5]  # from (1, 1) to a one-hot vector


def test_labels_give_accuracy_and_numbers_do_not() -> None:
    network = create("mlp", in_channels=2, num_classes=2, hidden=())
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    network.head.weight.data, network.head.bias.data = torch.eye(2), torch.zeros(2)
    losses, metrics = Objective(network, supervised("cross-entropy"))(x, torch.tensor([0, 0]))
    assert losses.tolist() == pytest.approx([0.31326169, 1.31326169])  # log(1 + e^-1) and log(1 + e)
    assert metrics["accuracy"].tolist() == [1.0, 0.0]
    assert supervised("mse")(network, (x, x))[1] == {}


def test_targets_that_are_missing_or_out_of_range_are_said() -> None:
    network = create("mlp", in_channels=2, num_classes=2)
    with pytest.raises(ValueError, match="cross-entropy needs targets"):
        supervised("cross-entropy")(network, (torch.zeros(1, 2),))
    with pytest.raises(ValueError, match="between 0 and 1, but go from -1 to 0"):
        supervised("hinge")(network, (torch.zeros(2, 2), torch.tensor([0, -1])))
