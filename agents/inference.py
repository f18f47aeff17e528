"""A network that evaluates positions for many workers: what arrives while it is busy goes through it together."""

import asyncio
import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from palestra.agents.agent import Array
from palestra.agents.leaves import Evaluator

KEPT = 2  # networks that a server remembers: two may play against each other


class Request(NamedTuple):
    """Positions that wait, and where their answer goes."""

    evaluator: Evaluator
    obs: Array
    answer: "asyncio.Future[tuple[Array, Array]]"


class InferenceServer:
    """Makes evaluators of weights and lets many workers share their batches: an actor of a Ray cluster.

    Weights come as a reference to what the cluster holds, with each request, so that a server that has died and was
    started again knows what it is asked for.
    """

    def __init__(self, make: Callable[[Any], Evaluator]) -> None:
        self._make = make
        self._evaluators: dict[str, Evaluator] = {}
        self._waiting: list[Request] = []
        self._work: asyncio.Task[None] | None = None
        self._positions = self._batches = 0

    async def evaluate(self, weights: list[Any], obs: Array) -> tuple[Array, Array]:
        """Returns what the network with the weights that a list of one reference names says of positions."""
        key = weights[0].hex()
        if key not in self._evaluators:
            found = await weights[0]
            if key not in self._evaluators:  # another request may have been as fast
                self._evaluators[key] = self._make(found)
                for old in list(self._evaluators)[:-KEPT]:
                    del self._evaluators[old]
        request = Request(self._evaluators[key], obs, asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        if self._work is None:
            self._work = asyncio.create_task(self._run())
        return await request.answer

    async def counts(self) -> tuple[int, int]:
        """Returns how many positions were evaluated, in how many batches."""
        return self._positions, self._batches

    async def _run(self) -> None:
        """Evaluates whatever waits, until nothing does."""
        while self._waiting:
            evaluator = self._waiting[0].evaluator
            batch = [request for request in self._waiting if request.evaluator is evaluator]
            self._waiting = [request for request in self._waiting if request.evaluator is not evaluator]
            try:
                answers = await asyncio.to_thread(self._evaluated, evaluator, [request.obs for request in batch])
            except Exception as error:  # whatever a network raises is for those who asked, and the next may fare better
                for request in batch:
                    request.answer.set_exception(error)
                continue
            for request, answer in zip(batch, answers, strict=True):
                request.answer.set_result(answer)
        self._work = None

    def _evaluated(self, evaluator: Evaluator, parts: list[Array]) -> list[tuple[Array, Array]]:
        obs = np.concatenate(parts)
        logits, values = evaluator(obs, np.empty((len(obs), 0), np.int64))
        self._positions, self._batches = self._positions + len(obs), self._batches + 1
        ends = np.cumsum([len(part) for part in parts])[:-1]
        return list(zip(np.split(logits, ends), np.split(values, ends), strict=True))


class ServedEvaluator:
    """An evaluator that asks a server; it can be sent to the cluster's workers."""

    def __init__(self, server: Any, weights: Any) -> None:
        self._server, self._weights = server, weights

    def __call__(self, obs: Array, states: Array) -> tuple[Any, Any]:
        """Returns logits `[B, A]` and values `[B]`."""
        ray: Any = importlib.import_module("ray")
        found: tuple[Any, Any] = ray.get(self._server.evaluate.remote([self._weights], np.ascontiguousarray(obs)))
        return found
