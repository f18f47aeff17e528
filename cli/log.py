"""What training and fitting report: rows of metrics, and stopping at a safe point when somebody interrupts."""

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from palestra.cli.progress import Progress, say
from palestra.cli.run import CLOCK, Run
from palestra.cli.tracking import Tracker

AVERAGED = (
    "rollout/",
    "train/",
    "statistics/",
)  # of these a row has the mean since the row before; of others, the last
TOLD = {  # metrics of an agent's row that the progress says, by these names
    "plan/residual": "residual",
    "rollout/ep_rew_mean": "return",
    "train/accuracy": "accuracy",
}


class Log:
    """Sums up what training reports over the intervals between rows; `told` is what the progress says of them."""

    def __init__(
        self, run: Run, tracker: Tracker, progress: Progress, step: int, told: Mapping[str, str] = TOLD
    ) -> None:
        self.tracker = tracker
        self.last = "no episode ended" if told is TOLD else ""
        self._told = told
        self._run, self._progress = run, progress
        self._every = run.config["log_every"]
        self._seen: dict[str, list[Any]] = {}
        self._row = step // self._every

    def add(self, step: int, metrics: Mapping[str, Any]) -> None:
        """Takes in metrics, and writes a row when the step crosses a multiple of `log_every`."""
        for name, value in metrics.items():
            self._seen.setdefault(name, []).append(value)
        if step // self._every > self._row:
            self.flush(step)
        self._row = step // self._every
        self._progress.update(step, self.last)

    def flush(self, step: int) -> None:
        """Writes a row of what came in since the last one."""
        row = {name: _summary(name, values) for name, values in self._seen.items()}
        self._seen.clear()
        if row:
            self.write(step, row)

    def write(self, step: int, row: dict[str, float]) -> None:
        """Writes a row with the clock's readings beside it."""
        clock = {f"{CLOCK}fps": self._progress.rate(step), f"{CLOCK}elapsed": self._progress.elapsed}
        self._run.log(step, row | clock)
        self.tracker.log(step, row | clock)
        for name, word in self._told.items():
            if name in row:
                self.last = f"{word} {row[name]:.4g}"


def _summary(name: str, values: list[Any]) -> float:
    """Returns the mean of what varies from step to step, and the last of what tells how far the agent is."""
    if name.startswith(AVERAGED):
        return float(np.concatenate([np.ravel(value) for value in values]).mean())
    return float(np.ravel(values[-1])[-1])


@contextmanager
def interruptible() -> Iterator[list[int]]:
    """Gives a list that is empty until Ctrl-C or SIGTERM; a second Ctrl-C stops at once."""
    signals: list[int] = []

    def note(number: int, _frame: Any) -> None:
        signals.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        say("\nstopping at the next safe point; Ctrl-C again stops at once")

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
