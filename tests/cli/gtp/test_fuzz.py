"""Whatever comes in is answered: well-formed answers, no internal error, and an engine that still works."""

import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from palestra.cli.gtp.engine import answers
from palestra.cli.gtp.session import Session
from tests.cli.gtp.doubles import new_engine

ANSWER = re.compile(r"([=?][0-9]*( [^\n]*)?\n([^\n]+\n)*\n)?")
FILES = {"a.sgf": b"(;SZ[5];B[cc];W[dd])", "bad.sgf": b"(;SZ[5];B[cc", "other.sgf": b"(;GM[3])"}


def _engine() -> Session:
    engine = new_engine(5, searches=True, slices=2)
    engine.read_file = lambda name: FILES.get(name, b"")
    engine.write_file = lambda name, text: None
    return engine


ENGINE = _engine()
COMMANDS = sorted(set(ENGINE.commands) - {"quit"})
ARGUMENTS = [
    *[
        "b",
        "W",
        "black",
        "white",
        "pass",
        "resign",
        "A1",
        "e5",
        "C3",
        "T19",
        "Z99",
        "i5",
        "b,c",
        "A1,B2",
        "5",
        "0",
        "-1",
    ],
    *["7.5", "1e999", "nan", "inf", "-0.0", "9999999999999999999", "0x10", "1_0", "true", "false", "interval", "avoid"],
    *["allow", "minmoves", "maxmoves", "ownership", "rootInfo", "alive", "dead", "seki", "a.sgf", "bad.sgf", "-", "#"],
    *["chinese", "japanese", "aga", "{", '{"ko":"SIMPLE"}', '{"suicide":null}', "ko", "SIMPLE", "byoyomi", "canadian"],
    *["\x00", "\x7f", "\t", "é", "١", "'", '"', "\\", "%s", "{}", "a" * 300],
]
WORDS = st.one_of(st.sampled_from(ARGUMENTS), st.text(max_size=8), st.integers().map(str), st.floats().map(str))
LINES = st.builds(
    lambda number, command, args: " ".join([*number, command, *args]).encode("utf-8", "surrogatepass"),
    st.lists(st.integers(0, 10**12).map(str), max_size=1),
    st.one_of(st.sampled_from(COMMANDS), st.text(max_size=12)),
    st.lists(WORDS, max_size=5),
)


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(st.one_of(LINES, LINES, st.binary(max_size=60)), min_size=5, max_size=30))
def test_any_lines_are_answered(lines: list[bytes]) -> None:
    for line in [b"boardsize 5", *lines, b"boardsize 4", b"play b d1"]:
        given_ = line.replace(b"\n", b" ")
        answer = "".join(answers(ENGINE, given_))
        assert ANSWER.fullmatch(answer), (given_, answer)
        assert "internal error" not in answer, (given_, answer)
    assert answer == "=\n\n"
    ENGINE.ended = False
