"""VAE: its divergence beside torch's, outputs beside SciPy's distributions, and codes as features."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import logistic, norm
from torch.distributions import Normal, kl_divergence

from palestra.networks import create
from palestra.networks.stages import FeatureMaps
from palestra.networks.vae import OUTPUTS


@pytest.mark.parametrize(("output", "twin"), [("gaussian", norm), ("logistic", logistic)])
@pytest.mark.parametrize("levels", [2, 5, 256])
@pytest.mark.parametrize(("logit", "log_scale"), [(0.3, -1.5), (-4.0, -3.0), (3.0, -2.5)])
def test_levels_have_what_the_distribution_has_around_them(
    output: str, twin: Any, levels: int, logit: float, log_scale: float
) -> None:
    x = np.linspace(0, 1, levels)
    edges = np.concatenate([[-np.inf], (x[1:] + x[:-1]) / 2, [np.inf]])
    expected = np.diff(twin.cdf(edges, 1 / (1 + math.exp(-logit)), math.exp(log_scale)))
    given = torch.tensor(logit, dtype=torch.float64), torch.tensor(log_scale, dtype=torch.float64)
    actual = OUTPUTS[output](torch.arange(levels), *given, levels).exp().numpy()
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-9)


def test_the_objective_is_the_divergence_less_the_likelihood() -> None:
    torch.manual_seed(0)
    model: Any = create("vae", in_channels=6, hidden=(5,), num_latent=3, beta=2.0)
    x = torch.randint(2, (4, 6))
    mean, log_var = model.posterior(x)
    divergence = kl_divergence(Normal(mean, (0.5 * log_var).exp()), Normal(0.0, 1.0)).sum(dim=1)
    torch.manual_seed(7)
    loss, metrics = model.objective((x,))
    torch.manual_seed(7)
    code = mean + torch.randn_like(mean) * (0.5 * log_var).exp()
    p = model.decode(code)
    likelihood = torch.where(x == 1, p, 1 - p).log().sum(dim=1)
    torch.testing.assert_close(metrics["divergence"], divergence.detach())
    torch.testing.assert_close(loss, 2 * divergence - likelihood)
    torch.testing.assert_close(metrics["nats"], (divergence - likelihood).detach())


def test_with_several_draws_the_objective_is_the_tighter_bound() -> None:
    torch.manual_seed(0)
    one: Any = create("vae", in_channels=6, hidden=(5,), num_latent=2)
    many: Any = create("vae", in_channels=6, hidden=(5,), num_latent=2, num_importance=50)
    many.load_state_dict(one.state_dict())
    x = torch.randint(2, (4, 6))
    with torch.no_grad():
        means = [torch.stack([m.objective((x,))[0] for _ in range(200)]).mean() for m in (one, many)]
        bound = torch.stack([many.log_prob(x, num_draws=50).nats for _ in range(200)]).mean()
    assert means[1] < means[0] - 0.01
    assert float(means[1]) == pytest.approx(-float(bound), abs=0.05)


@pytest.mark.parametrize("name", ["vae", "conv-vae"])
def test_codes_are_features_and_lead_back_to_images(name: str) -> None:
    model: Any = create(name, in_channels=3, image_size=(16, 12), num_latent=5).eval()
    x = torch.randint(256, (2, 3, 16, 12), dtype=torch.uint8)
    assert model(x).shape == (2, 5) == (2, model.num_features)
    assert torch.equal(model(x), model.encode(x))
    assert model.reconstruct(x).shape == x.shape
    assert len(FeatureMaps(model)(x)) == len(model.stages)
    means = model.sample(4, generator=torch.Generator().manual_seed(0), means=True)
    drawn = model.sample(4, generator=torch.Generator().manual_seed(0))
    assert set(drawn.unique().tolist()) <= {0.0, 1.0}
    assert 0 < float(means.min()) < float(means.max()) < 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output": "poisson"}, "there is no output 'poisson'"),
        ({"levels": 17}, "output bernoulli is of 2 levels, but levels is 17: gaussian or logistic is wanted"),
        ({"num_latent": 0}, "num_latent 0, num_importance 1, levels 2 and beta 1.0 are given"),
        ({"beta": -1.0}, "and beta -1.0 are given"),
        ({"encoder": "convnet"}, "image_size"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        create("vae", in_channels=3, **options)
