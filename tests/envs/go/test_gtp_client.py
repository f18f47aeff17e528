"""A client of GTP with GNU Go, and with programs that do everything wrong."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from palestra.envs.go import gtp_client
from palestra.envs.go.gtp_client import GTPClient, GTPError
from tests.gnugo import gnugo

Program = Callable[..., GTPClient]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Starts a program whose `answer(number, words)` is the given body; what it returns is written as it stands."""

    def start(body: str, timeout: float = 20.0) -> GTPClient:
        lines = [f"    {line}" for line in body.splitlines()]
        path = tmp_path / "bot.py"
        path.write_text(
            "import sys, time, os, signal\n"
            "def answer(number, words):\n" + "\n".join(lines) + "\n"
            "for line in sys.stdin:\n"
            "    number, *words = line.split()\n"
            "    if number == 'quit': break\n"
            "    os.write(1, answer(number, words).encode('latin-1'))\n"
        )
        return GTPClient([sys.executable, str(path)], timeout)

    return start


def ended(client: GTPClient) -> bool:
    """Says whether a client's process has ended and was waited for, so that it is no zombie."""
    try:
        os.kill(client._process.pid, 0)
    except ProcessLookupError:
        return client._process.returncode is not None
    return False


def test_gnu_go_answers() -> None:
    with GTPClient([gnugo(), "--mode", "gtp"]) as client:
        assert client.send("name") == "GNU Go"
        assert {"genmove", "final_score"} <= client.commands
        assert client.send("boardsize", 9) == ""
        assert client.send("komi", 5.5) == ""
        client.send("play", "black", "E5")
        board = client.send("showboard").splitlines()
        assert board[5].startswith(" 5") or board[5].startswith("5 ")
        with pytest.raises(GTPError, match="gnugo refused 'play white E5': illegal move") as caught:
            client.send("play", "white", "E5")
        assert (caught.value.command, caught.value.answer) == ("play white E5", "illegal move")
        assert client.send("genmove", "white")[0] in "ABCDEFGHJPp"  # a refusal ends nothing
    assert ended(client)


def test_answers_are_read_as_the_protocol_says(program: Program) -> None:
    forms = {
        "id": "f'={number} D4\\n\\n'",
        "crlf": "f'={number} D4\\r\\n\\r\\n'",
        "controls": "f'={number} \\x01D\\x7f4\\x0b\\n\\n'",
        "bare": "'= D4\\n\\n'",
        "lines": "f'={number}\\nD4\\nE5\\n\\n'",
        "tabs": "f'={number}\\tD4\\tE5\\n\\n'",
        "empty": "f'={number}\\n\\n'",
        "greeting": "f'hello\\n\\n={number} D4\\n\\n'",
        "number": "'= 19\\n\\n'",
    }
    table = ", ".join(f"{name!r}: {form}" for name, form in forms.items())
    with program(f"return {{{table}}}[words[0]]") as client:
        wanted = {"lines": "D4\nE5", "tabs": "D4 E5", "empty": "", "number": "19"}
        assert {form: client.send(form) for form in forms} == {form: wanted.get(form, "D4") for form in forms}


def test_an_answer_may_come_in_pieces(program: Program) -> None:
    body = "for c in f'={number} D4\\n':\n    os.write(1, c.encode()); time.sleep(0.002)\nreturn '\\n'"
    with program(body) as client:
        assert client.send("genmove", "b") == "D4"


def test_commands_are_asked_for_once(program: Program) -> None:
    with program("return f'={number} {number}\\nname\\n\\n'") as client:
        assert client.commands == {"1", "name"}
        assert client.commands == {"1", "name"}


def test_much_on_stderr_blocks_nothing(program: Program) -> None:
    with program("os.write(2, b'x' * 1_000_000)\nreturn f'={number} fine\\n\\n'") as client:
        assert client.send("name") == "fine"
        assert client.send("name") == "fine"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return f'?{number} no\\n\\n'", "refused 'name': no$"),
        ("return f'?{number}\\n\\n'", "refused 'name': without a reason$"),
        ("time.sleep(60)", r"did not answer in 0\.5 s when it was sent 'name'$"),
        ("return f'={number} D4\\n'", r"did not answer in 0\.5 s"),  # without the blank line
        ("sys.exit('out of memory')", "ended with status 1 when it was sent 'name'; it wrote: out of memory"),
        ("os.kill(os.getpid(), 9)", "ended with signal 9 when it was sent 'name'$"),
        ("os.close(1); time.sleep(60)", "ended when it was sent 'name'$"),
        ("return '=7 D4\\n\\n'", "answered command 7 instead of 1 when"),
        ("return '=' + '9' * 5000 + '\\n\\n'", "answered command 999999999 instead of 1 when"),
        ("return 'x' * 3_000_000", "answered with more than 1,048,576 bytes"),
        ("while True: os.write(1, b'= a\\n' * 10_000)", "answered with more than 1,048,576 bytes"),
    ],
)
def test_what_programs_do_wrong_is_said_in_one_sentence(
    program: Program, body: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gtp_client, "GRACE", 0.3)
    with program(body, 0.5 if "0" in message and "5 s" in message else 20.0) as client:
        with pytest.raises(GTPError, match=message):
            client.send("name")
        assert client.running == ("refused" in message)
        if not client.running:
            with pytest.raises(GTPError, match="has ended and cannot be sent 'name'"):
                client.send("name")
            assert ended(client)
    assert ended(client)


def test_programs_that_cannot_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gtp_client, "GAMES", str(tmp_path))
    with pytest.raises(GTPError, match="there is no program 'gnugoo'; is it installed"):
        GTPClient(["gnugoo"])
    there = tmp_path / "somebot"
    there.write_text("#!/bin/sh\n")
    there.chmod(0o755)
    with pytest.raises(GTPError, match=f"there is no program 'somebot'; write {there}"):
        GTPClient(["somebot"])
    there.chmod(0o644)
    with pytest.raises(GTPError, match="somebot cannot be started: Permission denied"):
        GTPClient([str(there)])


def test_what_is_no_command_is_refused(program: Program) -> None:
    with pytest.raises(ValueError, match="command of a GTP program is empty"):
        GTPClient([])
    with pytest.raises(ValueError, match="more than 0 is wanted"):
        GTPClient(["true"], timeout=0)
    with program("return f'={number}\\n\\n'") as client:
        for words in (("name\nquit",), ("loadsgf", "a\rb"), ("loadsgf", "a#b"), ("",)):
            with pytest.raises(ValueError, match="a GTP command is one line"):
                client.send(*words)
        assert client.send("name") == ""


@pytest.mark.parametrize(
    "start",
    [
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)",
        "os.system('sleep 60')",
    ],
)
def test_a_program_that_will_not_end_is_killed(program: Program, start: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gtp_client, "GRACE", 0.2)
    client = program(f"{start}\nreturn f'={{number}}\\n\\n'", timeout=0.3)
    with pytest.raises(GTPError, match="did not answer"):
        client.send("name")
    client.close()
    assert ended(client)


def test_closing_twice_or_after_the_end_is_no_error(program: Program) -> None:
    client = program("return f'={number}\\n\\n'")
    client.send("name")
    client._process.kill()
    client._process.wait()
    client.close()
    client.close()
    assert not client.running
