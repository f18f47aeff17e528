"""What one layer cannot learn and two can: exclusive or.

A perceptron divides the plane by a line. Of the 16 ways to label four points in general position 14 can be had so
(Cover 1965), and the two that cannot are exclusive or and its opposite: no line is right on more than three of the four
points (Minsky and Papert 1969). With a hidden layer the points move: what the output divides by a line are the
hidden units, in whose plane the two classes lie apart (Rumelhart, Hinton and Williams 1986).

    python docs/lessons/xor.py [--out FILE.png]
"""

import argparse
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from palestra.networks.fit import FitConfig, Learner
from palestra.networks.mlp import MLP, Perceptron, learn_by_mistakes

X = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR = torch.tensor([0, 1, 1, 0])
COLOURS = ("#d1495b", "#00798c")
PICTURE = Path(__file__).parents[1] / "images" / "xor.png"


class Measured(NamedTuple):
    """What lines can do with four points, and what networks with a hidden layer make of exclusive or."""

    separable: list[tuple[int, ...]]  # the labellings that a perceptron learns
    best_linear: float  # the largest part of exclusive or's points on which such a labelling is right
    perceptron: list[float]  # accuracy after each epoch
    solved: dict[int, float]  # by hidden units, the part of the seeds with all points right


def accuracy(network: nn.Module, target: Tensor) -> float:
    """Returns the part of the four points on which a network is right."""
    with torch.no_grad():
        return float((network(X).argmax(dim=1) == target).float().mean())


def fit_perceptron(target: Tensor, max_epochs: int = 100) -> tuple[Perceptron, list[float]]:
    """Shows the points to a perceptron, and returns it with its accuracy after each epoch, until all is right."""
    network = Perceptron(2, 2)
    return network, [accuracy(network, target) for _ in learn_by_mistakes(network, X, target, max_epochs)]


def fit_mlp(hidden: Sequence[int], seed: int, target: Tensor = XOR) -> MLP:
    """Fits a network with hidden layers of tanh units, or, where there are none, a line."""
    torch.manual_seed(seed)
    network = MLP(2, 2, hidden=hidden, activation="tanh")
    for _ in Learner(network, FitConfig(epochs=100, batch_size=4, learning_rate=0.1)).fit((X, target)):
        pass
    return network


def measure(*, widths: Sequence[int] = (1, 2, 3, 4), seeds: Sequence[int] = range(10)) -> Measured:
    """Tries all labellings with a perceptron, and exclusive or with networks of several widths and seeds."""
    labellings = list(product((0, 1), repeat=4))
    separable = [labels for labels in labellings if fit_perceptron(torch.tensor(labels))[1][-1] == 1.0]
    best = max(float((torch.tensor(labels) == XOR).float().mean()) for labels in separable)
    solved = {
        width: sum(accuracy(fit_mlp((width,), seed), XOR) == 1.0 for seed in seeds) / len(seeds) for width in widths
    }
    return Measured(separable, best, fit_perceptron(XOR)[1], solved)


def draw(line: nn.Module, mlp: MLP, out: Path) -> None:
    """Draws the regions of a line and a network, and those of its output in the plane of its two hidden units."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    panels = figure.subplots(1, 3)
    with torch.no_grad():
        hidden = mlp.features(X)
    for axes, network, points, title in (
        (panels[0], line, X, f"The best line: {accuracy(line, XOR):.0%} right"),
        (panels[1], mlp, X, f"Two hidden units: {accuracy(mlp, XOR):.0%} right"),
        (panels[2], mlp.head, hidden, "What their output sees"),
    ):
        _regions(axes, network, points)
        axes.set(title=title, xlabel="input 1", ylabel="input 2")
    panels[2].set(xlabel="hidden unit 1", ylabel="hidden unit 2")
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=110)


def _regions(axes: Any, network: nn.Module, points: Tensor) -> None:
    low, high = points.min(dim=0).values, points.max(dim=0).values
    pad = 0.4 * (high - low).clamp(min=0.5)
    across, up = (torch.linspace(float(a), float(b), 300) for a, b in zip(low - pad, high + pad, strict=True))
    grid = torch.cartesian_prod(across, up)
    with torch.no_grad():
        scores = network(grid)
    ahead = (scores[:, 1] - scores[:, 0]).reshape(300, 300).T
    axes.contourf(across, up, ahead, levels=[-1e9, 0, 1e9], colors=COLOURS, alpha=0.25)
    for label, colour in enumerate(COLOURS):
        chosen = points[label == XOR]
        axes.scatter(chosen[:, 0], chosen[:, 1], s=90, color=colour, edgecolor="black", zorder=3)
    for (x, y), name in zip(points.tolist(), ("00", "01", "10", "11"), strict=True):
        axes.annotate(name, (x, y), xytext=(-21, -15) if name == "10" else (8, 6), textcoords="offset points")


def main(args: Sequence[str] | None = None) -> None:
    """Prints the numbers and draws the regions."""
    parser = argparse.ArgumentParser(description="A perceptron fails on exclusive or, and a hidden layer solves it.")
    parser.add_argument("--out", type=Path, default=PICTURE, help="where the picture goes")
    out: Path = parser.parse_args(args).out
    found = measure()
    print(f"labellings of four points that a perceptron learns     {len(found.separable):>4} of 16")
    print(f"exclusive or: right at best with one of them           {found.best_linear:>4.0%} of the points")
    print(f"exclusive or: right after any of a perceptron's epochs {max(found.perceptron):>4.0%} of the points")
    for width, part in found.solved.items():
        print(f"exclusive or: solved with hidden units {width:<15}{part:>5.0%} of the seeds")
    best = max(found.separable, key=lambda labels: int((torch.tensor(labels) == XOR).sum()))
    solution = next(m for seed in range(50) if accuracy(m := fit_mlp((2,), seed), XOR) == 1.0)
    draw(fit_mlp((), 0, torch.tensor(best)), solution, out)
    print(out)


if __name__ == "__main__":
    main()
