"""MADE: its masks by paths through the layers, mixtures over masks by hand, and what is refused."""

import math

import pytest
import torch

from palestra.networks import create
from palestra.networks.made import MADE


def paths(model: MADE, mask: int) -> torch.Tensor:
    """Which outputs `[D, D]` (row) depend on which inputs, by gradients of a network with positive weights."""
    for parameter in model.parameters():
        torch.nn.init.uniform_(parameter, 0.5, 1.0)
    x = torch.rand(1, model.shape[0], requires_grad=True)
    rows = [torch.autograd.grad(model.logits(x, mask=mask)[0, d], x)[0][0] for d in range(model.shape[0])]
    return torch.stack(rows) > 0


@pytest.mark.parametrize("direct", [False, True])
def test_in_natural_order_each_number_sees_all_before_it(direct: bool) -> None:
    seen = paths(MADE(6, hidden=(20, 20), direct=direct), 0)
    assert torch.equal(seen, torch.ones(6, 6).tril(-1).bool())


def test_orders_are_drawn_for_each_mask() -> None:
    model = MADE(6, hidden=(20, 20), num_masks=3, order="random")
    orders = set()
    for k in range(3):
        place = model.degrees[k][0]
        assert sorted(place.tolist()) == [1, 2, 3, 4, 5, 6]
        assert torch.equal(paths(model, k), place[:, None] > place)
        orders.add(tuple(place.tolist()))
    assert len(orders) == 3


def test_probabilities_are_averaged_over_masks_not_logits() -> None:
    torch.manual_seed(0)
    model = MADE(5, hidden=(8,), num_masks=4, order="random").eval()
    x = torch.randint(2, (3, 5))
    each = []
    for k in range(4):
        p = torch.sigmoid(model.logits(x, mask=k))
        each.append(torch.where(x == 1, p, 1 - p).prod(dim=1))
    torch.testing.assert_close(model.log_prob(x).nats, torch.stack(each).mean(dim=0).log())


def test_in_training_a_batch_takes_one_of_the_masks() -> None:
    model = MADE(5, hidden=(8,), num_masks=2, order="random")
    x = torch.randint(2, (3, 5))
    under = -model.eval().objective((x,))[0].detach()
    single = []
    for k in range(2):
        p = torch.sigmoid(model.logits(x, mask=k))
        single.append(torch.where(x == 1, p, 1 - p).log().sum(dim=1).detach())
    model.train()
    drawn = {round(float(-model.objective((x,))[0].sum().detach()), 4) for _ in range(20)}
    assert drawn == {round(float(nats.sum()), 4) for nats in single}
    torch.testing.assert_close(under, torch.logsumexp(torch.stack(single), dim=0) - math.log(2))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden": ()}, "at least 1 of each is wanted"),
        ({"hidden": (8, 0)}, "at least 1 of each is wanted"),
        ({"num_masks": 0}, "at least 1 of each is wanted"),
        ({"order": "reverse"}, "order is 'reverse', but natural or random is wanted"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        create("made", in_channels=3, **options)
