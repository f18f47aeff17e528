"""Some games of `benchmarks/go_oracle.py`: GNU Go 3.8 agrees in every answer."""

import itertools
from collections import Counter

import numpy as np
import pytest
from benchmarks.go_oracle import FORBIDDEN, Job, compare, random_game, scored_game

from palestra.envs.go.rules import SUPERKO, Superko
from tests.gnugo import gnugo


@pytest.mark.parametrize("suicide", [False, True])
@pytest.mark.parametrize("superko", SUPERKO)
def test_random_games_are_gnu_gos_too(superko: Superko, suicide: bool) -> None:
    forbidden, counts = np.zeros(4, np.int64), Counter[str]()
    for size, games in ((3, 4), (4, 3), (5, 2), (7, 1), (9, 1)):
        job = Job(size, superko, suicide, moves=0, seed=7)
        played = [random_game(job, seed, forbidden) for seed in range(games)]
        found, differences = compare(job, gnugo(), job.flags, played)
        assert not differences
        counts += found
    assert counts["move compared"] > 1000
    ko, suicides, superkos, repeating = forbidden
    assert ko > 0
    assert (suicides > 0) == (not suicide)
    assert (superkos > 0) == (superko != "simple")
    assert (repeating > 0) == (suicide and superko != "simple")
    assert len(FORBIDDEN) == len(forbidden)


@pytest.mark.parametrize(("scoring", "flag"), [("area", "--chinese-rules"), ("territory", "--japanese-rules")])
def test_scores_are_gnu_gos_too(scoring: str, flag: str) -> None:
    job = Job(5, "positional", suicide=False, moves=0, seed=1)
    games = (scored_game(job, seed, scoring) for seed in itertools.count())  # type: ignore[arg-type]
    plain = list(itertools.islice((game for game in games if game), 5))
    counts, differences = compare(job, gnugo(), [*job.flags, flag], plain)
    assert not differences
    assert counts[f"score by {scoring} compared"] == 5
