"""Work shared out to processes, one of which may die."""

import os
import signal
from pathlib import Path

import pytest

from palestra.agents.workers import Workers


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the processes import this file."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))


def squared(x: int) -> int:
    return x * x


def killed_once(path: str, x: int) -> int:
    """Kills its own process the first time that it is called."""
    place = Path(path)
    if x == 2 and not place.exists():
        place.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return x + 1


def always_killed(x: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return x


@pytest.mark.parametrize("number", [1, 2])
def test_results_come_in_order(number: int) -> None:
    with Workers(number) as workers:
        assert workers.run(squared, [(x,) for x in range(5)]) == [0, 1, 4, 9, 16]
        assert workers.run(squared, [(7,)]) == [49]


def test_work_whose_process_was_killed_is_begun_anew(tmp_path: Path) -> None:
    with Workers(2) as workers:
        tasks = [(str(tmp_path / "killed"), x) for x in range(4)]
        assert workers.run(killed_once, tasks) == [1, 2, 3, 4]
    assert (tmp_path / "killed").exists()


def test_processes_that_die_again_and_again_are_an_error() -> None:
    with Workers(2) as workers, pytest.raises(RuntimeError, match="2 processes died 3 times; fewer workers"):
        workers.run(always_killed, [(1,)])
