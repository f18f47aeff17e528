"""How much stronger one player is than another: score and Elo with intervals, a sequential test, a table of many.

A difference of d Elo is an expected score of 1 / (1 + 10^(-d/400)), a draw counting half: Elo, "The Rating of
Chessplayers, Past and Present" (1978), section 8.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from palestra.perception.intervals import Z, wilson

ELO = 400 / math.log(10)  # Elo a unit of the logistic scale
GAME = (0.0, 0.5, 1.0)  # scores of a loss, a draw, a win
PAIR = (0.0, 0.25, 0.5, 0.75, 1.0)  # mean scores of two games with one opening and colours swapped
UNSEEN = 1e-3  # what an outcome that never came counts in the sequential test
LARGEST_STEP = 3.0  # of Newton's method, on the logistic scale

DIGITS = 12  # of an interval's ends, so that 1 is exactly 1

Verdict = Literal["accepted", "rejected", "continue"]
Floats = NDArray[np.float64]


def expected_score(elo: float) -> float:
    """Returns the expected score of a player who is `elo` stronger."""
    return 1 / (1 + 10 ** (-elo / 400)) if elo > -4000 else 0.0


def elo_difference(score: float) -> float:
    """Returns the Elo difference of an expected score in [0, 1]; infinite at its ends."""
    if not 0 <= score <= 1:
        raise ValueError(f"a score lies between 0 and 1, but {score} was given")
    return 400 * math.log10(score / (1 - score)) if 0 < score < 1 else math.copysign(math.inf, score - 0.5)


@dataclass(frozen=True)
class Standing:
    """The result of a match: score and Elo difference with their 95 % intervals."""

    wins: int
    losses: int
    draws: int

    @property
    def games(self) -> int:
        """Games played."""
        return self.wins + self.losses + self.draws

    @property
    def score(self) -> float:
        """Points a game."""
        return (self.wins + self.draws / 2) / self.games

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the score, each draw half a win, rounded outwards where that is no whole number.

        Of wins and losses it is the textbook's. A draw varies less than they, and two games of one opening with colours
        swapped less than two others: then it is wider than it need be. A normal interval by the variance of the three
        outcomes would vanish where all games were won, and leave [0, 1] near it.
        """
        low = wilson(self.wins + self.draws // 2, self.games)[0]
        high = wilson(self.wins + (self.draws + 1) // 2, self.games)[1]
        return round(low, DIGITS), round(high, DIGITS)

    @property
    def elo(self) -> float:
        """Elo difference of the score; infinite if all games were won or lost."""
        return elo_difference(self.score)

    @property
    def elo_interval(self) -> tuple[float, float]:
        """The score's interval as Elo differences."""
        low, high = self.interval
        return elo_difference(low), elo_difference(high)


@dataclass(frozen=True)
class SPRT:
    """Wald's sequential test of "stronger by `elo1`" against "stronger by `elo0`", for outcomes that include draws.

    Wald, "Sequential Tests of Statistical Hypotheses", Annals of Mathematical Statistics 16 (1945), section 3; the
    likelihoods are the greatest among distributions with the two expected scores: Van den Bergh, "A practical
    introduction to the GSPRT" (2019), section 2. Of wins and losses alone it is Wald's binomial test.

    Raises:
        ValueError: `elo0` is not below `elo1`, or an error rate is not between 0 and a half.
    """

    elo0: float
    elo1: float
    alpha: float = 0.05
    """Probability of accepting `elo1` where `elo0` is true."""
    beta: float = 0.05
    """Probability of rejecting `elo1` where it is true."""

    def __post_init__(self) -> None:
        if not self.elo0 < self.elo1:
            raise ValueError(
                f"the first Elo difference of a test must be the smaller, but {self.elo0}, {self.elo1} came"
            )
        if not (0 < self.alpha < 0.5 and 0 < self.beta < 0.5):
            raise ValueError(f"error rates lie between 0 and 0.5, but {self.alpha} and {self.beta} were given")

    @property
    def bounds(self) -> tuple[float, float]:
        """Log-likelihood ratios at which the test ends: rejected at the lower, accepted at the upper."""
        return math.log(self.beta / (1 - self.alpha)), math.log((1 - self.beta) / self.alpha)

    def llr(self, counts: Sequence[int], scores: Sequence[float] = GAME) -> float:
        """Returns the log-likelihood ratio of outcomes: `counts[i]` times `scores[i]` (ascending) was seen."""
        if not sum(counts):
            return 0.0
        seen = [(max(n, UNSEEN), value) for n, value in zip(counts, scores, strict=True)]
        if len(seen) == len(GAME) and not counts[1]:  # no draws: leave them out, so that the test is Wald's
            del seen[1]
        mean0, mean1 = expected_score(self.elo0), expected_score(self.elo1)
        tilt0, tilt1 = (_tilt([(n, v - mean) for n, v in seen]) for mean in (mean0, mean1))
        return sum(n * math.log((1 + tilt0 * (v - mean0)) / (1 + tilt1 * (v - mean1))) for n, v in seen)

    def verdict(self, counts: Sequence[int], scores: Sequence[float] = GAME) -> Verdict:
        """Says whether "stronger by `elo1`" is accepted, rejected, or more games are wanted."""
        ratio = self.llr(counts, scores)
        low, high = self.bounds
        return "accepted" if ratio >= high else "rejected" if ratio <= low else "continue"


def _tilt(seen: Sequence[tuple[float, float]]) -> float:
    """Returns the t for which n / (1 + t x), the likeliest distribution of mean zero where each x came n times, has it.

    Bisection between the poles, where all probabilities are positive.
    """
    low, high = -1 / max(x for _, x in seen), -1 / min(x for _, x in seen)
    for _ in range(60):
        t = (low + high) / 2
        if sum(n * x / (1 + t * x) for n, x in seen) > 0:
            low = t
        else:
            high = t
    return (low + high) / 2


@dataclass(frozen=True)
class Rating:
    """One player's strength among those of a table, in Elo, with its 95 % interval."""

    name: str
    elo: float
    low: float
    high: float
    games: int
    score: float


def elo_table(
    results: Mapping[tuple[str, str], tuple[int, int, int]], anchor: str | None = None, prior: float = 0.0
) -> list[Rating]:
    """Rates players by games between some pairs of them, the strongest first.

    Maximum likelihood in the model of Bradley and Terry, "Rank Analysis of Incomplete Block Designs", Biometrika 39
    (1952), a draw as half a win and half a loss; intervals by the inverse of the observed information. `results` of
    (A, B) are A's wins, losses and draws; `prior` is a number of draws added to each pair that played; `anchor` has
    Elo 0 and no interval, and without one the mean is 0.

    Raises:
        ValueError: no finite ratings are likeliest, since some players won all their games against the others.
    """
    names = sorted({name for pair in results for name in pair})
    if anchor is not None and anchor not in names:
        raise ValueError(f"the anchor {anchor!r} played no game; {', '.join(names)} did")
    won = np.zeros((len(names), len(names)))
    for (a, b), (wins, losses, draws) in results.items():
        i, j = names.index(a), names.index(b)
        if i == j or min(wins, losses, draws) < 0:
            raise ValueError(f"the result of {a} and {b}, {wins, losses, draws}, is not one of two players")
        won[i, j] += wins + draws / 2
        won[j, i] += losses + draws / 2
    played = won + won.T
    _check_connected(won + prior / 2 * (played > 0), names)
    strength, variance = _bradley_terry(won + prior / 2 * (played > 0), names.index(anchor) if anchor else None)
    half = Z * np.sqrt(np.maximum(variance, 0))
    rows = [
        Rating(n, ELO * s, ELO * (s - h), ELO * (s + h), round(g), float(w / max(g, 1)))
        for n, s, h, g, w in zip(names, strength.tolist(), half.tolist(), played.sum(1), won.sum(1), strict=True)
    ]
    return sorted(rows, key=lambda row: -row.elo)


def _check_connected(won: Floats, names: Sequence[str]) -> None:
    """Checks that games not lost lead from everybody to everybody (Ford, "Solution of a ranking problem", 1957)."""
    reach = (won > 0) | np.eye(len(names), dtype=np.bool_)
    for _ in range(len(names).bit_length()):
        reach = reach @ reach
    if not reach.all():
        first, second = (names[i] for i in np.argwhere(~reach)[0])
        raise ValueError(
            f"no finite ratings are likeliest, since no chain of games not lost leads from {first} to {second}; "
            "more games or a prior of some draws make them finite"
        )


def _bradley_terry(won: Floats, anchor: int | None) -> tuple[Floats, Floats]:
    """Returns logistic strengths `[N]` and their variances `[N]` by Newton's method."""
    played, count = won + won.T, len(won)
    strength = np.zeros(count)
    for _ in range(1000):
        chance = 1 / (1 + np.exp(strength[None] - strength[:, None]))
        gradient = (won - played * chance).sum(axis=1)
        weight = played * chance * (1 - chance)
        information = np.diag(weight.sum(axis=1)) - weight
        step = np.linalg.solve(information + 1 / count, gradient)  # the ones fix the mean, which is free
        if np.abs(step).max() < 1e-12:
            break
        strength += step * min(1.0, LARGEST_STEP / np.abs(step).max())
    spread = np.linalg.inv(information + 1 / count) - 1 / count
    if anchor is None:
        return strength - strength.mean(), np.diag(spread)
    shift = np.diag(spread) + spread[anchor, anchor] - 2 * spread[anchor]
    return strength - strength[anchor], shift
