import json
from pathlib import Path

import pytest

from palestra.cli.gtp.rules import name_of, named_rules
from palestra.envs.go.rules import NAMED
from tests.cli.gtp.doubles import asker, new_engine, refusals, say


def test_rules_are_told_as_katago_tells_them() -> None:
    ask = asker(new_engine(rules="tromp-taylor"))
    assert json.loads(ask("kata-get-rules")) == {
        "friendlyPassOk": False,
        "hasButton": False,
        "ko": "POSITIONAL",
        "scoring": "AREA",
        "suicide": True,
        "tax": "NONE",
        "whiteHandicapBonus": "0",
    }


@pytest.mark.parametrize("name", [*NAMED, "new-zealand"])
def test_rules_that_are_told_can_be_set(name: str) -> None:
    engine = new_engine(9)
    ask = asker(engine)
    ask("kata-set-rules " + name.upper())
    told = ask("kata-get-rules")
    rules = engine.table.rules
    ask("kata-set-rules tromp-taylor" if name != "tromp-taylor" else "kata-set-rules chinese")
    assert engine.table.rules != rules
    ask(f"kata-set-rules {told}")
    assert (engine.table.rules, ask("kata-get-rules")) == (rules, told)
    assert rules.komi == 7.5  # komi is not among the rules
    assert name_of(named_rules(name, 9, 7.5)) == ("" if name == "new-zealand" else name)


def test_one_field_is_set_and_the_board_stays() -> None:
    engine = new_engine(5)
    ask = asker(engine)
    ask("play b c3")
    ask("kata-set-rule ko SIMPLE")
    ask("kata-set-rule suicide true")
    ask('kata-set-rules {"scoring": "TERRITORY", "tax": "SEKI"}')
    rules = engine.table.rules
    assert (rules.superko, rules.suicide, rules.scoring) == ("simple", True, "territory")
    assert ask("list_stones b") == "C3"
    ask("kgs-rules new_zealand")
    assert (engine.table.rules.superko, engine.table.rules.suicide) == ("situational", True)


def test_rules_that_cannot_be_had() -> None:
    engine = new_engine(5)
    before = asker(engine)("kata-get-rules")
    told = refusals(
        engine,
        [
            "kata-set-rules chines",
            "kata-set-rules",
            "kata-set-rules {",
            'kata-set-rules {"button":1}',
            'kata-set-rules {"hasButton":true}',
            'kata-set-rules {"tax":"ALL"}',
            'kata-set-rules {"ko":["SIMPLE"]}',
            'kata-set-rules {"suicide":1}',
            "kata-set-rules " + '{"ko":' * 300,
            "kgs-rules ing",
            "kata-set-rule ko",
        ],
    )
    assert told[0] == "there are no rules named 'chines'; did you mean chinese?"
    assert told[3].startswith("rules have no field 'button'")
    assert asker(engine)("kata-get-rules") == before


def test_rules_under_which_a_move_was_illegal_are_refused() -> None:
    engine = new_engine(2, rules="new-zealand")
    ask = asker(engine)
    for move in ("b a1", "b b2", "w b1"):
        ask(f"play {move}")  # the last one a suicide
    assert ask("list_stones w") == ""
    assert refusals(engine, ["kata-set-rules chinese"]) == [
        "under these rules a move of this game is illegal: White B1: it would be suicide"
    ]
    assert engine.table.rules.suicide


def test_a_record_is_written_and_read_again(tmp_path: Path) -> None:
    engine = new_engine(9, rules="japanese")
    ask = asker(engine)
    ask("fixed_handicap 2")
    ask("komi 0.5")
    for move in ("w e5", "b d4", "w pass"):
        ask(f"play {move}")
    text = ask("printsgf")
    assert text.startswith("(;GM[1]FF[4]")
    assert text.endswith("PL[W];W[ee];B[df];W[])")
    ask(f"printsgf {tmp_path}/game.sgf")
    assert (tmp_path / "game.sgf").read_text().strip() == text
    board = ask("showboard")
    ask("boardsize 19")
    ask("komi 6.5")
    assert ask(f"loadsgf {tmp_path}/game.sgf") == ""
    assert ask("showboard") == board
    assert ask("printsgf") == text
    ask("undo")
    ask("undo")
    assert ask("last_move") == "white E5"
    ask(f"loadsgf {tmp_path}/game.sgf 2")  # up to the move before (section 6.3.6)
    assert ask("last_move") == "white E5"
    ask(f"loadsgf {tmp_path}/game.sgf 1")
    assert ask("move_history") == ""
    assert len(ask("list_stones b").split()) == 2


def test_set_up_stones_and_set_ups_between_moves(tmp_path: Path) -> None:
    (tmp_path / "a.sgf").write_text("(;GM[1]SZ[5]AB[aa]AW[ee]PL[W];W[cc];AE[ee]AB[ed];B[dd])")
    ask = asker(new_engine(9))
    ask(f"loadsgf {tmp_path}/a.sgf")
    assert ask("query_boardsize") == "5"
    assert ask("get_komi") == "7.5"  # the file says nothing
    assert ask("list_stones b") == "A5 D2 E2"
    assert ask("list_stones w") == "C3"
    ask("undo")
    assert ask("list_stones b") == "A5 E2"
    ask(f"loadsgf {tmp_path}/a.sgf 2")
    assert ask("list_stones w") == "C3 E1"  # the position before move 2 was set up


def test_files_that_cannot_be_loaded_change_nothing(tmp_path: Path) -> None:
    engine = new_engine(5)
    ask = asker(engine)
    ask("play b c3")
    for name, text in {
        "empty": "",
        "open": "(;GM[1]SZ[5];B[cc]",
        "large": "(;SZ[52])",
        "illegal": "(;SZ[5];B[cc];W[cc])",
        "chess": "(;GM[3])",
    }.items():
        (tmp_path / name).write_text(text)
    names = ["empty", "open", "large", "illegal", "chess", "absent", "."]
    told = refusals(engine, [f"loadsgf {tmp_path}/{name}" for name in names] + ["loadsgf", "loadsgf a b"])
    assert all(text.startswith("cannot load file: ") for text in told[:7])
    assert told[3] == "cannot load file: move 2: White C3: a stone is there"
    assert told[5] == "cannot load file: No such file or directory"
    assert told[6] == "cannot load file: it is not a regular file"
    assert refusals(engine, ["loadsgf /dev/zero"]) == ["cannot load file: it is not a regular file"]
    assert ask("list_stones b") == "C3"
    assert say(engine, f"printsgf {tmp_path}/absent/file").startswith("? cannot write file: ")
