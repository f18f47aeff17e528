"""Values of the rules, their named sets, and the places of handicap stones."""

from typing import Any

import pytest

from palestra.envs.go.game import vertex
from palestra.envs.go.rules import (
    LARGEST,
    NAMED,
    SCORING,
    SMALLEST,
    SUPERKO,
    Rules,
    handicap_points,
    most_handicap,
    rules_named,
)


def test_what_the_named_sets_say() -> None:
    """From the texts named in `envs/go/rules.py`."""
    wanted = {
        "tromp-taylor": ("positional", True, "area"),
        "chinese": ("positional", False, "area"),
        "japanese": ("simple", False, "territory"),
        "aga": ("situational", False, "area"),
        "cgos": ("positional", False, "area"),
    }
    assert {name: (rules.superko, rules.suicide, rules.scoring) for name, rules in NAMED.items()} == wanted
    assert rules_named("japanese").komi == 6.5
    assert rules_named("chinese").komi == 7.5


def test_a_named_set_can_be_changed() -> None:
    rules = rules_named("cgos", size=9, suicide=True, superko=None)
    assert (rules.size, rules.suicide, rules.superko, rules.komi) == (9, True, "positional", 7.0)
    assert rules_named("cgos", size=19).komi == 7.5
    assert rules_named("cgos", size=9, komi=0).komi == 0


@pytest.mark.parametrize(("given", "hint"), [("chinse", "did you mean chinese?"), ("xyz", "there are tromp-taylor")])
def test_an_unknown_name_gets_the_nearest(given: str, hint: str) -> None:
    with pytest.raises(ValueError, match=hint.replace("?", r"\?")):
        rules_named(given)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"size": 1}, "a board of size 1 was asked for, but 2 to 25 are played"),
        ({"size": 26}, "a board of size 26"),
        ({"komi": 0.25}, "komi is 0.25, but a multiple of 0.5 from -1000 to 1000 is wanted"),
        ({"komi": 1000.5}, "komi is 1000.5"),
        ({"komi": float("nan")}, "komi is nan"),
        ({"komi": float("inf")}, "komi is inf"),
        ({"superko": "none"}, "superko is 'none', but one of simple, positional, situational is wanted"),
        ({"scoring": "stones"}, "scoring is 'stones', but one of area, territory is wanted"),
        ({"handicap_bonus": "2"}, "handicap_bonus is '2', but one of none, n-1, n is wanted"),
        ({"handicap": 1}, "a handicap of 1 on size 19 was asked for, but 0 or 2 to 9 is possible"),
        ({"handicap": 5, "size": 8}, "a handicap of 5 on size 8 was asked for, but 0 or 2 to 4 is possible"),
        ({"handicap": 2, "size": 5}, "a handicap of 2 on size 5 was asked for, but none is possible"),
        ({"max_moves": -1}, "max_moves is -1, but 0"),
    ],
)
def test_wrong_values_are_refused_in_one_sentence(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Rules(**wrong)


def test_every_size_and_rule_makes_a_value() -> None:
    for size in range(SMALLEST, LARGEST + 1):
        for superko in SUPERKO:
            for scoring in SCORING:
                assert Rules(size, superko=superko, scoring=scoring, handicap=most_handicap(size)).size == size


@pytest.mark.parametrize(("size", "longest"), [(2, 100), (7, 100), (8, 128), (19, 722)])
def test_the_cap_on_moves_is_twice_the_points_but_at_least_a_hundred(size: int, longest: int) -> None:
    assert Rules(size).longest == longest
    assert Rules(size, max_moves=7).longest == 7


@pytest.mark.parametrize(("bonus", "given"), [("none", 0), ("n-1", 2), ("n", 3)])
def test_what_white_gets_for_handicap_stones(bonus: Any, given: int) -> None:
    assert Rules(9, 0.5, handicap=3, handicap_bonus=bonus).white_bonus == 0.5 + given
    assert Rules(9, 0.5, handicap_bonus=bonus).white_bonus == 0.5


def test_handicap_points_are_those_of_gtp() -> None:
    """GTP 2, section 4.1.1, for 19x19, 9x9 and 8x8."""
    wanted = {
        (19, 2): "D4 Q16",
        (19, 3): "D4 Q16 D16",
        (19, 4): "D4 Q16 D16 Q4",
        (19, 5): "D4 Q16 D16 Q4 K10",
        (19, 6): "D4 Q16 D16 Q4 D10 Q10",
        (19, 7): "D4 Q16 D16 Q4 D10 Q10 K10",
        (19, 8): "D4 Q16 D16 Q4 D10 Q10 K4 K16",
        (19, 9): "D4 Q16 D16 Q4 D10 Q10 K4 K16 K10",
        (9, 4): "C3 G7 C7 G3",
        (9, 9): "C3 G7 C7 G3 C5 G5 E3 E7 E5",
        (8, 4): "C3 F6 C6 F3",
    }
    for (size, stones), names in wanted.items():
        points = [vertex(size, row * size + column) for row, column in handicap_points(size, stones)]
        assert sorted(points) == sorted(names.split())
