"""KataGo's analysis protocol, as its docs/Analysis_Engine.md has it; the double's figures are exact."""

import json
import os
from typing import Any

import pytest

from palestra.cli.gtp.engine import Lines
from palestra.cli.gtp.json_protocol import Analyst, read_jobs
from tests.cli.gtp.doubles import new_engine

QUERY: dict[str, Any] = {
    "id": "q",
    "rules": "chinese",
    "komi": 6.5,
    "boardXSize": 5,
    "boardYSize": 5,
    "initialStones": [["B", "C3"]],
    "initialPlayer": "W",
    "moves": [["W", "C4"], ["B", "pass"]],
    "maxVisits": 64,
}


def answers(*queries: Any) -> list[Any]:
    """Asks an engine and returns what it says."""
    inside, outside = os.pipe()
    with os.fdopen(outside, "wb") as file:
        for query in queries:
            file.write((query if isinstance(query, bytes) else json.dumps(query).encode()) + b"\n")
    said: list[str] = []
    try:
        Analyst(new_engine(5, searches=True), Lines(inside), said.append).serve()
    finally:
        os.close(inside)
    assert all(line.endswith("\n") and "\n" not in line[:-1] for line in said)
    return [json.loads(line) for line in said]


def test_a_position_is_analysed() -> None:
    (answer,) = answers({**QUERY, "includeOwnership": True, "includePolicy": True})
    assert (answer["id"], answer["turnNumber"], answer["isDuringSearch"]) == ("q", 2, False)
    first, second = answer["moveInfos"][:2]
    assert (first["move"], first["visits"], first["order"], first["pv"]) == ("A5", 32, 0, ["A5", "pass"])
    assert second["visits"] == 16
    assert first["winrate"] == pytest.approx(0.4)  # White is to move and has 0.6; Black's is told
    assert answer["rootInfo"]["currentPlayer"] == "W"
    assert answer["rootInfo"]["winrate"] == pytest.approx(0.4)
    assert len(answer["ownership"]) == 25
    assert answer["ownership"][2 * 5 + 2] > 0  # C3 is Black's
    assert len(answer["policy"]) == 26
    assert answer["policy"][2 * 5 + 2] == -1  # no legal move


def test_winrates_as_asked_for() -> None:
    settings = [{"overrideSettings": {"reportAnalysisWinratesAs": side}} for side in ("WHITE", "SIDETOMOVE", "BLACK")]
    told = answers(*({**QUERY, **setting} for setting in settings))
    assert [answer["rootInfo"]["winrate"] for answer in told] == pytest.approx([0.6, 0.6, 0.4])


def test_turns_priorities_and_ends() -> None:
    told = answers({**QUERY, "analyzeTurns": [0, 2, 2]}, {**QUERY, "id": "urgent", "priority": 3})
    assert [(answer["id"], answer["turnNumber"]) for answer in told] == [("urgent", 2), ("q", 0), ("q", 2)]
    told = answers(
        QUERY, {"id": "t", "action": "terminate", "terminateId": "q"}, {"id": "v", "action": "query_version"}
    )
    assert [answer["id"] for answer in told] == ["t", "v", "q"]
    assert told[2]["noResults"] is True
    assert told[1]["version"]


def test_moves_avoided_are_not_told() -> None:
    avoided = [{"moves": ["A5", "C5"], "player": "W", "untilDepth": 1}]
    (answer,) = answers({**QUERY, "avoidMoves": avoided})
    assert [info["move"] for info in answer["moveInfos"][:2]] == ["B5", "D5"]


def test_rules_as_a_name_or_as_fields() -> None:
    (job,) = read_jobs({**QUERY, "rules": "Tromp-Taylor"})
    assert (job.table.rules.suicide, job.table.rules.komi, job.table.rules.agreement) == (True, 6.5, False)
    (job,) = read_jobs({**QUERY, "rules": {"ko": "SIMPLE", "scoring": "TERRITORY"}})
    assert (job.table.rules.superko, job.table.rules.scoring) == ("simple", "territory")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"boardYSize": 9}, "only square boards"),
        ({"boardXSize": 99, "boardYSize": 99}, "a board of size 99"),
        ({"komi": 6.3}, "komi is 6.3"),
        ({"rules": "ing"}, "no rules named 'ing'"),
        ({"moves": [["W", "C3"]]}, "a stone is there"),
        ({"moves": [["W", "C9"]]}, "no point of this board"),
        ({"moves": 3}, "not iterable"),
        ({"analyzeTurns": [3]}, "between 0 and 2"),
        ({"maxVisits": 0}, "above 0"),
        ({"overrideSettings": {"reportAnalysisWinratesAs": "GREEN"}}, "'GREEN'"),
        ({"action": "dance"}, "no action 'dance'"),
    ],
)
def test_what_cannot_be_answered(change: dict[str, Any], why: str) -> None:
    (answer,) = answers({**QUERY, **change})
    assert answer["id"] == "q"
    assert why in answer["error"]


def test_lines_that_are_no_queries() -> None:
    told = answers(b"nonsense", b"[]", b'{"id":3}', b"[" * 50_000, b"\xff", b"", {"id": "x"}, QUERY)
    assert [sorted(answer) for answer in told[:5]] == [["error"]] * 5
    assert told[5] == {"id": "x", "error": "the field 'boardXSize' is missing, or no such value"}
    assert "moveInfos" in told[6]
