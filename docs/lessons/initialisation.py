"""What initial weights do to the signal in a deep network.

With weights of variance v and no biases a unit of a layer of N gets a sum of variance q' = N v E[f(sqrt(q) z)^2], z
Gaussian, where q is that of the layer before and f the activation (Poole et al. 2016, equation 3). For ReLU the
expectation is q / 2: so the variance 2 / N keeps the signal for ever (He et al. 2015) and 1 / N, which Xavier's rule
gives for equal layers, halves it each layer. For tanh 1 / N keeps it but for its saturation, by which it falls
as one over twice the depth (Glorot and Bengio 2010 take tanh as linear). Small weights lose the signal, zeros at once.

    python docs/lessons/initialisation.py [--out FILE.png]
"""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from palestra.networks.activations import activation_named
from palestra.networks.mlp import MLP
from palestra.networks.stages import stage_outputs

GAINS = {"zero": lambda n: 0.0, "small": lambda n: 1e-4 * n, "xavier": lambda n: 1.0, "he": lambda n: 2.0}  # N v
COLOURS = {"zero": "black", "small": "#edae49", "xavier": "#00798c", "he": "#d1495b"}
ACTIVATIONS = ("tanh", "relu")
PICTURE = Path(__file__).parents[1] / "images" / "initialisation.png"


def measure(
    *, depth: int = 20, width: int = 512, batch_size: int = 128, seeds: Sequence[int] = range(10)
) -> dict[tuple[str, str], Tensor]:
    """Returns the mean square of the activations `[seeds, depth + 1]` by activation and initialisation.

    The first is that of the inputs, which are Gaussian of variance 1.
    """
    found: dict[tuple[str, str], Tensor] = {}
    for activation in ACTIVATIONS:
        for name in GAINS:
            rows = []
            for seed in seeds:
                torch.manual_seed(seed)
                network = MLP(width, hidden=(width,) * depth, activation=activation, initialisation=name)
                x = torch.randn(batch_size, width)
                layers = [x, *stage_outputs(network, x).values()]
                rows.append(torch.stack([layer.square().mean() for layer in layers]))
            found[activation, name] = torch.stack(rows)
    return found


def theory(activation: str, gain: float, depth: int) -> Tensor:
    """Returns the mean square `[depth + 1]` that infinitely wide layers have, by Gauss-Hermite quadrature."""
    points, weights = np.polynomial.hermite_e.hermegauss(200)
    z, density = torch.from_numpy(points), torch.from_numpy(weights) / math.sqrt(2.0 * math.pi)
    function = activation_named(activation)
    squares = [1.0]
    for _ in range(depth):
        squares.append(float((density * function(math.sqrt(gain * squares[-1]) * z).square()).sum()))
    return torch.tensor(squares)


def draw(found: dict[tuple[str, str], Tensor], theories: dict[tuple[str, str], Tensor], out: Path) -> None:
    """Draws what was measured as lines with the seeds' range, and the theory as dots."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.8), layout="constrained")
    for axes, activation in zip(figure.subplots(1, 2, sharey=True), ACTIVATIONS, strict=True):
        for name, colour in COLOURS.items():
            rows, expected = found[activation, name], theories[activation, name]
            layers = range(rows.shape[1])
            if name == "zero":
                axes.plot([], [], color=colour, label="zero: nothing from layer 1 on")
                axes.plot([0, 1], [1.0, 1e-30], color=colour, linewidth=2)
                continue
            axes.fill_between(layers, rows.amin(0), rows.amax(0), color=colour, alpha=0.2, linewidth=0)
            axes.plot(layers, rows.mean(0), color=colour, linewidth=2, label=name)
            axes.plot(layers, expected, ".", color=colour)
        axes.set(title=activation, xlabel="layer", xlim=(0, len(layers) - 1), ylim=(1e-9, 10), yscale="log")
        axes.set_xticks(range(0, len(layers), 5))
        axes.grid(alpha=0.3)
    figure.get_layout_engine().set(wspace=0.06)  # type: ignore[union-attr]
    figure.axes[0].set_ylabel("mean square of the activations")
    figure.axes[0].legend(loc="lower right")
    figure.suptitle("Which signals reach the end of a deep network: measured (lines) and in theory (dots)")
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=110)


def main(args: Sequence[str] | None = None) -> None:
    """Prints the numbers and draws them."""
    parser = argparse.ArgumentParser(description="The variance of activations over depth for several initial weights.")
    parser.add_argument("--out", type=Path, default=PICTURE, help="where the picture goes")
    out: Path = parser.parse_args(args).out
    found = measure()
    theories = {key: theory(key[0], GAINS[key[1]](512), 20) for key in found}
    print("mean square of the activations after 1, 10 and 20 layers of 512 units, mean of 10 seeds (theory)")
    for (activation, name), rows in found.items():
        pairs = zip(rows.mean(0)[[1, 10, 20]], theories[activation, name][[1, 10, 20]], strict=True)
        print(f"{activation:<6}{name:<8}" + "".join(f"{float(a):>11.1e} ({float(b):.1e})" for a, b in pairs))
    draw(found, theories, out)
    print(out)


if __name__ == "__main__":
    main()
