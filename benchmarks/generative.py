"""Log-likelihoods of the generative models on real data, beside published figures and simple baselines.

digits: 17 levels, the first 1,000 images to fit to, 350 to stop by, 447 to measure on. mushrooms and dna: the splits
of the files (Germain et al. 2015, Table 3). mnist: 8,000 images of MNIST, binarised at a half, 6,000, 1,000 and 1,000
in their order. Each fit but those of rbm and dbn keeps the weights of its best epoch by the validation loss; a mean
over seeds has Student's 95 % interval. A fit has one thread, so that several can be made at a time, by their names;
what is there, in `generative/` of the runs' folder, is not made again. rbm: log Z by annealed importance sampling
beside the exact one.

    python benchmarks/generative.py --data FOLDER [--seeds 3] [--only digits mushrooms dna mnist rbm] [--models NAME...]
        [--picture FILE.png]
"""

import argparse
import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from palestra.cli.run import runs_folder
from palestra.generative.scores import score
from palestra.networks import create, network_class, usual_fit
from palestra.networks.batches import as_dataset
from palestra.networks.fit import FitConfig, Learner
from palestra.networks.threads import use_threads
from palestra.perception.intervals import student

NUM_SAMPLES = 16  # that are kept of a fit

Parts = tuple[Tensor, Tensor, Tensor]  # to fit to, to stop by and to measure on, as levels or floats


@dataclass(frozen=True)
class Case:
    """A model's options, and those of its fit."""

    model: str
    options: dict[str, Any] = field(default_factory=dict)
    fit: dict[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def title(self) -> str:
        """Its row's name."""
        return f"{self.model}{', ' if self.note else ''}{self.note}"


WIDE: dict[str, Any] = {"epochs": 400, "patience": 15, "batch_size": 100, "schedule": "constant"}
# options were chosen on the validation parts
SMALL: dict[str, Any] = {"patience": 600, "batch_size": 32, "schedule": "cosine", "learning_rate": 2e-3}
PLACED = (
    Case("pixelcnn", {"num_units": 64, "num_blocks": 4, "kernel": 5, "dropout": 0.5}, {**SMALL, "epochs": 50}),
    Case("gated-pixelcnn", {"num_units": 48, "num_blocks": 4, "kernel": 5, "dropout": 0.5}, {**SMALL, "epochs": 40}),
)
DIGITS = (
    *PLACED,
    *(Case(case.model, {**case.options, "places": False}, case.fit, "without places") for case in PLACED),
    Case("pixelcnn++", {"num_units": 48, "num_blocks": 2, "dropout": 0.5}, {**SMALL, "epochs": 40}),
    Case("pixelrnn", {"num_units": 24, "num_layers": 2, "kernel": 5}, {**SMALL, "epochs": 30}),
    Case("row-lstm", {"num_units": 24, "num_layers": 2, "kernel": 5}, {**SMALL, "epochs": 30}),
)
LONG: dict[str, Any] = {"patience": 600, "batch_size": 100, "schedule": "cosine"}  # the best of all epochs
TABLES = {
    "mushrooms": (
        Case("made", {"hidden": (1000,), "dropout": 0.8}, {**LONG, "epochs": 600, "learning_rate": 5e-3}),
        Case("nade", {"num_hidden": 200}, {**WIDE, "epochs": 300, "patience": 30, "learning_rate": 1e-3}),
    ),
    "dna": (
        Case("made", {"hidden": (500,), "dropout": 0.9}, {**LONG, "epochs": 300, "learning_rate": 3e-3}),
        Case(
            "made",
            {"hidden": (500,), "num_masks": 32, "order": "random", "dropout": 0.5},
            {**WIDE, "epochs": 600, "patience": 30, "learning_rate": 1e-3},
            "32 masks",
        ),
        Case("nade", {"num_hidden": 100}, {**WIDE, "epochs": 300, "patience": 30, "learning_rate": 5e-4}),
    ),
}
IMAGES: dict[str, Any] = {"epochs": 40, "patience": 600, "batch_size": 64, "schedule": "cosine"}
PIXELS: dict[str, Any] = {**IMAGES, "epochs": 12, "learning_rate": 2e-3}
MNIST = (
    Case("nade", {"num_hidden": 300}, {**IMAGES, "learning_rate": 1e-3}),
    Case("made", {"hidden": (500,), "dropout": 0.5}, {**IMAGES, "learning_rate": 2e-3}),
    Case("made", {"hidden": (500, 500), "num_masks": 8}, {**IMAGES, "learning_rate": 1e-3}, "two layers, 8 masks"),
    Case("rbm", {"num_hidden": 300, "persistent": True}, {**IMAGES, "epochs": 60, "patience": 0}),
    Case("dbn", {"hidden": (300, 300)}, {**IMAGES, "epochs": 60, "patience": 0}),
    Case("vae", {"hidden": (400,), "num_latent": 20}, {**IMAGES, "epochs": 100, "learning_rate": 1e-3}),
    Case("conv-vae", {"num_latent": 20}, {**IMAGES, "learning_rate": 1e-3}),
    Case("pixelcnn", {"num_units": 32, "num_blocks": 5, "dropout": 0.1}, PIXELS),
    Case("gated-pixelcnn", {"num_units": 32, "num_blocks": 5, "dropout": 0.1}, PIXELS),
    Case("pixelcnn++", {"num_units": 32, "num_blocks": 2, "dropout": 0.1}, PIXELS),
    Case("row-lstm", {"num_units": 16, "num_layers": 3}, {**PIXELS, "epochs": 8}),
    Case("pixelrnn", {"num_units": 16, "num_layers": 3}, {**PIXELS, "epochs": 6}),
)
PUBLISHED = {
    "digits": "uniform 181.3",
    "mushrooms": "MADE 9.68, NADE 9.81 (Germain et al. 2015, Table 3)",
    "dna": "MADE 83.63, with mask sampling 79.66, NADE 84.81 (the same)",
    "mnist": "nobody has published figures for these 8,000 images",
}


def digits() -> tuple[Parts, dict[str, Any]]:
    """Returns scikit-learn's digits in their order, as levels, and the options of their models."""
    from sklearn.datasets import load_digits

    x = torch.from_numpy(load_digits().images.astype(np.int64))[:, None]
    return (x[:1000], x[1000:1350], x[1350:]), {"in_channels": 1, "image_size": (8, 8), "levels": 17}


def table(folder: Path, name: str) -> tuple[Parts, dict[str, Any]]:
    """Returns a table of zeros and ones, and the options of its models."""
    file = np.load(folder / "uci" / f"{name}.npz")
    train, valid, test = (torch.from_numpy(file[part].astype(np.float32)) for part in ("train", "valid", "test"))
    return (train, valid, test), {"in_channels": train.shape[1]}


def mnist(folder: Path) -> tuple[Parts, dict[str, Any]]:
    """Returns images of MNIST, binarised, and the options of their models; those on vectors see them in a row."""
    x = (torch.from_numpy(np.load(folder / "mnist8k" / "mnist8k.npz")["images"]) >= 128).long()[:, None]
    return (x[:6000], x[6000:7000], x[7000:]), {"in_channels": 1, "image_size": (28, 28), "levels": 2}


def arranged(parts: Parts, options: dict[str, Any], name: str) -> tuple[Parts, dict[str, Any]]:
    """Returns data and options as a model takes them: vectors for those that have no image size."""
    if network_class(name).input_rank == 3 or "image_size" not in options:
        return parts, options
    train, valid, test = (part.flatten(1).float() for part in parts)
    return (train, valid, test), {"in_channels": train.shape[1]}


def fitted(case: Case, parts: Parts, options: dict[str, Any], seed: int) -> tuple[Any, float]:
    """Fits a model and returns it with the seconds that it took."""
    torch.manual_seed(seed)
    model = create(case.model, **options, **case.options)
    config = FitConfig(**{**usual_fit(case.model), **case.fit, "seed": seed})
    begin = time.perf_counter()
    for _ in Learner(model, config).fit((parts[0],), (parts[1],) if config.patience else None):
        pass
    return model, time.perf_counter() - begin


def baselines(parts: Parts, levels: int) -> dict[str, float]:
    """Returns the nats of independent numbers and of the best mixture of them, chosen on the validation part."""
    train, valid, test = (part.flatten(1).long() for part in parts)
    found = {"independent": -float(mixture(train, 1, levels)(test).mean())}
    mixtures = [mixture(train, k, levels) for k in (5, 10, 20, 40, 80)]
    best = max(mixtures, key=lambda log_prob: float(log_prob(valid).mean()))
    return found | {"mixture": -float(best(test).mean())}


def mixture(x: Tensor, k: int, levels: int, steps: int = 60) -> Callable[[Tensor], Tensor]:
    """Fits a mixture of k products of categorical distributions by expectation-maximisation, a half added to counts."""
    one_hot = torch.nn.functional.one_hot(x, levels).double()  # [N, D, L]
    generator = torch.Generator().manual_seed(0)
    share = torch.rand(len(x), k, generator=generator, dtype=torch.float64).softmax(dim=1)

    def log_joint(rows: Tensor) -> Tensor:
        chosen = torch.nn.functional.one_hot(rows, levels).double()
        return torch.einsum("ndl,kdl->nk", chosen, log_p) + log_weight

    for _ in range(steps):
        counts = torch.einsum("nk,ndl->kdl", share, one_hot) + 0.5 / levels
        log_p, log_weight = (counts / counts.sum(dim=2, keepdim=True)).log(), share.mean(dim=0).log()
        share = log_joint(x).softmax(dim=1)
    return lambda rows: torch.logsumexp(log_joint(rows), dim=1)


def result(name: str, case: Case, parts: Parts, options: dict[str, Any], seed: int) -> dict[str, Any]:
    """Returns the figures of a fit and, as levels, a few samples; makes it unless it was made before."""
    file = runs_folder() / "generative" / f"{name}-{re.sub('[^a-z0-9+]+', '-', case.title)}-{seed}.json"
    if not file.exists():
        data, needed = arranged(parts, options, case.model)
        model, seconds = fitted(case, data, needed, seed)
        found = score(model, as_dataset((data[2],)))
        samples = model.sample(NUM_SAMPLES, generator=torch.Generator().manual_seed(0)) * (model.levels - 1)
        figures = {"nats": found.nats, "bits": found.bits_per_dim, "kind": found.kind, "seconds": seconds}
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({**figures, "samples": samples.round().int().flatten(1).tolist()}))
    known: dict[str, Any] = json.loads(file.read_text())
    return known


def row_of(name: str, case: Case, parts: Parts, options: dict[str, Any], seeds: int) -> dict[str, Any]:
    """Prints a row of a table, and returns its figures."""
    fits = [result(name, case, parts, options, seed) for seed in range(seeds)]
    nats, bits, seconds = ([fit[figure] for fit in fits] for figure in ("nats", "bits", "seconds"))
    low, high = student(nats)
    spread = f"{low:.2f} to {high:.2f}" if seeds > 1 else ""
    print(
        f"{case.title:34}{np.mean(nats):>8.2f}   {spread:16}{np.mean(bits):>7.4f}  {fits[0]['kind']:12}"
        f"{np.mean(seconds):>8.0f}",
        flush=True,
    )
    return {"nats": nats, "bits": bits, "kind": fits[0]["kind"], "seconds": np.mean(seconds)}


def draw(name: str, cases: Sequence[Case], parts: Parts, options: dict[str, Any], out: Path) -> None:
    """Draws images of the data, and below them samples of each model's first fit."""
    from matplotlib.figure import Figure

    rows = {"data": parts[2][:NUM_SAMPLES].flatten(1).tolist()}
    rows |= {case.title: result(name, case, parts, options, 0)["samples"] for case in cases}
    height, width = options["image_size"]
    figure = Figure(figsize=(7.0, 0.5 * len(rows)), dpi=150, layout="constrained")
    axes: Any = figure.subplots(len(rows), 1)
    for axis, (title, images) in zip(axes, rows.items(), strict=True):
        strip = np.hstack([np.pad(np.reshape(image, (height, width)), 1) for image in images])
        axis.imshow(strip, cmap="gray_r", vmin=0, vmax=options["levels"] - 1)
        axis.set_ylabel(title, rotation=0, ha="right", va="center", fontsize=8)
        axis.set(xticks=[], yticks=[], frame_on=False)
    figure.savefig(out)


def rbm(seed: int) -> dict[str, float]:
    """Prints and returns an RBM's log Z, exact and estimated; 20 hidden units fitted to the digits."""
    parts, options = digits()
    data, needed = arranged(((parts[0] >= 8).long(), (parts[1] >= 8).long(), (parts[2] >= 8).long()), options, "rbm")
    model, _ = fitted(Case("rbm", {"num_hidden": 20}, {"epochs": 100, "batch_size": 100}), data, needed, seed)
    exact = float(model.log_z())
    estimate, error = (float(x) for x in model.ais(generator=torch.Generator().manual_seed(seed)))
    print(f"seed {seed}: log Z {exact:.3f} exact, {estimate:.3f} (standard error {error:.3f}) by annealed sampling")
    return {"exact": exact, "estimate": estimate, "error": error}


def main() -> None:
    """Prints the tables, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with uci/ and mnist8k/")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=["digits", "mushrooms", "dna", "mnist", "rbm"])
    parser.add_argument("--models", nargs="+", default=[])
    parser.add_argument("--picture", type=Path, help="samples of the models of mnist")
    options = parser.parse_args()
    use_threads(image=False)
    sources: dict[str, tuple[Any, tuple[Case, ...]]] = {
        "digits": (digits, DIGITS),
        "mnist": (lambda: mnist(options.data), MNIST),
    }
    for name, rows in TABLES.items():
        sources[name] = partial(table, options.data, name), rows
    figures: dict[str, Any] = {}
    for name in options.only:
        if name == "rbm":
            figures["rbm"] = [rbm(seed) for seed in range(options.seeds)]
            continue
        read, cases = sources[name]
        parts, arguments = read()
        chosen = [case for case in cases if not options.models or case.model in options.models]
        print(f"\n{name}: {PUBLISHED[name]}", flush=True)
        figures[name] = baselines(parts, arguments.get("levels", 2))
        print("".join(f"{title:24}{value:>9.2f} nats\n" for title, value in figures[name].items()), end="")
        print(f"{'model':34}{'nats':>8}   95 % interval   bits/dim  kind         seconds a fit")
        for case in chosen:
            figures[f"{name} {case.title}"] = row_of(name, case, parts, arguments, options.seeds)
        if options.picture and name == "mnist":
            draw(name, chosen, parts, arguments, options.picture)
    print(json.dumps(figures, default=float))


if __name__ == "__main__":
    main()
