"""Batches that are evaluated side by side: the same search whatever their timing, and as many at once as asked for."""

import threading
import time
from typing import Any

import numpy as np
import pytest

from palestra.agents.mcts import Config, Search
from palestra.envs.games import make_game

CONNECT_FOUR = make_game("connect-four")


class Slow:
    """Even probabilities and values by position, after a time that differs from batch to batch."""

    def __init__(self, delays: list[float], together: int = 1) -> None:
        self.delays, self.calls, self.lock = delays, 0, threading.Lock()
        self.barrier = threading.Barrier(together)

    def __call__(self, obs: np.ndarray, states: np.ndarray) -> Any:
        with self.lock:
            delay = self.delays[self.calls % len(self.delays)]
            self.calls += 1
        if self.calls > 1 and self.barrier.parties > 1:
            self.barrier.wait(timeout=60)  # breaks unless so many batches are under way
            self.barrier = threading.Barrier(1)
        time.sleep(delay)
        values = np.sin(states.sum(axis=1).astype(np.float64)) * 0.5
        return np.zeros((len(obs), CONNECT_FOUR.num_actions)), values


def search_of(network: Any, simulations: int = 600, **options: Any) -> Search:
    search = Search(CONNECT_FOUR, Config(rule="puct", simulations=simulations, **options), 0, network)
    search.run(CONNECT_FOUR.start)
    return search


@pytest.mark.parametrize("batch", [1, 8])
def test_timing_changes_nothing(batch: int) -> None:
    found = [
        search_of(Slow(delays), threads=3, batch=batch).children()
        for delays in ([0.0], [0.004, 0.0, 0.0], [0.0, 0.002, 0.001, 0.003])
    ]
    assert found[0] == found[1] == found[2]


def test_as_many_batches_as_threads_are_under_way() -> None:
    network = Slow([0.0], together=2)
    search = search_of(network, threads=2, batch=1)
    assert network.barrier.parties == 1  # both have met
    assert search.visits == search.simulations == 600


def test_every_simulation_is_counted_and_none_waits_in_the_end() -> None:
    for threads in (1, 2, 5):
        search = search_of(Slow([0.0]), simulations=501, threads=threads)
        assert search.visits == search.simulations == 501
        assert search._trees[0].pending.sum() == 0
        assert sum(child.visits for child in search.children()) == 500


def test_after_an_error_the_search_works_again() -> None:
    class Failing(Slow):
        broken = True

        def __call__(self, obs: np.ndarray, states: np.ndarray) -> Any:
            if self.broken and self.calls > 5:
                raise ValueError("out of order")
            return super().__call__(obs, states)

    network = Failing([0.001])
    search = Search(CONNECT_FOUR, Config(rule="puct", simulations=300, threads=2), 0, network)
    with pytest.raises(ValueError, match="out of order"):
        search.run(CONNECT_FOUR.start)
    network.broken = False
    search.run(CONNECT_FOUR.start)
    assert search.visits == 300
    assert search.children() == search_of(Slow([0.0]), simulations=300, threads=2).children()


def test_a_search_by_the_clock_ends() -> None:
    search = Search(CONNECT_FOUR, Config(rule="puct", seconds=0.2, early=False, threads=2), 0, Slow([0.001]))
    search.run(CONNECT_FOUR.start)
    assert search.simulations == search.visits >= 8
