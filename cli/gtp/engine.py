"""Speaks the Go Text Protocol, version 2, to whatever controls the engine.

Farnebäck, "Specification of the Go Text Protocol, version 2, draft 2" (2002), sections 2 and 3: lines without control
characters and comments, `[id] command arguments`, answered by `=[id] text` or `?[id] text` and a blank line.
"""

import os
import re
import select
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from palestra.agents.player import ForfeitError
from palestra.cli.gtp import analysis, commands, moves, rules
from palestra.cli.gtp.args import CommandError
from palestra.cli.gtp.session import Answer, Session

LONGEST_LINE = 1 << 16  # bytes; a position on the largest board, stone by stone, has some 6,000
_NO_MEANING = bytes(set(range(32)) - {9}) + b"\x7f"
_ID = re.compile(r"([0-9]+)(?:\s+|$)")
_UNSAYABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_BLANK_LINES = re.compile(r"\n\s*\n")


class Lines:
    """Lines of a file descriptor, with a look at whether there is one.

    Of a line that is too long, `LONGEST_LINE` + 1 bytes are kept, so that it can be refused.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._ready = descriptor, deque[bytes]()
        self._rest, self._ended = b"", False

    def waiting(self, seconds: float = 0.0) -> bool:
        """Says whether a line, or the end, has come; waits for some seconds at most."""
        while not self._ready and not self._ended:
            if not select.select([self._descriptor], [], [], seconds)[0]:
                return False
            self._read()
        return True

    def __iter__(self) -> Iterator[bytes]:
        while True:
            while self._ready:
                yield self._ready.popleft()
            if self._ended:
                return
            self._read()

    def _read(self) -> None:
        chunk = os.read(self._descriptor, 1 << 16)
        *lines, rest = (self._rest + chunk).split(b"\n")
        self._ready += lines
        self._rest = rest[: LONGEST_LINE + 1]
        if not chunk:
            self._ended = True
            if self._rest:
                self._ready.append(self._rest)


def add_commands(session: Session) -> None:
    """Gives a session its commands; those of analysis only where the player searches."""
    session.commands |= commands.COMMANDS | moves.COMMANDS | rules.COMMANDS | analysis.ALWAYS
    if session.brain.searches:
        session.commands |= analysis.COMMANDS


def clean(line: bytes) -> str:
    """Returns a line without control characters, comment and blanks at its ends (section 3.1)."""
    text = line.split(b"#", 1)[0].translate(None, _NO_MEANING).replace(b"\t", b" ")
    return text.decode("utf-8", "replace").strip(" ")


def answers(session: Session, line: bytes) -> Iterator[str]:
    """Yields the answer to a line, in pieces as they come; nothing for an empty one."""
    if len(line) > LONGEST_LINE:
        yield f"? syntax error: a line has more than {LONGEST_LINE} bytes\n\n"
        return
    text = clean(line)
    if not text:
        return
    match = _ID.match(text)
    number, words = (match[1], text[match.end() :].split()) if match else ("", text.split())
    begun = False
    try:
        answer = _run(session, words)
        if isinstance(answer, str):
            yield said(f"={number} {answer}") + "\n\n"
            return
        for piece in answer:
            yield said(piece) + "\n" if begun else f"={number}\n"
            begun = True
        yield "\n"
    except Exception as error:  # whatever goes wrong, a controller must have its answer
        if os.environ.get("PALESTRA_TRACEBACK"):
            traceback.print_exc()
        expected = isinstance(error, CommandError | ForfeitError | ValueError | OSError)
        why = str(error) if expected else f"internal error: {type(error).__name__}: {error}"
        if begun:
            print(f"palestra gtp: {why}", file=sys.stderr)
        yield "\n" if begun else said(f"?{number} {' '.join(why.split())}") + "\n\n"


def said(text: str) -> str:
    """Returns text as an answer may hold it: ASCII, without control characters, blank lines and blanks at its end."""
    plain = _UNSAYABLE.sub("", text).encode("ascii", "backslashreplace").decode()
    return _BLANK_LINES.sub("\n", plain).rstrip()


def _run(session: Session, words: list[str]) -> Answer:
    command = session.commands.get(words[0]) if words else None
    if command is None:
        raise CommandError("unknown command")
    return command(session, words[1:])


def serve(session: Session, lines: Iterable[bytes], write: Callable[[str], object]) -> None:
    """Answers lines until `quit` or their end."""
    for line in lines:
        for piece in answers(session, line):
            write(piece)
        if session.ended:
            return
