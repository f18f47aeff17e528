"""Syntax of GTP 2, draft 2: sections 2.3 to 2.7 (lines, ids, answers), 3.1 (preprocessing), 3.2 (errors)."""

import os
import threading
import time

import pytest

from palestra.cli.gtp.engine import LONGEST_LINE, Lines, answers, clean, said, serve
from tests.cli.gtp.doubles import new_engine, say


def test_an_answer_ends_with_a_blank_line_and_echoes_the_id() -> None:
    engine = new_engine()
    assert say(engine, "protocol_version") == "= 2\n\n"
    assert say(engine, "17 protocol_version") == "=17 2\n\n"
    assert say(engine, "0 clear_board") == "=0\n\n"
    assert say(engine, "8 nonsense") == "?8 unknown command\n\n"
    assert say(engine, "9") == "?9 unknown command\n\n"
    assert say(engine, "10protocol_version") == "? unknown command\n\n"  # an id ends with a blank


@pytest.mark.parametrize(
    "line",
    [b"\tprotocol_version ", b"protocol_version\r", b"proto\x07col_version # and a comment", b" protocol_version#"],
)
def test_lines_are_preprocessed(line: bytes) -> None:
    assert "".join(answers(new_engine(), line)) == "= 2\n\n"


@pytest.mark.parametrize("line", [b"", b"   ", b"# a comment", b"\t\r", b"\x00\x01"])
def test_lines_without_a_command_have_no_answer(line: bytes) -> None:
    assert list(answers(new_engine(), line)) == []


def test_tabs_become_blanks_and_bytes_that_are_no_text_are_replaced() -> None:
    assert clean(b"play\tb\tc3") == "play b c3"
    assert clean(b"\xff\xfe name") == "�� name"


def test_an_answer_has_neither_blank_lines_nor_control_characters_nor_letters_beyond_ascii() -> None:
    assert said("one\n\n \n two\x07\x1b\nthrée ") == "one\n two\nthr\\xe9e"


def test_a_line_that_is_too_long_is_refused() -> None:
    answer = "".join(answers(new_engine(), b"x" * (LONGEST_LINE + 1)))
    assert answer == f"? syntax error: a line has more than {LONGEST_LINE} bytes\n\n"


def test_serving_ends_with_quit() -> None:
    said_: list[str] = []
    serve(new_engine(), [b"name", b"3 quit", b"name"], said_.append)
    assert said_ == ["= Palestra random\n\n", "=3\n\n"]


def test_what_breaks_in_a_search_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PALESTRA_TRACEBACK", raising=False)
    engine = new_engine(searches=True)
    engine.brain.search.fails = True  # type: ignore[attr-defined]
    for command in ("genmove b", "lz-analyze 10", "kata-genmove_analyze w 10"):
        assert say(engine, f"4 {command}") == "?4 internal error: RuntimeError: the search broke down\n\n"
    engine.brain.search.fails = False  # type: ignore[attr-defined]
    assert say(engine, "genmove b") == "= A5\n\n"


def test_what_breaks_during_analysis_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    engine = new_engine(searches=True, slices=100)
    pieces = answers(engine, b"lz-analyze 1")
    assert next(pieces) == "=\n"
    engine.brain.search.fails = True  # type: ignore[attr-defined]
    assert list(pieces)[-1] == "\n"
    assert "the search broke down" in " ".join(capsys.readouterr().err.split())


def test_lines_of_a_pipe_are_cut_and_awaited() -> None:
    inside, outside = os.pipe()
    lines = Lines(inside)
    try:
        assert not lines.waiting(0.0)
        os.write(outside, b"one\ntw")
        assert lines.waiting(0.0)
        assert next(iter(lines)) == b"one"
        assert not lines.waiting(0.0)  # a part of a line is none
        timer = threading.Timer(0.05, os.write, (outside, b"o\n"))
        timer.start()
        begin = time.monotonic()
        assert lines.waiting(30.0)
        assert time.monotonic() - begin < 20
        timer.join()
        os.write(outside, b"rest")
    finally:
        os.close(outside)
    try:
        assert list(lines) == [b"two", b"rest"]
        assert lines.waiting(0.0)
    finally:
        os.close(inside)


def test_of_a_line_without_end_little_is_kept() -> None:
    inside, outside = os.pipe()
    lines = Lines(inside)

    def write() -> None:
        for _ in range(64):
            os.write(outside, b"z" * LONGEST_LINE)
        os.write(outside, b"\nname\n")
        os.close(outside)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        found = list(lines)
    finally:
        writer.join()
        os.close(inside)
    assert [len(found[0]), found[1]] == [LONGEST_LINE + 1, b"name"]
