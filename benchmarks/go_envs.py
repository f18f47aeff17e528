"""Moves a second of the environments of Go beside those of PettingZoo, pgx and EnvPool, on one core.

All moves are drawn uniformly from the legal ones, the pass among them; games are cut off after twice the points (at
least 100 moves) in each environment. The process is bound to one core before anything else is imported, and time is
processor time, so that neither more cores nor a busy machine favours anybody; figures are medians over repetitions by
turns. What a row holds:

AEC                  `last()`, which makes the observation and the mask, then a move drawn from it, then `step()`
run                  drawing and making moves, all in one compiled loop over the games
step                 `draw()` and `step()`, which checks every action, once a move
step, masks          the same and `legal()`
step, planes         the same as "step" and `observe()`, alphago-zero: 17 planes of float32
step, both           both; what pgx and EnvPool always make is this (their planes are bool, EnvPool's for both players)
EnvPool              one worker thread; that its caller waits for it in a loop counts as processor time too
vector env           moves of `GoVectorEnv`, agent and opponent, with masks and planes; the agent's drawn by NumPy

    python benchmarks/go_envs.py [repetitions [seconds a measurement]]
"""

import os

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

import importlib  # noqa: E402
import json  # noqa: E402
import random  # noqa: E402
import statistics  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402
from collections.abc import Callable  # noqa: E402
from functools import partial  # noqa: E402
from importlib.metadata import version  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402

from palestra.envs.go import aec  # noqa: E402
from palestra.envs.go.rules import rules_named  # noqa: E402
from palestra.envs.go.vector import GoBatch, GoVectorEnv  # noqa: E402

SIZES = (9, 19)
GAMES = 1024
PEER_GAMES = 256  # of pgx and EnvPool, which are not faster with more
WARM = 60  # moves of each game before anything is measured

Work = Callable[[], int]  # makes some moves and returns how many


class Alternation:
    """Plays an AEC environment for so many moves, and goes on there when called again."""

    def __init__(self, env: Any, size: int, moves: int) -> None:
        self.env, self.longest, self.moves, self.played = env, max(100, 2 * size * size), moves, 0
        env.reset()

    def __call__(self) -> int:
        """Makes the moves."""
        env, draw = self.env, random.Random(0).random
        for _ in range(self.moves):
            obs, _, terminated, truncated, _ = env.last()
            if terminated or truncated or self.played == self.longest:
                env.reset()
                self.played = 0
                obs = env.last()[0]
            legal = obs["action_mask"].nonzero()[0]
            env.step(int(legal[int(draw() * len(legal))]))
            self.played += 1
        return self.moves


class Stepping:
    """`GoBatch`, with masks and planes or without."""

    def __init__(self, size: int, masks: bool, planes: bool) -> None:
        self.batch = GoBatch(rules_named("tromp-taylor", size=size), GAMES)
        self.batch.run(WARM)
        self.mask = self.batch.legal() if masks else None
        self.obs = self.batch.observe() if planes else None

    def __call__(self) -> int:
        """Makes one move in each game."""
        self.batch.step(self.batch.draw())
        if self.mask is not None:
            self.batch.legal(self.mask)
        if self.obs is not None:
            self.batch.observe(self.obs)
        return GAMES

    def run(self) -> int:
        """Makes ten moves in each game within one call."""
        self.batch.run(10)
        return 10 * GAMES


def chosen(mask: Any, rng: np.random.Generator) -> Any:
    """Draws an action from each row of masks."""
    return np.where(mask, rng.random(mask.shape, np.float32), -1.0).argmax(axis=1).astype(np.int32)


class Batched:
    """`GoVectorEnv` and EnvPool's Go."""

    def __init__(self, envs: Any, mask: str, moves: int) -> None:
        self.envs, self.mask, self.moves, self.rng = envs, mask, moves, np.random.default_rng(0)
        self.info = envs.reset()[1]
        for _ in range(WARM):
            self()

    def __call__(self) -> int:
        """Makes one step of all games."""
        self.info = self.envs.step(chosen(np.asarray(self.info[self.mask]), self.rng))[4]
        return self.moves


class Pgx:
    """pgx's Go: ten moves of each game in one compiled loop, drawing, masks, planes and resets included."""

    def __init__(self, size: int) -> None:
        jax, pgx = importlib.import_module("jax"), importlib.import_module("pgx")
        wrapped = importlib.import_module("pgx.experimental.wrappers")
        game = pgx.make(f"go_{size}x{size}")
        step = jax.vmap(wrapped.auto_reset(game.step, game.init))

        def one(_: Any, carry: Any) -> Any:
            state, key = carry
            key, draw, again = jax.random.split(key, 3)
            logits = jax.numpy.where(state.legal_action_mask, 0.0, -jax.numpy.inf)
            action = jax.random.categorical(draw, logits, axis=-1)
            return step(state, action, jax.random.split(again, PEER_GAMES)), key

        self._run = jax.jit(lambda carry: jax.lax.fori_loop(0, 10, one, carry))
        keys = jax.random.split(jax.random.PRNGKey(0), PEER_GAMES)
        self._carry = (jax.jit(jax.vmap(game.init))(keys), jax.random.PRNGKey(1))
        for _ in range(WARM // 10):
            self()

    def __call__(self) -> int:
        """Makes ten moves in each game."""
        self._carry = self._run(self._carry)
        self._carry[1].block_until_ready()
        return 10 * PEER_GAMES


def go_v5(size: int) -> Any:
    """Makes PettingZoo's Go."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("pettingzoo.classic.go_v5").env(board_size=size)


def envpool(size: int) -> Batched:
    """Makes EnvPool's Go."""
    module: Any = importlib.import_module("envpool")
    options = {"num_envs": PEER_GAMES, "num_threads": 1, "seed": 0}
    return Batched(module.make_gymnasium(f"Go{size}x{size}-v1", **options), "legal_action_mask", PEER_GAMES)


def ours(size: int) -> dict[str, Work]:
    """Returns what is measured of ours on a board."""
    return {
        "AEC": Alternation(aec.env(board_size=size), size, 500),
        "run": Stepping(size, False, False).run,
        "step": Stepping(size, False, False),
        "step, masks": Stepping(size, True, False),
        "step, planes": Stepping(size, False, True),
        "step, both": Stepping(size, True, True),
        "vector env": Batched(GoVectorEnv(GAMES, size), "action_mask", 2 * GAMES),
    }


def peers(size: int, missing: dict[str, str]) -> dict[str, Work]:
    """Returns what is measured of the peers; those that cannot be had are noted with the reason."""
    found: dict[str, Work] = {}
    made: dict[str, Callable[[], Work]] = {
        "PettingZoo": lambda: Alternation(go_v5(size), size, 100),
        "pgx": partial(Pgx, size),
        "EnvPool": partial(envpool, size),
    }
    for name, make in made.items():
        try:
            found[name] = make()
        except ImportError as error:
            missing[name] = str(error)
    return found


def rate(work: Work, seconds: float) -> float:
    """Returns moves a second of processor time."""
    moves, start = 0, time.process_time()
    while (spent := time.process_time() - start) < seconds:
        moves += work()
    return moves / spent


def measure(works: dict[str, Work], repetitions: int, seconds: float) -> dict[str, float]:
    """Returns the median rate of each."""
    for work in works.values():
        work()
    rates = [{name: rate(work, seconds) for name, work in works.items()} for _ in range(repetitions)]
    return {name: statistics.median(row[name] for row in rates) for name in works}


BESIDE = {"PettingZoo": "AEC", "pgx": "step, both", "EnvPool": "step, both"}  # peer -> our row that does the same


def main() -> None:
    """Prints a table, and as the last line a JSON object."""
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    missing: dict[str, str] = {}
    figures: dict[str, Any] = {"repetitions": repetitions, "games": GAMES, "peer_games": PEER_GAMES}
    for size in SIZES:
        beside = peers(size, missing)
        rates = measure(ours(size) | beside, repetitions, seconds)
        ratios = {name: rates[BESIDE[name]] / rates[name] for name in beside}
        print(f"\n{size}x{size:<22}{'moves a second':>16}")
        for name, value in rates.items():
            told = f"   {BESIDE[name]} is {ratios[name]:.1f}x" if name in ratios else ""
            print(f"{name:<24}{value:>16,.0f}{told}")
        figures[f"{size}x{size}"] = {"rates": rates, "ratios": ratios}
    for name, reason in missing.items():
        print(f"{name} is missing: {reason}")
    installed = {"PettingZoo": "pettingzoo", "pgx": "pgx", "EnvPool": "envpool"}
    figures["versions"] = {name: version(package) for name, package in installed.items() if name not in missing}
    figures["missing"] = missing
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
