"""PixelCNN++: discretised logistics beside SciPy's, mixtures over channels by hand, and a fit to a grey ramp."""

import numpy as np
import pytest
import torch
from scipy.stats import logistic

from palestra.networks import create
from palestra.networks.fit import FitConfig, Learner
from palestra.networks.pixelcnnpp import PixelCNNPlusPlus, concat_elu, log_of_levels


@pytest.mark.parametrize("levels", [2, 5, 256])
@pytest.mark.parametrize(("mean", "log_scale"), [(0.1, -2.0), (-0.9, -4.0), (1.4, 0.5)])
def test_levels_have_what_a_logistic_distribution_has_around_them(levels: int, mean: float, log_scale: float) -> None:
    x = np.linspace(-1, 1, levels)
    edges = np.concatenate([[-np.inf], (x[1:] + x[:-1]) / 2, [np.inf]])
    expected = np.diff(logistic.cdf(edges, mean, np.exp(log_scale)))
    given = [torch.tensor(value, dtype=torch.float64) for value in (mean, log_scale)]
    actual = log_of_levels(torch.from_numpy(x), *given, levels).exp().numpy()
    np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-12)


def test_levels_far_from_the_mean_have_no_infinite_logarithm() -> None:
    found = log_of_levels(torch.tensor([0.0]), torch.tensor([-1.0]), torch.tensor([-7.0]), 256)
    assert float(found) == pytest.approx(-np.exp(7.0) * (1 - 1 / 255), rel=1e-3)  # logsigmoid of a large number


def test_means_depend_on_earlier_channels() -> None:
    """Salimans et al., equation 3: green adds a red, blue adds b red and c green, factors by tanh."""
    model = PixelCNNPlusPlus(3, image_size=(1, 1), num_mixtures=1)
    parameters = torch.zeros(1, 1 + 3 + 3 + 3, 1, 1)
    parameters[0, 7:, 0, 0] = torch.atanh(torch.tensor([0.5, 0.25, -0.5]))
    x = torch.tensor([0.2, -0.4, 0.9])[None, :, None, None]
    _, means, _ = model.mixture(parameters, x)
    torch.testing.assert_close(means.flatten(), torch.tensor([0.0, 0.5 * 0.2, 0.25 * 0.2 - 0.5 * -0.4]))


def test_concatenated_elu() -> None:
    actual = concat_elu(torch.tensor([1.0, -2.0])[None, :, None, None]).flatten()
    torch.testing.assert_close(actual, torch.tensor([1.0, np.exp(-2.0) - 1, np.exp(-1.0) - 1, 2.0], dtype=torch.float))


def test_a_ramp_is_learnt() -> None:
    """Each pixel is the one to its left plus 16; alone each takes one of 100 levels, log2 100 = 6.6 bits."""
    torch.manual_seed(0)
    model = create("pixelcnn++", in_channels=1, image_size=(4, 8), num_units=12, num_blocks=1, num_mixtures=3)
    begin = torch.randint(0, 100, (64, 1, 4, 1), generator=torch.Generator().manual_seed(0))
    x = (begin + 16 * torch.arange(8)).to(torch.uint8)
    steps = list(Learner(model, FitConfig(epochs=120, batch_size=32, learning_rate=1e-2)).fit(x))
    assert steps[0][1]["train/bits_per_dim"] > 6.6
    assert steps[-1][1]["train/bits_per_dim"] < 5.0
