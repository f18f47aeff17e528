"""Three ways to train a classifier with few labels, compared on the same images.

- supervised: from first weights, on the labelled images alone;
- frozen: the trunk is fitted to all images without labels, then a linear layer on top to the labelled ones;
- fine-tuned: fitted to all images without labels, then everything to the labelled ones (Hinton and Salakhutdinov,
  Science 313 (2006); Bengio et al., "Greedy layer-wise training of deep networks", NIPS 2006).

All three have the same network, the same labelled images, the same first weights and as many updates with labels.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import nn

from palestra.networks.fit import FitConfig
from palestra.networks.stages import name_of
from palestra.perception.data import Images
from palestra.perception.training import (
    Accuracies,
    Make,
    Transform,
    accuracy,
    copy_into,
    few,
    fitted,
    seeded,
    trunk_names,
    with_updates,
)

PROTOCOLS = ("supervised", "frozen", "fine-tuned")
UNSUPERVISED = FitConfig(epochs=10, batch_size=64)
SUPERVISED = FitConfig(loss="cross-entropy", learning_rate=3e-3, schedule="cosine", batch_size=64)


@dataclass(frozen=True)
class Row:
    """What a protocol reaches on the test images with a number of labels."""

    protocol: str
    labels: int
    accuracies: Accuracies
    seconds: float  # mean over seeds, with those of the pre-training


def compare_protocols(
    make: Make,
    train: Images,
    test: Images,
    *,
    labels: Sequence[int | None] = (None,),
    seeds: Sequence[int] = (0, 1, 2),
    updates: int = 500,
    unsupervised: FitConfig = UNSUPERVISED,
    supervised: FitConfig = SUPERVISED,
    transform: Transform | None = None,
    progress: Callable[[str], None] | None = None,
) -> list[Row]:
    """Trains by each protocol with each number of labels and each seed.

    `make(num_classes)` makes the network, without classes one that has an objective of its own, as autoencoders have.
    `labels` are numbers of labelled images, None for all; a seed decides which. Each supervised fit has at least
    `updates` updates. `transform` augments the labelled images; `progress` is told what has been done.

    Raises:
        ValueError: the network cannot learn without labels, or there are too few images.
    """
    if not hasattr(make(None), "objective"):
        raise ValueError(f"{name_of(make(None))} has no objective without labels; an autoencoder has")
    found: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for seed in seeds:
        begin = time.monotonic()
        pretrained = fitted(seeded(make, None, seed), Images(train.pixels, name=train.name), unsupervised, seed=seed)
        before = time.monotonic() - begin
        for count in labels:
            known = few(train, count, seed)
            for protocol in PROTOCOLS:
                begin = time.monotonic()
                network = _prepared(protocol, make, train.num_classes, pretrained, seed)
                config = with_updates(supervised, len(known), updates)
                share = accuracy(fitted(network, known, config, seed=seed, transform=transform), test)
                seconds = time.monotonic() - begin + (before if protocol != "supervised" else 0.0)
                found.setdefault((protocol, len(known)), []).append((share, seconds))
                if progress:
                    progress(f"seed {seed}, {len(known)} labels, {protocol}: {share:.2%}")
    return [_row(protocol, count, pairs) for (protocol, count), pairs in found.items()]


def _row(protocol: str, count: int, pairs: Sequence[tuple[float, float]]) -> Row:
    shares, seconds = zip(*pairs, strict=True)
    return Row(protocol, count, Accuracies(shares), sum(seconds) / len(seconds))


def _prepared(protocol: str, make: Make, num_classes: int, pretrained: nn.Module, seed: int) -> nn.Module:
    """Returns the classifier before it sees labels."""
    network = seeded(make, num_classes, seed)
    if protocol == "supervised":
        return network
    trunk = trunk_names(network)
    copy_into(network, pretrained, trunk)
    if protocol == "frozen":
        for name in set(trunk) & {name for name, _ in network.named_parameters()}:
            network.get_parameter(name).requires_grad_(False)
    return network


def table(rows: Sequence[Row]) -> str:
    """Returns rows as lines for people: a line for each number of labels, a column for each protocol."""
    counts = sorted({row.labels for row in rows})
    cells = {(row.protocol, row.labels): str(row.accuracies) for row in rows}
    lines = [f"{'labels':>7}  " + "".join(f"{protocol:<28}" for protocol in PROTOCOLS)]
    lines += [f"{n:>7,}  " + "".join(f"{cells.get((p, n), ''):<28}" for p in PROTOCOLS) for n in counts]
    return "\n".join(line.rstrip() for line in lines)
