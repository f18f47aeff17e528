"""What a match came to: counts, score, interval, Elo, times and reasons; as JSON and in lines for people."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from palestra.agents.elo import GAME, PAIR, SPRT, Standing
from palestra.agents.match import PlayedGame
from palestra.cli.match_record import Judged

ELOS = ("elo", "elo_low", "elo_high")


@dataclass
class Tally:
    """What the games of a match came to, seen by A."""

    num_openings: int = 0
    """Openings that there are, each played in games 2k and 2k + 1; 0 if games begin at the beginning."""
    points: list[float] = field(default_factory=list)
    """A's points in each game: 0, 0.5 or 1."""
    ends: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=lambda: [0.0, 0.0])
    choices: list[int] = field(default_factory=lambda: [0, 0])
    names: tuple[str, str] = ("", "")
    disagreements: list[str] = field(default_factory=list)

    def add(self, played: PlayedGame, judged: Judged) -> None:
        """Counts a game."""
        a = len(self.points) % 2  # A's seat
        reward = -judged.reward if a else judged.reward
        self.points.append(0.5 if not reward else float(reward > 0))
        self.names = (played.names[a], played.names[1 - a])
        loser = f" by {'B' if reward > 0 else 'A'}" if judged.end in ("resignation", "forfeit") else ""
        self.ends[judged.end + loser + (f": {judged.detail}" if judged.detail else "")] += 1
        self.disagreements += [f"game {len(self.points)}: {judged.note}"] if judged.note else []
        for side, seat in enumerate((a, 1 - a)):
            self.seconds[side] += played.seconds[seat]
            self.choices[side] += played.choices[seat]

    @property
    def standing(self) -> Standing:
        """Wins, losses and draws of A."""
        return standing_of(self.points)

    def outcomes(self) -> tuple[list[int], tuple[float, ...]]:
        """Returns counts and scores for a sequential test: of pairs if openings are played twice, else of games."""
        if not self.num_openings:
            return [self.points.count(score) for score in GAME], GAME
        pairs = [sum(self.points[i : i + 2]) / 2 for i in range(0, len(self.points) - 1, 2)]
        return [pairs.count(score) for score in PAIR], PAIR


def standing_of(points: Sequence[float]) -> Standing:
    """Counts wins, losses and draws."""
    return Standing(points.count(1.0), points.count(0.0), points.count(0.5))


def summary(tally: Tally) -> dict[str, Any]:
    """Returns the figures of a match by their names in JSON, where an infinite Elo difference is null."""
    standing = tally.standing
    times = [spent / max(count, 1) for spent, count in zip(tally.seconds, tally.choices, strict=True)]
    first, second = standing_of(tally.points[::2]), standing_of(tally.points[1::2])
    return {
        "games": standing.games,
        **figures_of(standing),
        "as_first": [first.wins, first.losses, first.draws],
        "as_second": [second.wins, second.losses, second.draws],
        "openings": min(tally.num_openings, math.ceil(standing.games / 2)),
        "seconds_per_move": dict(zip("AB", times, strict=True)),
        "ends": dict(tally.ends.most_common()),
    }


def figures_of(standing: Standing) -> dict[str, Any]:
    """Returns counts, score and Elo difference with their intervals; an infinite Elo difference is null."""
    low, high = standing.interval
    elos = (standing.elo, *standing.elo_interval)
    return {
        "wins": standing.wins,
        "losses": standing.losses,
        "draws": standing.draws,
        "score": standing.score,
        "low": low,
        "high": high,
        **{name: elo if math.isfinite(elo) else None for name, elo in zip(ELOS, elos, strict=True)},
    }


def sequential(tally: Tally, test: SPRT) -> dict[str, Any]:
    """Returns how a sequential test stands."""
    counts, scores = tally.outcomes()
    how = {"llr": test.llr(counts, scores), "bounds": test.bounds, "verdict": test.verdict(counts, scores)}
    return asdict(test) | how


def running(standing: Standing) -> str:
    """Says how a match stands in a few words."""
    return f"{standing.wins} won, {standing.losses} lost, {standing.draws} drawn: {standing.score:.0%}"


def lines(report: dict[str, Any]) -> str:
    """Writes a report."""
    a, b = (_who(report, side) for side in "AB")
    rules = report["rules"]
    under = f", {rules['name']} rules, komi {rules['komi']:g}" if rules else ""
    told = [
        f"A: {a}; B: {b}; {report['env']}{under}",
        f"{_games(report['games'])}: A won {report['wins']}, lost {report['losses']}, drew {report['draws']}"
        f" (as first {_counts(report['as_first'])}, as second {_counts(report['as_second'])})",
        *strength(report),
    ]
    if report["openings"]:
        told += [f"{report['openings']} openings, each played with colours swapped"]
    if report["sprt"]:
        told += [_sprt(report["sprt"])]
    told += ["ends: " + ", ".join(f"{count} {end}" for end, count in report["ends"].items())]
    times = report["seconds_per_move"]
    told += [f"seconds a move: A {times['A']:.3g}, B {times['B']:.3g}"]
    if report["disagreements"] is not None:
        count = len(report["disagreements"])
        told += [f"the referee counted {_games(count)} otherwise than this engine", *report["disagreements"]]
    if report["stopped"]:
        told += [f"stopped early: {report['stopped']}"]
    return "\n".join([*told, f"the games are in {report['out']}"])


def strength(report: dict[str, Any]) -> list[str]:
    """Writes score and Elo difference of a report."""
    return [
        f"A's score {report['score']:.1%}, 95 % interval {report['low']:.1%} to {report['high']:.1%}",
        f"Elo difference {_elo(report, 'elo')}, {_elo(report, 'elo_low')} to {_elo(report, 'elo_high')}",
    ]


def _who(report: dict[str, Any], side: str) -> str:
    spec, name = report["players"][side], report["names"][side]
    return spec if name in spec else f"{name} ({spec})"


def _games(count: int) -> str:
    return f"{count} game{'s' * (count != 1)}"


def _counts(counts: list[int]) -> str:
    wins, losses, draws = counts
    return f"{wins}-{losses}-{draws}"


def _elo(report: dict[str, Any], name: str) -> str:
    if report[name] is None:
        return "-∞" if name == "elo_low" or (name == "elo" and report["score"] < 0.5) else "+∞"
    return f"{report[name]:+.0f}"


def _sprt(test: dict[str, Any]) -> str:
    verdict = {
        "accepted": f"accepted: A is stronger by {test['elo1']:g} Elo rather than {test['elo0']:g}",
        "rejected": f"rejected: A is stronger by {test['elo0']:g} Elo rather than {test['elo1']:g}",
        "continue": "undecided: more games are wanted",
    }[test["verdict"]]
    low, high = test["bounds"]
    return f"SPRT {verdict} (log-likelihood ratio {test['llr']:.2f}, bounds {low:.2f} and {high:.2f})"
