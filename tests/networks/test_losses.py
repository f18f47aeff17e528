"""Losses against scikit-learn's and torch's own, and against their formulas on small cases."""

import numpy as np
import pytest
import torch
from sklearn.metrics import hinge_loss, log_loss
from torch import nn

from palestra.networks.losses import LOSSES, hits


def outputs_and_labels(num_classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    labels = torch.randint(0, max(num_classes, 2), (20,), generator=random)
    return torch.randn(20, num_classes, generator=random, dtype=torch.float64), labels


@pytest.mark.parametrize("num_classes", [1, 2, 5])
def test_cross_entropy_is_scikit_learns_log_loss(num_classes: int) -> None:
    output, labels = outputs_and_labels(num_classes)
    probability = torch.sigmoid(output[:, 0]) if num_classes == 1 else torch.softmax(output, dim=1)
    expected = log_loss(labels, probability, labels=range(max(num_classes, 2)))
    assert LOSSES["cross-entropy"](output, labels).mean().item() == pytest.approx(expected, abs=1e-12)


def test_binary_hinge_is_scikit_learns() -> None:
    output, labels = outputs_and_labels(1)
    assert LOSSES["hinge"](output, labels).mean().item() == pytest.approx(hinge_loss(labels, output[:, 0]), abs=1e-12)


def test_margin_losses_are_their_formulas_one_against_the_rest() -> None:
    output = torch.tensor([[2.0, -0.5, 0.25]], dtype=torch.float64)
    margins = np.array([-2.0, -0.5, -0.25])  # of label 1: y = -1, +1, -1
    expected = {
        "hinge": np.maximum(0, 1 - margins).sum(),
        "exponential": np.exp(-margins).sum(),
        "logistic": np.log1p(np.exp(-margins)).sum(),
    }
    for name, value in expected.items():
        assert LOSSES[name](output, torch.tensor([1])).item() == pytest.approx(value, abs=1e-12), name


def test_squared_error_is_torchs() -> None:
    output, labels = outputs_and_labels(4)
    one_hot = torch.eye(4, dtype=torch.float64)[labels]
    assert LOSSES["mse"](output, labels).mean().item() == pytest.approx(nn.MSELoss()(output, one_hot).item())
    target = torch.randn_like(output)
    assert LOSSES["mse"](output, target).mean().item() == pytest.approx(nn.MSELoss()(output, target).item())


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("num_classes", [1, 3])
def test_right_answers_cost_less_than_wrong_ones(name: str, num_classes: int) -> None:
    labels = torch.tensor([1, 0])
    right = torch.tensor([[3.0], [-3.0]]) if num_classes == 1 else torch.tensor([[-3.0, 3.0, -3.0], [3.0, -3.0, -3.0]])
    right = right if name != "mse" else right.clamp(0, 1)
    assert (LOSSES[name](right, labels) < LOSSES[name](-right + (name == "mse"), labels)).all()
    assert hits(right - 0.5 * (name == "mse"), labels).tolist() == [1.0, 1.0]
