"""A deep autoencoder against principal components, with codes of the same size.

No linear code of k numbers reconstructs centred data with a smaller squared error than their first k principal
components (Eckart and Young 1936), and a linear autoencoder finds the same plane (Baldi and Hornik 1989). With hidden
layers that are not linear the code can follow curved surfaces, and the same number of numbers says more (Hinton
and Salakhutdinov 2006). Errors are squared, summed over the 64 pixels of scikit-learn's digits and averaged over 360
digits that were held out.

    python docs/lessons/deep_autoencoder.py [--out FILE.png]
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from torch import Tensor

from palestra.networks.autoencoder import Autoencoder
from palestra.networks.fit import FitConfig, Learner

SIZES = (2, 4, 8, 16)
KINDS = {"linear": ((), 0.05), "deep": ((128, 64), 0.005)}  # hidden layers, and step size
PICTURE = Path(__file__).parents[1] / "images" / "deep_autoencoder.png"


class Measured(NamedTuple):
    """Errors of held-out digits: of principal components `[sizes]`, and of each autoencoder `[sizes, seeds]`."""

    pca: Tensor
    errors: dict[str, Tensor]
    shown: Tensor  # [3, 8, 8, 8]: digits, and what PCA and a deep autoencoder make of them with codes of 8 numbers


def digits() -> tuple[Tensor, Tensor]:
    """Returns digits to learn from and held-out ones, `[N, 64]` in [0, 1], shuffled."""
    x = torch.tensor(load_digits().data / 16.0, dtype=torch.float32)
    x = x[torch.randperm(len(x), generator=torch.Generator().manual_seed(0))]
    return x[360:], x[:360]


def fit(kind: str, size: int, seed: int, x: Tensor) -> Autoencoder:
    """Fits an autoencoder with a code of `size` numbers to `[N, 64]`."""
    hidden, step_size = KINDS[kind]
    torch.manual_seed(seed)
    network = Autoencoder(64, num_features=size, hidden=hidden, output="identity", loss="squared")
    config = FitConfig(epochs=100, batch_size=128, learning_rate=step_size, schedule="one-cycle", seed=seed)
    for _ in Learner(network, config).fit((x,)):
        pass
    return network


def error(x: Tensor, reconstruction: Tensor) -> float:
    """Returns the squared error of reconstructions of `[N, 64]`."""
    return float((x - reconstruction).square().sum(dim=1).mean())


@torch.no_grad()
def measure(
    *, sizes: Sequence[int] = SIZES, kinds: Sequence[str] = tuple(KINDS), seeds: Sequence[int] = range(3)
) -> Measured:
    """Measures codes of all sizes, with several seeds of each autoencoder."""
    x, held_out = digits()
    pca, shown = [], torch.zeros(3, 8, 8, 8)
    errors = {kind: torch.zeros(len(sizes), len(seeds)) for kind in kinds}
    for i, size in enumerate(sizes):
        components = PCA(size).fit(x.numpy())
        flat = torch.tensor(components.inverse_transform(components.transform(held_out.numpy())))
        pca.append(error(held_out, flat))
        for kind in kinds:
            for j, seed in enumerate(seeds):
                with torch.enable_grad():
                    network = fit(kind, size, seed, x)
                errors[kind][i, j] = error(held_out, network.reconstruct(held_out))
                if (kind, size, j) == ("deep", 8, 0):
                    rows = torch.stack([held_out, flat, network.reconstruct(held_out)])
                    shown = rows[:, :8].reshape(3, 8, 8, 8)
    return Measured(torch.tensor(pca), errors, shown)


def draw(found: Measured, out: Path) -> None:
    """Draws the errors against the size of the code, and some digits."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.5))
    left.plot(SIZES, found.pca, "o--", color="black", label="principal components")
    for (kind, errors), colour in zip(found.errors.items(), ("#edae49", "#00798c"), strict=True):
        left.fill_between(SIZES, errors.amin(1), errors.amax(1), color=colour, alpha=0.3, linewidth=0)
        left.plot(SIZES, errors.mean(1), "o-", color=colour, label=f"{kind} autoencoder", markersize=4)
    left.set(title="The same code size, less error", xlabel="numbers in the code", ylabel="squared error of a digit")
    left.set(xscale="log", xticks=SIZES, xticklabels=SIZES, ylim=(0, None))
    left.minorticks_off()
    left.grid(alpha=0.3)
    left.legend()
    sheet = torch.nn.functional.pad(found.shown, (1, 1, 1, 1))
    right.imshow(sheet.permute(0, 2, 1, 3).reshape(30, 80).numpy(), cmap="gray_r", vmin=0, vmax=1)
    right.set(title="Digits it never saw, in codes of 8 numbers", xticks=[])
    right.set_yticks([4.5, 14.5, 24.5], ["digit", "PCA", "deep"])
    right.tick_params(length=0)
    right.spines[:].set_visible(False)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=110)


def main(args: Sequence[str] | None = None) -> None:
    """Prints the numbers and draws them."""
    parser = argparse.ArgumentParser(description="A deep autoencoder against principal components.")
    parser.add_argument("--out", type=Path, default=PICTURE, help="where the picture goes")
    out: Path = parser.parse_args(args).out
    found = measure()
    print(f"squared error of held-out digits{'PCA':>8}" + "".join(f"{kind:>22}" for kind in found.errors))
    for i, size in enumerate(SIZES):
        seeds = (errors[i] for errors in found.errors.values())
        cells = (f"{float(e.mean()):.2f} [{float(e.min()):.2f}, {float(e.max()):.2f}]" for e in seeds)
        print(f"code of {size:>2} numbers{float(found.pca[i]):>23.2f}" + "".join(f"{cell:>22}" for cell in cells))
    draw(found, out)
    print(out)


if __name__ == "__main__":
    main()
