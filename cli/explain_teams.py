"""The phases of hide-and-seek over a training, as a picture in the manner of Baker et al. (2020), Figure 1."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from palestra.agents.hide_phases import PHASES, phases_of
from palestra.agents.team_match import RandomTeam, play_teams
from palestra.cli.progress import say
from palestra.cli.run import Run
from palestra.cli.setup import env_of
from palestra.envs.spec import EnvSpec

PREFIX = "statistics/"
SHOWN = {  # panel: statistics in it
    "share": ("hidden_time", "closed", "closed_last", "held"),
    "moved in preparation, m": ("box_moved_preparation", "ramp_moved_preparation"),
    "locked in preparation": ("box_locked_preparation", "ramp_locked_preparation"),
    "seekers over walls": ("crossings",),
}
EPISODES = 128  # of random play
WINDOW = 5  # rows that are averaged


def explain_teams(run: Run, out: Path | None) -> Path:
    """Draws rewards, statistics and phases over a training, says the phases, and returns the picture's path.

    Raises:
        ValueError: the run has no statistics of hide-and-seek.
    """
    rows = [row for row in run.metrics() if f"{PREFIX}closed" in row]
    if not rows:
        raise ValueError(f"{run.path} has no statistics of hide-and-seek yet; `palestra train mappo` logs them")
    steps = np.array([row["step"] for row in rows], np.float64)
    names = [name.removeprefix(PREFIX) for name in rows[0] if name.startswith(PREFIX)]
    curves = {name: _smooth([row[PREFIX + name] for row in rows]) for name in names}
    means = [{name: float(curves[name][k]) for name in names} for k in range(len(rows))]
    found = phases_of(means, random_statistics(env_of(run.config)))
    for phase in PHASES:
        when = [step for step, shown in zip(steps, found, strict=True) if phase.name in shown]
        first = f"from step {when[0]:,.0f} on, in {len(when) / len(rows):.0%} of the rows" if when else "not shown"
        say(f"{phase.name}: {first}")
    picture = out or run.path / "explain" / "phases.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    _draw(steps, _smooth([row["rollout/ep_rew_mean"] for row in rows]), curves, found, picture)
    return picture


def random_statistics(env: EnvSpec) -> dict[str, float]:
    """Returns the mean statistics of random play."""
    worlds = EnvSpec(env.id, EPISODES, kwargs=env.kwargs)
    games = [one.statistics for one, _ in play_teams([RandomTeam(), RandomTeam()], worlds, EPISODES)]
    return {name: float(np.mean([game[name] for game in games])) for name in games[0]}


def _smooth(values: Sequence[float]) -> Any:
    """Returns means over the rows around each."""
    given, around = np.asarray(values, np.float64), np.ones(min(WINDOW, len(values)))
    return np.convolve(given, around, "same") / np.convolve(np.ones(len(given)), around, "same")


def _draw(steps: Any, rewards: Any, curves: dict[str, Any], found: list[list[str]], out: Path) -> None:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    height = [2.0, *(1.2 for _ in SHOWN), 1.3]
    figure, panels = plt.subplots(
        len(height), 1, figsize=(8, 1.25 * sum(height)), sharex=True, height_ratios=height, layout="constrained"
    )
    panels[0].plot(steps, rewards, label="hiders")
    panels[0].plot(steps, -rewards, label="seekers")
    panels[0].set_ylabel("reward")
    for axes, (title, names) in zip(panels[1:-1], SHOWN.items(), strict=True):
        for name in names:
            axes.plot(steps, curves[name], label=name.replace("_preparation", "").replace("_", " "))
        axes.set_ylabel(title, fontsize=8)
    for axes in panels[:-1]:
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7, loc="upper left")
    edges = np.concatenate([steps[:1], (steps[1:] + steps[:-1]) / 2, steps[-1:]])
    for row, phase in enumerate(reversed(PHASES)):
        shown = [phase.name in names for names in found]
        bars = [(edges[k], edges[k + 1] - edges[k]) for k, is_shown in enumerate(shown) if is_shown]
        panels[-1].broken_barh(bars, (row - 0.4, 0.8), color=f"C{len(PHASES) - 1 - row}")
    panels[-1].set_yticks(range(len(PHASES)), [phase.name for phase in reversed(PHASES)], fontsize=7)
    panels[-1].set(xlabel="steps of worlds", ylim=(-0.6, len(PHASES) - 0.4))
    try:
        figure.savefig(out, dpi=130)
    finally:
        plt.close(figure)
