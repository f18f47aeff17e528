"""Features without labels: components, centres and atoms of images, and sparse codes of natural scenes.

The first picture shows principal components, the centres of k-means and the atoms of a dictionary on images; the second
the images in the plane of two principal components, of pixels and of a network's features; the third is Olshausen and
Field's (Nature 381, 1996): atoms for patches of whitened photographs, the two that come with scikit-learn.

    python docs/examples/unsupervised.py [--data digits] [--atoms 144] [--passes 10] [--out FOLDER]
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import nn

from palestra.networks.fit import FitConfig
from palestra.perception.data import Images, load_images
from palestra.perception.features import features, labels_of, pixels
from palestra.perception.inputs import network_for
from palestra.perception.learning_pictures import draw_map, draw_tiles
from palestra.perception.training import fitted, seeded
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

PICTURES = Path(__file__).parents[1] / "images"
SIDE = 12  # pixels of a patch
TILES = 36  # features of each kind in the first picture


def parts(images: Images, out: Path) -> None:
    """Draws components, centres and atoms of images, and prints how good they are."""
    x, labels = pixels(images)[:2000], labels_of(images)[:2000]
    shape = (-1, *images.image_size)
    components, clusters, atoms = pca(x, TILES), kmeans(x, TILES), dictionary(x, TILES, sparsity=0.5)
    print(f"{TILES} principal components hold {components.explained_variance_ratio_.sum():.1%} of the variance")
    print(
        f"{TILES} clusters: {purity(clusters.labels_, labels):.1%} of the images have their cluster's commonest label"
    )
    used = (atoms.encode(x) != 0).sum(axis=1).mean()
    print(f"{TILES} atoms miss {atoms.error(x):.1%} of the variance with {used:.1f} of them an image")
    shown = {
        f"{TILES} principal components": components.components_.reshape(shape),
        "centres of k-means": (clusters.cluster_centers_ - x.mean(axis=0)).reshape(shape),
        "atoms of a dictionary": atoms.atoms.reshape(shape),
    }
    draw_tiles(shown, out)


def views(images: Images, out: Path) -> None:
    """Draws pixels and features in the plane of their first components, and correlates the features of two networks."""
    train, test = images.split(0.5, seed=0)
    labels = labels_of(test)
    config = FitConfig(epochs=10, learning_rate=3e-3, schedule="cosine", batch_size=64)
    networks = [fitted(_network(train, seed), train, config, seed=seed) for seed in (0, 1)]
    found = [features(network, test) for network in networks]
    untrained = features(_network(train, 2), test)
    for name, other in (("another fitted network", found[1]), ("one with its first weights", untrained)):
        correlations = cca(found[0], other, 5, variance=0.9).correlations
        print(f"features of a fitted network and of {name}: correlations {np.round(correlations, 2).tolist()}")
    groups = {"pixels": pca(pixels(test), 2).transform(pixels(test)), "features": pca(found[0], 2).transform(found[0])}
    draw_map(groups, labels, test.classes, out)


def _network(images: Images, seed: int) -> nn.Module:
    return seeded(
        lambda k: network_for("convnet", images, num_classes=k, widths=((16,), (32,))), images.num_classes, seed
    )


def scenes(num_atoms: int, passes: int, out: Path) -> None:
    """Draws atoms of natural scenes, the most used first."""
    x = patches([whitened(image) for image in natural_images()], SIDE, 20_000)
    found = dictionary(x, num_atoms, sparsity=1.0, passes=passes)
    codes = found.encode(x[:2000])
    order = np.argsort(-np.abs(codes).mean(axis=0))
    used = (codes != 0).sum(axis=1).mean()
    print(f"{num_atoms} atoms of natural scenes miss {found.error(x[:2000]):.1%} with {used:.1f} of them a patch")
    draw_tiles({f"{num_atoms} atoms of natural scenes": found.atoms[order].reshape(-1, SIDE, SIDE)}, out, side=6.0)


def main(words: Sequence[str] | None = None) -> None:
    """Learns, prints and draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--atoms", type=int, default=144)
    parser.add_argument("--passes", type=int, default=10)
    parser.add_argument("--out", type=Path, default=PICTURES)
    args = parser.parse_args(words)
    args.out.mkdir(parents=True, exist_ok=True)
    images = load_images(args.data)
    if images.in_channels != 1:
        parser.error("components are drawn in grey: give --data with one channel")
    parts(images, args.out / "parts.png")
    views(images, args.out / "views.png")
    scenes(args.atoms, args.passes, args.out / "scenes.png")
    for name in ("parts.png", "views.png", "scenes.png"):
        print(args.out / name)


if __name__ == "__main__":
    main()
