"""A generative adversarial network on the line: Figure 1 of Goodfellow et al. (2014), with the density known.

The data are of a normal, N(1, 0.5^2), or of a mixture of two. A generator with four latent variables and a
discriminator learn by simultaneous steps, the generator's each fifth step, with a step size that falls to 0 as a
cosine. The discriminator that would be the best is known too: p_data / (p_data + p_g), of which p_g is measured on
200,000 samples; where the generator is right it is 1/2. The table has mean and deviation of samples, the distance of
samples from data (Wasserstein's: the mean difference of quantiles), and the largest |D - 1/2| where data are, which is
within two deviations of the mean of a component. The titles of the picture have mean and deviation too.

One thread, three seeds; the picture is of the first.

    python benchmarks/gan_line.py [--data normal|mixture] [--steps 3000] [--seeds 3] [--out FILE.png]
"""

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from palestra.networks.fit import FitConfig, Learner
from palestra.networks.gan import GAN

DATA = {"normal": ((1.0,), 0.5), "mixture": ((-1.0, 1.0), 0.4)}  # means, and the deviation of each
PICTURE = Path(__file__).parents[1] / "docs" / "images" / "gan_line.png"
BATCH = 256
SHOWN = (0.0, 0.025, 0.1, 1.0)  # parts of the training
BLUE, GREEN, GREY = "#1f5fa8", "#3c8d5a", "#6b7078"
BINS = 200


class Look(NamedTuple):
    """What generator and discriminator are after so many steps; densities and D are `[BINS]`, on the grid."""

    step: int
    mean: float
    deviation: float
    distance: float
    off: float  # the largest |D - 1/2| where data are
    density: NDArray[np.float64]
    judged: NDArray[np.float64]


class Line:
    """A distribution on the line, and a grid on it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.means, self.deviation = DATA[name]
        pad = 5.0 * self.deviation
        self.edges = np.linspace(min(self.means) - pad, max(self.means) + pad, BINS + 1)
        self.grid = 0.5 * (self.edges[:-1] + self.edges[1:])
        offsets = (self.grid - np.array(self.means)[:, None]) / self.deviation
        bells = np.exp(-0.5 * offsets**2) / (self.deviation * math.sqrt(2 * math.pi))
        self.density: NDArray[np.float64] = bells.mean(axis=0)
        self.has_data: NDArray[np.bool_] = (abs(offsets) < 2).any(axis=0)

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """Returns samples `[n, 1]`."""
        means = torch.tensor(self.means)[torch.randint(len(self.means), (n,), generator=generator)]
        return (means + self.deviation * torch.randn(n, generator=generator))[:, None]


def look(model: GAN, line: Line, step: int) -> Look:
    """Measures a generator and a discriminator."""
    x = model.sample(200_000, generator=torch.Generator().manual_seed(0))[:, 0].double().numpy()
    data = line.draw(200_000, torch.Generator().manual_seed(1))[:, 0].double().numpy()
    with torch.no_grad():
        judged = model.discriminate(torch.tensor(line.grid)[:, None]).double().numpy()
    density = np.histogram(x, line.edges)[0] / (len(x) * np.diff(line.edges))
    distance = float(abs(np.sort(x) - np.sort(data)).mean())
    off = float(abs(judged - 0.5)[line.has_data].max())
    return Look(step, float(x.mean()), float(x.std()), distance, off, density, judged)


def train(line: Line, steps: int, seed: int, looks: Sequence[int]) -> Iterator[Look]:
    """Trains both networks and yields a look after each of so many steps."""
    torch.manual_seed(seed)
    model = GAN(1, output="identity", num_latent=4, hidden=(64, 64), num_critic=5)
    x = line.draw(steps * BATCH, torch.Generator().manual_seed(seed))
    config = FitConfig(
        epochs=1, batch_size=BATCH, learning_rate=2e-3, momentum=0.5, schedule="cosine", seed=seed, device="cpu"
    )
    if 0 in looks:
        yield look(model, line, 0)
    for step, _ in Learner(model, config).fit((x,)):
        if step in looks:
            yield look(model, line, step)


def draw(line: Line, shown: Sequence[Look], out: Path) -> None:
    """Draws data, samples and discriminator, a panel a look."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.7), layout="constrained")
    axes = figure.subplots(1, len(shown), sharex=True, sharey=True)
    for panel, seen in zip(axes, shown, strict=True):
        _draw_look(panel, line, seen)
    axes[0].set_ylabel("density")
    judged = axes[-1].secondary_yaxis("right", functions=(lambda y: y / _top(line), lambda d: d * _top(line)))
    judged.set_ylabel("D(x)", color=BLUE)
    judged.set_yticks([0.0, 0.25, 0.5, 0.75, 1.0])
    judged.tick_params(colors=BLUE)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=130, facecolor="white")


def _top(line: Line) -> float:
    """Returns the height at which D is 1."""
    return 1.5 * float(line.density.max())


def _draw_look(axes: Any, line: Line, seen: Look) -> None:
    top = _top(line)
    both = line.density + seen.density
    best = np.where(both > 0.03, line.density / both, np.nan)  # where neither is there is nothing to tell apart
    axes.fill_between(line.grid, np.minimum(seen.density, top), color=GREEN, alpha=0.3, linewidth=0, label="samples")
    axes.plot(line.grid, line.density, color="black", linestyle=":", linewidth=1.8, label="data")
    axes.plot(line.grid, top * best, color=GREY, linewidth=1.2, label="the best discriminator, data / (data + samples)")
    axes.plot(line.grid, top * seen.judged, color=BLUE, linestyle="--", linewidth=1.8, label="discriminator D(x)")
    axes.axhline(0.5 * top, color=BLUE, linewidth=0.6, alpha=0.5)
    axes.set(xlim=(line.edges[0], line.edges[-1]), ylim=(0, 1.03 * top), xlabel="x")
    title = "before training" if not seen.step else f"after {seen.step:,} steps"
    axes.set_title(f"{title}\nsamples: {seen.mean:.2f} ± {seen.deviation:.2f}", fontsize=11)


def main(args: Sequence[str] | None = None) -> None:
    """Prints the table and the figures, and draws."""
    parser = argparse.ArgumentParser(description="A generative adversarial network learns a distribution on the line.")
    parser.add_argument("--data", choices=sorted(DATA), default="normal")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=PICTURE, help="where the picture goes")
    options = parser.parse_args(args)
    torch.set_num_threads(1)
    line = Line(options.data)
    looks = sorted({round(part * options.steps) for part in (*SHOWN, 0.05, 0.2, 0.5)})
    print("seed   step    mean  deviation  distance  max |D - 1/2|")
    ends = []
    for seed in range(options.seeds):
        seen = []
        for now in train(line, options.steps, seed, looks):
            print(
                f"{seed:>4}{now.step:>7}{now.mean:>8.3f}{now.deviation:>11.3f}{now.distance:>10.3f}{now.off:>15.3f}",
                flush=True,
            )
            seen.append(now)
        ends.append(seen[-1])
        if seed == 0:
            steps = [round(part * options.steps) for part in SHOWN]
            draw(line, [now for now in seen if now.step in steps], options.out)
    print(options.out)
    figures = {
        name: [round(getattr(end, name), 4) for end in ends] for name in ("mean", "deviation", "distance", "off")
    }
    print(json.dumps({"data": options.data, "steps": options.steps, **figures}))


if __name__ == "__main__":
    main()
