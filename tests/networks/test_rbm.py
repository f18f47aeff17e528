"""Restricted Boltzmann machines: probabilities by enumeration, gradients in closed form, samples, and digits."""

from pathlib import Path
from typing import Any

import pytest
import torch
from scipy.stats import chi2
from sklearn.datasets import load_digits
from sklearn.neural_network import BernoulliRBM
from torch import Tensor

from palestra.networks import create
from palestra.networks.density import Estimate, Exact
from palestra.networks.fit import FitConfig, Learner
from palestra.networks.partition import binary_states
from palestra.networks.pretrained import from_pretrained, save_pretrained
from palestra.networks.rbm import RBM


def machine(num_visible: int, num_hidden: int, num_classes: int | None = None, **options: Any) -> RBM:
    """Makes a machine whose weights matter."""
    torch.manual_seed(0)
    rbm = create("rbm", in_channels=num_visible, num_classes=num_classes, num_hidden=num_hidden, **options)
    assert isinstance(rbm, RBM)
    for parameter in rbm.parameters():
        torch.nn.init.normal_(parameter)
    return rbm


def digits() -> tuple[Tensor, Tensor]:
    data = load_digits()
    return torch.tensor(data.data / 16.0, dtype=torch.float32), torch.tensor(data.target)


def energy(rbm: RBM, v: Tensor, h: Tensor, label: int | None) -> Tensor:
    """Returns the energies of pairs `[B, D]` and `[B, H]`, as the definition has it."""
    total = v @ rbm.visible_bias + h @ rbm.hidden_bias + torch.einsum("bh,hd,bd->b", h, rbm.weight, v)
    return -total if label is None else -total - rbm.label_bias[label] - h @ rbm.label_weight[label]


@pytest.mark.parametrize("label", [None, 2])
def test_free_energy_sums_over_hidden_states(label: int | None) -> None:
    rbm = machine(5, 4, None if label is None else 3)
    v, h = binary_states(5).float(), binary_states(4).float()
    every = torch.stack([energy(rbm, v, one.expand(32, -1), label) for one in h])
    labels = None if label is None else torch.full((32,), label)
    torch.testing.assert_close(rbm.free_energy(v, labels), -(-every).logsumexp(dim=0))


def test_free_energy_and_codes_are_those_of_scikit_learn() -> None:
    x = (digits()[0] >= 0.5).float()
    peer = BernoulliRBM(n_components=12, n_iter=3, random_state=0).fit(x.numpy())
    rbm = RBM(64, num_hidden=12)
    with torch.no_grad():
        rbm.weight.copy_(torch.tensor(peer.components_))
        rbm.hidden_bias.copy_(torch.tensor(peer.intercept_hidden_))
        rbm.visible_bias.copy_(torch.tensor(peer.intercept_visible_))
        torch.testing.assert_close(rbm.free_energy(x), torch.tensor(peer._free_energy(x.numpy())).float())
        torch.testing.assert_close(rbm.encode(x), torch.tensor(peer.transform(x.numpy())).float())


@pytest.mark.parametrize(("num_visible", "num_hidden"), [(7, 4), (4, 7)])
@pytest.mark.parametrize("num_classes", [None, 3])
def test_probabilities_sum_to_1(num_visible: int, num_hidden: int, num_classes: int | None) -> None:
    rbm = machine(num_visible, num_hidden, num_classes)
    x = binary_states(num_visible)
    for label in range(num_classes or 1):
        log_prob = rbm.log_prob(x, torch.full((len(x),), label) if num_classes else None)
        assert isinstance(log_prob, Exact)
        assert log_prob.nats.exp().sum().item() == pytest.approx(1.0, abs=1e-5)


def test_classes_follow_from_bayes() -> None:
    # p(y | x) is proportional to p(y) p(x | y), of which the softmax of log Z and `log_prob` are the factors.
    rbm = machine(6, 4, 3)
    x = binary_states(6)
    joint = torch.stack([rbm.log_prob(x, torch.full((64,), k)).nats for k in range(3)], dim=1)
    joint = joint + rbm.log_z().log_softmax(dim=0)
    torch.testing.assert_close(rbm(x).softmax(dim=1), joint.softmax(dim=1).float())


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize("num_classes", [None, 3])
def test_gradients_are_those_of_contrastive_divergence(steps: int, persistent: bool, num_classes: int | None) -> None:
    rbm = machine(6, 4, num_classes, steps=steps, persistent=persistent, num_chains=7)
    generator = torch.Generator().manual_seed(1)
    v = torch.randint(2, (9, 6), generator=generator)
    label = torch.randint(3, (9,), generator=generator) if num_classes else None
    begin = (rbm.chains.clone(), rbm.chain_labels) if persistent else (v.float(), label)
    torch.manual_seed(2)
    chain, chain_label = rbm.gibbs(rbm.hidden_inputs(*begin), begin[1], steps)
    torch.manual_seed(2)
    loss, _ = rbm.objective((v,) if label is None else (v, label))
    assert loss.shape == (9,)
    loss.mean().backward()  # type: ignore[no-untyped-call]
    h, chain_h = (torch.sigmoid(rbm.hidden_inputs(*pair)) for pair in ((v.float(), label), (chain, chain_label)))
    expected = {
        "weight": chain_h.T @ chain / len(chain) - h.T @ v.float() / 9,
        "visible_bias": chain.mean(dim=0) - v.float().mean(dim=0),
        "hidden_bias": chain_h.mean(dim=0) - h.mean(dim=0),
    }
    if label is not None and chain_label is not None:
        on, chain_on = torch.eye(3)[label], torch.eye(3)[chain_label]
        expected["label_weight"] = chain_on.T @ chain_h / len(chain) - on.T @ h / 9
        expected["label_bias"] = chain_on.mean(dim=0) - on.mean(dim=0)
    for name, parameter in rbm.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name])
    if persistent:
        assert torch.equal(rbm.chains, chain)
        torch.testing.assert_close(rbm.chain_labels, chain_label)


def test_persistent_chains_go_on_in_training_alone_and_are_saved(tmp_path: Path) -> None:
    rbm = machine(6, 4, 3, persistent=True, num_chains=5)
    batch = torch.ones(2, 6), torch.tensor([0, 1])
    begun = rbm.chains.clone()
    rbm.eval().objective(batch)
    assert torch.equal(rbm.chains, begun)
    rbm.train().objective(batch)
    assert not torch.equal(rbm.chains, begun)
    loaded: Any = from_pretrained(save_pretrained(rbm, tmp_path))
    assert torch.equal(loaded.chains, rbm.chains)
    assert torch.equal(loaded.chain_labels, rbm.chain_labels)  # type: ignore[arg-type]
    draws = [m.sample(4, torch.tensor([0, 1, 2, 2]), generator=torch.Generator().manual_seed(3)) for m in (rbm, loaded)]
    assert torch.equal(*draws)


def test_pseudo_likelihoods_are_those_of_units_given_the_others() -> None:
    # log p(unit | others) from log-probabilities of both states; of 400 draws each of 4 units comes up.
    rbm = machine(4, 3)
    x = torch.tensor([1.0, 0.0, 1.0, 1.0])
    flipped = (x - torch.eye(4)).abs()
    log_odds = rbm.log_prob(flipped).nats - rbm.log_prob(x[None]).nats
    expected = -4.0 * torch.log1p(log_odds.exp())
    found = rbm.objective((x.expand(400, -1),))[1]["pseudo_log_likelihood"]
    gaps = (found[:, None] - expected).abs()
    assert gaps.min(dim=1).values.max() < 1e-4
    assert set(gaps.argmin(dim=1).tolist()) == {0, 1, 2, 3}


@pytest.mark.parametrize("label", [None, 1])
def test_samples_follow_log_prob(label: int | None) -> None:
    # Chains forget where they began long before 60 steps; 32 counts are chi-square with 31 degrees of freedom.
    rbm = machine(5, 3, None if label is None else 2)
    labels = None if label is None else torch.full((20_000,), label)
    drawn = rbm.sample(20_000, labels, generator=torch.Generator().manual_seed(0), steps=60)
    counts = (drawn @ 2.0 ** torch.arange(5)).long().bincount(minlength=32)
    expected = 20_000 * rbm.log_prob(binary_states(5), None if labels is None else labels[:32]).nats.exp()
    assert expected.min() > 5
    assert float(((counts - expected) ** 2 / expected).sum()) < chi2.isf(1e-4, 31)


def test_beyond_enumeration_log_prob_is_estimated_and_kept_until_weights_change() -> None:
    # 17 units on a side can still be summed over: annealing is to be within 0.1 nats, 5 standard errors.
    rbm = machine(20, 17)
    x = torch.ones(1, 20)
    found = rbm.log_prob(x)
    assert isinstance(found, Estimate)
    exact = -rbm.free_energy(x) - rbm.log_z()
    assert found.nats.item() == pytest.approx(exact.item(), abs=0.1)
    assert torch.equal(rbm.log_prob(x).nats, found.nats)
    with torch.no_grad():
        rbm.weight.data.mul_(0.5)
    exact = -rbm.free_energy(x) - rbm.log_z()
    assert rbm.log_prob(x).nats.item() == pytest.approx(exact.item(), abs=0.1)


def test_annealing_knows_the_classes() -> None:
    rbm = machine(12, 6, 3)
    found = rbm.ais(generator=torch.Generator().manual_seed(0))
    assert (found.log_z - rbm.log_z()).abs().max().item() == pytest.approx(0.0, abs=0.1)


def test_what_is_on_is_reconstructed() -> None:
    rbm = machine(4, 3)
    x = torch.tensor([[0.2, 0.5, 0.9, 0.0]])
    h = torch.sigmoid(torch.tensor([[0.0, 1.0, 1.0, 0.0]]) @ rbm.weight.T + rbm.hidden_bias)
    torch.testing.assert_close(rbm(x), h)
    torch.testing.assert_close(rbm.reconstruct(x), torch.sigmoid(h @ rbm.weight + rbm.visible_bias))


@pytest.mark.parametrize("persistent", [False, True])
def test_digits_become_probable(persistent: bool) -> None:
    # Independent pixels give -25.1 nats an image. Measured were -20.5 and -20.6; wanted are 3 nats of the 4.5.
    x = digits()[0]
    torch.manual_seed(0)
    rbm = RBM(64, num_hidden=16, persistent=persistent)
    for _ in Learner(rbm, FitConfig(optimizer="sgd", learning_rate=0.3, epochs=20)).fit((x,)):
        pass
    p = (x >= 0.5).float().mean(dim=0)
    independent = (torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p)).sum().item()
    assert rbm.log_prob(x).nats.mean().item() > independent + 3.0


def test_digits_are_told_apart_and_drawn_by_label() -> None:
    # Chance is 0.1; measured were 0.87 of the digits held out and 0.77 of those drawn.
    x, label = digits()
    torch.manual_seed(0)
    rbm = RBM(64, 10, num_hidden=60)
    for _ in Learner(rbm, FitConfig(optimizer="sgd", learning_rate=0.3, epochs=50)).fit((x[:1400], label[:1400])):
        pass
    assert (rbm(x[1400:]).argmax(dim=1) == label[1400:]).float().mean().item() > 0.8
    drawn = rbm.sample(100, torch.arange(100) % 10, generator=torch.Generator().manual_seed(0), steps=200)
    assert (rbm(drawn).argmax(dim=1) == torch.arange(100) % 10).float().mean().item() > 0.6


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RBM(3, num_hidden=0), "there must be units, .* num_hidden=0"),
        (lambda: RBM(3, 0), "num_classes=0"),
        (lambda: RBM(3, steps=0), "steps=0"),
        (lambda: RBM(3).encode(torch.ones(2, 4)), r"RBM takes samples \['B', 3\]"),
        (lambda: RBM(3).encode(torch.full((2, 3), 2)), "levels of a model with 2 of them lie from 0 to 1"),
        (lambda: RBM(3).log_prob(torch.ones(2, 3), torch.zeros(2)), "nothing to condition on"),
        (lambda: RBM(3, 2).objective((torch.ones(2, 3),)), "wants a label"),
        (lambda: RBM(3).sample(1, steps=0), "at least 1 step"),
        (lambda: RBM(3).sample(0), "0 samples were asked for"),
        (lambda: RBM(30, num_hidden=21).log_z(), "at most 20 units, but it has 21"),
    ],
)
def test_what_cannot_be_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
