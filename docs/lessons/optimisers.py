"""The ways that seven optimisers take on a loss surface.

The valley, (u^2 + 20 v^2) / 2, is twenty times as steep across as along, and lies askew: u and v are the coordinates
turned by 30 degrees. Gradient descent with step size a multiplies u by 1 - a and v by 1 - 20 a each step: so a must
stay below 2 / 20, and at best, with 2 / 21, the distance shrinks by 19 / 21 a step. With momentum it shrinks by
(sqrt(20) - 1) / (sqrt(20) + 1) at best (Polyak 1964). Adagrad, Adadelta, RMSprop and Adam divide each number of the
gradient by its past size: their first steps go along the diagonal. The second surface is Beale's, flat but for steep
walls. All begin at the same point, each with a step size that suits it on both surfaces, a momentum of 0.9, and else
as torch has them.

    python docs/lessons/optimisers.py [--out FILE.png]
"""

import argparse
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from palestra.networks.optimizers import optimizer_named

COLOURS = {
    "sgd": "black",
    "momentum": "#d1495b",
    "nesterov": "#edae49",
    "adagrad": "#5a9e6f",
    "adadelta": "#8f5ea2",
    "rmsprop": "#66a5d9",
    "adam": "#00798c",
}
STEP_SIZES = {
    "sgd": 0.05,
    "momentum": 0.01,
    "nesterov": 0.01,
    "adagrad": 0.5,
    "adadelta": 10.0,
    "rmsprop": 0.05,
    "adam": 0.2,
}
TURN = math.cos(math.pi / 6.0), math.sin(math.pi / 6.0)
PICTURE = Path(__file__).parents[1] / "images" / "optimisers.png"


def valley(x: Tensor, y: Tensor) -> Tensor:
    """(u^2 + 20 v^2) / 2, with the coordinates turned by 30 degrees."""
    u, v = TURN[0] * x + TURN[1] * y, TURN[0] * y - TURN[1] * x
    return 0.5 * (u**2 + 20.0 * v**2)


def beale(x: Tensor, y: Tensor) -> Tensor:
    """Beale's function (Moré, Garbow and Hillstrom 1981, problem 5)."""
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


class Surface(NamedTuple):
    """A loss, where the ways begin and should end, and what is shown of it."""

    loss: Callable[[Tensor, Tensor], Tensor]
    start: tuple[float, float]
    minimum: tuple[float, float]
    extent: tuple[float, float, float, float]  # left, right, bottom, top


SURFACES = {
    "Valley": Surface(valley, (-4.0, 0.0), (0.0, 0.0), (-4.5, 1.5, -3.0, 1.5)),
    "Beale": Surface(beale, (1.0, -1.0), (3.0, 0.5), (0.5, 4.0, -1.25, 1.25)),
}


class Way(NamedTuple):
    """The points `[steps + 1, 2]` that an optimiser came by, and their losses `[steps + 1]`."""

    points: Tensor
    losses: Tensor


def descend(surface: Surface, name: str, step_size: float, steps: int, momentum: float = 0.9) -> Way:
    """Lets an optimiser make steps from the surface's start."""
    point = nn.Parameter(torch.tensor(surface.start, dtype=torch.float64))
    optimizer = optimizer_named(name, [point], step_size, momentum=momentum)
    points = [point.detach().clone()]
    for _ in range(steps):
        optimizer.zero_grad()
        surface.loss(*point).backward()
        optimizer.step()
        points.append(point.detach().clone())
    path = torch.stack(points)
    return Way(path, surface.loss(*path.T))


def measure(steps: int = 100) -> dict[tuple[str, str], Way]:
    """Returns the way of each optimiser on each surface."""
    return {
        (title, name): descend(surface, name, step_size, steps)
        for title, surface in SURFACES.items()
        for name, step_size in STEP_SIZES.items()
    }


def draw(found: dict[tuple[str, str], Way], out: Path) -> None:
    """Draws the surfaces' contours and the ways on them."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.9), layout="constrained")
    for axes, (title, surface) in zip(figure.subplots(1, 2), SURFACES.items(), strict=True):
        left, right, bottom, top = surface.extent
        across, up = torch.linspace(left, right, 300), torch.linspace(bottom, top, 300)
        losses = surface.loss(across[None], up[:, None])
        low = -2.5 if title == "Beale" else -1.0
        axes.contour(
            across,
            up,
            losses.log10(),
            levels=torch.linspace(low, 2, 8),
            colors="silver",
            linewidths=0.6,
            linestyles="solid",
        )
        for name, colour in COLOURS.items():
            points = found[title, name].points
            axes.plot(points[:, 0], points[:, 1], ".-", color=colour, label=name, linewidth=1.2, markersize=3.5)
        axes.plot(*surface.start, "o", color="white", markeredgecolor="black", zorder=4)
        axes.plot(*surface.minimum, "*", color="white", markeredgecolor="black", markersize=14, zorder=4)
        axes.set(title=title, xlim=(left, right), ylim=(bottom, top))
    figure.axes[0].legend(loc="lower right", fontsize=8)
    figure.suptitle("A hundred steps of each optimiser, from the circle towards the star")
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=95)


def main(args: Sequence[str] | None = None) -> None:
    """Prints the numbers and draws the ways."""
    parser = argparse.ArgumentParser(description="The ways of seven optimisers on two loss surfaces.")
    parser.add_argument("--out", type=Path, default=PICTURE, help="where the picture goes")
    out: Path = parser.parse_args(args).out
    found = measure()
    print(f"{'':<10}{'step size':>10}" + "".join(f"{title + ' at 25':>14}{'at 100':>10}" for title in SURFACES))
    for name, step_size in STEP_SIZES.items():
        losses = (found[title, name].losses for title in SURFACES)
        row = "".join(f"{float(loss[25]):>14.1e}{float(loss[100]):>10.1e}" for loss in losses)
        print(f"{name:<10}{step_size:>10g}{row}")
    draw(found, out)
    print(out)


if __name__ == "__main__":
    main()
