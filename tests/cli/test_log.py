"""Rows of metrics: means over intervals, last values, and what is told on the way."""

import os
import signal
from pathlib import Path

import pytest

from palestra.cli.log import Log, interruptible
from palestra.cli.progress import Progress
from palestra.cli.run import Run
from palestra.cli.tracking import Tracker


def test_a_row_has_means_of_training_and_the_last_of_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = Run.create("a", {"agent": "x", "log_every": 2})
    with Tracker("off", "", run) as tracker, Progress("x", 4) as progress:
        log = Log(run, tracker, progress, 0, {"train/loss": "loss"})
        for step, loss in enumerate([1.0, 2.0, 3.0, 5.0], start=1):
            log.add(step, {"train/loss": loss, "plan/residual": loss})
        log.add(5, {"train/loss": 7.0})
        log.flush(5)
    rows = [{k: v for k, v in row.items() if not k.startswith("time/")} for row in run.metrics()]
    assert rows == [
        {"step": 2, "train/loss": 1.5, "plan/residual": 2.0},
        {"step": 4, "train/loss": 4.0, "plan/residual": 5.0},
        {"step": 5, "train/loss": 7.0},
    ]
    assert log.last == "loss 7"


def test_agents_are_told_by_their_return(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = Run.create("a", {"agent": "x", "log_every": 1})
    with Tracker("off", "", run) as tracker, Progress("x", 4) as progress:
        log = Log(run, tracker, progress, 0)
        log.add(1, {"train/loss": 1.0})
        assert log.last == "no episode ended"
        log.add(2, {"train/loss": 1.0, "rollout/ep_rew_mean": 7.5})
    assert log.last == "return 7.5"


def test_an_interrupt_is_noted_and_a_second_one_stops() -> None:
    before = signal.getsignal(signal.SIGINT)  # a shell that runs the tests in the background lets it be ignored
    with interruptible() as interrupted:
        assert not interrupted
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupted == [signal.SIGINT]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
