"""What all generative models promise: probabilities that sum to one, samples that follow them, refusals."""

import itertools
import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from scipy.stats import chi2
from torch import Tensor

from palestra.networks import MODELS, create, network_class
from palestra.networks.density import Bound, Exact
from palestra.networks.fit import FitConfig, Learner
from palestra.networks.pretrained import from_pretrained, load_into, save_pretrained

# Models whose log-probabilities are exact, so small that all that they can give is listed.
EXACT: list[tuple[str, dict[str, Any]]] = [
    ("nade", {"in_channels": 6, "num_hidden": 5}),
    ("made", {"in_channels": 6, "hidden": (9, 7)}),
    ("made", {"in_channels": 6, "hidden": (9, 7), "num_masks": 3, "order": "random"}),
    *(
        (name, {"image_size": size, "in_channels": channels, "levels": levels, **options})
        for name, options in (
            ("pixelcnn", {"num_units": 6, "num_blocks": 2, "kernel": 3}),
            ("gated-pixelcnn", {"num_units": 6, "num_blocks": 2, "kernel": 3}),
            ("pixelcnn++", {"num_units": 5, "num_blocks": 1, "num_mixtures": 3}),
            ("pixelrnn", {"num_units": 4, "num_layers": 2, "kernel": 3}),
            ("row-lstm", {"num_units": 4, "num_layers": 2, "kernel": 3}),
        )
        for channels, levels, size in ((1, 2, (3, 3)), (2, 3, (1, 2)))
    ),
]
CASES = [*EXACT, *((name, {**options, "num_classes": 2}) for name, options in EXACT[::3])]
LATENT: list[tuple[str, dict[str, Any]]] = [
    ("vae", {"in_channels": 5, "num_latent": 1, "hidden": (6,)}),
    ("vae", {"in_channels": 3, "num_latent": 1, "hidden": (6,), "levels": 4, "output": "logistic"}),
    ("vae", {"in_channels": 3, "num_latent": 1, "encoder": "linear", "levels": 4, "output": "gaussian"}),
    ("vae", {"in_channels": 5, "num_latent": 1, "hidden": (6,), "num_classes": 2}),
]


def model_of(name: str, options: dict[str, Any], spread: float = 0.5) -> Any:
    """A model with weights that matter."""
    torch.manual_seed(0)
    model = create(name, **options).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=spread)
    return model


def every_sample(model: Any) -> Tensor:
    """All samples `[L ^ D, ...]` that a model can give, as levels."""
    size = math.prod(model.shape)
    return torch.tensor(list(itertools.product(range(model.levels), repeat=size))).view(-1, *model.shape)


def labels_of(model: Any, n: int) -> Tensor | None:
    return torch.ones(n, dtype=torch.int64) if model.num_classes else None


def fits(counts: Tensor, probabilities: Tensor) -> bool:
    """Pearson's chi-square test at 1e-4; what is expected fewer than five times counts together."""
    expected = probabilities * counts.sum()
    often = expected >= 5
    pairs = [*zip(counts[often].tolist(), expected[often].tolist(), strict=True)]
    if bool((~often).any()):
        pairs.append((counts[~often].sum().item(), expected[~often].sum().item()))
    statistic = sum((seen - wanted) ** 2 / max(wanted, 1e-9) for seen, wanted in pairs)
    return bool(statistic < chi2.ppf(1 - 1e-4, len(pairs) - 1))


def counted(model: Any, samples: Tensor) -> Tensor:
    """How often each of `every_sample` is among samples."""
    levels = (samples * (model.levels - 1)).round().long().flatten(1)
    places = model.levels ** torch.arange(levels.shape[1] - 1, -1, -1)
    return torch.bincount((levels * places).sum(dim=1), minlength=model.levels ** levels.shape[1])


@pytest.mark.parametrize(("name", "options"), CASES)
def test_probabilities_of_all_samples_sum_to_one_and_samples_follow_them(name: str, options: dict[str, Any]) -> None:
    model = model_of(name, options)
    x = every_sample(model)
    with torch.no_grad():
        found = model.log_prob(x, labels_of(model, len(x)))
    assert type(found) is Exact
    probabilities = found.nats.double().exp()
    assert float(probabilities.sum()) == pytest.approx(1.0, abs=1e-5)
    assert float(probabilities.max()) > 1.5 / len(x)  # not uniform
    samples = model.sample(6000, labels_of(model, 6000), generator=torch.Generator().manual_seed(1))
    assert samples.shape == (6000, *model.shape)
    assert fits(counted(model, samples), probabilities)
    assert not fits(counted(model, samples), probabilities.roll(1))  # the test can fail


@pytest.mark.parametrize(("name", "options"), CASES)
def test_cached_sampling_gives_the_naive_ones_samples(name: str, options: dict[str, Any]) -> None:
    model = model_of(name, options)
    fast, slow = (
        model.sample(200, labels_of(model, 200), generator=torch.Generator().manual_seed(2), cached=cached)
        for cached in (True, False)
    )
    assert torch.equal(fast, slow)


@pytest.mark.parametrize(("name", "options"), [case for case in EXACT if "num_masks" not in case[1]])  # of one order
def test_nothing_depends_on_what_comes_later(name: str, options: dict[str, Any]) -> None:
    model = model_of(name, options)
    x = every_sample(model)
    logits = model.logits(x)
    after = logits.movedim(1, 3) if logits.dim() == 5 else logits  # in the order of the numbers
    after = after.reshape(len(x), math.prod(model.shape), -1)
    order = (x.movedim(1, -1) if x.dim() == 4 else x).flatten(1)
    seen = 0
    for k in range(order.shape[1]):
        one = order[:, :k] if k else torch.zeros(len(x), 1, dtype=torch.int64)
        _, group = one.unique(dim=0, return_inverse=True)
        for g in range(int(group.max()) + 1):  # samples alike in all that comes before
            same = after[group == g, k]
            torch.testing.assert_close(same, same[:1].expand_as(same))
        seen += k > 0 and not torch.allclose(after[:, k], after[:1, k].expand_as(after[:, k]))
    assert seen >= order.shape[1] - 2  # and nearly all depend on something


@pytest.mark.parametrize(("name", "options"), LATENT)
def test_bounds_lie_below_and_rise_to_the_probability(name: str, options: dict[str, Any]) -> None:
    model = model_of(name, options)
    x = every_sample(model)
    exact = by_quadrature(model, x)
    assert float(exact.exp().sum()) == pytest.approx(1.0, abs=1e-4)
    labels, gaps = labels_of(model, len(x)), []
    for draws in (1, 10, 3000):
        generator = torch.Generator().manual_seed(0)
        runs = [model.log_prob(x, labels, num_draws=draws, generator=generator) for _ in range(30)]
        assert type(runs[0]) is Bound
        gaps.append((exact - torch.stack([run.nats for run in runs]).mean(dim=0)).mean())
    assert gaps[0] > gaps[1] > gaps[2] > -0.01
    assert gaps[2] < 0.5 * gaps[0]


@pytest.mark.parametrize(("name", "options"), LATENT)
def test_samples_of_latent_models_follow_the_probability(name: str, options: dict[str, Any]) -> None:
    model = model_of(name, options)
    probabilities = by_quadrature(model, every_sample(model)).double().exp()
    samples = model.sample(6000, labels_of(model, 6000), generator=torch.Generator().manual_seed(3))
    assert fits(counted(model, samples), probabilities / probabilities.sum())


def by_quadrature(model: Any, x: Tensor) -> Tensor:
    """Log-probabilities of a VAE with one latent number, by the trapezoidal rule over it."""
    code = torch.linspace(-9, 9, 6001)[:, None]
    log_prior = -0.5 * code[:, 0].square() - 0.5 * math.log(2 * math.pi) + math.log(18 / 6000)
    outputs = model._outputs(code, labels_of(model, len(code)))
    each = [model._log_likelihood(row.expand(len(code), *row.shape), outputs) + log_prior for row in x]
    return torch.stack([torch.logsumexp(terms, dim=0) for terms in each]).detach()


SMALLEST = {
    1: {"in_channels": 8},
    3: {"in_channels": 1, "image_size": (8, 8)},
}


def smallest(name: str, **options: Any) -> Any:
    torch.manual_seed(0)
    return create(name, **SMALLEST[network_class(name).input_rank], **options)


@pytest.mark.parametrize("name", MODELS)
def test_bad_input_is_refused_in_a_sentence(name: str) -> None:
    model = smallest(name).eval()
    judged = model.log_prob if hasattr(model, "log_prob") else lambda x: model.objective((x,))
    x = torch.rand(4, *model.shape)
    for bad, message in (
        (x.clone().fill_(math.nan), "lie from 0 to 1, but one is nan"),
        (x + 1.5, "lie from 0 to 1, but one is"),
        (x[:, :0], "takes samples"),
        (torch.rand(4, model.shape[0] + 1, *model.shape[1:]), "takes samples"),
    ):
        with pytest.raises(ValueError, match=message):
            judged(bad)
    with pytest.raises(ValueError, match=r"at most .* can be drawn at a time"):
        model.sample(2**40)
    with pytest.raises(ValueError, match="0 samples were asked for"):
        model.sample(0)
    with pytest.raises(ValueError, match="nothing to condition on"):
        model.sample(2, torch.tensor([0, 1]))


IMPLICIT: list[tuple[str, dict[str, Any]]] = [
    ("gan", {"in_channels": 3}),
    ("gan", {"in_channels": 3, "num_classes": 2}),
    ("dcgan", {"in_channels": 1, "image_size": (8, 8)}),
    ("wgan-gp", {"in_channels": 1, "image_size": (8, 8)}),
]


@pytest.mark.parametrize(("name", "options"), [*CASES, *LATENT, *IMPLICIT, ("rbm", {"in_channels": 3})])
def test_models_work_on_the_device_where_they_are(name: str, options: dict[str, Any]) -> None:
    """The device meta computes no numbers, so that an RBM cannot be sampled there, but refuses tensors of others."""
    model = model_of(name, options)
    labels = labels_of(model, 2)
    generator = torch.Generator().manual_seed(0)  # of the CPU
    x = model.sample(2, labels, generator=generator)
    model.to("meta")
    batch = (x,) if labels is None else (x, labels)
    assert model.objective(batch)[0].is_meta
    if name != "rbm":
        assert model.sample(2, labels, generator=None if name == "gan" else generator).is_meta
        if hasattr(model, "log_prob"):
            assert model.log_prob(*batch).nats.is_meta


@pytest.mark.parametrize("name", MODELS)
def test_saved_models_are_the_same_and_other_families_are_refused(name: str, tmp_path: Path) -> None:
    model = smallest(name).eval()
    copy = from_pretrained(save_pretrained(model, tmp_path / "model")).eval()
    one, other = (m.sample(3, generator=torch.Generator().manual_seed(0)) for m in (model, copy))
    assert torch.equal(one, other)
    assert 0 <= float(one.min()) <= float(one.max()) <= 1
    family = "made" if MODELS[name].module != "made" else "pixelcnn"
    with pytest.raises(ValueError, match=rf"are of a {re.escape(name)}, but the network is a {family}"):
        load_into(smallest(family), tmp_path / "model")


@pytest.mark.parametrize("name", MODELS)
def test_a_fit_lowers_the_loss_and_goes_on_to_the_bit(name: str) -> None:
    rng = torch.Generator().manual_seed(0)
    shape = smallest(name).shape
    x = (torch.rand(64, *shape, generator=rng) < torch.rand(shape, generator=rng)).float()
    config = FitConfig(epochs=4, batch_size=16, learning_rate=3e-3)
    whole = Learner(smallest(name), config)
    steps = list(whole.fit(x))
    for measure in ("train/bits_per_dim", "train/nats"):  # what other models lower says nothing alone
        if measure in steps[0][1]:
            assert steps[-1][1][measure] < steps[0][1][measure]
    begun = Learner(smallest(name), config)
    for step, _ in begun.fit(x):
        if step == 7:
            break
    resumed = Learner(smallest(name), config)
    resumed.restore(begun.state())
    assert [row for _, row in resumed.fit(x)] == [row for _, row in steps[7:]]
    for a, b in zip(whole.network.state_dict().values(), resumed.network.state_dict().values(), strict=True):
        assert torch.equal(a, b)
