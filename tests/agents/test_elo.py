"""Scores and tests against closed forms, simulated matches, and logistic regression."""

import math

import numpy as np
import pytest

from palestra.agents.elo import ELO, GAME, PAIR, SPRT, Standing, elo_difference, elo_table, expected_score
from palestra.perception.intervals import wilson


@pytest.mark.parametrize(("elo", "score"), [(0, 0.5), (400, 10 / 11), (-400, 1 / 11), (191, 0.7502)])
def test_scores_of_differences_are_the_formula_s(elo: float, score: float) -> None:
    assert expected_score(elo) == pytest.approx(score, abs=1e-4)
    assert elo_difference(expected_score(elo)) == pytest.approx(elo)


def test_certain_scores_are_infinite_differences() -> None:
    assert elo_difference(1.0) == math.inf
    assert elo_difference(0.0) == -math.inf
    assert expected_score(-1e6) == 0.0
    with pytest.raises(ValueError, match="between 0 and 1"):
        elo_difference(1.2)


def test_a_match_without_draws_has_wilson_s_interval() -> None:
    standing = Standing(40, 20, 0)
    assert standing.interval == pytest.approx(wilson(40, 60))
    assert standing.score == pytest.approx(2 / 3)
    assert standing.elo == pytest.approx(400 * math.log10(2))  # odds of 2 to 1
    assert standing.elo_interval == pytest.approx([elo_difference(end) for end in wilson(40, 60)])


def test_draws_count_half_and_all_won_is_not_certain() -> None:
    assert Standing(3, 1, 4).score == 0.625
    assert Standing(3, 1, 5).interval == pytest.approx(
        (wilson(5, 9)[0], wilson(6, 9)[1])
    )  # 5.5 points, rounded outwards
    low, high = Standing(10, 0, 0).interval
    assert (low, high) == pytest.approx(wilson(10, 10))
    assert Standing(10, 0, 0).elo_interval == (elo_difference(low), math.inf)


@pytest.mark.parametrize("chances", [(0.5, 0.5, 0.0), (0.7, 0.3, 0.0), (0.3, 0.3, 0.4), (0.1, 0.05, 0.85)])
def test_the_interval_covers_the_true_score(chances: tuple[float, float, float]) -> None:
    """Wilson's covers 95 % on average over the score and a little less at some: at least 93 % of 4,000 matches here."""
    rng = np.random.default_rng(1)
    true = chances[0] + chances[2] / 2
    hits = 0
    for wins, losses, draws in rng.multinomial(100, chances, size=4000).tolist():
        low, high = Standing(wins, losses, draws).interval
        hits += low <= true <= high
    assert hits / 4000 >= 0.93


def test_the_ratio_of_wins_and_losses_is_wald_s() -> None:
    test = SPRT(0, 100)
    p0, p1 = 0.5, expected_score(100)
    wanted = 30 * math.log(p1 / p0) + 12 * math.log((1 - p1) / (1 - p0))
    assert test.llr((12, 0, 30)) == pytest.approx(wanted, rel=1e-3)
    assert test.bounds == pytest.approx((-math.log(19), math.log(19)))
    assert test.llr((0, 0, 0)) == 0.0


def test_the_ratio_with_draws_is_the_best_of_all_distributions_with_these_scores() -> None:
    """By brute force: for each chance of a draw the others follow from the score."""
    test, counts = SPRT(-20, 50), (20, 47, 33)
    best = []
    for elo in (-20, 50):
        score, draw = expected_score(elo), np.linspace(1e-6, 1, 400_001)
        win = score - draw / 2
        loss = 1 - win - draw
        good = (win > 0) & (loss > 0)
        logs = counts[0] * np.log(loss[good]) + counts[1] * np.log(draw[good]) + counts[2] * np.log(win[good])
        best.append(logs.max())
    assert test.llr(counts) == pytest.approx(best[1] - best[0], abs=1e-6)


def test_swapping_the_players_turns_the_ratio_round() -> None:
    counts = (3, 10, 40, 21, 5)
    assert SPRT(-30, 10).llr(counts, PAIR) == pytest.approx(-SPRT(-10, 30).llr(counts[::-1], PAIR))


def test_few_outcomes_end_nothing() -> None:
    assert SPRT(0, 50).verdict((0, 0, 1)) == "continue"
    assert SPRT(0, 50).verdict((0, 0, 0, 0, 1), PAIR) == "continue"
    assert SPRT(0, 400).verdict((0, 0, 40)) == "accepted"
    assert SPRT(0, 400).verdict((20, 0, 20)) == "rejected"


@pytest.mark.parametrize(("elo", "wrong"), [(0.0, "accepted"), (150.0, "rejected")])
@pytest.mark.parametrize("draws", [0.0, 0.4])
@pytest.mark.parametrize("scores", [GAME, PAIR])
def test_errors_are_as_rare_as_asked(elo: float, wrong: str, draws: float, scores: tuple[float, ...]) -> None:
    """Wald's bounds keep error rates near or below 5 %: 300 matches may show 8 % (2.4 standard errors above)."""
    test, rng, games = SPRT(0, 150), np.random.default_rng(7), len(scores) // 2
    win = expected_score(elo) - draws / 2
    errors = 0
    for _ in range(300):
        counts = [0] * len(scores)
        for outcome in rng.choice(3, size=(1000, games), p=[1 - win - draws, draws, win]).sum(axis=1).tolist():
            counts[outcome] += 1
            if (verdict := test.verdict(counts, scores)) != "continue":
                errors += verdict == wrong
                break
        else:
            pytest.fail("the test did not end")
    assert errors / 300 <= 0.08


@pytest.mark.parametrize("wrong", [(10, 0), (5, 5), (0, 10, 0.0), (0, 10, 0.05, 0.7)])
def test_a_test_that_makes_no_sense_is_refused(wrong: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"smaller|between"):
        SPRT(*wrong)


def test_two_players_are_as_far_apart_as_their_score_says() -> None:
    first, second = elo_table({("a", "b"): (30, 10, 0)})
    assert (first.name, second.name, first.games, first.score) == ("a", "b", 40, 0.75)
    assert first.elo - second.elo == pytest.approx(elo_difference(0.75))
    assert first.elo == pytest.approx(-second.elo)
    error = 1.959964 * ELO / math.sqrt(40 * 0.75 * 0.25)  # of the difference; each player's is half of it
    assert first.high - first.low == pytest.approx(error)


def test_an_anchor_has_zero_and_the_others_the_error_of_the_difference() -> None:
    table = {row.name: row for row in elo_table({("a", "b"): (30, 10, 0), ("c", "b"): (5, 5, 10)}, anchor="b")}
    assert table["b"].elo == table["b"].low == table["b"].high == 0.0
    assert table["a"].elo == pytest.approx(elo_difference(0.75))
    assert table["c"].elo == pytest.approx(0.0)
    assert table["a"].high - table["a"].elo == pytest.approx(1.959964 * ELO / math.sqrt(40 * 0.75 * 0.25))


def test_a_round_robin_agrees_with_logistic_regression() -> None:
    """scikit-learn's maximum likelihood of who won, with a column a player, +1 for one and -1 for the other."""
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(3)
    names, true = "abcde", np.array([0.0, 0.5, 0.9, -0.4, 1.5])
    results, rows, won = {}, [], []
    for i in range(5):
        for j in range(i):
            wins = int(rng.binomial(40, 1 / (1 + math.exp(true[j] - true[i]))))
            results[names[i], names[j]] = (wins, 40 - wins, 0)
            rows += [np.eye(5)[i] - np.eye(5)[j]] * 40
            won += [1] * wins + [0] * (40 - wins)
    fit = LogisticRegression(C=1e9, fit_intercept=False, tol=1e-12, max_iter=10_000).fit(np.array(rows), won)
    wanted = ELO * (fit.coef_[0] - fit.coef_[0].mean())
    ratings = {row.name: row.elo for row in elo_table(results)}
    assert [ratings[n] for n in names] == pytest.approx(wanted, abs=0.05)
    assert sorted(ratings, key=lambda n: -ratings[n]) == [row.name for row in elo_table(results)]


def test_a_player_who_won_everything_needs_a_prior() -> None:
    results = {("a", "b"): (10, 0, 0), ("b", "c"): (6, 4, 0)}
    with pytest.raises(ValueError, match="no chain of games not lost leads from b to a"):
        elo_table(results)
    first, second, _ = elo_table(results, prior=1.0)
    assert (first.name, second.name) == ("a", "b")
    assert first.elo - second.elo == pytest.approx(elo_difference(10.5 / 11))


def test_results_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="not one of two players"):
        elo_table({("a", "a"): (1, 0, 0)})
    with pytest.raises(ValueError, match="anchor 'z' played no game; a, b did"):
        elo_table({("a", "b"): (1, 1, 0)}, anchor="z")
