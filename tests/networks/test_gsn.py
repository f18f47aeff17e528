"""Generative stochastic networks: the chain against its exact distribution, passes and walkback by hand, a toy."""

from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import chi2
from torch.nn import functional as F

from palestra.networks import create
from palestra.networks.fit import FitConfig, Learner
from palestra.networks.gsn import GSN
from palestra.networks.pretrained import from_pretrained, save_pretrained


@pytest.mark.parametrize("num_steps", [1, 3])
def test_samples_are_distributed_as_the_chain_is_after_so_many_steps(num_steps: int) -> None:
    # Three bits and one hidden unit: the chance of each step from each of the 8 samples is a sum over what noise makes
    # of it and, by Gauss-Hermite quadrature, an integral over the noise before and after the unit.
    torch.manual_seed(0)
    model = GSN(3, hidden=(1,), num_steps=num_steps, noise=0.5, corruption=0.4)
    weight, bias, visible = np.array([1.5, 2.0, 1.0]), -2.0, np.array([0.5, -0.2, -1.0])
    with torch.no_grad():
        model.layers[0].weight.copy_(torch.tensor(weight)[None])  # type: ignore[operator, union-attr]
        model.layers[0].bias.fill_(bias)  # type: ignore[operator, union-attr]
        model.visible_bias.copy_(torch.tensor(visible))
        model.frequency.copy_(torch.tensor([0.9, 0.8, 0.6]))
    states = np.array(list(product((0, 1), repeat=3)))
    begin = np.where(states, [0.9, 0.8, 0.6], [0.1, 0.2, 0.4]).prod(axis=1)
    differ = (states[:, None] != states[None]).sum(axis=2)
    spoil = 0.2**differ * 0.8 ** (3 - differ)  # a bit becomes a fair coin in 0.4 of the cases
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    unit = np.tanh((states @ weight + bias)[:, None, None] + 0.5 * nodes[:, None]) + 0.5 * nodes  # [8, before, after]
    on = 1.0 / (1.0 + np.exp(-(unit[..., None] * weight + visible)))
    chance = np.where(states[:, None, None, None], on, 1.0 - on).prod(axis=-1)  # [8 to, 8 spoilt, before, after]
    step = spoil @ np.einsum("tsba,b,a->st", chance, weights, weights)
    expected = 20_000 * begin @ np.linalg.matrix_power(step, num_steps)
    sampled = model.sample(20_000, generator=torch.Generator().manual_seed(0)).long()
    seen = np.bincount((sampled @ torch.tensor([4, 2, 1])).numpy(), minlength=8)
    assert ((seen - expected) ** 2 / expected).sum() < chi2.isf(1e-4, 7)


def test_a_pass_updates_odd_layers_and_then_even_ones() -> None:
    # Bengio et al. 2014, section 4.1, with three hidden layers, written out; the noise is silent.
    torch.manual_seed(0)
    model = GSN(4, hidden=(3, 5, 2))
    (w1, w2, w3), (b1, b2, b3) = zip(*((m.weight, m.bias) for m in model.layers), strict=True)
    torch.nn.init.normal_(model.visible_bias), [torch.nn.init.normal_(b) for b in (b1, b2, b3)]
    x = torch.tensor([[1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 0.0]])
    h2 = torch.zeros(2, 5)
    for _ in range(3):
        h1, h3 = torch.tanh(x @ w1.T + b1 + h2 @ w2), torch.tanh(h2 @ w3.T + b3)
        h2 = torch.tanh(h1 @ w2.T + b2 + h3 @ w3)
    torch.testing.assert_close(model.reconstruct(x), torch.sigmoid(h1 @ w1 + model.visible_bias))
    torch.testing.assert_close(model.reconstruct(x), model.reconstruct((255 * x).byte()))


def test_walkback_leads_back_to_the_data() -> None:
    # One bit, one unit, no noise: from 0 the logit is 2 tanh(0) + 40, so that the chain goes to 1, where the logit is
    # 2 tanh(2) + 40. The target stays 0, for which the cross-entropy is the logit, to 4e-18.
    model = GSN(1, hidden=(1,), num_walkback=3, noise=0.0, corruption=0.0)
    with torch.no_grad():
        model.layers[0].weight.fill_(2.0), model.visible_bias.fill_(40.0)  # type: ignore[operator, union-attr]
    loss, metrics = model.objective((torch.zeros(2, 1),))
    torch.testing.assert_close(loss, torch.full((2,), (3 * 40.0 + 2 * 2.0 * np.tanh(2.0)) / 3))
    torch.testing.assert_close(metrics["first"], torch.full((2,), 40.0))


def test_chains_begin_with_the_frequencies_of_the_data_seen_in_training() -> None:
    model = GSN(3, hidden=(2,))
    assert model.frequency.tolist() == [0.5, 0.5, 0.5]
    x = (torch.rand(30, 3, generator=torch.Generator().manual_seed(0)) < 0.3).float()
    for part in (x[:5], x[5:17], x[17:]):
        model.objective((part,))
    torch.testing.assert_close(model.frequency, x.mean(dim=0))
    model.eval().objective((1.0 - x,))
    torch.testing.assert_close(model.frequency, x.mean(dim=0))


def test_losses_are_cross_entropies_summed_over_bits() -> None:
    torch.manual_seed(0)
    model = GSN(6, hidden=(5, 4), num_walkback=1, noise=0.0, corruption=0.0)
    x = (torch.rand(7, 6) < 0.5).float()
    logits = torch.tanh(x @ model.layers[0].weight.T) @ model.layers[0].weight  # type: ignore[operator, union-attr]
    expected = F.binary_cross_entropy(torch.sigmoid(logits), x, reduction="none").sum(dim=1)
    torch.testing.assert_close(model.objective((x,))[0], expected)


def test_hidden_units_carry_gradients_from_step_to_step() -> None:
    # The second layer acts on the first one only a step later, so that with one step its biases have no part in it.
    for num_walkback, used in ((1, False), (2, True)):
        torch.manual_seed(0)
        model = GSN(6, hidden=(5, 4), num_walkback=num_walkback)
        model.objective(((torch.rand(3, 6) < 0.5).float(),))[0].sum().backward()
        gradient = model.layers[1].bias.grad
        assert (gradient is not None and bool(gradient.abs().sum() > 0)) == used  # type: ignore[union-attr, operator]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_chain_settles_near_the_data(seed: int) -> None:
    # Bengio et al. 2014, theorem 1: with the right conditionals the chain's distribution is that of the data. Ten bits
    # in two blocks of equal ones, in four shares; independent bits of the same means are at a distance of 0.9955.
    codes = torch.tensor([[a] * 5 + [b] * 5 for a, b in product((0, 1), repeat=2)])
    shares = torch.tensor([0.4, 0.15, 0.1, 0.35])
    torch.manual_seed(seed)
    model = GSN(10, hidden=(32,), num_walkback=2, num_steps=400, noise=0.3, corruption=0.15)
    data = codes[torch.multinomial(shares, 2048, replacement=True, generator=torch.Generator().manual_seed(0))]
    config = FitConfig(epochs=150, batch_size=256, learning_rate=1e-2, schedule="cosine", device="cpu", seed=seed)
    for _ in Learner(model, config).fit((data,)):
        pass
    of_bits = 2 ** torch.arange(10)
    sampled, given = (
        torch.bincount(x.long() @ of_bits, minlength=1024) / len(x)
        for x in (model.sample(2000, generator=torch.Generator().manual_seed(1)), data)
    )
    assert 0.5 * (sampled - given).abs().sum() < 0.15


def test_chains_and_folders_give_the_same_bits_again(tmp_path: Path) -> None:
    model = create("gsn", in_channels=9, hidden=(8, 7), num_steps=5)
    loaded = from_pretrained(save_pretrained(model, tmp_path / "model"))
    first, second = (m.sample(4, generator=torch.Generator().manual_seed(0)) for m in (model, loaded))
    assert torch.equal(first, second)
    assert first.shape == (4, *model.shape)
    assert set(first.unique().tolist()) == {0.0, 1.0}
    chain = list(islice(model.walk(first, generator=torch.Generator().manual_seed(0)), 3))
    again = list(islice(model.walk(second, generator=torch.Generator().manual_seed(0)), 3))
    assert all(torch.equal(a, b) for a, b in zip(chain, again, strict=True))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_classes": 3}, "has no classes, but num_classes is 3"),
        ({"hidden": ()}, r"must be a hidden layer, .* hidden \(\)"),
        ({"hidden": (4, 0)}, r"hidden \(4, 0\)"),
        ({"num_walkback": 0}, "num_walkback 0"),
        ({"num_steps": 0}, "num_steps 0"),
        ({"noise": -0.1}, "they are 0.2 and -0.1"),
        ({"corruption": 1.2}, "they are 1.2 and 0.3"),
        ({"nois": 1}, "'gsn' has no option 'nois'"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        create("gsn", in_channels=3, **options)


def test_wrong_samples_are_refused() -> None:
    model = create("gsn", in_channels=3)
    for call, message in (
        (lambda: model.objective((torch.zeros(2, 4),)), r"takes samples \['B', 3\], but was given \[2, 4\]"),
        (lambda: model.walk(torch.full((1, 3), 2.0)), "floats lie from 0 to 1, but one is 2"),
        (lambda: model.reconstruct(torch.full((1, 3), -1)), "lie from 0 to 1, but one is -1"),
        (lambda: model.sample(2, torch.tensor([0, 1])), "nothing to condition on"),
        (lambda: model.sample(-1), "-1 samples were asked for"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
