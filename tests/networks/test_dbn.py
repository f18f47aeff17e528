"""Deep belief networks: bounds and samples against sums over all hidden states, and layers that learn at once."""

from pathlib import Path
from typing import Any

import pytest
import torch
from scipy.stats import chi2
from sklearn.datasets import load_digits
from torch import Tensor

from palestra.networks import create
from palestra.networks.dbn import DBN
from palestra.networks.density import Bound, Estimate
from palestra.networks.fit import FitConfig, Learner
from palestra.networks.partition import binary_states
from palestra.networks.pretrained import from_pretrained, save_pretrained


def network(sizes: tuple[int, ...], num_classes: int | None = None, **options: Any) -> DBN:
    """Makes a network whose weights matter."""
    torch.manual_seed(0)
    dbn = create("dbn", in_channels=sizes[0], num_classes=num_classes, hidden=sizes[1:], **options)
    assert isinstance(dbn, DBN)
    for parameter in dbn.parameters():
        torch.nn.init.normal_(parameter)
    return dbn


def digits() -> Tensor:
    return torch.tensor(load_digits().data / 16.0, dtype=torch.float32)


def rbms(dbn: DBN) -> list[Any]:
    return list(dbn.layers)


def all_log_probs(dbn: DBN, label: int | None = None) -> Tensor:
    """Returns the log-probabilities of all visible states, by summing over all states of all layers."""
    *below, top = rbms(dbn)
    states = binary_states(top.shape[0])
    labels = None if label is None else torch.full((len(states),), label)
    log_p: Tensor = top.log_prob(states, labels).nats
    for rbm in reversed(below):
        h, v = binary_states(rbm.num_features), binary_states(rbm.shape[0])
        p = rbm.decode(h.float()).double()
        given = torch.log(torch.where(v[:, None] > 0, p, 1 - p)).sum(dim=2)  # [visible, hidden]
        log_p = (given + log_p).logsumexp(dim=1)
    return log_p.detach()


def mean_bounds(dbn: DBN) -> Tensor:
    """Returns the bounds of all visible states of a network of two hidden layers, by summing over all that q draws."""
    first, top = rbms(dbn)
    v, h = binary_states(first.shape[0]), binary_states(first.num_features)
    q, p = first.encode(v).double(), first.decode(h.float()).double()
    log_q = torch.log(torch.where(h > 0, q[:, None], 1 - q[:, None])).sum(dim=2)  # [visible, hidden]
    log_p = torch.log(torch.where(v[:, None] > 0, p, 1 - p)).sum(dim=2) + top.log_prob(h).nats
    bounds: Tensor = (log_q.exp() * (log_p - log_q)).sum(dim=1)
    return bounds.detach()


def test_the_bound_is_its_sum_over_states_and_below_the_log_probability() -> None:
    # 2,000 draws, in 20 parts: within 5 of the standard errors that the parts have.
    dbn = network((4, 3, 3))
    x = binary_states(4)
    parts = torch.stack(
        [dbn.log_prob(x, num_draws=100, generator=torch.Generator().manual_seed(seed)).nats for seed in range(20)]
    )
    expected = mean_bounds(dbn)
    assert isinstance(dbn.log_prob(x), Bound)
    assert ((parts.mean(dim=0) - expected).abs() < 5 * parts.std(dim=0) / 20**0.5).all()
    assert (expected <= all_log_probs(dbn)).all()
    assert (parts.mean(dim=0) <= all_log_probs(dbn) + 5 * parts.std(dim=0) / 20**0.5).all()


@pytest.mark.parametrize("label", [None, 1])
def test_bounds_of_three_layers_lie_below_the_log_probability(label: int | None) -> None:
    dbn = network((4, 3, 4, 3), None if label is None else 2)
    x = binary_states(4)
    labels = None if label is None else torch.full((16,), label)
    exact = all_log_probs(dbn, label)
    assert exact.exp().sum().item() == pytest.approx(1.0, abs=1e-5)
    assert (dbn.log_prob(x, labels, num_draws=2000).nats < exact).all()


def test_the_bound_is_tight_where_the_top_mirrors_the_layer_below() -> None:
    # Hinton et al. 2006, sections 3 and 4: such a network is the first machine, whose posterior is what goes up.
    dbn = network((5, 3, 5))
    first, top = rbms(dbn)
    with torch.no_grad():
        top.weight.copy_(first.weight.T)
        top.visible_bias.copy_(first.hidden_bias)
        top.hidden_bias.copy_(first.visible_bias)
    x = binary_states(5)
    torch.testing.assert_close(dbn.log_prob(x, num_draws=1).nats, first.log_prob(x).nats, rtol=0, atol=1e-5)


@pytest.mark.parametrize("label", [None, 1])
def test_samples_follow_the_sum_over_states(label: int | None) -> None:
    # 20,000 counts of 16 states, each expected more than 5 times: chi-square with 15 degrees of freedom.
    dbn = network((4, 3, 3), None if label is None else 2)
    labels = None if label is None else torch.full((20_000,), label)
    drawn = dbn.sample(20_000, labels, generator=torch.Generator().manual_seed(0), steps=60)
    counts = (drawn @ 2.0 ** torch.arange(4)).long().bincount(minlength=16)
    expected = 20_000 * all_log_probs(dbn, label).exp()
    assert expected.min() > 5
    assert float(((counts - expected) ** 2 / expected).sum()) < chi2.isf(1e-4, 15)


def test_where_the_top_is_large_the_bound_is_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    # With 17 units log Z can still be summed over; the draws are the same, and annealing is to be within 0.1 nats.
    dbn = network((6, 17, 18))
    x = binary_states(6)[:5]
    found = dbn.log_prob(x)
    assert isinstance(found, Estimate)
    assert torch.equal(dbn.log_prob(x).nats, found.nats)
    monkeypatch.setattr("palestra.networks.rbm.EXACT", 17)
    exact = network((6, 17, 18)).log_prob(x)
    assert isinstance(exact, Bound)
    assert 0.0 < (found.nats - exact.nats).abs().max().item() < 0.1


def test_each_layer_has_its_own_gradient() -> None:
    # That of a machine alone on what the layer below draws, with the same draws.
    dbn = network((6, 5, 4))
    first, top = rbms(dbn)
    x = (digits()[:9, 20:26] >= 0.5).float()
    torch.manual_seed(1)
    dbn.objective((x,))[0].mean().backward()  # type: ignore[no-untyped-call]
    found = [parameter.grad.clone() for parameter in dbn.parameters() if parameter.grad is not None]
    dbn.zero_grad()
    torch.manual_seed(1)
    first.objective((x,))[0].mean().backward()
    h = torch.bernoulli(first.encode(x).detach())
    top.objective((h,))[0].mean().backward()
    expected = [parameter.grad for parameter in dbn.parameters() if parameter.grad is not None]
    assert len(found) == len(expected) == 6
    torch.testing.assert_close(found, expected)


def test_layer_after_layer() -> None:
    dbn = network((6, 5, 4), layerwise=True)
    x = torch.ones(3, 6)
    for k in range(2):
        dbn.zero_grad()
        dbn.objective((x,))[0].sum().backward()  # type: ignore[no-untyped-call]
        learnt = {name.split(".")[1] for name, p in dbn.named_parameters() if p.grad is not None}
        assert learnt == {str(k)}
        if k == 0:
            dbn.advance()
    with pytest.raises(ValueError, match="the 2 layers are fitted up to the last, 1"):
        dbn.advance()
    assert dbn.state_dict()["stage"] == 1


def test_codes_go_up_and_down_by_probabilities() -> None:
    dbn = network((4, 3, 2))
    first, top = rbms(dbn)
    x = torch.tensor([[0.0, 1.0, 1.0, 0.0]])
    h = torch.sigmoid(x @ first.weight.T + first.hidden_bias)
    code = torch.sigmoid(h @ top.weight.T + top.hidden_bias)
    torch.testing.assert_close(dbn(x), code)
    torch.testing.assert_close(dbn.encode(x), code)
    torch.testing.assert_close(dbn.reconstruct(x), first.decode(top.decode(code)))


def test_the_round_trip_is_exact(tmp_path: Path) -> None:
    dbn = network((4, 3, 2), 3, persistent=True, layerwise=True)
    dbn.advance()
    loaded: Any = from_pretrained(save_pretrained(dbn, tmp_path))
    assert loaded.stage == 1
    labels = torch.tensor([0, 1, 2])
    draws = [m.sample(3, labels, generator=torch.Generator().manual_seed(0)) for m in (dbn, loaded)]
    assert torch.equal(*draws)
    assert torch.equal(dbn(draws[0]), loaded(draws[0]))


def test_digits_become_probable() -> None:
    # Independent pixels give -25.1 nats an image; the bound measured was -20.2, wanted are 3 of the 4.9 nats.
    x = digits()
    torch.manual_seed(0)
    dbn = DBN(64, hidden=(16, 16))
    for _ in Learner(dbn, FitConfig(optimizer="sgd", learning_rate=0.3, epochs=30)).fit((x,)):
        pass
    assert dbn.log_prob(x).nats.mean().item() > -25.1 + 3.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: DBN(3, hidden=()), "at least 1 layer"),
        (lambda: DBN(3, hidden=(4, 0)), "num_hidden=0"),
        (lambda: DBN(3).encode(torch.ones(2, 4)), r"DBN takes samples \['B', 3\]"),
        (lambda: DBN(3, 2).sample(2), "the model DBN wants a label"),
        (lambda: DBN(3).log_prob(torch.ones(2, 3), num_draws=0), "at least 1 draw"),
        (lambda: DBN(3).advance(), "the 2 layers are fitted all at once"),
    ],
)
def test_what_cannot_be_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
