"""Arguments as GTP 2 (draft 2, section 2.11) writes them, and what is said of others."""

import pytest

from palestra.cli.gtp.args import (
    CommandError,
    is_color,
    read_bool,
    read_color,
    read_float,
    read_int,
    read_point,
    read_seconds,
    read_vertex,
    shown,
    take,
)


def test_colours_and_points_in_capital_and_small_letters() -> None:
    assert [read_color(text) for text in ("b", "B", "black", "White", "w")] == [1, 1, 1, 2, 2]
    assert [is_color(text) for text in ("w", "green", "")] == [True, False, False]
    assert (read_vertex("a1", 19), read_vertex("J9", 9), read_vertex("Pass", 9)) == (342, 8, 81)  # there is no I
    assert read_point("A9", 9) == 0


@pytest.mark.parametrize("text", ["I5", "A0", "A10", "K1", "D", "", "pass1", "ä1", "A１"])
def test_what_is_no_point(text: str) -> None:
    with pytest.raises(CommandError, match=r"^syntax error: ") as failure:
        read_vertex(text, 9)
    assert str(failure.value).isascii()


def test_a_pass_is_no_point() -> None:
    with pytest.raises(CommandError, match="a point is wanted, not a pass"):
        read_point("pass", 9)


def test_numbers() -> None:
    assert (read_int("-3", "x", -5, 5), read_int("007", "x", 0, 9)) == (-3, 7)
    assert (read_float("6.5", "x"), read_float(".5", "x"), read_float("-1e2", "x")) == (6.5, 0.5, -100.0)
    assert (read_seconds("-3", "x"), read_seconds("1e9", "x")) == (0.0, 1e9)  # some controllers send times below 0
    assert (read_bool("TRUE", "x"), read_bool("false", "x")) == (True, False)


@pytest.mark.parametrize("text", ["nan", "inf", "1e999", "0x10", "1_000", "", "٣", "1,5", "9" * 5000 + "e999"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(CommandError, match=r"^syntax error: the time is "):
        read_float(text, "the time")
    with pytest.raises(CommandError, match=r"^syntax error: the size is .*a whole number from 2 to 25 is wanted"):
        read_int(text, "the size", 2, 25)


def test_numbers_outside_their_range() -> None:
    for text in ("1", "26", "9" * 5000):
        with pytest.raises(CommandError, match="from 2 to 25"):
            read_int(text, "the size", 2, 25)
    with pytest.raises(CommandError, match="up to 1e9"):
        read_seconds("1.1e9", "the time")
    with pytest.raises(CommandError, match="true or false"):
        read_bool("1", "ownership")


def test_a_message_repeats_no_more_than_thirty_characters_in_ascii() -> None:
    assert shown("x" * 31) == repr("x" * 30 + "...")
    assert shown("é\n") == r"'\xe9\n'"


def test_how_many_arguments_come() -> None:
    assert take(["b"], 1, 1, "COLOR") == ["b"]
    with pytest.raises(CommandError, match=r"^syntax error: arguments are COLOR, but 0 came$"):
        take([], 1, 1, "COLOR")
    with pytest.raises(CommandError, match=r"^syntax error: there are no arguments, but 1 came$"):
        take(["b"], 0, 0, "")
