"""NADE beside a twin that follows the paper's equations number by number."""

import pytest
import torch

from palestra.networks import create
from palestra.networks.nade import NADE, bernoulli_nats


def test_the_equations_number_by_number() -> None:
    """Larochelle and Murray (2011), equations 1 and 2: the state of the hidden units takes up one number at a time."""
    torch.manual_seed(0)
    model = NADE(7, 3, num_hidden=4)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    x, labels = torch.randint(2, (5, 7)), torch.tensor([0, 1, 2, 0, 1])
    assert model.of_class is not None
    state = model.hidden_bias + model.of_class(labels)
    total = torch.zeros(5)
    for d in range(7):
        p = torch.sigmoid(torch.sigmoid(state) @ model.outputs[d] + model.output_bias[d])
        total += torch.log(torch.where(x[:, d] == 1, p, 1 - p))
        state = state + x[:, d, None] * model.inputs[d]
    torch.testing.assert_close(model.log_prob(x, labels).nats, total)


def test_log_probabilities_of_coins() -> None:
    found = bernoulli_nats(torch.tensor([[0.0, 2.0]]), torch.tensor([[1, 0]]))
    torch.testing.assert_close(found, torch.log(torch.tensor([0.5 * (1 - torch.sigmoid(torch.tensor(2.0)))])))


def test_no_units_are_refused() -> None:
    with pytest.raises(ValueError, match="num_hidden is 0, but at least 1 is wanted"):
        create("nade", in_channels=3, num_hidden=0)
