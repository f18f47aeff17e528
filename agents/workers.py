"""Work shared out to processes of this machine, or to a Ray cluster, or done in this process."""

import importlib
import multiprocessing as mp
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import Any, Self, TypeVar

import torch

from palestra.agents.inference import InferenceServer, ServedEvaluator
from palestra.agents.leaves import Evaluator

T = TypeVar("T")
TRIES = 3  # of work whose process has died
GPU_SHARE = 0.5
SHARED = 10_000  # bytes of arrays from which on an argument of several tasks is sent to a cluster only once


class Workers:
    """Runs functions in several processes; work whose process dies is begun anew. With one, the function runs here.

    `cluster` is none for processes of this machine, local for a Ray cluster that is started here, or the address of
    one, as auto or ray://HOST:10001, whose nodes must have this package installed.

    Raises:
        ValueError: Ray is wanted but not installed, or there is no such cluster.
    """

    def __init__(self, number: int, cluster: str = "") -> None:
        self.number, self._cluster = number, cluster
        self._pool: ProcessPoolExecutor | None = None
        self._ray: Any = _ray(cluster) if cluster else None
        self._connected = False  # by us, so that we leave it too
        self._server: Any = None
        self._actors: list[Any] = []

    def __enter__(self) -> Self:
        if self._ray is not None and not self._ray.is_initialized():
            address = None if self._cluster == "local" else self._cluster
            options = {"num_cpus": self.number, "include_dashboard": False} if address is None else {}
            try:
                self._ray.init(address=address, log_to_driver=False, **options)
            except (ConnectionError, ValueError) as error:
                raise ValueError(f"there is no Ray cluster at {self._cluster!r}: {error}") from None
            self._connected = True
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        for actor in self._actors:
            self._ray.kill(actor)
        self._actors, self._server = [], None
        if self._connected:
            self._ray.shutdown()
            self._connected = False

    def run(self, function: Callable[..., T], tasks: Sequence[tuple[Any, ...]]) -> list[T]:
        """Returns what the function makes of each task, in order; several tasks run at once.

        Raises:
            ChildProcessError: processes have died again and again.
        """
        return self.begin(function, tasks)()

    def begin(self, function: Callable[..., T], tasks: Sequence[tuple[Any, ...]]) -> Callable[[], list[T]]:
        """Begins what `run` does, and returns how to wait for it; with one process all is done then."""
        if self._ray is not None:
            return self._by_ray(function, tasks)
        if self.number == 1:
            return lambda: [function(*task) for task in tasks]
        return self._by_pool(function, tasks)

    def served(self, make: Callable[[Any], Evaluator], weights: Any) -> ServedEvaluator:
        """Returns an evaluator that the cluster's workers share: one process makes it of weights and answers them all.

        It takes a GPU where the cluster has one, and is started again if it dies. `make` is the same in all calls.
        """
        if self._server is None:
            kind = self._ray.remote(max_restarts=-1, max_task_retries=-1, num_cpus=0, num_gpus=self._gpus())
            self._server = kind(InferenceServer).remote(make)
            self._actors.append(self._server)
        return ServedEvaluator(self._server, self._ray.put(weights))

    def actor(self, kind: type[Any], *args: Any) -> Callable[..., Any]:
        """Makes an object in a process of the cluster, with a GPU where there is one; returns what calls its methods.

        That takes a method's name and arguments, and raises a ChildProcessError if the process has died.
        """
        ray = self._ray
        made = ray.remote(num_cpus=0, num_gpus=self._gpus())(kind).remote(*args)
        self._actors.append(made)

        def call(method: str, *given: Any) -> Any:
            try:
                return ray.get(getattr(made, method).remote(*given))
            except ray.exceptions.RayActorError as error:
                raise ChildProcessError(str(error)) from None

        return call

    def _gpus(self) -> float:
        """Returns what part of a GPU a process takes, where there are such: a server and a learner may share one."""
        return GPU_SHARE * float("GPU" in self._ray.cluster_resources())

    def _by_pool(self, function: Callable[..., T], tasks: Sequence[tuple[Any, ...]]) -> Callable[[], list[T]]:
        waiting: list[Future[T]] = []
        pool: ProcessPoolExecutor | None = None

        def submit() -> None:
            nonlocal pool
            pool = self._started()
            waiting[:] = [pool.submit(function, *task) for task in tasks]

        def wait() -> list[T]:
            for _ in range(TRIES):
                try:
                    if not waiting:
                        submit()
                    return [future.result() for future in waiting]
                except BrokenProcessPool:
                    if self._pool is pool:
                        self._pool = None
                    waiting.clear()
            raise ChildProcessError(_died(self.number))

        with suppress(BrokenProcessPool):  # a process has died since the last work: then it begins when it is wanted
            submit()
        return wait

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = mp.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.number, mp_context=context, initializer=_begin)
        return self._pool

    def _by_ray(self, function: Callable[..., T], tasks: Sequence[tuple[Any, ...]]) -> Callable[[], list[T]]:
        ray = self._ray
        remote = ray.remote(max_retries=TRIES, num_cpus=1)(function)
        sent: dict[int, Any] = {}
        for argument in (argument for task in tasks for argument in task if _size(argument) > SHARED):
            sent.setdefault(id(argument), ray.put(argument))
        waiting = [remote.remote(*(sent.get(id(argument), argument) for argument in task)) for task in tasks]

        def wait() -> list[T]:
            try:
                found: list[T] = ray.get(waiting)
            except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError):
                raise ChildProcessError(_died(self.number)) from None
            return found

        return wait


def _ray(cluster: str) -> Any:
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # what Ray warns of otherwise
    try:
        return importlib.import_module("ray")
    except ImportError:
        raise ValueError(
            f"cluster {cluster!r} needs Ray, which is not installed: pip install 'palestra[scale]' brings it"
        ) from None


def _size(argument: Any) -> int:
    """Returns the bytes of an argument's arrays."""
    if isinstance(argument, dict):
        return sum(map(_size, argument.values()))
    if isinstance(argument, list | tuple):
        return sum(map(_size, argument))
    return int(getattr(argument, "nbytes", 0))


def _died(number: int) -> str:
    return f"{number} processes died {TRIES} times; fewer workers may have enough memory"


def _begin() -> None:
    """Leaves Ctrl-C to the process that waits, and takes one core."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
