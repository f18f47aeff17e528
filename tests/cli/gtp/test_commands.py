"""Commands of GTP 2, draft 2, section 6.3, and GNU Go's, as transcripts; what they answer follows from the rules."""

import pytest

from tests.cli.gtp.doubles import asker, new_engine, refusals, say


def test_administrative_commands() -> None:  # sections 6.3.1
    engine = new_engine()
    ask = asker(engine)
    assert ask("protocol_version") == "2"
    assert ask("name") == "Palestra random"
    assert ask("version")[0].isdigit()
    commands = ask("list_commands").split("\n")
    assert len(commands) == len(set(commands)) == len(engine.commands)
    assert all(ask(f"known_command {command}") == "true" for command in commands)
    assert ask("known_command nonsense") == ask("known_command") == "false"
    required = "boardsize clear_board komi play genmove undo showboard final_score final_status_list time_settings"
    required += " time_left fixed_handicap place_free_handicap set_free_handicap loadsgf reg_genmove quit"
    assert set(required.split()) <= set(commands)
    assert say(engine, "quit") == "=\n\n"
    assert engine.ended


def test_analysis_is_offered_by_agents_that_search_only() -> None:
    commands = {"lz-analyze", "lz-genmove_analyze", "kata-analyze", "kata-genmove_analyze", "cgos-genmove_analyze"}
    assert commands <= set(asker(new_engine(searches=True))("list_commands").split())
    assert refusals(new_engine(), sorted(commands)) == ["unknown command"] * 5


def test_set_up() -> None:  # section 6.3.2
    engine = new_engine(9)
    ask = asker(engine)
    assert ask("komi 6.5") == ""
    assert ask("play b E5") == ""
    assert ask("boardsize 7") == ""
    assert ask("query_boardsize") == "7"
    assert ask("get_komi") == "6.5"
    assert ask("list_stones black") == ""  # the board is cleared
    ask("play w A1")
    ask("clear_board")
    assert ask("list_stones white") == ""
    assert ask("rectangular_boardsize 5 5") == ""
    assert refusals(engine, ["boardsize 1", "boardsize 26", "boardsize 99999999", "boardsize 9 13"]) == [
        *["unacceptable size: 2 to 25 can be played"] * 3,
        "unacceptable size: only square boards can be played",
    ]
    assert ask("query_boardsize") == "5"


def test_komi_is_kept_over_games_and_changes_the_score_only() -> None:
    ask = asker(new_engine(3, rules="tromp-taylor"))
    ask("play b B2")
    assert ask("final_score") == "B+1.5"  # 9 points less 7.5
    ask("komi -2")
    assert ask("list_stones b") == "B2"
    assert ask("final_score") == "B+11"
    ask("clear_board")
    assert ask("get_komi") == "-2"


def test_play_undo_and_what_was_played() -> None:
    engine = new_engine(5)
    ask = asker(engine)
    for move in ("b c3", "W d3", "black PASS", "b a1", "white b1"):  # either colour, in any order
        ask(f"play {move}")
    assert ask("last_move") == "white B1"
    assert ask("move_history") == "white B1\nblack A1\nblack pass\nwhite D3\nblack C3"
    assert ask("color c3") == "black"
    assert ask("color e5") == "empty"
    assert ask("play w a2") == ""  # takes A1
    assert ask("captures white") == "1"
    assert ask("captures black") == "0"
    assert ask("list_stones white") == "D3 A2 B1"
    ask("undo")
    assert ask("color a1") == "black"
    ask("gg-undo 5")
    assert ask("move_history") == ""
    assert refusals(engine, ["undo", "gg-undo 2", "last_move", "gg-undo 0"]) == [
        "cannot undo: 0 moves were made",
        "cannot undo: 0 moves were made",
        "no previous move known",
        "syntax error: the number of moves is '0', but a whole number from 1 to 999999 is wanted",
    ]


def test_illegal_moves_say_why_and_change_nothing() -> None:
    engine = new_engine(5)
    ask = asker(engine)
    for move in ("b a2", "b b1", "w a3", "w b2", "b c2", "w c1", "b d1"):
        ask(f"play {move}")
    assert say(engine, "play b a2") == "? illegal move: Black A2: a stone is there\n\n"
    assert say(engine, "play w a1") == "=\n\n"  # takes A2: White's stone has a liberty then
    ask("undo")
    ask("play b a1")
    assert say(engine, "play w a5") == "=\n\n"
    before = ask("showboard")
    assert refusals(engine, ["play b b2", "play b z1", "play c a1", "play b", "play b a6", "play b a1 c1"]) == [
        "illegal move: Black B2: a stone is there",
        "syntax error: 'z1' is no point of this board; a name from A1 to E5, or pass, is wanted",
        "syntax error: the colour is 'c', but black or white is wanted",
        "syntax error: arguments are COLOR VERTEX, but 1 came",
        "syntax error: 'a6' is no point of this board; a name from A1 to E5, or pass, is wanted",
        "syntax error: arguments are COLOR VERTEX, but 3 came",
    ]
    assert ask("showboard") == before


def test_a_ko_and_a_suicide() -> None:
    engine = new_engine(5)
    ask = asker(engine)
    for move in ("b b5", "b a4", "b b3", "w c5", "w d4", "w c3", "b c4", "w b4"):
        ask(f"play {move}")
    assert ask("captures white") == "1"
    assert ask("is_legal black c4") == "0"
    assert say(engine, "play b c4") == "? illegal move: Black C4: the ko may not be taken back at once\n\n"
    assert ask("is_legal white c4") == "1"
    assert "C4" not in ask("all_legal black").split()
    assert "C4" in ask("all_legal white").split()
    ask("play b e1")
    ask("play w e2")
    assert ask("is_legal black c4") == "1"  # the board is another one now
    ask("boardsize 2")
    for move in ("b a1", "b b2"):
        ask(f"play {move}")
    assert say(engine, "play w a2") == "? illegal move: White A2: it would be suicide\n\n"
    assert ask("all_legal w") == ""
    assert ask("is_legal w pass") == "1"


def test_liberties() -> None:
    engine = new_engine(5)
    ask = asker(engine)
    for move in ("b c3", "b c2", "w d3"):
        ask(f"play {move}")
    assert ask("countlib c2") == "5"
    assert ask("findlib c3") == "C4 B3 B2 D2 C1"
    assert refusals(engine, ["countlib a1", "findlib pass"]) == [
        "vertex must not be empty: there is no stone at A1",
        "syntax error: a point is wanted, not a pass",
    ]


@pytest.mark.parametrize(
    ("size", "points"),
    [  # section 4.1.1: the figures of fixed handicap placement
        (9, "C3 G7 C7 G3 C5 G5 E3 E7 E5"),
        (19, "D4 Q16 D16 Q4 D10 Q10 K4 K16 K10"),
    ],
)
def test_fixed_handicap(size: int, points: str) -> None:
    ask = asker(new_engine(size))
    for number in range(2, 10):
        ask("clear_board")
        placed = ask(f"fixed_handicap {number}").split()
        wanted = points.split()[: min(number, 4)]
        wanted += points.split()[4 : 4 + 2 * ((number - 4) // 2)] if number > 4 else []
        wanted += points.split()[-1:] if number in (5, 7, 9) else []
        assert sorted(placed) == sorted(wanted)
        assert "White to move" in ask("showboard")


def test_handicap_needs_an_empty_board_and_a_possible_number() -> None:
    engine = new_engine(9)
    ask = asker(engine)
    numbers = ("fixed_handicap 1", "fixed_handicap 10", "place_free_handicap 1", "fixed_handicap -2")
    assert all(text.startswith("invalid number of stones") for text in refusals(engine, numbers))
    assert refusals(engine, ["set_free_handicap A1", "set_free_handicap A1 A1", "set_free_handicap A1 pass"]) == [
        "bad vertex list: 1 stones are given, but 2 to 80 are wanted",
        "bad vertex list: a pass or a point given twice is no handicap",
        "bad vertex list: a pass or a point given twice is no handicap",
    ]
    assert len(ask("place_free_handicap 30").split()) == 9  # fewer may be placed (section 4.1.2)
    ask("clear_board")
    assert ask("set_free_handicap A1 B2 C3") == ""
    assert ask("list_stones b") == "C3 B2 A1"
    assert refusals(engine, ["fixed_handicap 2", "set_free_handicap D4 E5"]) == ["board not empty"] * 2
    ask("boardsize 5")
    assert refusals(engine, ["fixed_handicap 2"]) == ["invalid number of stones: none is possible"]


def test_white_gets_what_the_rules_give_for_handicap() -> None:
    ask = asker(new_engine(9, rules="chinese"))  # a point for each stone
    ask("set_free_handicap A1 B1 C1 D1")
    ask("komi 0.5")
    assert ask("final_score") == "B+76.5"  # 81 points less 4 and 0.5
    ask("kata-set-rules aga")  # one less
    assert ask("final_score") == "B+77.5"
    ask("kata-set-rules tromp-taylor")
    assert ask("final_score") == "B+80.5"
    ask("clear_board")
    ask("play b e5")
    assert ask("final_score") == "B+80.5"


def test_set_position() -> None:
    engine = new_engine(5)
    ask = asker(engine)
    ask("play b a1")
    assert ask("set_position black C3 white D4 w E5") == ""
    assert ask("list_stones w") == "E5 D4"
    assert ask("list_stones b") == "C3"
    assert "Black to move" in ask("showboard")
    refused = refusals(engine, ["set_position b", "set_position b A1 w A1", "set_position b pass", "undo"])
    assert refused[1] == "bad vertex list: a point is set up twice, but it can hold one stone"
    assert ask("list_stones b") == "C3"
    assert say(engine, "set_position") == "=\n\n"
    assert ask("list_stones b") == ""


def test_moves_may_go_on_after_two_passes_and_be_taken_back() -> None:
    ask = asker(new_engine(5))
    for move in ("b c3", "w pass", "b pass"):
        ask(f"play {move}")
    assert len(ask("all_legal w").split()) == 24
    ask("play w c4")
    ask("play b pass")
    ask("play w pass")
    assert ask("genmove b") != ""
    for _ in range(6):
        ask("undo")
    assert ask("last_move") == "black C3"
    ask("play w d4")


def test_a_game_is_cut_off_in_the_end() -> None:
    engine = new_engine(2)
    ask = asker(engine)
    for _ in range(500):
        ask("play b pass")
        ask("play w pass")
    assert refusals(engine, ["play b a1", "genmove b", "lz-analyze"])[:2] == [
        "illegal move: Black A1: the game is over by the cap of 1000 moves",
        "the game is over by the cap of 1000 moves",
    ]
    ask("undo")
    ask("play b a1")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("komi nan", "komi is 'nan', but a number is wanted"),
        ("komi inf", "komi is 'inf', but a number is wanted"),
        ("komi 1e999", "komi is '1e999', but a number is wanted"),
        ("komi 0x10", "komi is '0x10', but a number is wanted"),
        ("komi 1_0", "komi is '1_0', but a number is wanted"),
        ("boardsize 9.0", "the size is '9.0', but a whole number from 0 to 999999999 is wanted"),
        ("boardsize ٩", "the size is '\\u0669', but a whole number from 0 to 999999999 is wanted"),
        ("fixed_handicap 1e3", "the number of stones is '1e3', but a whole number from -999 to 999999 is wanted"),
        ("name now", "there are no arguments, but 1 came"),
        ("play b " + "a" * 99, "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...' is no point, as in D4, and not pass"),
    ],
)
def test_arguments_that_cannot_be_read(line: str, why: str) -> None:
    assert refusals(new_engine(), [line]) == [f"syntax error: {why}"]


def test_a_komi_that_no_score_has_is_refused() -> None:
    engine = new_engine()
    assert refusals(engine, ["komi 6.25", "komi 1e9"]) == [
        "komi is 6.25, but a multiple of 0.5 from -1000 to 1000 is wanted",
        "komi is 1000000000.0, but a multiple of 0.5 from -1000 to 1000 is wanted",
    ]
    assert asker(engine)("get_komi") == "7.5"
