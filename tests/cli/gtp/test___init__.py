"""The engine as a process: how it starts, and how it ends when its controller leaves."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from palestra.envs.go.game import parse_vertex
from palestra.envs.go.gtp_client import GTPClient
from palestra.envs.go.position import Position
from palestra.envs.go.rules import rules_named
from tests.conftest import CommandLine
from tests.gnugo import gnugo

ENGINE = [sys.executable, "-m", "palestra.cli", "gtp"]


def run(*options: str, lines: str = "") -> tuple[int, str, str]:
    """Runs an engine on some input."""
    done = subprocess.run([*ENGINE, *options], input=lines, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def engine() -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [*ENGINE, "random", "--size", "5"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    yield process
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            pipe.close()


def ask(process: "subprocess.Popen[str]", line: str) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    assert process.stdout.readline() == "\n"
    return answer


def test_a_conversation() -> None:
    status, out, errors = run(
        "random", "--size", "7", "--rules", "tromp-taylor", "--komi", "3", lines="query_boardsize\n\n2 get_komi\nquit\n"
    )
    assert (status, out, errors) == (0, "= 7\n\n=2 3\n\n=\n\n", "")


def test_the_end_of_the_input_is_the_end() -> None:
    assert run("random", lines="name") == (0, "= Palestra random\n\n", "")
    assert run("random", lines="") == (0, "", "")


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_no_input_or_output_at_all_is_the_end(closed: str) -> None:
    command = " ".join([*ENGINE, "random", closed])
    done = subprocess.run(["sh", "-c", command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_file_can_be_the_input(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("boardsize 5\ngenmove b\n")
    with (tmp_path / "in").open() as file:
        done = subprocess.run([*ENGINE, "random"], stdin=file, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"=\n\n= [A-E][1-5]\n\n", done.stdout)


def test_a_controller_that_reads_no_more_ends_the_engine(engine: "subprocess.Popen[str]") -> None:
    assert ask(engine, "protocol_version") == "= 2\n"
    assert engine.stdout is not None
    assert engine.stdin is not None
    engine.stdout.close()
    engine.stdin.write("name\n")
    engine.stdin.flush()
    assert engine.wait(60) == 0
    assert engine.stderr is not None
    assert engine.stderr.read() == ""


def test_an_interrupt_ends_the_engine_quietly(engine: "subprocess.Popen[str]") -> None:
    assert ask(engine, "protocol_version") == "= 2\n"
    os.kill(engine.pid, signal.SIGINT)
    assert engine.wait(60) == 130
    assert engine.stderr is not None
    assert engine.stderr.read() == ""


@pytest.mark.parametrize("closed", ["stdin", "stdout"])
def test_a_controller_that_leaves_during_analysis_ends_the_engine(closed: str) -> None:
    command = [*ENGINE, "mcts", "--size", "5", "--simulations", "10"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as engine:
        assert engine.stdin is not None
        assert engine.stdout is not None
        assert engine.stderr is not None
        try:
            engine.stdin.write("lz-analyze 1\n")
            engine.stdin.flush()
            assert engine.stdout.readline() == "=\n"
            first = engine.stdout.readline()
            assert first.startswith("info move ")
            getattr(engine, closed).close()
            if closed == "stdin":
                assert (first + engine.stdout.read()).endswith("\n\n")
            assert engine.wait(60) == 0
            assert engine.stderr.read() == ""
        finally:
            engine.kill()


def test_what_is_wrong_with_the_command_line(palestra: CommandLine) -> None:
    for words, why in (
        ((), "who is to play is missing"),
        (("nobody",), "there is no player 'nobody'"),
        (("random", "--size", "26"), "a board of size 26"),
        (("random", "--size", "0"), "a board of size 0"),
        (("random", "--rules", "chines"), "did you mean chinese?"),
        (("random", "--resign", "-2"), "--resign is -2.0"),
        (("random", "--resign", "x"), "--resign is 'x', but a number of kind float is wanted"),
        (("random", "--seed", "-1"), "--seed is -1, but at least 0 is wanted"),
        (("--size", "9", "random"), "who is to play is missing: palestra gtp AGENT"),
        (("random", "--sise", "9"), "did you mean --size?"),
    ):
        status, out, errors = palestra("gtp", *words)
        assert (status, out) == (2, "")
        assert why in errors


def test_a_game_with_gnu_go() -> None:
    program = gnugo()
    rules = rules_named("chinese", size=7)
    position = Position(rules)
    engine = GTPClient([*ENGINE, "random", "--seed", "3"], timeout=120)
    with (
        engine,
        GTPClient([program, "--mode", "gtp", "--level", "0", "--chinese-rules", "--positional-superko"]) as other,
    ):
        for client in (engine, other):
            client.send("boardsize", 7)
            client.send("clear_board")
            client.send("komi", 7.5)
        while not position.over and len(position.moves) < 120:
            mover, watcher = ((engine, other), (other, engine))[len(position.moves) % 2]
            color = "bw"[len(position.moves) % 2]
            name = mover.send("genmove", color)
            watcher.send("play", color, name)
            position.play(parse_vertex(7, name))
            assert engine.send("list_stones", "black").split() == [
                vertex
                for vertex in engine.send("list_stones", "black").split()
                if other.send("color", vertex) == "black"
            ]
        assert position.over
        for color in "bw":
            assert engine.send("captures", color) == other.send("captures", color)
        assert engine.send("final_score")[0] == other.send("final_score")[0]
