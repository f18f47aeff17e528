"""Vision on the network library, with scikit-learn's classifiers beside it on the same images.

digits     the small network by 10-fold cross-validation of scikit-learn's digits, and SVC(gamma=0.001) in the same
           folds: shuffled, each class in its share, seed 0. Augmentation was chosen by cross-validation inside the
           first fold's training part; everything is the same in all folds.
mnist8k    the small network on $PALESTRA_DATA/mnist8k/mnist8k.npz: a fifth, 1,600 images, is held out by the seeds
           0, 1 and 2. Widths and augmentation were chosen on a fifth of seed 0's training part, with 20 epochs (in
           the test 99.62, 99.31 and 99.56 %); 10 are half the time.
protocols  supervised from scratch, frozen and fine-tuned autoencoders against the number of labels (mnist8k)
transfer   accuracy against the stages copied, and linear probes, digits 0 to 4 to digits 5 to 9 (mnist8k)

torch gets one thread: at a load of 7 on two cores an epoch of mnist8k took 5 to 6 seconds with one and 31 to 127 with
two, which wait for each other at every small layer.

python benchmarks/vision.py [digits|mnist8k|protocols|transfer]
"""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from palestra.networks import create
from palestra.networks.fit import FitConfig
from palestra.networks.stages import num_parameters
from palestra.networks.threads import use_threads
from palestra.perception import baselines, protocols, transfer
from palestra.perception.augment import Augment
from palestra.perception.data import Images, load_images
from palestra.perception.features import labels_of, pixels
from palestra.perception.inputs import network_for
from palestra.perception.training import Accuracies, accuracy, few, fitted, seeded

ONE_CYCLE = FitConfig(optimizer="adamw", learning_rate=4e-3, weight_decay=0.05, schedule="one-cycle", batch_size=64)
SEEDS = (0, 1, 2)
LEVELS = 16  # of scikit-learn's digits, the scale for which gamma=0.001 is meant


def trained(images: Images, test: Images, seed: int, epochs: int, augment: list[str], **options: Any) -> dict[str, Any]:
    """Trains the small network and returns its accuracy on the test images, its size and its time."""
    begin = time.monotonic(), time.process_time()
    network = seeded(lambda k: network_for("convnet", images, num_classes=k, **options), images.num_classes, seed)
    fitted(network, images, replace(ONE_CYCLE, epochs=epochs), seed=seed, transform=Augment(augment))
    share = accuracy(network, test)
    seconds, cpu_seconds = time.monotonic() - begin[0], time.process_time() - begin[1]
    about = {"seconds": seconds, "cpu_seconds": cpu_seconds, "parameters": num_parameters(network)}
    return {"accuracy": share, **about}


def svc(train: Images, test: Images) -> float:
    """Returns the accuracy of scikit-learn's SVC(gamma=0.001) on the levels 0 to 16."""
    from sklearn.svm import SVC

    x, x_test = (np.round(LEVELS * pixels(part)) for part in (train, test))
    return float(SVC(gamma=0.001).fit(x, labels_of(train)).score(x_test, labels_of(test)))


def digits() -> dict[str, Any]:
    """Compares the network with the support vector machine, fold by fold."""
    rows = []
    print(f"{'fold':<6}{'convnet':>9}{'SVC':>9}{'seconds':>9}")
    for fold, (train, test) in enumerate(load_images("digits").folds(10, seed=0)):
        found = trained(train, test, fold, 40, ["rotate:10", "scale:0.1"], widths=((32, 32), (64, 64)))
        rows.append({**found, "svc": svc(train, test)})
        print(f"{fold:<6}{found['accuracy']:>9.2%}{rows[-1]['svc']:>9.2%}{found['seconds']:>9.1f}", flush=True)
    figures: dict[str, Any] = {"parameters": rows[0]["parameters"]}
    for name, key in (("convnet", "accuracy"), ("svc", "svc")):
        values = [row[key] for row in rows]
        low, high = Accuracies(tuple(values)).interval
        figures[name] = {"mean": float(np.mean(values)), "low": low, "high": high, "folds": values}
        print(f"{name}: {np.mean(values):.2%} ({low:.2%} to {high:.2%}), spread {np.std(values, ddof=1):.2%}")
    return figures


def mnist8k() -> dict[str, Any]:
    """Trains the network with three splits, and the baselines on the first of them."""
    images = _mnist8k()
    runs = []
    for seed in SEEDS:
        train, test = images.split(0.2, seed=seed)
        runs.append(trained(train, test, seed, 10, ["shift:2", "rotate:10", "scale:0.1"]))
        took = f"{runs[-1]['seconds']:.0f} s, {runs[-1]['cpu_seconds']:.0f} s of the processors"
        print(f"convnet, split {seed}: {runs[-1]['accuracy']:.2%} in {took}", flush=True)
    train, test = images.split(0.2, seed=0)
    rows = baselines.compare(train, test)
    own = baselines.row_of("convnet", round(runs[0]["accuracy"] * len(test)), len(test), runs[0]["seconds"])
    print(baselines.table([*rows, own]))
    values = [run["accuracy"] for run in runs]
    low, high = Accuracies(tuple(values)).interval
    return {
        "mean": float(np.mean(values)),
        "low": low,
        "high": high,
        "runs": runs,
        "baselines": {row.name: row.accuracy for row in rows},
    }


def compare_protocols() -> dict[str, Any]:
    """Compares training protocols."""
    train, test = _mnist8k().split(0.2, seed=0)
    mean, std = train.mean_std()
    make = partial(
        _autoencoder, in_channels=1, image_size=train.image_size, encoder="convnet", mean=mean, std=std, dropout=0.0
    )
    rows = protocols.compare_protocols(
        partial(make, widths=((16,), (32,)), hidden=64),
        train,
        test,
        labels=(50, 200, 1000),
        seeds=SEEDS,
        updates=300,
        unsupervised=FitConfig(learning_rate=2e-3, schedule="cosine", epochs=10, batch_size=64),
    )
    print(protocols.table(rows))
    return {f"{row.protocol} {row.labels}": row.accuracies.mean for row in rows}


def _autoencoder(num_classes: int | None, **options: Any) -> nn.Module:
    return create("conv-autoencoder", num_classes=num_classes, **options)


def measure_transfer() -> dict[str, Any]:
    """Measures layer transfer, and what a linear classifier sees at each stage."""
    images = _mnist8k()
    first, second = (transfer.of_classes(images, half) for half in transfer.halves(10))
    b, test = second.split(0.5, seed=0)
    make = partial(_small, mean=first.mean_std()[0], std=first.mean_std()[1])
    rows = transfer.layer_transfer(make, first, few(b, 100, 0), test, seeds=SEEDS, updates=(300, 150))
    print(transfer.table(rows))
    train, held_out = images.split(0.2, seed=0)
    network = fitted(seeded(make, 10, 0), train, replace(transfer.FIT, epochs=4), seed=0)
    probes = transfer.linear_probe(network, few(train, 2000, 0), held_out)
    print("linear probes: " + ", ".join(f"{probe.stage} {probe.accuracy:.2%}" for probe in probes))
    figures: dict[str, Any] = {f"{row.kind or 'B'} {row.depth}": row.accuracies.mean for row in rows}
    return {**figures, "probes": {probe.stage: probe.accuracy for probe in probes}}


def _small(num_classes: int | None, **options: Any) -> nn.Module:
    return create(
        "convnet",
        in_channels=1,
        num_classes=num_classes,
        widths=((8,), (16,), (32,)),
        hidden=64,
        dropout=0.0,
        **options,
    )


def _mnist8k() -> Images:
    folder = os.environ.get("PALESTRA_DATA")
    if folder is None:
        raise SystemExit("PALESTRA_DATA must name a folder with mnist8k/mnist8k.npz")
    return load_images(str(Path(folder) / "mnist8k" / "mnist8k.npz"))


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "digits": digits,
    "mnist8k": mnist8k,
    "protocols": compare_protocols,
    "transfer": measure_transfer,
}


def main() -> None:
    """Prints the tables, and as the last line a JSON object."""
    threads = use_threads(image=False)
    figures: dict[str, Any] = {"threads": threads}
    for part in sys.argv[1:] or PARTS:
        print(f"\n{part}, threads: {threads}")
        begin = time.monotonic()
        figures[part] = {**PARTS[part](), "seconds": time.monotonic() - begin}
        print(f"{figures[part]['seconds']:.0f} s")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
