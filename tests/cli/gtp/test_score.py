"""Predictions beside playouts counted one by one, and stones in seki."""

import math

import numpy as np
import pytest

from palestra.cli.gtp import score
from palestra.cli.gtp.score import final_lead, predict, status_list
from palestra.cli.gtp.table import Setup, Table
from palestra.envs.go.dead import ownership
from palestra.envs.go.position import from_rows
from palestra.envs.go.rules import Rules, rules_named
from palestra.envs.rng import seed_state

RULES = Rules(size=5, komi=2.5)


def table_of(rows: list[str], rules: str = "chinese") -> Table:
    """Returns a table with a drawing set up."""
    board = from_rows(rows, rules_named(rules, size=len(rows), komi=0.5)).board.ravel()
    table = Table(rules_named(rules, size=len(rows), komi=0.5))
    table.set_up(Setup(tuple(np.flatnonzero(board == 1).tolist()), tuple(np.flatnonzero(board == 2).tolist())))
    return table


def test_a_prediction_is_the_mean_of_playouts_in_pairs() -> None:
    position = from_rows([". . . . .", ". X . O .", ". . . . .", ". . X . .", ". . . . ."], RULES)
    rng, pairs, each = seed_state(5), [], np.empty(25)
    for _ in range(10):
        ownership(position.state, each, rng, 2)
        pairs.append(each.copy())
    black, white = predict(position.state, 1, 20), predict(position.state, 2, 20)
    leads = [pair.sum() - 2.5 for pair in pairs]
    assert black.lead == pytest.approx(sum(leads) / 10)
    assert black.deviation == pytest.approx(math.sqrt(2 * sum((lead - black.lead) ** 2 for lead in leads) / 10))
    np.testing.assert_allclose(black.ownership, np.mean(pairs, 0).reshape(5, 5))
    assert (white.lead, white.deviation) == (-black.lead, black.deviation)
    np.testing.assert_array_equal(white.ownership, -black.ownership)


def test_stones_without_land_of_their_own_are_in_seki(monkeypatch: pytest.MonkeyPatch) -> None:
    """Column A is Black's; column C is nobody's, and White has no other."""
    monkeypatch.setattr(score, "dead_stones", lambda state: [])
    table = table_of([". X . O"] * 4)
    assert status_list(table, "alive") == "B4 B3 B2 B1"
    assert status_list(table, "seki") == "D4 D3 D2 D1"
    assert status_list(table, "dead") == status_list(table, "white_territory") == ""
    assert status_list(table, "black_territory") == "A4 A3 A2 A1"


@pytest.mark.parametrize(("rules", "lead"), [("chinese", 8.5), ("japanese", 6.5), ("cgos", 4.5)])
def test_the_score_with_a_dead_stone(monkeypatch: pytest.MonkeyPatch, rules: str, lead: float) -> None:
    """Without White's C1 Black has all 9 points, or 6 empty ones and a prisoner; with it 6 to 1. Komi is 0.5."""
    monkeypatch.setattr(score, "dead_stones", lambda state: [8])
    assert final_lead(table_of([". X .", ". X .", ". X O"], rules)) == lead


def test_an_unknown_status() -> None:
    with pytest.raises(KeyError):
        status_list(table_of(["X .", ". ."]), "asleep")
