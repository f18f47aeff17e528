"""The league: ratings against Elo's formula, who is drawn, who leaves."""

import numpy as np
import pytest
import torch

from palestra.agents.league import RATE, League


def with_members(count: int, *, size: int = 10) -> League:
    """Makes a league whose members' weights are their numbers."""
    league = League(size, 0)
    for k in range(count):
        league.join({"w": torch.tensor([float(k)])}, k)
    return league


def test_a_win_moves_both_ratings_by_how_surprising_it_is() -> None:
    league = with_members(1)
    league.draw()
    league.note(1.0)
    assert (league.elo, league.members[0].elo) == (RATE / 2, -RATE / 2)  # equal before, so half the rate
    league.members[0].elo = league.elo + 400
    league.note(0.0)
    assert league.elo == pytest.approx(RATE / 2 - RATE / 11)  # one in eleven wins are expected 400 below


def test_ratings_find_how_strong_players_are() -> None:
    league, rng = with_members(1), np.random.default_rng(0)
    league.draw()
    found = []
    for k in range(20_000):
        league.note(float(rng.random() < 0.75))
        found.append(league.elo - league.members[0].elo if k > 1_000 else np.nan)
    assert np.nanmean(found) == pytest.approx(400 * np.log10(3), abs=5)  # a score of 3 to 1; 191


def test_those_who_win_are_met_more_often() -> None:
    league = with_members(3)
    league.members[0].elo, league.members[1].elo, league.members[2].elo = -400.0, 0.0, 400.0
    counts = np.zeros(3)
    for _ in range(11_000):
        league.draw()
        counts[league.opponent] += 1
    shares = np.array([1 / 11, 1 / 2, 10 / 11]) / 1.5
    assert np.allclose(counts / 11_000, shares, atol=0.02)  # 4 standard errors


def test_a_full_league_loses_an_old_one_for_each_that_joins() -> None:
    league = with_members(30, size=5)
    joined = [member.joined for member in league.members]
    assert len(joined) == 5
    assert joined[-1] == 29
    assert joined == sorted(set(joined))


def test_state_and_back() -> None:
    league = with_members(4)
    for k in range(10):
        league.draw()
        league.note(k % 2)
    other = League(10, 9)
    other.restore(league.state())
    assert [league.draw().elo for _ in range(20)] == [other.draw().elo for _ in range(20)]
    assert torch.equal(league.members[2].weights["w"], other.members[2].weights["w"])
