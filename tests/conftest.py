"""Fixtures for all tests."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from palestra.cli.main import SETTINGS, main

for _name, _value in SETTINGS.items():
    os.environ.setdefault(_name, _value)  # as the command line does, before libraries read them

CommandLine = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _own_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of tests go where the tests say, also those of processes that they start."""
    monkeypatch.delenv("PALESTRA_RUNS", raising=False)


@pytest.fixture
def palestra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Runs the command line in an empty folder: words in; exit status, stdout and stderr out."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(words)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell leaves it that runs the tests in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)
