"""How the error of one hidden layer falls with its width.

One hidden layer comes as near to any continuous function on an interval as is wanted, if it has units enough (Cybenko
1989; Hornik, Stinchcombe and White 1989). Where the first moment of the function's Fourier transform is finite, some
network of N sigmoidal units has a root mean squared error of at most C / sqrt(N), however many inputs there are (Barron
1993). With one input it can fall much faster. These are networks that exist; here they are found by gradients.

    python docs/lessons/universal_approximation.py [--out FILE.png]
"""

import argparse
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import functional_call, stack_module_state, vmap

from palestra.networks.mlp import MLP
from palestra.networks.optimizers import optimizer_named

WIDTHS = (1, 2, 4, 8, 16, 32, 64)
STUDENT_T = {3: 4.303, 5: 2.776, 10: 2.262}  # 97.5 % quantile by number of seeds
PICTURE = Path(__file__).parents[1] / "images" / "universal_approximation.png"


class Measured(NamedTuple):
    """Errors by activation, `[widths, seeds]`, of points between those that were learnt, and one seed's functions."""

    errors: dict[str, Tensor]
    functions: dict[str, Tensor]  # [widths, points]
    spread: float  # of the target: the error of the best constant


def target(x: Tensor) -> Tensor:
    """The function on [-2, 2] that is to be learnt: a wave with a kink."""
    return torch.sin(3.0 * x) + x.abs()


def fit(width: int, activation: str, seeds: Sequence[int], steps: int) -> Callable[[Tensor], Tensor]:
    """Fits one network a seed, all at once, and returns the function `[P, 1] -> [seeds, P]` that they are."""
    networks = []
    for seed in seeds:
        torch.manual_seed(seed)
        networks.append(MLP(1, 1, hidden=(width,), activation=activation))
    weights, _ = stack_module_state(networks)  # type: ignore[arg-type]
    optimizer = optimizer_named("adam", weights.values(), 0.02)  # type: ignore[arg-type]

    def output(x: Tensor) -> Tensor:
        return vmap(lambda w: functional_call(networks[0], w, (x,))[:, 0])(weights)  # type: ignore[no-any-return]

    x = torch.linspace(-2.0, 2.0, 129)[:, None]
    y = target(x[:, 0])
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 0.02 * 0.5 * (1.0 + math.cos(math.pi * step / steps))
        optimizer.zero_grad()
        (output(x) - y).square().mean(dim=1).sum().backward()
        optimizer.step()
    return output


def measure(
    *,
    widths: Sequence[int] = WIDTHS,
    activations: Sequence[str] = ("tanh", "relu"),
    seeds: Sequence[int] = range(10),
    steps: int = 1500,
) -> Measured:
    """Measures the root mean squared error over 512 points of networks of all widths and seeds."""
    x = torch.linspace(-2.0, 2.0, 512)[:, None]
    y = target(x[:, 0])
    errors, functions = {}, {}
    for activation in activations:
        with_width = []
        for width in widths:
            with_width.append(fit(width, activation, seeds, steps)(x).detach())
        outputs = torch.stack(with_width)  # [widths, seeds, points]
        errors[activation] = (outputs - y).square().mean(dim=2).sqrt()
        functions[activation] = outputs[:, 0]
    return Measured(errors, functions, float(y.std(correction=0)))


def slope(errors: Tensor, widths: Sequence[int]) -> float:
    """Returns the power of the width with which errors `[widths, seeds]` go, by least squares on logarithms."""
    x = torch.tensor(widths).log()
    y = errors.log().mean(dim=1)
    return float(((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum())


def interval(errors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the geometric mean over seeds of errors `[widths, seeds]` and its 95 % interval, `[widths]` each."""
    logs = errors.log()
    half = STUDENT_T[errors.shape[1]] * logs.std(dim=1) / math.sqrt(errors.shape[1])
    mean = logs.mean(dim=1)
    return mean.exp(), (mean - half).exp(), (mean + half).exp()


def draw(found: Measured, out: Path) -> None:
    """Draws the target with three networks, and the errors against the width."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    x = torch.linspace(-2.0, 2.0, 512)
    left.plot(x, target(x), color="black", linewidth=4, alpha=0.25, label="target")
    for width, colour in ((2, "#edae49"), (8, "#d1495b"), (32, "#00798c")):
        left.plot(x, found.functions["tanh"][WIDTHS.index(width)], color=colour, label=f"{width} tanh units")
    left.set(title="One hidden layer learns a function", xlabel="input", ylabel="output")
    left.legend()
    for (activation, errors), colour in zip(found.errors.items(), ("#00798c", "#d1495b"), strict=True):
        mean, low, high = interval(errors)
        right.fill_between(WIDTHS, low, high, color=colour, alpha=0.2, linewidth=0)
        right.plot(WIDTHS, mean, "o-", color=colour, label=activation, markersize=4)
    right.plot(WIDTHS, [found.spread / math.sqrt(width) for width in WIDTHS], "--", color="grey", label=r"$1/\sqrt{N}$")
    right.set(title="Its error falls with its width", xlabel="hidden units N", ylabel="root mean squared error")
    right.set(xscale="log", yscale="log", xticks=WIDTHS, xticklabels=WIDTHS)
    right.minorticks_off()
    right.grid(alpha=0.3)
    right.legend()
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=110)


def main(args: Sequence[str] | None = None) -> None:
    """Prints the numbers and draws them."""
    parser = argparse.ArgumentParser(description="The error of one hidden layer against its width.")
    parser.add_argument("--out", type=Path, default=PICTURE, help="where the picture goes")
    out: Path = parser.parse_args(args).out
    found = measure()
    print(f"root mean squared error, mean of 10 seeds [95 %]; that of the best constant is {found.spread:.2f}")
    for activation, errors in found.errors.items():
        for width, mean, low, high in zip(WIDTHS, *interval(errors), strict=True):
            print(f"{activation:>5}{width:>5} units  {mean:.4f}  [{low:.4f}, {high:.4f}]")
        print(f"{activation:>5}  falls as the width to the power {slope(errors, WIDTHS):.2f}")
    draw(found, out)
    print(out)


if __name__ == "__main__":
    main()
