"""Work shared out to processes and to a Ray cluster of several nodes, some of which die."""

import importlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
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


def test_work_is_begun_and_waited_for_later() -> None:
    for number in (1, 2):
        with Workers(number) as workers:
            later = workers.begin(squared, [(x,) for x in range(3)])
            assert workers.run(squared, [(9,)]) == [81]
            assert later() == [0, 1, 4]


def test_processes_that_die_again_and_again_are_an_error() -> None:
    with Workers(2) as workers, pytest.raises(ChildProcessError, match="2 processes died 3 times; fewer workers"):
        workers.run(always_killed, [(1,)])


def summed(weights: list[np.ndarray], x: int) -> float:
    return float(weights[0].sum()) + x


def slow(path: str, x: int) -> int:
    """Says that it has begun, and takes its time."""
    (Path(path) / f"{x}-{time.time_ns()}").touch()
    time.sleep(3.0)
    return x


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Starts a cluster of three nodes, each with processes of its own: one that takes no work and two with one core."""
    ray = importlib.import_module("ray")
    made = importlib.import_module("ray.cluster_utils").Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
    )
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    nodes = [made.add_node(num_cpus=1) for _ in range(2)]
    made.wait_for_nodes()
    yield made, nodes
    ray.shutdown()
    made.shutdown()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_cluster_of_several_nodes_loses_no_work_when_one_is_killed(cluster: Any, tmp_path: Path) -> None:
    made, nodes = cluster
    with Workers(2, made.address) as workers:
        weights = [np.ones(10_000)]
        assert workers.run(summed, [(weights, x) for x in range(4)]) == [10_000.0 + x for x in range(4)]

        def kill() -> None:
            while len(list(tmp_path.iterdir())) < 2:
                time.sleep(0.1)
            made.remove_node(nodes[0], allow_graceful=False)

        killer = threading.Thread(target=kill)
        killer.start()
        assert workers.run(slow, [(str(tmp_path), x) for x in range(4)]) == [0, 1, 2, 3]
        killer.join()
        assert len(list(tmp_path.iterdir())) > 4  # something was begun twice


class Doubled:
    """A network that multiplies by its weights, from a process that a test can kill."""

    def __init__(self, weights: np.ndarray) -> None:
        self._weights = weights

    def __call__(self, obs: np.ndarray, states: Any) -> tuple[Any, Any]:
        time.sleep(0.2)
        return obs * self._weights, np.full(len(obs), os.getpid())


def asks(evaluator: Any, x: int) -> list[tuple[float, int]]:
    """Asks again and again."""
    found = [evaluator(np.full((3, 1), float(x + k)), None) for k in range(10)]
    return [(float(logits.sum()), int(values[0])) for logits, values in found]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_cluster_shares_a_network_and_a_killed_one_is_started_again(cluster: Any) -> None:
    made, _ = cluster
    with Workers(2, made.address) as workers:
        evaluator = workers.served(Doubled, np.full(1, 2.0))
        begun = evaluator(np.ones((1, 1)), None)

        def kill() -> None:
            while importlib.import_module("ray").get(workers._server.counts.remote())[1] < 5:
                time.sleep(0.1)
            os.kill(int(begun[1][0]), signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        found = workers.run(asks, [(evaluator, x) for x in range(2)])
        assert [[value for value, _ in part] for part in found] == [
            [6.0 * (x + k) for k in range(10)] for x in range(2)
        ]
        killer.join()
        assert len({process for part in found for _, process in part}) == 2
        other = workers.served(Doubled, np.full(1, 3.0))
        assert workers.run(asks, [(other, 1)])[0][0][0] == 9.0


def test_what_there_is_not_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("palestra.agents.workers.importlib.import_module", missing)
    with pytest.raises(ValueError, match="cluster 'auto' needs Ray, which is not installed"):
        Workers(2, "auto")
