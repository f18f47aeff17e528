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
WINDOW = 0.01  # share of the rows that are averaged, 5 rows at least


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
    random = random_statistics(env_of(run.config), run.config["agent_config"]["repeat"])
    found = phases_of(means, random)
    for phase in PHASES:
        when = [step for step, shown in zip(steps, found, strict=True) if phase.name in shown]
        first = f"from step {when[0]:,.0f} on, in {len(when) / len(rows):.0%} of the rows" if when else "not shown"
        say(f"{phase.name}: {first}")
    picture = out or run.path / "explain" / "phases.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    rewards = _smooth([row["rollout/ep_rew_mean"] for row in rows])
    figure = _drawn(steps, rewards, curves, random, found)
    figure.savefig(picture, dpi=130)
    return picture


def random_statistics(env: EnvSpec, repeat: int) -> dict[str, float]:
    """Returns the mean statistics of random play that makes each action `repeat` times."""
    worlds = EnvSpec(env.id, EPISODES, kwargs=env.kwargs)
    games = [one.statistics for one, _ in play_teams([RandomTeam(repeat), RandomTeam(repeat)], worlds, EPISODES)]
    return {name: float(np.mean([game[name] for game in games])) for name in games[0]}


def _smooth(values: Sequence[float]) -> Any:
    """Returns means over the rows around each."""
    width = min(max(5, round(WINDOW * len(values))), len(values))
    given, around = np.asarray(values, np.float64), np.ones(width)
    return np.convolve(given, around, "same") / np.convolve(np.ones(len(given)), around, "same")


def _drawn(steps: Any, rewards: Any, curves: dict[str, Any], random: dict[str, float], found: list[list[str]]) -> Any:
    """Returns the figure; dotted lines are random play."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter

    height = [2.0, *(1.2 for _ in SHOWN), 1.3]
    figure = Figure(figsize=(8, 1.25 * sum(height)), layout="constrained")
    panels = figure.subplots(len(height), 1, sharex=True, height_ratios=height)
    panels[0].plot(steps, rewards, label="hiders")
    panels[0].plot(steps, -rewards, label="seekers")
    panels[0].set_ylabel("reward")
    for axes, (title, names) in zip(panels[1:-1], SHOWN.items(), strict=True):
        for k, name in enumerate(names):
            axes.plot(steps, curves[name], color=f"C{k}", label=name.replace("_preparation", "").replace("_", " "))
            axes.axhline(random[name], color=f"C{k}", linestyle=":", linewidth=1)
        axes.set_ylabel(title, fontsize=8)
    for axes in panels[:-1]:
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    _draw_phases(panels[-1], steps, found)
    panels[-1].set_xlabel("steps of worlds; dotted: random play")
    panels[-1].xaxis.set_major_formatter(EngFormatter())
    return figure


def _draw_phases(axes: Any, steps: Any, found: list[list[str]]) -> None:
    """Draws a bar for each phase, filled where it is shown."""
    edges = np.concatenate([steps[:1], (steps[1:] + steps[:-1]) / 2, steps[-1:]])
    for row, phase in enumerate(reversed(PHASES)):
        shown = [phase.name in names for names in found]
        bars = [(edges[k], edges[k + 1] - edges[k]) for k, is_shown in enumerate(shown) if is_shown]
        axes.broken_barh(bars, (row - 0.4, 0.8), color=f"C{len(PHASES) - 1 - row}")
    axes.set_yticks(range(len(PHASES)), [phase.name for phase in reversed(PHASES)], fontsize=7)
    axes.set_ylim(-0.6, len(PHASES) - 0.4)
