"""`palestra compare RUN RUN ...`: learning curves in one picture, seeds of one experiment as a band."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from palestra.agents.evaluation import interval
from palestra.cli.options import parse
from palestra.cli.run import Run

POINTS = 200  # of a curve
COMPARED = ("agent_config", "env", "steps", "fit_config", "network", "data", "pretrained", "freeze", "augment")


@dataclass(frozen=True)
class Options:
    """Draws learning curves; runs that differ in the seed alone become one curve with a 95 % interval."""

    out: Path = Path("compare.png")
    """File of the picture; .png, .svg or .pdf."""
    metric: str = ""
    """What to draw: a name in metrics.jsonl; the return of agents and the validation loss of networks if left out."""
    smooth: float = 0.05
    """Width of the moving average as a share of the curve; 0 leaves it as it is."""


def main(args: Sequence[str]) -> int:
    """Draws; prints a table, and the picture's path as the last line of stdout."""
    split = next((i for i, word in enumerate(args) if word.startswith("-")), len(args))
    options = parse(Options, args[split:], "palestra compare RUN RUN ...")
    if split == 0:
        raise ValueError("which runs to compare is missing: palestra compare RUN RUN ...")
    groups: dict[str, list[tuple[NDArray[Any], NDArray[Any]]]] = defaultdict(list)
    runs = [Run.open(name) for name in args[:split]]
    labels = _labels(runs)
    options = replace(options, metric=options.metric or _usual_metric(runs))
    for run, label in zip(runs, labels, strict=True):
        groups[label].append(_curve(run, options.metric))
    curves = {label: _band(members, options.smooth) for label, members in groups.items()}
    _draw(curves, groups, options)
    for label, (_, mean, low, high) in curves.items():
        spread = f" [{low[-1]:.4g}, {high[-1]:.4g}]" if len(groups[label]) > 1 else ""
        print(f"{label}: {options.metric} at the end {mean[-1]:.4g}{spread} ({len(groups[label])} seeds)")
    print(options.out)
    return 0


def _usual_metric(runs: Sequence[Run]) -> str:
    if len({"fit" in run.config for run in runs}) > 1:
        raise ValueError("agents and fitted networks have no metric in common; say which with --metric")
    return "valid/loss" if "fit" in runs[0].config else "rollout/ep_rew_mean"


def _labels(runs: Sequence[Run]) -> list[str]:
    """Names experiments by agent, environment and the options in which they differ; the seed is left out."""
    flat = [_flatten({k: v for k, v in run.config.items() if k in COMPARED}) for run in runs]
    for run, options in zip(runs, flat, strict=True):
        if "encoder" in run.config:  # what was asked for, in place of the architecture that it became
            options["agent_config.encoder"] = run.config["encoder"]
    keys = {key for options in flat for key in options if not key.endswith("seed")}
    differing = sorted(key for key in keys if len({str(options.get(key)) for options in flat}) > 1)
    labels = []
    for run, options in zip(runs, flat, strict=True):
        detail = [f"{key.split('.')[-1]}={options[key]}" for key in differing if key in options and key != "env.id"]
        same_kind = len({r.config.get("agent", r.config.get("fit")) for r in runs}) == 1
        labels.append(" ".join([run.title, *(detail if same_kind else [])]))
    return labels


def _flatten(options: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(options, dict):
        return {prefix: options}
    return {k: v for key, value in options.items() for k, v in _flatten(value, f"{prefix}.{key}".strip(".")).items()}


def _curve(run: Run, metric: str) -> tuple[NDArray[Any], NDArray[Any]]:
    rows = run.metrics()
    points = [(row["step"], row[metric]) for row in rows if metric in row]
    if not points:
        known = sorted({name for row in rows for name in row} - {"step"})
        raise ValueError(f"{run.path} has no metric {metric!r}; it has {', '.join(known) or 'none yet'}")
    steps, values = zip(*points, strict=True)
    return np.array(steps, np.float64), np.array(values, np.float64)


def _band(
    members: Sequence[tuple[NDArray[Any], NDArray[Any]]], smooth: float
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Returns steps, mean, and the ends of the interval, each `[POINTS]`, over the range that all members share."""
    begin, end = max(steps[0] for steps, _ in members), min(steps[-1] for steps, _ in members)
    grid = np.linspace(min(begin, end), end, POINTS)
    width = max(int(POINTS * smooth), 1)
    padded = [np.pad(np.interp(grid, *member), (width // 2, (width - 1) // 2), mode="edge") for member in members]
    values = np.array(
        [np.convolve(line, np.full(width, 1 / width), mode="valid") for line in padded]
    )  # [seeds, POINTS]
    mean = values.mean(axis=0)
    ends = [interval(column) for column in values.T]
    low = np.array([m if e[0] is None else e[0] for e, m in zip(ends, mean, strict=True)])
    high = np.array([m if e[1] is None else e[1] for e, m in zip(ends, mean, strict=True)])
    return grid, mean, low, high


def _draw(curves: dict[str, Any], groups: dict[str, list[Any]], options: Options) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    for label, (steps, mean, low, high) in curves.items():
        (line,) = axes.plot(steps, mean, label=f"{label} (n={len(groups[label])})")
        axes.fill_between(steps, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
    axes.set_xlabel("steps")
    axes.set_ylabel(options.metric)
    axes.grid(alpha=0.3)
    axes.legend()
    try:
        figure.savefig(options.out, dpi=150)
    finally:
        plt.close(figure)
