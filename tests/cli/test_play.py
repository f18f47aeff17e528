import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

from palestra.envs.go.records import record_of, replay
from palestra.envs.go.sgf import parse
from tests.conftest import CommandLine


@pytest.fixture
def play(palestra: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Plays with lines typed on stdin: the first argument is all of them."""

    def run(typed: str, *words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        return palestra("play", *words)

    return run


def test_two_people_at_one_keyboard(play: CommandLine) -> None:
    moves = "b2\na1\na3\nc1\nb1\nb3\nc3\na2\nc2\nquit\n"  # nine squares and no three in a row
    status, out, errors = play(moves, "tic-tac-toe", "--against", "human")
    assert (status, errors) == (0, "")
    assert out.startswith("tic-tac-toe; you play first; `help` lists what can be typed\n")
    assert "\na draw\n" in out
    status, out, _ = play("a1\nb1\na2\nb2\na3\nundo\nc3\nquit\n", "tic-tac-toe", "--against", "human")
    assert status == 0
    assert "first wins" in out
    assert out.count("the game is over") == 1


def test_go_against_an_agent_is_saved_as_a_record(play: CommandLine) -> None:
    typed = "d4\npass\nsave game.sgf\nresign\nsave over.sgf\n"
    status, out, errors = play(
        typed, "go", "--size", "7", "--against", "random", "--komi", "6.5", "--rules", "japanese"
    )
    assert (status, errors) == (0, "")
    assert out.startswith("go-7x7; you play black;")
    assert len(re.findall(r"^random plays [A-G][1-7]$", out, re.MULTILINE)) == 2
    assert "black resigns: white wins" in out
    record = record_of(parse(Path("game.sgf").read_text())[0])
    assert (record.size, record.komi, record.rules, record.result) == (7, 6.5, "japanese", "?")
    assert (record.black_player, record.white_player) == ("human", "random")
    assert record.moves[0] == (1, 3 * 7 + 3)
    assert len(replay(record).moves) == 4
    assert record_of(parse(Path("over.sgf").read_text())[0]).result == "W+R"


def test_the_other_side_begins(play: CommandLine) -> None:
    _, out, _ = play("quit\n", "go", "--size", "5", "--against", "random", "--color", "white")
    assert "you play white" in out
    assert out.index("random plays") < out.index("white> ")


def test_a_finished_game_of_go_is_counted(play: CommandLine) -> None:
    _, out, _ = play("b2\npass\npass\nsave x.sgf\n", "go", "--size", "3", "--against", "human")
    assert "black wins by 1.5" in out  # 9 points less 7.5
    assert "RE[B+1.5]" in Path("x.sgf").read_text()
    assert out.endswith("saved in x.sgf\nthe game is over (undo, save or quit)> \n")


def test_what_is_mistyped_gets_a_sentence(play: CommandLine) -> None:
    typed = (
        "\nz9\nb2\nb2\nundo\nundo\nsave\nsave a/b.sgf\nhint\n" + "x" * 500 + "\n\x00\x1b[A\nhelp\nmoves\nboard\nquit\n"
    )
    status, out, errors = play(typed, "go", "--size", "3", "--against", "human")
    assert (status, errors) == (0, "")
    assert "'z9' is no point of this board" in out
    assert "B2 is not a legal move of go-3x3 here" in out
    assert "there is no move of yours to take back" in out
    assert "the name of the file is missing, as in save game.sgf" in out
    assert "No such file or directory" in out
    assert "there is nobody to ask" in out
    assert "that is too long for the name of a move" in out
    assert "10 legal moves: A3 B3" in out
    assert "save FILE" in out


def test_undo_takes_the_answer_back_too(play: CommandLine) -> None:
    _, out, _ = play("4\nundo\nmoves\n4\n4\n4\n4\nquit\n", "connect-four", "--against", "random", "--seed", "1")
    assert "7 legal moves: 1 2 3 4 5 6 7" in out
    _, out, _ = play("save x\nquit\n", "connect-four", "--against", "random")
    assert "only games of Go can be saved, not connect-four" in out


def test_a_search_finishes_three_in_a_row(play: CommandLine) -> None:
    typed = "1\nhint\nquit\n"
    _, out, _ = play(typed, "connect-four", "--against", "mcts:simulations=200", "--seed", "1")
    assert re.search(r"mcts would play [1-7]", out)
    assert out.count("mcts plays") == 1


def test_the_end_of_the_input_ends_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "palestra.cli", "play", "othello", "--against", "random"],
        input="d3",
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("first> \n")


def test_what_is_wrong_with_the_command_line(play: CommandLine) -> None:
    for words, why in (
        ((), "what to play is missing"),
        (("chess",), "there is no game 'chess'"),
        (("go", "--size", "99"), "a board of size 99"),
        (("othello", "--komi", "3"), "othello has no option 'komi'"),
        (("go", "--against", "nobody"), "there is no player 'nobody'"),
        (("go", "--color", "green"), "--color"),
        (("go", "--seed", "-1"), "--seed is -1, but at least 0 is wanted"),
        (("--size", "9", "go"), "what to play is missing: palestra play GAME"),
    ):
        status, out, errors = play("", *words)
        assert (status, out) == (2, "")
        assert why in errors
