"""Radial-basis networks: their arithmetic, exact interpolation, centres from data, and what they refuse."""

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression

from palestra.networks import create
from palestra.networks.rbf import RBF, set_centres, solve


def samples(num: int, dims: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(num, dims, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("basis", "of"),
    [
        ("gaussian", lambda r: math.exp(-0.5 * r * r)),
        ("multiquadric", lambda r: math.sqrt(1 + r * r)),
        ("inverse-multiquadric", lambda r: 1 / math.sqrt(1 + r * r)),
    ],
)
def test_units_answer_to_their_distance(basis: str, of: "object") -> None:
    network = RBF(3, num_centres=4, width=0.7, basis=basis)
    x = samples(5, 3)
    expected = [[of(math.dist(a, c) / 0.7) for c in network.features.centres.tolist()] for a in x.tolist()]  # type: ignore[operator]
    torch.testing.assert_close(network(x), torch.tensor(expected))


@pytest.mark.parametrize("basis", ["gaussian", "multiquadric", "inverse-multiquadric"])
def test_interpolates_with_the_samples_as_centres(basis: str) -> None:
    # Broomhead and Lowe 1988, section 2: the matrix of distances between different points is regular (Micchelli 1986).
    x, target = samples(30, 2), samples(30, 3, seed=1)
    network = RBF(2, 3, num_centres=30, basis=basis)
    set_centres(network, x)
    assert solve(network, x, target) < 1e-9
    torch.testing.assert_close(network(x), target, atol=1e-3, rtol=0)


def test_solve_is_linear_regression_on_the_units() -> None:
    x, target = samples(100, 2), samples(100, 1, seed=1)
    network = RBF(2, 1, num_centres=6, width=0.5)
    error = solve(network, x, target[:, 0])
    units = network.features(x).detach().numpy()
    peer = LinearRegression().fit(units, target.numpy())
    np.testing.assert_allclose(network(x).detach(), peer.predict(units), atol=1e-3)
    assert error == pytest.approx(float(((peer.predict(units) - target.numpy()) ** 2).mean()), rel=1e-3)


def test_centres_are_found_and_as_wide_as_their_neighbour_is_far() -> None:
    # Two clouds of spread 0.01 around (0, 0) and (3, 4), which are 5 apart.
    true = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    x = true.repeat(50, 1) + 0.01 * torch.randn(100, 2, generator=torch.Generator().manual_seed(0))
    network = RBF(2, num_centres=2)
    set_centres(network, x)
    torch.testing.assert_close(network.features.centres.sort(dim=0).values, true, atol=0.01, rtol=0)
    torch.testing.assert_close(network.features.log_width.exp(), torch.tensor([5.0, 5.0]), atol=0.02, rtol=0)


def test_centres_and_widths_are_learnt() -> None:
    network = RBF(2, 1, num_centres=3)
    network(samples(4, 2)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_takes_images_as_bytes() -> None:
    network = create("rbf", in_channels=1, num_classes=2, image_size=(4, 4), num_centres=3)
    x = torch.randint(0, 256, (5, 1, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(network(x), network.head(network.features(x.flatten(1) / 255)))


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="8 centres need as many different samples, but there are 5"):
        set_centres(RBF(2, num_centres=8), samples(5, 2).repeat(3, 1))
    with pytest.raises(ValueError, match="without num_classes"):
        solve(RBF(2), samples(5, 2), samples(5, 1))
    with pytest.raises(ValueError, match="0 of 1"):
        RBF(2, num_centres=0)
    with pytest.raises(ValueError, match="did you mean gaussian"):
        RBF(2, basis="gausian")
