"""Matches of teams for `palestra match`: pairs of episodes with sides swapped."""

import difflib
import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from palestra.agents.elo import Standing
from palestra.agents.evaluation import interval
from palestra.agents.hide_scripts import SCRIPTS
from palestra.agents.team_match import NetworkPlayer, RandomTeam, ScriptPlayer, TeamGame, play_teams
from palestra.agents.team_play import TeamPlayer
from palestra.cli.match_report import figures_of, running, standing_of, strength
from palestra.cli.players import is_run
from palestra.cli.progress import Progress
from palestra.cli.run import Run, write_json
from palestra.cli.setup import env_of, trained_agent
from palestra.envs.spec import EnvSpec

WORLDS = 32  # that are stepped together


@dataclass
class TeamTally:
    """What the pairs of a match came to."""

    teams: tuple[str, ...]
    points: list[float] = field(default_factory=list)
    """A's points in each pair: 0, 0.5 or 1."""
    games: list[TeamGame] = field(default_factory=list)

    def add(self, pair: tuple[TeamGame, TeamGame]) -> None:
        """Counts a pair."""
        self.points.append(0.5 + 0.5 * float(np.sign(sum(game.got(0) - game.got(1) for game in pair))))
        self.games += pair

    @property
    def standing(self) -> Standing:
        """Wins, losses and draws of A."""
        return standing_of(self.points)

    def by_team(self) -> dict[str, dict[str, dict[str, float | None]]]:
        """Returns what A and B got on each team, with its interval, and the mean of what was counted meanwhile."""
        return {
            name: {side: self._of([game for game in self.games if game.players[team] == k], team)
                   for k, side in enumerate("AB")}
            for team, name in enumerate(self.teams)
        }  # fmt: skip

    def _of(self, games: Sequence[TeamGame], team: int) -> dict[str, float | None]:
        got = np.array([game.returns[team] for game in games])
        low, high = interval(got)
        counted = {name: float(np.mean([g.statistics[name] for g in games])) for name in games[0].statistics}
        return {"mean": float(got.mean()), "low": low, "high": high, **counted}


def play(names: tuple[str, str], env: EnvSpec, games: int, seed: int, out: Path) -> tuple[dict[str, Any], int]:
    """Plays a match of teams; returns its report, kept in `out` beside the games, and the exit status.

    Raises:
        ValueError: a player is unknown, or the environment has not two teams.
    """
    players, pairs = [team_player(name, env) for name in names], -(-games // 2)
    one: Any = env.make_vec(1)
    tally, status, stopped = TeamTally(one.team_names), 0, ""
    one.close()
    match = play_teams(players, EnvSpec(env.id, WORLDS, kwargs=env.kwargs), pairs, seed)
    first = next(match)  # what cannot be played is refused before anything is written
    out.mkdir(parents=True, exist_ok=True)
    with (out / "games.jsonl").open("w") as file, Progress("playing", pairs) as progress:
        try:
            for pair in itertools.chain([first], match):
                tally.add(pair)
                file.writelines(json.dumps(asdict(game)) + "\n" for game in pair)
                progress.update(len(tally.points), running(tally.standing))
        except KeyboardInterrupt:
            status, stopped = 130, "interrupted"
    report = {
        "players": dict(zip("AB", names, strict=True)),
        "names": dict(zip("AB", (player.name for player in players), strict=True)),
        "env": env.id,
        "env_kwargs": dict(env.kwargs),
        "seed": seed,
        "games": len(tally.games),
        "pairs": len(tally.points),
        **figures_of(tally.standing),
        "by_team": tally.by_team(),
        "out": str(out),
        "stopped": stopped,
    }
    write_json(out / "match.json", report)
    return report, status


def team_player(name: str, env: EnvSpec) -> TeamPlayer:
    """Makes the player of a team that a command line names: random, a script of hide-and-seek, or a run of mappo.

    Raises:
        ValueError: there is none of that name, or it was trained on other observations.
    """
    if name == "random":
        return RandomTeam()
    if name in SCRIPTS:
        return ScriptPlayer(name)
    near = difflib.get_close_matches(name, ("random", *SCRIPTS), n=1, cutoff=0.7)
    if near and not is_run(name):
        raise ValueError(f"there is no player {name!r}; did you mean {near[0]}?")
    run = Run.open(name, "agent")
    agent: Any = trained_agent(run)
    if not hasattr(agent, "policy"):
        raise ValueError(f"{name} is a run of {run.config['agent']}, but one of mappo is wanted, as it plays in teams")
    spaces = []
    for spec in (env_of(run.config), env):
        one = spec.make()
        spaces.append((one.observation_space, one.action_space))
        one.close()
    if spaces[0] != spaces[1]:
        own = env_of(run.config)
        raise ValueError(
            f"{name} plays {own.id} with {dict(own.kwargs)}, where agents see or do something else than here"
        )
    return NetworkPlayer(run.path.name, agent.policy, agent.config.repeat)


def lines(report: dict[str, Any]) -> str:
    """Writes a report for people."""
    who = {side: report["names"][side] for side in "AB"}
    told = [
        f"A: {who['A']}; B: {who['B']}; {report['env']}",
        f"{report['pairs']} pairs of episodes, each played with sides swapped: A won {report['wins']},"
        f" lost {report['losses']}, drew {report['draws']}",
        *strength(report),
    ]
    for team, sides in report["by_team"].items():
        told += [f"as {team}: " + ", ".join(f"{side} gets {_mean(sides[side])}" for side in "AB")]
    first = next(iter(report["by_team"]))
    for name, counted in report["by_team"][first]["A"].items():
        if name not in ("mean", "low", "high"):
            other = report["by_team"][first]["B"][name]
            told += [f"  {name.replace('_', ' ')}: {counted:.3g} where A is {first}, {other:.3g} where B is"]
    if report["stopped"]:
        told += [f"stopped early: {report['stopped']}"]
    return "\n".join([*told, f"the games are in {report['out']}"])


def _mean(got: dict[str, float | None]) -> str:
    spread = "" if got["low"] is None else f" ({got['low']:.3g} to {got['high']:.3g})"
    return f"{got['mean']:.3g}{spread}"
