"""Counts of boards whose points can be counted by hand."""

import numpy as np
import pytest

from palestra.cli.counting import dead_at_end, lead_without, owners_without, score_text
from palestra.envs.go.game import parse_vertex
from palestra.envs.go.position import Position, from_rows
from palestra.envs.go.rules import rules_named

# 25 points to Black and 24 to White, each alive by two eyes of three; White's A6 and Black's G2 are dead
ROWS = [
    ". X X O O O .",
    "O X X O O O .",
    ". X X O O O .",
    "X X X X O O O",
    ". X X X O O .",
    ". X X X O O X",
    ". X X X O O .",
]
DEAD = [parse_vertex(7, "A6"), parse_vertex(7, "G2")]


def finished(rules: str, komi: float = 0.5) -> Position:
    """Returns the drawing after two passes."""
    position = from_rows(ROWS, rules_named(rules, size=7, komi=komi))
    for _ in range(2):
        position.play(49)
    return position


@pytest.mark.parametrize(("rules", "dead"), [("chinese", DEAD), ("japanese", DEAD), ("tromp-taylor", []), ("cgos", [])])
def test_stones_are_dead_after_two_passes_where_the_rules_have_it_so(rules: str, dead: list[int]) -> None:
    position = finished(rules)
    assert dead_at_end(position.state, position.rules) == dead
    position.undo()
    assert dead_at_end(position.state, position.rules) == []


def test_dead_stones_are_points_by_area_and_prisoners_by_territory() -> None:
    area, territory = finished("chinese"), finished("japanese")
    assert lead_without(area.state) == area.score()
    assert lead_without(area.state, DEAD) == 25 - 24 - 0.5
    black, white = 6 + 1, 6 + 1  # points surrounded, and a prisoner each
    assert lead_without(territory.state, DEAD) == black - white - 0.5
    assert lead_without(territory.state, DEAD[:1]) == black - 3 - 0.5  # G2 alive: G1 and G3 are nobody's
    assert lead_without(territory.state, DEAD[1:]) == 3 - white - 0.5


def test_the_state_stays_as_it_was() -> None:
    position = finished("japanese")
    before = position.state.copy()
    owner = owners_without(position.state, DEAD).reshape(7, 7)
    np.testing.assert_array_equal(position.state, before)
    assert ((owner == 1).sum(), (owner == 2).sum()) == (25, 24)
    assert position.owners()[0, 0] == 0  # A7 touches both colours as long as A6 stands there


@pytest.mark.parametrize(("lead", "text"), [(3.5, "B+3.5"), (-12.0, "W+12"), (0.0, "0")])
def test_scores_are_written_as_gtp_and_sgf_have_them(lead: float, text: str) -> None:
    assert score_text(lead) == text
