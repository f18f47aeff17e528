"""Features learnt without labels, from tables `[N, D]` of pixels or of a network's features (`perception/features.py`).

PCA, canonical correlation, k-means and dictionaries are scikit-learn's; here is what images need around them: patches,
the whitening of natural images, and the numbers that say how good the features are.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
CUTOFF = 0.4  # cycles a pixel: Olshausen and Field's 200 cycles in pictures of 512 pixels
GREY = (0.299, 0.587, 0.114)  # luma of red, green and blue (ITU-R BT.601)


def pca(x: Floats, num_components: int, *, whiten: bool = False, seed: int = 0) -> Any:
    """Returns scikit-learn's PCA, fitted to `[N, D]`: `components_` `[K, D]`, `explained_variance_ratio_`, `transform`.

    Raises:
        ValueError: there are fewer samples or dimensions than components.
    """
    from sklearn.decomposition import PCA

    _check_count("components", num_components, min(x.shape))
    return PCA(num_components, whiten=whiten, random_state=seed).fit(x)


@dataclass(frozen=True)
class Canonical:
    """Directions in which two views of the same samples go together."""

    correlations: Floats  # [K] of the pairs, the strongest first
    x_scores: Floats  # [N, K] one view in those directions
    y_scores: Floats  # [N, K] the other


def cca(x: Floats, y: Floats, num_pairs: int, *, variance: float | None = None) -> Canonical:
    """Correlates two views `[N, D]` and `[N, E]` of the same samples: pixels and labels, or two networks' features.

    With `variance`, each view is first reduced to the principal components that hold that share of its variance
    (Raghu et al., "SVCCA", NIPS 2017), without which views with nearly as many dimensions as samples correlate always.

    Raises:
        ValueError: the views have different numbers of samples, or fewer dimensions than pairs.
    """
    from sklearn.cross_decomposition import CCA
    from sklearn.decomposition import PCA

    if len(x) != len(y):
        raise ValueError(f"both views must be of the same samples, but there are {len(x)} and {len(y)}")
    if variance is not None:
        x, y = (PCA(variance, svd_solver="full").fit_transform(view) for view in (x, y))
    _check_count("pairs", num_pairs, min(x.shape[1], y.shape[1], len(x) - 1))
    x_scores, y_scores = CCA(num_pairs, max_iter=5000).fit_transform(x, y)
    correlations = [float(np.corrcoef(a, b)[0, 1]) for a, b in zip(x_scores.T, y_scores.T, strict=True)]
    return Canonical(np.array(correlations), x_scores, y_scores)


def kmeans(x: Floats, num_clusters: int, *, seed: int = 0, restarts: int = 4) -> Any:
    """Returns scikit-learn's k-means, fitted to `[N, D]`: `cluster_centers_` `[K, D]`, `labels_`, `predict`.

    Raises:
        ValueError: there are fewer samples than clusters.
    """
    from sklearn.cluster import KMeans

    _check_count("clusters", num_clusters, len(x))
    return KMeans(num_clusters, n_init=restarts, random_state=seed).fit(x)


def purity(clusters: NDArray[Any], labels: NDArray[Any]) -> float:
    """Returns the share of samples that have the commonest label of their cluster; clusters and labels are `[N]`."""
    table = np.zeros((int(clusters.max()) + 1, int(labels.max()) + 1))
    np.add.at(table, (clusters, labels), 1)
    return float(table.max(axis=1).sum() / len(labels))


def natural_images() -> list[Floats]:
    """Returns the two photographs that come with scikit-learn, a temple and a flower, as grey images in [0, 1]."""
    from sklearn.datasets import load_sample_images

    return [image @ np.array(GREY) / 255 for image in load_sample_images().images]


def whitened(image: Floats, cutoff: float = CUTOFF) -> Floats:
    """Returns an image `[H, W]` with a flat spectrum up to a frequency in cycles a pixel, with mean 0 and spread 1.

    Natural images have amplitudes of about 1 / f; the filter is f exp(-(f / cutoff)^4) (Olshausen and Field, "Sparse
    coding with an overcomplete basis set", Vision Research 37 (1997), section 4.1).

    Raises:
        ValueError: it is no grey image, all its pixels are equal, or the cutoff is not positive.
    """
    if image.ndim != 2 or not cutoff > 0 or not np.ptp(image) > 0:
        raise ValueError(
            f"a grey image [H, W] that is not all equal and a positive cutoff are wanted, "
            f"but {list(image.shape)} and {cutoff} were given"
        )
    rows, columns = np.fft.fftfreq(image.shape[0])[:, None], np.fft.rfftfreq(image.shape[1])
    frequency = np.hypot(rows, columns)
    spectrum = np.fft.rfft2(image) * frequency * np.exp(-((frequency / cutoff) ** 4))
    flat = np.fft.irfft2(spectrum, image.shape)
    return np.asarray(flat / flat.std())


def patches(images: Sequence[Floats] | Floats, side: int, count: int, *, seed: int = 0) -> Floats:
    """Cuts `count` square patches out of images `[H, W]` at random places, evenly from all: `[count, side * side]`.

    Raises:
        ValueError: an image is no grey image, or smaller than a patch.
    """
    for image in images:
        if image.ndim != 2 or min(image.shape) < side or side < 1:
            raise ValueError(f"patches of {side} x {side} cannot be cut out of an image {list(image.shape)}")
    rng = np.random.default_rng(seed)
    cut = []
    for i in range(count):
        image = images[i % len(images)]
        top, left = (int(rng.integers(length - side + 1)) for length in image.shape)
        cut.append(image[top : top + side, left : left + side].ravel())
    return np.array(cut)


@dataclass(frozen=True)
class Dictionary:
    """Atoms of which samples are sums with few terms: x = codes @ atoms + mean."""

    atoms: Floats  # [K, D] of norm 1
    mean: Floats  # [D]
    sparsity: float

    def encode(self, x: Floats) -> Floats:
        """Returns codes `[N, K]` that lower 0.5 |x - mean - codes @ atoms|^2 + sparsity |codes|_1."""
        from sklearn.decomposition import sparse_encode

        centred = np.asarray(x - self.mean, np.float64)
        codes = sparse_encode(centred, self.atoms, algorithm="lasso_cd", alpha=self.sparsity, max_iter=5000)
        return np.asarray(codes)

    def decode(self, codes: Floats) -> Floats:
        """Returns samples `[N, D]` for codes `[N, K]`."""
        return np.asarray(codes @ self.atoms + self.mean)

    def error(self, x: Floats) -> float:
        """Returns the share of the samples' variance that their codes miss."""
        missed = np.square(x - self.decode(self.encode(x))).sum()
        return float(missed / np.square(x - self.mean).sum())


def dictionary(
    x: Floats, num_atoms: int, *, sparsity: float = 1.0, passes: int = 10, batch_size: int = 256, seed: int = 0
) -> Dictionary:
    """Learns atoms for samples `[N, D]` by sparse coding (Olshausen and Field, Nature 381, 1996).

    The penalty is |code|_1 times `sparsity`, and atoms have norm 1; learnt batch by batch after Mairal et al. (ICML
    2009), by scikit-learn. Atoms begin as samples drawn at random.

    Raises:
        ValueError: there are fewer samples than atoms, or `sparsity` is not positive.
    """
    from sklearn.decomposition import MiniBatchDictionaryLearning
    from sklearn.exceptions import ConvergenceWarning

    if not sparsity > 0:
        raise ValueError(f"sparsity must be positive, but is {sparsity}")
    _check_count("atoms", num_atoms, len(x))
    mean = x.mean(axis=0, dtype=np.float64)
    centred = x - mean
    norms = np.linalg.norm(centred, axis=1)
    usable = np.flatnonzero(norms > 1e-9)
    _check_count("atoms", num_atoms, len(usable))
    first = np.random.default_rng(seed).choice(usable, num_atoms, replace=False)
    learner = MiniBatchDictionaryLearning(
        num_atoms,
        alpha=sparsity,
        max_iter=passes,
        batch_size=min(batch_size, len(x)),
        fit_algorithm="cd",
        dict_init=centred[first] / norms[first, None],
        max_no_improvement=None,
        tol=0.0,
        random_state=seed,
    )
    with warnings.catch_warnings():  # codes of a batch that are not quite the best move the atoms just as well
        warnings.simplefilter("ignore", ConvergenceWarning)
        atoms = learner.fit(centred).components_
    return Dictionary(atoms / np.maximum(np.linalg.norm(atoms, axis=1, keepdims=True), 1e-12), mean, sparsity)


def _check_count(what: str, wanted: int, most: int) -> None:
    if not 1 <= wanted <= most:
        raise ValueError(f"{wanted} {what} are wanted, but there can be 1 to {most}")
