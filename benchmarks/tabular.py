"""Steps a second of Q-learning: the fused loop against a plain Python loop and against the same loop in C.

All three start from the same table, learnt before, and go on with ε = 0.1, so that they walk through the same kind of
episodes. The Python loop plays Gymnasium's own environment, with lists for the table and Ω kept from `info`. The C loop
(`q_learning.c`, by `gcc -O3 -march=native`) runs on the arrays of the fused one with the same random numbers; compiled
without fused multiply-add it must end with the same table to the bit, which is checked. All loops have one thread and
are timed in seconds of processor time, by turns in one run; the rates and the ratios are medians over repetitions.

    python benchmarks/tabular.py [repetitions]
"""

import ctypes
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from palestra.agents.q_kernels import Exploration, Sampler, Table, learning_rates, make_sampler, make_table, play
from palestra.agents.q_learning import QLearning
from palestra.agents.schedule import LINEAR
from palestra.envs.rng import State, seed_state
from palestra.envs.spec import EnvSpec

IDS = ("FrozenLake8x8-v1", "Taxi-v4", "CliffWalking-v1")
EPSILON = 0.1
WARM_STEPS = 2_000_000  # of learning before the measurement
FAST_STEPS = 5_000_000  # of the fused loop and of C
PYTHON_STEPS = 100_000
FLAGS = {"gcc -O3 -march=native": [], "the same, -ffp-contract=off": ["-ffp-contract=off"]}


class Problem(ctypes.Structure):
    """`Problem` of q_learning.c."""

    _fields_ = [
        *[(name, ctypes.c_int64) for name in ("num_states", "num_actions", "num_outcomes", "num_starts")],
        *[(name, ctypes.c_int64) for name in ("max_episode_steps", "num_rates")],
        *[(name, ctypes.c_void_p) for name in ("cumulative", "successor", "reward", "choice", "num_choices")],
        *[(name, ctypes.c_void_p) for name in ("start", "start_cumulative", "rate")],
        ("discount", ctypes.c_double),
    ]


class Setting:
    """An environment with a learnt table to start from."""

    def __init__(self, id: str) -> None:
        self.env = EnvSpec(id)
        self.config = QLearning.defaults(self.env, WARM_STEPS)
        mdp = self.env.mdp(self.config.gamma)
        if mdp is None:
            raise ValueError(f"{id} exposes no model")
        self.sampler: Sampler = make_sampler(mdp)
        q = np.where(mdp.allowed, 0.0, -np.inf)
        rate = learning_rates(self.config.learning_rate, self.config.learning_rate_decay)
        self.table = make_table(q, np.zeros(q.shape, np.uint32), rate)
        warm = Exploration(LINEAR, 1.0, EPSILON, WARM_STEPS // 2)
        self.fused(self.table, (seed_state(1), seed_state(2)), WARM_STEPS, warm)

    def copy(self) -> Table:
        """Returns a copy of the learnt table."""
        return make_table(self.table.q.copy(), self.table.visits.copy(), self.table.rate)

    def fused(
        self, table: Table, generators: tuple[State, State], steps: int, exploration: Exploration | None = None
    ) -> None:
        """Learns with the compiled loop."""
        exploration = exploration or Exploration(LINEAR, EPSILON, EPSILON, 0)
        span = (0, steps, self.env.max_episode_steps)
        play(self.sampler, table, exploration, generators, (-1, 0, 0.0), span, self.config.gamma)

    def c(self, library: ctypes.CDLL, table: Table, generators: tuple[State, State], steps: int) -> None:
        """Learns with the loop in C."""
        num_outcomes = self.sampler.cumulative.shape[2]
        counts = (*table.q.shape, num_outcomes, len(self.sampler.start), self.env.max_episode_steps, len(table.rate))
        arrays = [array.ctypes.data for array in (*self.sampler, table.rate)]
        problem = Problem(*counts, *arrays, self.config.gamma)
        returns, lengths = np.empty(steps), np.empty(steps, np.int64)
        out = (table.q, table.best, table.worth, table.visits, *generators, returns, lengths)
        library.q_learning(
            ctypes.byref(problem),
            ctypes.c_double(EPSILON),
            ctypes.c_int64(steps),
            *[ctypes.c_void_p(array.ctypes.data) for array in out],
        )

    def python(self, table: Table, seed: int, steps: int) -> None:
        """Learns with a plain loop on Gymnasium's environment."""
        q, visits, rate = table.q.tolist(), table.visits.tolist(), table.rate.tolist()
        env = self.env.make()
        python_loop(env, q, visits, rate, self.config.gamma, seed, steps)


def python_loop(
    env: Any, q: list[list[float]], visits: list[list[int]], rate: list[float], discount: float, seed: int, steps: int
) -> None:
    """Q-learning as a good programmer writes it in plain Python: lists, local names, no array of four numbers."""
    draw = random.Random(seed).random
    most = len(rate) - 1
    everything = list(range(len(q[0])))
    choices: list[list[int] | None] = [None] * len(q)
    obs, info = env.reset(seed=seed)
    for _ in range(steps):
        row = q[obs]
        if draw() < EPSILON:
            choice = choices[obs]
            if choice is None:
                mask = info.get("action_mask")
                choice = choices[obs] = everything if mask is None else np.flatnonzero(mask).tolist()
            action = choice[int(draw() * len(choice))]
        else:
            action = row.index(max(row))
        next_obs, reward, terminated, truncated, info = env.step(action)
        target = reward if terminated else reward + discount * max(q[next_obs])
        n = visits[obs][action]
        if n < most:
            visits[obs][action] = n + 1
        row[action] += rate[n] * (target - row[action])
        obs = next_obs
        if terminated or truncated:
            obs, info = env.reset()


def compile_c(folder: str) -> list[ctypes.CDLL]:
    """Compiles q_learning.c once for each of `FLAGS`.

    Raises:
        subprocess.CalledProcessError: gcc failed.
    """
    source = Path(__file__).with_name("q_learning.c")
    libraries = []
    for i, extra in enumerate(FLAGS.values()):
        target = Path(folder) / f"q_learning_{i}.so"
        command = ["gcc", "-O3", "-march=native", *extra, "-shared", "-fPIC", "-o", str(target), str(source)]
        subprocess.run(command, check=True)
        libraries.append(ctypes.CDLL(str(target)))
        libraries[-1].q_learning.restype = ctypes.c_int64
    return libraries


def rate_of(learn: Callable[[int], None], steps: int) -> float:
    """Returns steps a second of processor time."""
    start = time.process_time()
    learn(steps)
    return steps / (time.process_time() - start)


def same_tables(setting: Setting, exact: ctypes.CDLL) -> bool:
    """Says whether the fused loop and C end with the same table to the bit."""
    tables: list[NDArray[np.float64]] = []
    for learn in (setting.fused, lambda *rest: setting.c(exact, *rest)):
        table = setting.copy()
        learn(table, (seed_state(3), seed_state(4)), 1_000_000)
        tables.append(table.q)
    return bool((tables[0] == tables[1]).all())


def measure(setting: Setting, libraries: list[ctypes.CDLL], repetitions: int) -> dict[str, list[float]]:
    """Returns the steps a second of each loop in each repetition."""
    rates: dict[str, list[float]] = {name: [] for name in ("fused", *FLAGS, "python")}
    for i in range(repetitions):
        generators = seed_state(5, i), seed_state(6, i)
        table = setting.copy()
        rates["fused"].append(rate_of(lambda n, t=table, g=generators: setting.fused(t, g, n), FAST_STEPS))  # type: ignore[misc]
        for name, library in zip(FLAGS, libraries, strict=True):
            table = setting.copy()
            learn = lambda n, t=table, g=generators, lib=library: setting.c(lib, t, g, n)  # noqa: E731
            rates[name].append(rate_of(learn, FAST_STEPS))
        table = setting.copy()
        rates["python"].append(rate_of(lambda n, t=table, s=i: setting.python(t, s, n), PYTHON_STEPS))  # type: ignore[misc]
    return rates


def ratio(ours: list[float], theirs: list[float]) -> float:
    """Returns the median over repetitions of how many times faster ours is."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def main() -> None:
    """Prints the table, and as the last line a JSON object."""
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    plain, exact = FLAGS
    figures: dict[str, Any] = {"repetitions": repetitions}
    print(
        f"{'steps a second, millions':26}{'fused':>9}{'C':>9}{'C exact':>9}{'Python':>9}{'/Python':>9}{'/C':>7}  same"
    )
    with tempfile.TemporaryDirectory() as folder:
        libraries = compile_c(folder)
        for id in IDS:
            setting = Setting(id)
            same = same_tables(setting, libraries[1])
            rates = measure(setting, libraries, repetitions)
            to_python, to_c = ratio(rates["fused"], rates["python"]), ratio(rates["fused"], rates[plain])
            middle = {name: statistics.median(values) for name, values in rates.items()}
            figures[id] = middle | {"fused_to_python": to_python, "fused_to_c": to_c, "same_table": same}
            columns = "".join(f"{middle[name] / 1e6:9.1f}" for name in ("fused", plain, exact))
            columns += f"{middle['python'] / 1e6:9.3f}"
            print(f"{id:26}{columns}{to_python:9.0f}{to_c:7.2f}  {'yes' if same else 'NO'}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
