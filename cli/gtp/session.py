"""What a GTP engine knows between two commands, and how commands are looked up."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from palestra.cli.gtp.args import CommandError
from palestra.cli.gtp.brain import Brain
from palestra.cli.gtp.clock import TimeLeft, TimeSettings, budget
from palestra.cli.gtp.table import Table

Answer = str | Iterator[str]
"""A text, or lines as they come; what fails before the first line is answered by a question mark."""
Command = Callable[["Session", list[str]], Answer]


LARGEST_FILE = 1 << 24  # bytes of a game record


def read_regular(name: str) -> bytes:
    """Reads a file that is neither a device nor too large for a game.

    Raises:
        ValueError: it is one of these.
        OSError: it cannot be read.
    """
    path = Path(name)
    if path.exists() and not path.is_file():
        raise ValueError("it is not a regular file")
    with path.open("rb") as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ValueError(f"it has more than {LARGEST_FILE:,} bytes")
    return content


def write_text(name: str, text: str) -> None:
    """Writes a file in UTF-8."""
    Path(name).write_text(text, encoding="utf-8")


@dataclass
class Session:
    """The state of an engine; `waiting(seconds)` says whether input has come, and waits for it that long at most."""

    brain: Brain
    table: Table
    waiting: Callable[[float], bool]
    commands: dict[str, Command] = field(default_factory=dict)
    read_file: Callable[[str], bytes] = read_regular
    write_file: Callable[[str, str], object] = write_text
    settings: TimeSettings = field(default_factory=TimeSettings)
    left: dict[int, TimeLeft] = field(default_factory=dict)
    comment: str = ""
    """What the engine thought of its last move."""
    ended: bool = False
    thinking: float = 0.0
    """Processor time spent on moves, in seconds."""

    def __post_init__(self) -> None:
        self.changed()

    def changed(self) -> None:
        """Tells the brain that the rules may have changed."""
        self.brain.begin(self.table.position.rules)

    def new_game(self) -> None:
        """Sets the clocks back, when a game begins."""
        self.left = {}
        self.comment = ""
        self.changed()

    def play(self, action: int, color: int) -> None:
        """Makes a legal move on the board and tells the brain."""
        before = self.table.state_for(color)
        self.table.play(action, color)
        self.brain.played(before, action, self.table.state)

    def seconds(self, color: int) -> float:
        """Returns the time for a colour's next move; infinite if the clock sets no limit."""
        own = sum(mover == color for mover, _ in self.table.moves)
        return budget(self.settings, self.left.get(color), self.table.size, own)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Counts the processor time of what is done inside."""
        begin = time.process_time()
        try:
            yield
        finally:
            self.thinking += time.process_time() - begin


def fail_unless_open(session: Session) -> None:
    """Refuses to think about a game that its cap has ended."""
    position = session.table.position
    if len(position.moves) >= position.rules.longest:
        raise CommandError(f"the game is over by the cap of {position.rules.longest} moves")
