"""Pictures of how well networks learn: confusions, calibration, protocols, transfer, probes, and what features are.

Each function draws one picture into a file, .png, .svg or .pdf.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from palestra.perception.classify import Report
from palestra.perception.protocols import PROTOCOLS
from palestra.perception.protocols import Row as ProtocolRow
from palestra.perception.transfer import KINDS, Probe
from palestra.perception.transfer import Row as TransferRow

DPI = 150
BLUE, ORANGE, GREEN, RED, GREY = "#1f5fa8", "#d9822b", "#3c8d5a", "#b5523f", "#6b7078"
OF_PROTOCOL = dict(zip(PROTOCOLS, ((GREY, "o"), (ORANGE, "s"), (BLUE, "D")), strict=True))
OF_KIND = dict(zip(KINDS, ((BLUE, "-"), (BLUE, "--"), (RED, "-"), (RED, "--")), strict=True))
SAID = {
    "BnB": "BnB: own stages, kept",
    "BnB+": "BnB+: own stages, fine-tuned",
    "AnB": "AnB: stages of A, kept",
    "AnB+": "AnB+: stages of A, fine-tuned",
}


@contextmanager
def figure(out: str | Path, columns: int, width: float, height: float, **options: Any) -> Iterator[Any]:
    """Gives a row of so many axes `[columns]` to draw on, and saves them; sizes are in inches.

    Raises:
        ValueError: the file's kind is none that can be drawn.
    """
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    if Path(out).suffix not in (".png", ".svg", ".pdf"):
        raise ValueError(f"pictures are .png, .svg or .pdf, but {out} was given")
    drawn, axes = plt.subplots(1, columns, figsize=(width, height), layout="constrained", squeeze=False, **options)
    try:
        yield axes[0]
        drawn.savefig(out, dpi=DPI)
    finally:
        plt.close(drawn)


def draw_report(report: Report, out: str | Path) -> None:
    """Draws the confusion matrix, and beside it the reliability diagram of the same predictions."""
    side = min(10.0, max(4.2, 0.42 * len(report.classes)))
    with figure(out, 2, side + 5.0, side + 0.3, width_ratios=(side, 4.2)) as (left, right):
        draw_confusion(left, report)
        draw_reliability(right, report)


def draw_confusion(axes: Any, report: Report) -> None:
    """Draws the confusion matrix `[K, K]`, coloured by the share of each label's samples; errors are red."""
    share = report.confusion / np.maximum(report.support, 1)[:, None]
    colours = np.ones((*share.shape, 3))
    right, wrong = (np.array([int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)]) for c in (BLUE, RED))
    strength = np.where(np.eye(len(share), dtype=bool), share, share**0.5)[:, :, None]  # so that few errors are seen
    colours += strength * (np.where(np.eye(len(share), dtype=bool)[:, :, None], right, wrong) - 1)
    axes.imshow(colours)
    numbered = len(share) <= 25
    for i, j in np.argwhere(report.confusion > 0) if numbered else ():
        ink = "white" if strength[i, j, 0] > 0.5 else "black"
        axes.text(j, i, f"{report.confusion[i, j]:,}", ha="center", va="center", fontsize=8, color=ink)
    names = [name if len(name) <= 18 else name[:17] + "…" for name in report.classes]
    ticks = range(0, len(names), max(1, len(names) // 25))
    crowded = max(map(len, names)) > 2
    axes.set_xticks(ticks, [names[i] for i in ticks], rotation=90 if crowded else 0, fontsize=8)
    axes.set_yticks(ticks, [names[i] for i in ticks], fontsize=8)
    axes.set(xlabel="prediction", ylabel="label", title=f"accuracy {report.accuracy:.2%}")


def draw_reliability(axes: Any, report: Report) -> None:
    """Draws how often predictions of each confidence are right, and how many of them there are."""
    bins = report.reliability
    width = 1 / len(bins.count)
    some = np.flatnonzero(bins.count)
    axes.bar(
        (some + 0.5) * width, bins.accuracy[some], 0.94 * width, color=BLUE, alpha=0.8, label="share that is right"
    )
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="as sure as right")
    axes.plot(bins.confidence[some], bins.confidence[some], "D", color=ORANGE, markersize=4, label="mean confidence")
    for i in some if len(bins.count) <= 30 else ():
        inside = bins.accuracy[i] > 0.2
        place, ink = (0.015, "white") if inside else (bins.accuracy[i] + 0.015, "black")
        style: dict[str, Any] = {"ha": "center", "va": "bottom", "rotation": 90, "fontsize": 8}
        axes.text((i + 0.5) * width, place, f"{bins.count[i]:,}", color=ink, **style)
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="confidence (in the bars: predictions)", ylabel="share that is right")
    axes.set_title(f"calibration error {bins.error:.2%}")
    axes.set_box_aspect(1)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=3, fontsize=8, frameon=False)


def draw_protocols(rows: Sequence[ProtocolRow], out: str | Path, title: str = "") -> None:
    """Draws accuracy against the number of labels, a line for each protocol with 95 % intervals."""
    with figure(out, 1, 6.4, 4.4) as (axes,):
        for i, protocol in enumerate(PROTOCOLS):
            mine = sorted((row for row in rows if row.protocol == protocol), key=lambda row: row.labels)
            if mine:
                colour, marker = OF_PROTOCOL[protocol]
                x = [row.labels * 1.03 ** (i - 1) for row in mine]  # so that no interval hides another
                _band(axes, x, [row.accuracies for row in mine], colour, label=protocol, marker=marker)
        counts = sorted({row.labels for row in rows})
        axes.set_xscale("log")
        axes.set_xticks(counts, [f"{n:,}" for n in counts])
        axes.minorticks_off()
        axes.set(xlabel="labelled images", title=title)
        _accuracy_axis(axes, "lower right")


def draw_transfer(rows: Sequence[TransferRow], out: str | Path, title: str = "") -> None:
    """Draws accuracy on B against the number of stages that were copied, with 95 % intervals."""
    own = next((row for row in rows if row.kind is None), None)
    depths = sorted({row.depth for row in rows})
    with figure(out, 1, 7.2, 4.6) as (axes,):
        if own:
            axes.axhline(own.accuracies.mean, color=GREY, linewidth=1, linestyle=":")
            _band(axes, [0], [own.accuracies], GREY, label="B from first weights", marker="o")
        for i, kind in enumerate(KINDS):
            mine = sorted((row for row in rows if row.kind == kind), key=lambda row: row.depth)
            if mine:
                colour, line = OF_KIND[kind]
                x = [row.depth + 0.06 * (i - 1.5) for row in mine]  # so that no interval hides another
                if own:
                    axes.plot([0, x[0]], [own.accuracies.mean, mine[0].accuracies.mean], line, color=colour)
                _band(axes, x, [row.accuracies for row in mine], colour, label=SAID[kind], marker="o", linestyle=line)
        axes.set_xticks(depths)
        axes.set(xlabel="stages copied, n", title=title)
        _accuracy_axis(axes, "best")


def draw_probe(probes: Mapping[str, Sequence[Probe]], out: str | Path, title: str = "") -> None:
    """Draws what linear probes get right at each stage, a line for each network by name."""
    with figure(out, 1, 6.4, 4.2) as (axes,):
        for (name, mine), colour in zip(probes.items(), (BLUE, GREY, ORANGE, GREEN, RED), strict=False):
            axes.plot([probe.accuracy for probe in mine], color=colour, marker="o", markersize=5, label=name)
        stages = [probe.stage for probe in next(iter(probes.values()))]
        axes.set_xticks(range(len(stages)), stages, rotation=30 if max(map(len, stages)) > 6 else 0)
        axes.set(xlabel="stage", title=title)
        _accuracy_axis(axes, "best")


def draw_tiles(groups: Mapping[str, NDArray[Any]], out: str | Path, *, signed: bool = True, side: float = 3.6) -> None:
    """Draws groups of small grey pictures `[K, H, W]`, such as components or atoms, each group on a square of tiles.

    Signed pictures are grey at 0, each with its own contrast; others go from their least to their greatest value.
    """
    with figure(out, len(groups), side * len(groups), side + 0.1) as row:
        for axes, (name, tiles) in zip(row, groups.items(), strict=True):
            axes.imshow(_mosaic(tiles, signed), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            axes.set_axis_off()
            axes.set_title(name, fontsize=10)


def draw_map(groups: Mapping[str, NDArray[Any]], labels: NDArray[Any], classes: Sequence[str], out: str | Path) -> None:
    """Draws samples as points, `[N, 2]` for each group by name, coloured by their labels `[N]`."""
    from matplotlib import colormaps

    with figure(out, len(groups), 4.4 * len(groups) + 0.9, 4.4) as row:
        palette = colormaps["tab10" if len(classes) <= 10 else "hsv"]
        for axes, (name, points) in zip(row, groups.items(), strict=True):
            for i, label in enumerate(classes):
                colour = palette(i if len(classes) <= 10 else i / len(classes))
                mine = points[labels == i]
                axes.scatter(mine[:, 0], mine[:, 1], s=5, color=colour, linewidth=0, alpha=0.7, label=label)
            axes.set(xticks=[], yticks=[], title=name)
        if len(classes) <= 25:
            row[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), markerscale=3, fontsize=8, frameon=False)


def _mosaic(tiles: NDArray[Any], signed: bool) -> NDArray[Any]:
    """Returns tiles `[K, H, W]` side by side in [0, 1], with white lines between them."""
    count, height, width = tiles.shape
    columns = int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    wall = np.ones((rows * (height + 1) + 1, columns * (width + 1) + 1))
    for i, tile in enumerate(tiles):
        high = max(float(np.abs(tile).max()), 1e-12) if signed else float(tile.max())
        low = -high if signed else float(tile.min())
        top, left = 1 + i // columns * (height + 1), 1 + i % columns * (width + 1)
        wall[top : top + height, left : left + width] = (tile - low) / max(high - low, 1e-12)
    return wall


def _band(axes: Any, x: Sequence[float], accuracies: Sequence[Any], colour: str, **style: Any) -> None:
    """Draws means as a line, and their intervals as bars."""
    means = [a.mean for a in accuracies]
    ends = [a.interval for a in accuracies]
    reach = [
        [m - low for m, (low, _) in zip(means, ends, strict=True)],
        [h - m for m, (_, h) in zip(means, ends, strict=True)],
    ]
    axes.errorbar(x, means, yerr=reach, color=colour, markersize=5, capsize=3, elinewidth=0.8, **style)


def _accuracy_axis(axes: Any, place: str) -> None:
    from matplotlib.ticker import PercentFormatter

    axes.set_ylabel("accuracy on the test images")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylim(top=min(axes.get_ylim()[1], 1.005))
    axes.grid(alpha=0.3)
    axes.legend(loc=place, fontsize=8)
