import re
from typing import Any

import numpy as np
import pytest

from palestra.envs.gridmap import CLIFF, START, leads_to, letter_rewards, parse_map


def test_all_ways_to_write_a_map_give_the_same_cells() -> None:
    cells = parse_map("S.#\nG3a\nA.P")
    assert cells.tolist() == [[83, 46, 35], [71, 51, 97], [65, 46, 80]]  # ASCII
    indented = """
        S.#
        G3a
        A.P
    """
    for same in ("S.#/G3a/A.P", indented, ["S.#", "G3a", "A.P"], cells):
        assert (parse_map(same) == cells).all()


@pytest.mark.parametrize(
    ("map", "sentence"),
    [
        ("", "the map is empty"),
        ("  \n ", "the map is empty"),
        ([], "the map is empty"),
        ("S.G/..", "row 2 of the map has 2 cells, but row 1 has 3"),
        ("S.G//...", "row 2 of the map has 0 cells, but row 1 has 3"),
        ("..G/...", "the map has no start: at least one cell must be 'S'"),
        ("S.G/.x.", "row 2, column 2 of the map is 'x', but a cell is one of '.' floor, '#' wall"),
        ("S.G/..?", "row 2, column 3 of the map is '?'"),
        ("S.é/...", "row 1, column 3 of the map is 'é'"),
        ("S.G/.s.", "row 2, column 2 of the map is 's'"),
        ("SA.", "the jump A leads to a, of which the map has 0, not one"),
        ("SAaa", "the jump A leads to a, of which the map has 2, not one"),
        ("S.a", "row 1, column 3 of the map is 'a'"),
        ("SSC", "the cliff takes back to the start, but the map has 2 of them, not one"),
        (np.zeros((0, 3), np.uint8), "a map of ASCII codes must be [H, W] uint8, but is [0, 3] uint8"),
        (np.full((2, 2), START, np.int64), "a map of ASCII codes must be [H, W] uint8, but is [2, 2] int64"),
    ],
)
def test_a_wrong_map_is_refused_with_one_sentence(map: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        parse_map(map)


def test_leads_to_finds_small_letters_and_the_start() -> None:
    leads = leads_to(parse_map("A.b/Sa./BCA"))
    assert {chr(letter): int(leads[letter]) for letter in np.flatnonzero(leads >= 0)} == {"A": 4, "B": 2, "C": 3}
    assert leads[CLIFF] == 3


def test_letter_rewards_have_defaults_that_can_be_set() -> None:
    pays = letter_rewards({"G": 5.0, "7": -7.0, "A": 2.5})
    paid = {chr(letter): float(pays[letter]) for letter in np.flatnonzero(~np.isnan(pays))}
    assert paid == {"G": 5.0, "P": -1.0, "C": -100.0, "A": 2.5} | {str(d): float(d) for d in range(10)} | {"7": -7.0}


@pytest.mark.parametrize(
    ("rewards", "sentence"),
    [
        ({"S": 1.0}, "'S' cannot have a reward"),
        ({"": 1.0}, "'' cannot have a reward"),
        ({"AB": 1.0}, "'AB' cannot have a reward"),
        ({"G": np.nan}, "the reward of 'G' is nan, but must be finite"),
    ],
)
def test_a_wrong_reward_is_refused(rewards: dict[str, float], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        letter_rewards(rewards)
