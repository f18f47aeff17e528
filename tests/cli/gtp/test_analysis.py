"""Analysis, as KataGo's docs/GTP_Extensions.md and zakki/cgos describe the formats; the double's figures are exact."""

import json
import math
import re

import numpy as np
import pytest

from palestra.cli.gtp.session import Session
from tests.cli.gtp.doubles import asker, new_engine, refusals, say

# the double gives the legal moves 1/2, 1/4, 1/8 ... of the visits, a value of 0.2 and even priors
KATA_KEYS = ["move", "visits", "utility", "winrate", "scoreMean", "scoreStdev", "scoreLead", "prior", "lcb"]
KATA_KEYS += ["utilityLcb", "order", "pv"]


@pytest.fixture
def engine() -> Session:
    return new_engine(5, searches=True)


def infos(line: str) -> list[dict[str, str]]:
    """Reads a line as GUIs do: at the word info, pairs of a key and a value, the variation last."""
    found = []
    for part in re.split(r"\s*\binfo\s+", line)[1:]:
        keys, _, variation = part.partition(" pv ")
        words = keys.split()
        found.append({**dict(zip(words[::2], words[1::2], strict=True)), "pv": variation})
    return found


def test_leela_zero_lines_stop_with_the_next_input(engine: Session) -> None:
    answer = say(engine, "5 lz-analyze b 1 maxmoves 2")
    assert answer.startswith("=5\n")
    assert answer.endswith("\n\n")
    *_, last = answer[3:-2].split("\n")
    visits = engine.brain.search.visits // 2
    error = 1.96 * math.sqrt(0.6 * 0.4 / visits)
    first, second = infos(last)
    assert first == {
        "move": "A5",
        "visits": str(visits),
        "winrate": "6000",
        "prior": str(round(1e4 / 26)),
        "lcb": str(round(1e4 * (0.6 - error))),
        "order": "0",
        "pv": "A5 pass",
    }
    assert (second["move"], second["order"], second["visits"]) == ("B5", "1", str(visits // 2))


def test_at_least_one_line_is_said(engine: Session) -> None:
    for interval in ("", "0", "interval 100000", "100000"):
        lines = say(engine, f"lz-analyze {interval}".strip()).rstrip("\n").split("\n")
        assert len(lines) == 2
        assert lines[1].startswith("info move A5 ")


def test_katago_lines(engine: Session) -> None:
    engine.play(12, 1)
    answer = say(engine, "kata-analyze w interval 1 maxmoves 3 ownership true rootInfo true pvVisits true")
    last = answer.rstrip("\n").split("\n")[-1]
    moves, _, rest = last.partition(" rootInfo ")
    first = infos(moves)[0]
    assert list(first) == KATA_KEYS
    assert float(first["winrate"]) == pytest.approx(0.6)
    assert float(first["utility"]) == pytest.approx(0.2)
    root, _, ownership = rest.partition(" ownership ")
    assert root.split()[0] == "visits"
    assert float(root.split()[5]) == pytest.approx(0.6)
    values = np.array([float(value) for value in ownership.split()]).reshape(5, 5)
    assert np.abs(values).max() <= 1
    assert values[2, 2] < 0  # Black's stone, as White sees it
    assert "ownership" not in say(engine, "kata-analyze w 1")


def test_a_line_of_cgos_is_json(engine: Session) -> None:
    answer = say(engine, "cgos-analyze b 1 maxmoves 2")
    report = json.loads(answer.rstrip("\n").split("\n")[-1])
    assert list(report) == ["winrate", "visits", "score", "ownership", "moves"]
    assert report["winrate"] == 0.6
    assert len(report["ownership"]) == 25
    assert [move["move"] for move in report["moves"]] == ["A5", "B5"]
    assert report["moves"][0]["pv"] == "pass"


def test_moves_are_chosen_from_those_allowed(engine: Session) -> None:
    def moves(options: str) -> list[str]:
        return [info["move"] for info in infos(say(engine, f"lz-analyze b 1 {options}").split("\n")[-3])]

    assert moves("maxmoves 3") == ["A5", "B5", "C5"]
    assert moves("avoid b A5,C5 10 maxmoves 2") == ["B5", "D5"]
    assert moves("avoid w A5 10 maxmoves 1") == ["A5"]  # says nothing of Black's moves
    assert moves("avoid b A5 3 avoid b B5 3 maxmoves 1") == ["C5"]
    assert moves("allow b C5,D5 1") == ["C5", "D5"]
    assert len(moves("minmoves 26")) == 26
    assert len(moves("")) < 26  # those never visited are left out
    assert say(engine, "lz-genmove_analyze b 100 avoid b A5 1").endswith("play B5\n\n")


def test_moves_with_analysis_are_made(engine: Session) -> None:
    answer = say(engine, "7 lz-genmove_analyze w 1")
    assert answer.startswith("=7\ninfo move A5 ")
    assert answer.endswith("\nplay A5\n\n")
    assert asker(engine)("last_move") == "white A5"
    assert re.fullmatch(r"=\n(info .*\n)+play B5\n\n", say(engine, "kata-genmove_analyze b 100"))
    answer = say(engine, "cgos-genmove_analyze w")
    head, line, play = answer.rstrip("\n").split("\n")
    assert (head, play) == ("=", "play C5")
    assert json.loads(line)["visits"] > 0


def test_a_lost_game_is_resigned() -> None:
    engine = new_engine(5, searches=True, value=-0.95)
    assert asker(engine)("genmove b") == asker(engine)("reg_genmove b") == "resign"
    assert say(engine, "lz-genmove_analyze b 100").endswith("play resign\n\n")
    assert asker(engine)("move_history") == ""
    assert asker(new_engine(5, searches=True, value=-0.85))("genmove b") == "A5"


def test_arguments_that_cannot_be_read(engine: Session) -> None:
    lines = ["lz-analyze green", "lz-analyze b 10 20", "kata-analyze interval", "kata-analyze interval x"]
    lines += ["kata-analyze ownership yes", "kata-analyze nonsense 1", "lz-analyze avoid b A9 1", "lz-analyze allow b"]
    lines += ["lz-analyze avoid b A1 x", "lz-analyze maxmoves 0", "lz-genmove_analyze b -1", "lz-analyze interval 1e9"]
    told = refusals(engine, lines)
    assert all(text.startswith("syntax error") for text in told), told
    assert asker(engine)("move_history") == ""


def test_commands_of_gogui(engine: Session) -> None:
    ask = asker(engine)
    for line in ask("gogui-analyze_commands").split("\n"):
        kind, label, command = line.split("/")
        assert kind in ("plist", "string", "dboard", "sboard")
        assert label
        assert ask(f"known_command {command.split()[0]}") == "true"
    assert ask("palestra-visits").split() == ['""'] * 25
    ask("reg_genmove b")
    assert ask("palestra-visits").split("\n")[0] == "32 16 8 4 2"
    assert "Visits" not in asker(new_engine())("gogui-analyze_commands")
    rows = [[float(value) for value in row.split()] for row in ask("palestra-ownership").split("\n")]
    assert np.shape(rows) == (5, 5)
    assert ask("stop") == ""


def test_knowledge_moves_along_with_the_game(engine: Session) -> None:
    ask = asker(engine)
    ask("genmove b")
    ask("play w e1")
    ask("undo")
    ask("genmove w")
    assert engine.brain.search.advanced == [0, 24, 1]  # type: ignore[attr-defined]
    assert ask("gomill-explain_last_move") == "B5, expected result +0.20 after 32 simulations"
    assert float(ask("gomill-cpu_time")) >= 0
    assert ask("gomill-describe_engine").startswith("Palestra double")
