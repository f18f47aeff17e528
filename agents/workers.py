"""Work shared out to processes of this machine, or done in this one."""

import multiprocessing as mp
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Self, TypeVar

import torch

T = TypeVar("T")
TRIES = 3  # of work whose process has died


class Workers:
    """Processes that run functions; with one, the function runs here. Work whose process dies is begun anew."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def run(self, function: Callable[..., T], tasks: Sequence[tuple[Any, ...]]) -> list[T]:
        """Returns what the function makes of each task, in order; several tasks run at once.

        Raises:
            RuntimeError: processes have died again and again.
        """
        if self.number == 1:
            return [function(*task) for task in tasks]
        for _ in range(TRIES):
            pool = self._started()
            try:
                return [future.result() for future in [pool.submit(function, *task) for task in tasks]]
            except BrokenProcessPool:
                self._pool = None
        raise RuntimeError(f"{self.number} processes died {TRIES} times; fewer workers may have enough memory")

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = mp.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.number, mp_context=context, initializer=_begin)
        return self._pool


def _begin() -> None:
    """Leaves Ctrl-C to the process that waits, and takes one core."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
