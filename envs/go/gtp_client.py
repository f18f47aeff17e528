"""Speaks to a Go program in the Go Text Protocol, version 2.

Farnebäck, "Specification of the Go Text Protocol, version 2, draft 2" (2002), section 2: `[id] command arguments` is
answered by `=[id] text` or `?[id] text` and a blank line; control characters but newline and tab have no meaning.
Lines before such an answer (a greeting) are passed over, and an answer without the id is taken.
"""

import contextlib
import os
import re
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from functools import cached_property
from types import TracebackType
from typing import Any, cast

LONGEST_ANSWER = 1 << 20  # bytes
KEPT = 4096  # bytes of what a program wrote elsewhere, for the message when it fails
GRACE = 2.0  # seconds to end in after `quit`, and once more after a signal
GAMES = "/usr/games"  # where Debian keeps GNU Go, outside the PATH of some users

_FIRST_LINE = re.compile(rb"^([=?])(\d*)[ ]*", re.MULTILINE)
_NO_MEANING = bytes(set(range(32)) - {9, 10}) + b"\x7f"


class GTPError(ValueError):
    """A program failed: it refused a command, said nothing in time, ended, or does not speak GTP."""

    def __init__(self, message: str, program: str, command: str, answer: str = "") -> None:
        super().__init__(message)
        self.program, self.command, self.answer = program, command, answer


class GTPClient:
    """A running program; a context manager that ends it.

    Any failure but a refusal (`?`) ends the program, since what it would say next could answer anything.

    Raises:
        GTPError: it cannot be started.
        ValueError: the command is empty.
    """

    def __init__(self, command: Sequence[str], timeout: float = 60.0) -> None:
        if not command or not command[0]:
            raise ValueError("the command of a GTP program is empty; one as in `gnugo --mode gtp` is wanted")
        if not timeout > 0:
            raise ValueError(f"the time-out of a GTP program is {timeout} s, but more than 0 is wanted")
        self.program, self.timeout = os.path.basename(command[0]), timeout
        self._number, self._said, self._errors, self._ended = 0, bytearray(), bytearray(), False
        try:  # a session of its own, so that Ctrl-C reaches this program alone
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            raise GTPError(_not_started(command[0], error), self.program, "") from None
        process = self._process
        self._pipes = cast(Any, (process.stdin, process.stdout, process.stderr))
        for pipe in self._pipes:
            os.set_blocking(pipe.fileno(), False)

    def __enter__(self) -> "GTPClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @cached_property
    def commands(self) -> frozenset[str]:
        """Names of the commands that the program says it knows."""
        return frozenset(self.send("list_commands").split())

    @property
    def running(self) -> bool:
        """Whether the program can be sent commands."""
        return not self._ended

    def send(self, command: str, *arguments: object, timeout: float | None = None) -> str:
        """Sends a command and returns the text of its answer; `timeout` in seconds, the client's own if left out.

        Raises:
            GTPError: the program refused, answered nothing in time or too much, or ended.
            ValueError: the command is not one line.
        """
        line = " ".join([command, *map(str, arguments)])
        if not line.isprintable() or "#" in line or not command:
            raise ValueError(f"a GTP command is one line of printable characters without #, but {line!r} was given")
        if self._ended:
            raise GTPError(f"{self.program} has ended and cannot be sent {line!r}", self.program, line)
        self._number += 1
        limit = self.timeout if timeout is None else timeout
        try:
            answer = self._ask(f"{self._number} {line}\n".encode(), line, limit)
        except BaseException:
            self._stop()
            raise
        good, text = answer[:1] == b"=", answer[1:].decode(errors="replace")
        if not good:
            told = " ".join(text.split())
            raise GTPError(f"{self.program} refused {line!r}: {told or 'without a reason'}", self.program, line, text)
        return text

    def close(self) -> None:
        """Asks the program to quit, and stops it if it does not."""
        if self._ended:
            return
        with contextlib.suppress(OSError):
            self._pipes[0].write(b"quit\n")
            self._pipes[0].close()
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline and self._process.poll() is None:
            self._pump(b"", min(deadline, time.monotonic() + 0.05))
            self._said.clear()
        self._stop()

    def _ask(self, request: bytes, line: str, limit: float) -> bytes:
        """Returns `=` or `?` and the text, without id, as soon as the blank line has come."""
        deadline = time.monotonic() + limit
        self._said.clear()
        while True:
            request, open_ = self._pump(request, deadline)
            begin = _FIRST_LINE.search(self._said)
            end = self._said.find(b"\n\n", begin.start()) if begin else -1
            if begin and end >= 0:
                if begin[2] not in (b"", str(self._number).encode()):
                    raise self._failure(line, f"answered command {begin[2][:9].decode()} instead of {self._number}")
                return begin[1] + bytes(self._said[begin.end() : end]).strip()
            if len(self._said) > LONGEST_ANSWER:
                raise self._failure(line, f"answered with more than {LONGEST_ANSWER:,} bytes")
            if not open_:
                raise self._failure(line, f"ended{self._status()}")
            if time.monotonic() >= deadline:
                raise self._failure(line, f"did not answer in {limit:g} s")

    def _pump(self, request: bytes, deadline: float) -> tuple[bytes, bool]:
        """Waits for something to write or read, and does it; returns what is unwritten and whether stdout is open."""
        stdin, stdout, stderr = self._pipes
        open_ = True
        with selectors.DefaultSelector() as ready:
            ready.register(stdout, selectors.EVENT_READ, self._said)
            if not stderr.closed:
                ready.register(stderr, selectors.EVENT_READ, self._errors)
            if request:
                ready.register(stdin, selectors.EVENT_WRITE)
            for key, _ in ready.select(max(0.0, deadline - time.monotonic())):
                if key.data is None:
                    request = self._write(request)
                elif chunk := os.read(key.fd, 65536):
                    key.data.extend(chunk.translate(None, _NO_MEANING).replace(b"\t", b" "))
                elif key.data is self._errors:
                    stderr.close()
                else:
                    open_ = False
        del self._errors[:-KEPT]
        return request, open_

    def _write(self, request: bytes) -> bytes:
        try:
            return request[os.write(self._pipes[0].fileno(), request) :]
        except BrokenPipeError:
            return b""  # the end of stdout says the rest

    def _failure(self, line: str, what: str) -> GTPError:
        """Returns the error of a program that cannot go on, with the last that it wrote."""
        last = bytes(self._errors).strip() or bytes(self._said[:KEPT]).strip()
        lines = last.decode(errors="replace").splitlines()[-3:]
        told = " / ".join(text.strip()[:200] for text in lines)
        message = f"{self.program} {what} when it was sent {line!r}" + (f"; it wrote: {told}" if told else "")
        return GTPError(message, self.program, line, told)

    def _status(self) -> str:
        """Returns words for how the program ended, with what it still had to say read."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = self._process.wait(GRACE)
            with contextlib.suppress(BlockingIOError, ValueError):  # nothing left to read, or closed
                self._errors += os.read(self._pipes[2].fileno(), KEPT)
            return f" with signal {-status}" if status < 0 else f" with status {status}"
        return ""

    def _stop(self) -> None:
        """Ends the program and what it started, by terminate and then by kill, and waits for it."""
        self._ended = True
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE)
                break
        for pipe in self._pipes:
            with contextlib.suppress(OSError):
                pipe.close()


def _not_started(program: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError) and shutil.which(program) is None:
        there = shutil.which(os.path.basename(program), path=GAMES)
        return f"there is no program {program!r}" + (f"; write {there}" if there else "; is it installed?")
    return f"{program} cannot be started: {error.strerror}"
