"""Progress of long work on stderr: a bar on a terminal, plain lines otherwise."""

import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

PLAIN_INTERVAL = 10.0  # seconds between plain lines


class Progress:
    """Shows steps, steps a second, time left and a note; a context manager."""

    def __init__(self, title: str, total: int, done: int = 0) -> None:
        self._title, self._total, self._begun_at = title, total, done
        self._start = self._last_line = time.monotonic()
        self._bar: Any = _bar() if sys.stderr.isatty() else None
        self._task = self._bar.add_task(title, total=total, completed=done, note="", rate="") if self._bar else None

    def __enter__(self) -> "Progress":
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._start

    def rate(self, done: int) -> float:
        """Steps a second since it began."""
        return (done - self._begun_at) / max(self.elapsed, 1e-9)

    def update(self, done: int, note: str = "") -> None:
        """Shows how far the work is; `note` is a few words on how it goes."""
        if self._bar:
            self._bar.update(self._task, completed=done, note=note, rate=f"{self.rate(done):,.0f}/s")
        elif time.monotonic() - self._last_line >= PLAIN_INTERVAL:
            self._last_line = time.monotonic()
            self.say(f"{self._title}: {self._line(done, note)}")

    def say(self, text: str) -> None:
        """Prints a line above the bar."""
        if self._bar:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            say(text)

    def _line(self, done: int, note: str) -> str:
        left = (self._total - done) / max(self.rate(done), 1e-9)
        words = [f"{done:,} of {self._total:,}", f"{self.rate(done):,.0f}/s", f"{duration(left)} left", note]
        return ", ".join(word for word in words if word)


def say(text: str) -> None:
    """Prints a line for people: stdout is left to what other programs read."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def warnings_said() -> Iterator[None]:
    """Says what is warned of in a line each, and in the end, so that nothing stands between."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield
    for warning in caught:
        say(f"warning: {warning.message}")


def duration(seconds: float) -> str:
    """Returns a length of time in the two units that matter, as in "2 h 05 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    return Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
    )
