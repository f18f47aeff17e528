"""The game behind an engine: either colour at any time, changes of rules, and chains."""

import pytest

from palestra.cli.gtp.table import Setup, Table, chain_at, neighbours
from palestra.envs.go.position import IllegalMoveError
from palestra.envs.go.rules import Rules, rules_named

SMALL = rules_named("chinese", size=3)


def table_of(*moves: tuple[int, int], rules: Rules = SMALL) -> Table:
    """Returns a table after some moves (action, colour)."""
    table = Table(rules)
    for action, color in moves:
        table.play(action, color)
    return table


def test_neighbours_in_the_corner_at_the_edge_and_inside() -> None:
    assert neighbours(3, 0) == [1, 3]
    assert neighbours(3, 5) == [2, 4, 8]
    assert neighbours(3, 4) == [1, 3, 5, 7]


def test_chains_and_liberties() -> None:
    cells = [1, 1, 0, 2, 1, 0, 2, 2, 0]  # X X . / O X . / O O .
    assert chain_at(cells, 3, 0) == ([0, 1, 4], [2, 5])
    assert chain_at(cells, 3, 7) == ([3, 6, 7], [8])
    table = Table(SMALL)
    table.set_up(Setup(black=(0, 1, 4), white=(3, 6, 7)))
    assert table.chains() == [(1, [0, 1, 4]), (2, [3, 6, 7])]
    assert (table.stones(1), table.chain(4)) == ([0, 1, 4], ([0, 1, 4], [2, 5]))


def test_a_colour_moves_twice_and_the_game_goes_on_after_two_passes() -> None:
    table = table_of((0, 1), (2, 1), (9, 2), (9, 1))
    assert table.position.over
    table.play(4, 2)
    assert not table.position.over
    assert table.names(table.stones(1) + table.stones(2)) == "A3 C3 B2"
    table.undo()
    assert table.moves[-1] == (1, 9)


def test_a_cap_on_moves_ends_the_game_for_good() -> None:
    table = table_of((9, 1), (9, 2), rules=rules_named("chinese", size=3, max_moves=3))
    table.play(0, 1)
    with pytest.raises(IllegalMoveError):
        table.play(1, 2)


def test_legal_moves_of_either_colour() -> None:
    """X X . / O X . / O O .: C3 is Black's only, for White it would be suicide no more than C2 is."""
    table = Table(SMALL)
    table.set_up(Setup(black=(1, 3), white=()))
    assert table.legal(1)[0]
    assert not table.legal(2)[0]  # a corner between two black stones
    assert "suicide" in table.forbidden(0, 2)
    assert not table.forbidden(0, 1)


@pytest.mark.parametrize(("bonus", "komi"), [("none", 0.5), ("n-1", 2.5), ("n", 3.5)])
def test_what_white_gets_for_three_handicap_stones_is_part_of_komi(bonus: str, komi: float) -> None:
    rules = Rules(size=9, komi=0.5, handicap_bonus=bonus)  # type: ignore[arg-type]
    played = Table(rules).played_rules(rules, 3)
    assert (played.komi, played.handicap, played.max_moves) == (komi, 0, 1000)


def test_other_rules_make_all_moves_again_or_change_nothing() -> None:
    suicide = Rules(size=2, superko="situational", suicide=True)
    table = table_of((2, 1), (1, 1), (3, 2), rules=suicide)  # White's last stone takes itself off
    assert table.stones(2) == []
    before = table.position
    with pytest.raises(ValueError, match="suicide"):
        table.change_rules(Rules(size=2))
    assert (table.rules, table.position) == (suicide, before)
    table.change_rules(Rules(size=2, superko="simple", suicide=True))
    assert (table.rules.superko, table.moves) == ("simple", before.moves)


def test_a_set_up_that_is_impossible_changes_nothing() -> None:
    table = table_of((4, 1))
    with pytest.raises(ValueError, match="without a liberty"):
        table.set_up(Setup(black=(0,), white=(1, 3)))
    assert table.stones(1) == [4]
    assert table.setup == Setup()
