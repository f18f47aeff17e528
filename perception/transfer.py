"""Transfer of what was learnt on A to B: fine-tuning with frozen stages, curves against depth, and linear probes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import nn

from palestra.networks import create
from palestra.networks.fit import FitConfig
from palestra.networks.stages import freeze, name_of, stages_of
from palestra.perception.data import Images
from palestra.perception.features import Table, features, labels_of, pixels
from palestra.perception.training import (
    Accuracies,
    Make,
    Transform,
    accuracy,
    copy_into,
    fitted,
    seeded,
    stage_names,
    trunk_names,
    with_updates,
)

KINDS = ("BnB", "BnB+", "AnB", "AnB+")
FIT = FitConfig(loss="cross-entropy", learning_rate=3e-3, schedule="cosine", batch_size=64)


def with_classes(network: nn.Module, num_classes: int | None, *, seed: int = 0) -> nn.Module:
    """Returns a copy of a network that `create` made, with new heads for so many classes; None is features alone.

    Raises:
        ValueError: the network does not know how it was made.
    """
    config: Any = getattr(network, "config", None)
    if config is None:
        raise ValueError(f"a {name_of(network)} can be given new heads if palestra.networks.create makes it")
    options = {**config, "num_classes": num_classes}
    kind = options.pop("network")
    other = seeded(lambda _: create(kind, **options), num_classes, seed)
    copy_into(other, network, trunk_names(other))
    return other


def fine_tuned(
    network: nn.Module,
    images: Images,
    config: FitConfig = FIT,
    *,
    frozen: int = 0,
    seed: int = 0,
    transform: Transform | None = None,
) -> nn.Module:
    """Returns a copy of a network that is fitted to other images: new heads, and its first `frozen` stages kept.

    Raises:
        ValueError: it has fewer stages, does not know how it was made, or does not take such images.
    """
    other = with_classes(network, images.num_classes, seed=seed)
    freeze(other, frozen)
    return fitted(other, images, config, seed=seed, transform=transform)


def of_classes(images: Images, wanted: Sequence[int]) -> Images:
    """Returns the images of some classes, which are numbered anew in that order.

    Raises:
        ValueError: the images have no labels, or none of a class.
    """
    if images.labels is None:
        raise ValueError(f"{images.name} has no labels to choose classes by")
    places = torch.full((images.num_classes,), -1)
    for i, label in enumerate(wanted):
        if not 0 <= label < images.num_classes or not bool((images.labels == label).any()):
            raise ValueError(f"{images.name} has no images of class {label}")
        places[label] = i
    chosen = torch.nonzero(places[images.labels] >= 0).squeeze(1)
    part = images.subset(chosen)
    return Images(part.pixels, places[images.labels[chosen]], [images.classes[i] for i in wanted], name=images.name)


def halves(num_classes: int, seed: int | None = None) -> tuple[list[int], list[int]]:
    """Splits classes into two halves, at random as in the paper, or in their order where the seed is None."""
    order = np.arange(num_classes) if seed is None else np.random.default_rng(seed).permutation(num_classes)
    half = num_classes // 2
    return sorted(order[:half].tolist()), sorted(order[half:].tolist())


@dataclass(frozen=True)
class Row:
    """Accuracy on B's test images, `depth` stages having been copied from a network of A or B; kind is None for B."""

    kind: str | None  # one of KINDS
    depth: int
    accuracies: Accuracies


def layer_transfer(
    make: Make,
    a: Images,
    b: Images,
    test: Images,
    *,
    depths: Sequence[int] | None = None,
    kinds: Sequence[str] = KINDS,
    seeds: Sequence[int] = (0, 1, 2),
    updates: tuple[int, int] = (500, 300),
    config: FitConfig = FIT,
    transform: Transform | None = None,
    progress: Callable[[str], None] | None = None,
) -> list[Row]:
    """Measures how accuracy on B depends on how many first stages come from a network that has learnt A.

    Yosinski, Clune, Bengio and Lipson, "How transferable are features in deep neural networks?", NIPS 2014. AnB: the
    first n stages are copied from a network of A and kept; the rest begins anew and learns B. AnB+: the copied ones
    learn as well. BnB and BnB+ are the controls, with stages of a network of B: what BnB loses is co-adaptation, what
    AnB loses beyond it is specific to A. The first row is the network of B itself. Unlike theirs our B may have fewer
    images than A, which is when transfer pays.

    `test` are B's. `updates` are those on A and on B, at least; `depths` are all stages by default.

    Raises:
        ValueError: there is no such kind or stage, or B's test has other classes.
    """
    stages = len(stages_of(make(b.num_classes)))
    depths = range(1, stages + 1) if depths is None else depths
    _check_transfer(b, test, kinds, depths, stages)
    on_a, on_b = (with_updates(config, len(x), n) for x, n in zip((a, b), updates, strict=True))
    found: dict[tuple[str | None, int], list[float]] = {}
    for seed in seeds:
        base_a = fitted(seeded(make, a.num_classes, seed), a, on_a, seed=seed, transform=transform)
        base_b = fitted(seeded(make, b.num_classes, seed), b, on_b, seed=seed, transform=transform)
        found.setdefault((None, 0), []).append(accuracy(base_b, test))
        for kind, depth in product(kinds, depths):
            network = seeded(make, b.num_classes, 1000 + seed)  # the rest begins with other weights than B's own
            copy_into(network, base_a if kind.startswith("A") else base_b, stage_names(network, depth))
            freeze(network, 0 if kind.endswith("+") else depth)
            share = accuracy(fitted(network, b, on_b, seed=1000 + seed, transform=transform), test)
            found.setdefault((kind, depth), []).append(share)
            if progress:
                progress(f"seed {seed}, {kind.replace('n', str(depth))}: {share:.2%}")
    return [Row(kind, depth, Accuracies(tuple(shares))) for (kind, depth), shares in found.items()]


def _check_transfer(b: Images, test: Images, kinds: Sequence[str], depths: Sequence[int], stages: int) -> None:
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise ValueError(f"there is no kind of transfer {unknown[0]!r}; there are {', '.join(KINDS)}")
    if b.num_classes != test.num_classes:
        raise ValueError(f"B has {b.num_classes} classes, but its test has {test.num_classes}")
    if wrong := [depth for depth in depths if not 1 <= depth <= stages]:
        raise ValueError(f"{wrong[0]} stages were to be copied, but there are 1 to {stages}")


def table(rows: Sequence[Row]) -> str:
    """Returns rows as lines for people: a line for each depth, a column for each kind."""
    kinds = [kind for kind in KINDS if any(row.kind == kind for row in rows)]
    cells = {(row.kind, row.depth): str(row.accuracies) for row in rows}
    lines = [f"B itself  {cells.get((None, 0), '')}", "stages  " + "".join(f"{kind:<28}" for kind in kinds)]
    for depth in sorted({row.depth for row in rows if row.kind}):
        lines.append(f"{depth:>6}  " + "".join(f"{cells.get((kind, depth), ''):<28}" for kind in kinds))
    return "\n".join(line.rstrip() for line in lines)


@dataclass(frozen=True)
class Probe:
    """What a linear classifier gets right from the outputs of a stage, `pixels` being what comes in."""

    stage: str
    dimensions: int
    accuracy: float


def linear_probe(
    network: nn.Module, train: Any, test: Any, stages: Sequence[str] | None = None, *, grid: int = 1
) -> list[Probe]:
    """Fits scikit-learn's logistic regression to the pixels and to the outputs of each stage.

    Alain and Bengio, "Understanding intermediate layers using linear classifier probes", 2016. Maps are averaged over a
    grid of `grid` cells a side, the whole map by default; dimensions are scaled to mean 0 and spread 1.

    Raises:
        ValueError: there is no such stage, or the data have no labels.
    """
    known, wanted = labels_of(train), labels_of(test)
    probes = [_probe("pixels", pixels(train), known, pixels(test), wanted)]
    for stage in stages_of(network) if stages is None else stages:
        x, x_test = (features(network, data, stage, grid=grid) for data in (train, test))
        probes.append(_probe(stage, x, known, x_test, wanted))
    return probes


def _probe(stage: str, x: Table, y: Any, x_test: Table, y_test: Any) -> Probe:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=3000)).fit(x, y)
    return Probe(stage, x.shape[1], float(classifier.score(x_test, y_test)))
