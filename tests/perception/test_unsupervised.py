"""Unsupervised features: against the SVD, constructed correlations, known atoms and known spectra."""

import numpy as np
import pytest
from numpy.typing import NDArray

from palestra.perception.unsupervised import (
    cca,
    dictionary,
    kmeans,
    natural_images,
    patches,
    pca,
    purity,
    whitened,
)


def test_pca_is_the_svd() -> None:
    x = np.random.default_rng(0).normal(size=(60, 8)) @ np.diag(np.arange(1, 9))
    found = pca(x, 3)
    _, s, vt = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(np.abs(found.components_ @ vt[:3].T), np.eye(3), atol=1e-8)
    np.testing.assert_allclose(found.explained_variance_ratio_, s[:3] ** 2 / (s**2).sum())


def views(count: int = 4000) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns two mixed views whose hidden pairs have the correlations 0.9, 0.5 and 0."""
    rng = np.random.default_rng(1)
    a, noise = rng.normal(size=(2, count, 3))
    rho = np.array([0.9, 0.5, 0.0])
    b = rho * a + np.sqrt(1 - rho**2) * noise
    return a @ rng.normal(size=(3, 3)), b @ rng.normal(size=(3, 3))


def test_cca_finds_the_correlations_that_were_put_in() -> None:
    # The standard error of a correlation of 4,000 samples is (1 - rho^2) / 63: 0.003 at 0.9 and 0.016 at 0.
    found = cca(*views(), 3)
    assert found.correlations == pytest.approx([0.9, 0.5, 0.0], abs=0.05)
    pairs = [np.corrcoef(x, y)[0, 1] for x, y in zip(found.x_scores.T, found.y_scores.T, strict=True)]
    assert pairs == pytest.approx(found.correlations)


def test_too_many_dimensions_correlate_always_but_their_main_components_do_not() -> None:
    rng = np.random.default_rng(2)
    scale = np.r_[10.0, 8.0, np.full(38, 0.1)]
    x, y = rng.normal(size=(2, 60, 40)) * scale
    assert cca(x, y, 1).correlations[0] > 0.95
    assert cca(x, y, 1, variance=0.95).correlations[0] < 0.5


def test_kmeans_finds_separate_groups() -> None:
    rng = np.random.default_rng(3)
    labels = np.repeat(np.arange(3), 30)
    found = kmeans(10 * np.eye(3)[labels] + rng.normal(size=(90, 3)), 3)
    assert purity(found.labels_, labels) == 1.0
    assert np.sort(found.cluster_centers_.max(axis=1)) == pytest.approx([10, 10, 10], abs=0.7)  # 0.2 standard error


def test_purity_by_hand() -> None:
    # Cluster 0 holds labels 0 0 1, cluster 1 holds 1 2: two and one of five have their cluster's commonest label.
    assert purity(np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 2])) == pytest.approx(3 / 5)


def sparse_sums(num_atoms: int = 12, count: int = 3000) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns atoms `[K, 20]` of norm 1, and samples that are sums of two of them."""
    rng = np.random.default_rng(4)
    atoms = rng.normal(size=(num_atoms, 20))
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    codes = np.zeros((count, num_atoms))
    for code in codes:
        code[rng.choice(num_atoms, 2, replace=False)] = rng.choice([-1, 1], 2) * rng.uniform(1, 2, 2)
    return atoms, codes @ atoms


def test_the_dictionary_finds_the_atoms_that_were_put_in() -> None:
    atoms, x = sparse_sums(count=1000)
    found = dictionary(x, 12, sparsity=0.2, passes=40, batch_size=32)
    overlap = np.abs(found.atoms @ atoms.T)  # 1 where an atom is found, up to its sign
    assert overlap.max(axis=0).min() > 0.98
    assert sorted(overlap.argmax(axis=0)) == list(range(12))


def test_more_atoms_lose_less() -> None:
    _, x = sparse_sums(16, 1000)
    errors = [dictionary(x, k, sparsity=0.1, passes=5).error(x) for k in (2, 4, 8, 16)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.5 * errors[1]


def test_a_sparser_code_has_fewer_terms_and_loses_more() -> None:
    _, x = sparse_sums(count=600)
    dense, sparse = (dictionary(x, 12, sparsity=s, passes=5) for s in (0.05, 0.8))
    assert (sparse.encode(x) != 0).mean() < (dense.encode(x) != 0).mean()
    assert sparse.error(x) > dense.error(x)


def test_dictionaries_take_the_floats_of_networks() -> None:
    _, x = sparse_sums(count=300)
    single, double = (dictionary(x.astype(kind), 6, passes=3) for kind in (np.float32, np.float64))
    np.testing.assert_allclose(single.encode(x.astype(np.float32)), double.encode(x), atol=1e-3)


def test_patches_are_cut_out_of_the_images() -> None:
    image = np.arange(35.0).reshape(5, 7)
    found = patches([image], 3, 200).reshape(-1, 3, 3)
    assert {tuple(np.diff(p, axis=1).ravel()) + tuple(np.diff(p, axis=0).ravel()) for p in found} == {
        (1,) * 6 + (7,) * 6
    }
    assert {p[0, 0] for p in found} == {7 * i + j for i in range(3) for j in range(5)}  # every place there is


def test_whitening_makes_the_spectrum_flat() -> None:
    # White noise made 1 / f noise becomes white again below the cut-off, where exp(-(f / 0.4)^4) is nearly 1.
    rng = np.random.default_rng(5)
    frequency = np.hypot(np.fft.fftfreq(128)[:, None], np.fft.rfftfreq(128))
    frequency[0, 0] = 1
    image = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(128, 128))) / frequency, (128, 128))
    power = np.abs(np.fft.rfft2(whitened(image))) ** 2
    low, high = (power[(frequency > a) & (frequency < b)].mean() for a, b in ((0.02, 0.1), (0.1, 0.2)))
    assert low / high == pytest.approx(1.0, abs=0.2)
    assert whitened(image).std() == pytest.approx(1.0)


def test_the_photographs_are_grey_images_in_0_to_1() -> None:
    found = natural_images()
    assert [image.shape for image in found] == [(427, 640)] * 2
    assert all(0 <= image.min() < 0.2 and 0.8 < image.max() <= 1 for image in found)


def test_what_cannot_be_done_is_said() -> None:
    x = np.random.default_rng(0).normal(size=(5, 3))
    with pytest.raises(ValueError, match="4 components are wanted, but there can be 1 to 3"):
        pca(x, 4)
    with pytest.raises(ValueError, match="same samples"):
        cca(x, x[:4], 1)
    with pytest.raises(ValueError, match="6 clusters are wanted"):
        kmeans(x, 6)
    with pytest.raises(ValueError, match="sparsity must be positive"):
        dictionary(x, 2, sparsity=0)
    with pytest.raises(ValueError, match="1 atoms are wanted, but there can be 1 to 0"):
        dictionary(np.ones((5, 3)), 1)
    with pytest.raises(ValueError, match="patches of 9 x 9"):
        patches([np.zeros((8, 20))], 9, 1)
    with pytest.raises(ValueError, match="grey image"):
        whitened(np.zeros((8, 8)))
