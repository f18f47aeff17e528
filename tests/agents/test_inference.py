"""Positions of many workers that go through one network together, without a cluster; test_workers.py has one."""

import asyncio
import threading
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

from palestra.agents.inference import InferenceServer


class Reference:
    """Stands for what a cluster holds."""

    def __init__(self, value: float) -> None:
        self.value = value

    def hex(self) -> str:
        return str(self.value)

    def __await__(self) -> Generator[Any, None, float]:
        yield from asyncio.sleep(0).__await__()
        return self.value


class Slow:
    """A network that adds a number, once it may go on."""

    made: list[float] = []  # noqa: RUF012  (the test's record)
    sizes: list[int] = []  # noqa: RUF012
    gate = threading.Event()

    def __init__(self, weights: float) -> None:
        self.made.append(weights)
        self._weights = weights

    def __call__(self, obs: Any, states: Any) -> tuple[Any, Any]:
        self.gate.wait(10)
        self.sizes.append(len(obs))
        if obs.max() > 100:
            raise ValueError("too large")
        return obs + self._weights, obs[:, 0]


@pytest.fixture(autouse=True)
def fresh() -> None:
    Slow.made.clear()
    Slow.sizes.clear()
    Slow.gate.clear()


def test_what_waits_while_the_network_is_busy_goes_through_it_together() -> None:
    server, first, second = InferenceServer(Slow), Reference(1.0), Reference(2.0)
    asked = [(first, k + 1) for k in range(4)] + [(second, 2), (first, 3)]

    async def ask() -> list[Any]:
        tasks = []
        for i, (reference, rows) in enumerate(asked):
            tasks.append(asyncio.create_task(server.evaluate([reference], np.full((rows, 2), float(i)))))
            await asyncio.sleep(0.1 if i == 0 else 0.0)  # until the first is with the network
        await asyncio.sleep(0.1)  # until all wait
        Slow.gate.set()
        return list(await asyncio.gather(*tasks))

    for i, ((reference, rows), (logits, values)) in enumerate(zip(asked, asyncio.run(ask()), strict=True)):
        np.testing.assert_array_equal(logits, np.full((rows, 2), i + reference.value))
        np.testing.assert_array_equal(values, np.full(rows, float(i)))
    assert sorted(Slow.made) == [1.0, 2.0]
    assert sum(Slow.sizes) == sum(rows for _, rows in asked)
    assert sorted(Slow.sizes) == [1, 2, 12]  # what was there first, and the rest of each network
    assert asyncio.run(server.counts()) == (sum(Slow.sizes), 3)


def test_networks_that_nobody_asks_any_more_are_forgotten() -> None:
    server = InferenceServer(Slow)
    Slow.gate.set()

    async def ask(weights: float) -> None:
        await server.evaluate([Reference(weights)], np.zeros((1, 2)))

    for weights in (1.0, 2.0, 3.0, 3.0, 1.0):
        asyncio.run(ask(weights))
    assert Slow.made == [1.0, 2.0, 3.0, 1.0]


def test_an_error_is_for_those_who_asked_and_the_next_is_served() -> None:
    server = InferenceServer(Slow)
    Slow.gate.set()

    async def ask() -> float:
        with pytest.raises(ValueError, match="too large"):
            await server.evaluate([Reference(1.0)], np.full((1, 2), 101.0))
        return float((await server.evaluate([Reference(1.0)], np.zeros((1, 2))))[0][0, 0])

    assert asyncio.run(ask()) == 1.0
