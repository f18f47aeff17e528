"""Go's rules beside GNU Go 3.8: random moves on seven board sizes under every rule of ko and suicide that both know.

Before each move the legal points of the player to move and one point that is perhaps none are compared, after it the
prisoners, every 20 moves all stones, a ladder and a chain that Benson's theorem calls alive, at each end the score.
Captures and points where a stone once was are played most, and eyes are filled, so that suicide, ko and superko matter:
the table says how many points each forbade, of those compared.

What differs in GNU Go, and is allowed for: it remembers 500 moves, so games have at most 480; under superko it looks at
a suicide with the stones still standing, so it never forbids one as a repetition (counted as "suicides that repeat");
it calls some ladders won by ko, which are counted apart; `final_score` judges life and death, so scores are compared
where nothing is left to judge: nobody has filled own eyes, all stones are alive by Benson's theorem, and every point
has an owner. Suicide of several stones but not of one, which it knows too, is no rule of ours.

    python benchmarks/go_oracle.py [--moves 1000000] [--processes 2] [--seed 0]

The moves are those on 5x5 to 19x19; 3x3 and 4x4, where superko matters most, come on top.
"""

import argparse
import json
import os
import shutil
import subprocess
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from palestra.envs.go.benson import ALIVE, pass_alive
from palestra.envs.go.board import breathes, is_eye, point_of
from palestra.envs.go.game import colors, vertex
from palestra.envs.go.ladders import chase
from palestra.envs.go.liberties import captures, list_liberties
from palestra.envs.go.play import legal, play
from palestra.envs.go.rules import SUPERKO, Rules, Scoring, Superko
from palestra.envs.go.scoring import owners, score_2
from palestra.envs.go.state import (
    ACTION,
    BLACK,
    EMPTIES,
    EMPTY,
    EMPTY_POINT,
    KO,
    LAST,
    LOST_BLACK,
    LOST_WHITE,
    OVER,
    PLACED,
    PLAYER,
    PLY,
    POINTS,
    RECORD,
    SUICIDE,
    State,
    new_state,
)
from palestra.envs.rng import randint, seed_state, uniform

SIZES = (5, 7, 9, 13, 19)
MORE_SIZES = (3, 4)
LONGEST = 480  # moves of a game
EVERY = 20  # moves between looks at the whole board
BATCH = 10  # games that one process of GNU Go plays
SCORED = {3: 1, 4: 1, 5: 8, 7: 6, 9: 4, 13: 2, 19: 1}  # games for scores, for each rule, in 100,000 moves of a size
FLAGS = {"simple": "--simple-ko", "positional": "--positional-superko", "situational": "--situational-superko"}
NO_DATA = np.zeros(1)
COLORS = ("", "black", "white")
SHOWN = 5  # differences that are printed
FORBIDDEN = ("ko", "suicide", "superko", "suicides that repeat")

Question = tuple[str, str, str]  # kind, command, the answer that the engine expects


@njit(cache=True)
def forbidden(state, mask, repeated, counts):  # type: ignore[no-untyped-def]
    """Adds to `counts` `[4]` how many empty points ko, suicide and superko forbid, and superko if suicide.

    Writes into `repeated` `[N * N]` which are of the last kind.
    """
    repeated[:] = False
    for k in range(state[EMPTIES]):
        p = state[POINTS + RECORD * k + EMPTY_POINT]
        if not mask[state[p + ACTION]]:
            suicide = not breathes(state, p, state[PLAYER] + BLACK)
            kind = 0 if p == state[KO] else (3 if state[SUICIDE] else 1) if suicide else 2
            counts[kind] += 1
            repeated[state[p + ACTION]] = kind == 3


@njit(cache=True)
def draw(state, mask, rng, eyes):  # type: ignore[no-untyped-def]
    """Draws a move: a third each a capture, one where a stone once was, or any; own eyes only if `eyes`; few passes."""
    chosen, seen, wanted, color = len(mask) - 1, 0, randint(rng, 3), state[PLAYER] + BLACK
    if eyes and state[LAST] and uniform(rng) < 0.02:
        return chosen
    while not seen and wanted >= 0:
        for k in range(state[EMPTIES]):
            p = state[POINTS + RECORD * k + EMPTY_POINT]
            if not mask[state[p + ACTION]] or not (eyes or not is_eye(state, p, color)):
                continue
            if wanted == 0 or (wanted == 1 and state[p + PLACED] != 0) or (wanted == 2 and captures(state, p, color)):
                seen += 1
                if randint(rng, seen) == 0:
                    chosen = state[p + ACTION]
        wanted -= 1
    return chosen


@dataclass(frozen=True)
class Job:
    """Games under one rule on one size."""

    size: int
    superko: Superko
    suicide: bool
    moves: int
    seed: int

    @property
    def flags(self) -> list[str]:
        """How GNU Go is told the rules."""
        return [FLAGS[self.superko], "--allow-all-suicide" if self.suicide else "--forbid-suicide", "--level", "1"]

    @property
    def names(self) -> NDArray[np.object_]:
        """Names of the actions, as an array."""
        return np.array([vertex(self.size, a) for a in range(self.size**2 + 1)], object)

    def start(self, scoring: Scoring = "area") -> tuple[list[Question], State]:
        """Returns a game before its first move."""
        commands = (f"boardsize {self.size}", "clear_board", "komi 0.5")
        rules = Rules(self.size, 0.5, self.superko, self.suicide, scoring, max_moves=LONGEST + 2)
        return [("begin", command, "") for command in commands], new_state(rules)


def look(names: NDArray[np.object_], state: State, random: np.random.Generator) -> list[Question]:
    """Asks for all stones, a ladder against a chain of two liberties, and a chain of each colour that is alive."""
    board, found, marks = colors(state).ravel(), np.zeros(3, np.int64), np.zeros(len(names) - 1, np.int64)
    asked = [("stones", f"list_stones {COLORS[c]}", " ".join(sorted(names[:-1][board == c]))) for c in (1, 2)]
    for action in random.permutation(np.flatnonzero(board == 2 - state[PLAYER]))[:4]:
        stone = int(point_of(state, action))
        if list_liberties(state, stone, found) == 2:
            caught = any(chase(state, int(p), stone) for p in found[:2])
            asked.append(("ladder", f"ladder_attack {names[action]}", "1" if caught else "0"))
            break
    for color in (1, 2):
        pass_alive(state, color, marks)
        if (marks == ALIVE).any():
            stone = random.choice(np.flatnonzero(marks == ALIVE))
            asked.append(("alive", f"unconditional_status {names[stone]}", "alive"))
    return asked


def random_game(job: Job, seed: int, counts: NDArray[np.int64]) -> list[Question]:
    """Plays a game in the engine and writes down what GNU Go is asked on the way."""
    asked, state = job.start()
    random, rng, names = np.random.default_rng((job.seed, seed)), seed_state(job.seed, seed), job.names
    mask, repeated = np.zeros(len(names), np.bool_), np.zeros(len(names), np.bool_)
    while not state[OVER] and state[PLY] < LONGEST:
        legal(state, mask, NO_DATA)
        forbidden(state, mask, repeated, counts)
        color, action, other = COLORS[state[PLAYER] + 1], int(draw(state, mask, rng, True)), random.choice(len(names))
        may = mask | repeated
        asked.append(("legal", f"all_legal {color}", " ".join(names[:-1][may[:-1]])))
        asked.append(("one point", f"is_legal {color} {names[other]}", str(int(may[other]))))
        play(state, action, rng, NO_DATA)
        asked.append(("move", f"play {color} {names[action]}", ""))
        asked.append(("prisoners", "captures black", str(state[LOST_WHITE])))
        asked.append(("prisoners", "captures white", str(state[LOST_BLACK])))
        if state[PLY] % EVERY == 0:
            asked += look(names, state, random)
    return asked


def scored_game(job: Job, seed: int, scoring: Scoring) -> list[Question]:
    """Plays a game in which nobody fills eyes; empty if life and death are not plain at its end."""
    asked, state = job.start(scoring)
    rng, names = seed_state(job.seed, seed), job.names
    mask, owner, marks = (
        np.zeros(len(names), np.bool_),
        np.zeros(job.size**2, np.int64),
        np.zeros(job.size**2, np.int64),
    )
    while not state[OVER]:
        legal(state, mask, NO_DATA)
        action = int(draw(state, mask, rng, False))
        asked.append(("move", f"play {COLORS[state[PLAYER] + 1]} {names[action]}", ""))
        play(state, action, rng, NO_DATA)
    board, plain = colors(state).ravel(), state[PLY] < LONGEST
    owners(state, owner)
    for color in (1, 2):
        pass_alive(state, color, marks)
        plain = plain and (owner != EMPTY).all() and (marks[board == color] == ALIVE).all()
    lead = score_2(state) / 2
    result = f"{'B' if lead > 0 else 'W'}+{abs(lead):.1f}" if lead else "0"
    return [*asked, (f"score by {scoring}", "final_score", result)] if plain else []


def scored_games(job: Job, scoring: Scoring) -> list[list[Question]]:
    """Plays the games of a job that are for scores."""
    wanted = max(1, SCORED[job.size] * job.moves // 16_667)
    games = (scored_game(job, 1_000_000 + k, scoring) for k in range(200))
    return list(islice((game for game in games if game), wanted))


def compare(job: Job, gnugo: str, flags: list[str], games: list[list[Question]]) -> tuple[Counter[str], list[str]]:
    """Plays games in one process of GNU Go, counts by kind what agrees and what does not, and describes the latter."""
    questions, counts, shown = [q for game in games for q in game], Counter[str](), list[str]()
    lines = "\n".join(command for _, command, _ in questions) + "\nquit\n"
    done = subprocess.run([gnugo, "--mode", "gtp", *flags], input=lines, capture_output=True, text=True, check=True)
    answers = [answer.split() for answer in done.stdout.split("\n\n")]
    for (kind, command, expected), (sign, *said) in zip(questions, answers, strict=False):
        if kind == "stones":
            said.sort()
        if kind == "ladder":
            del said[1:]  # where to play
            kind = "ladder" if said in (["0"], ["1"]) else "ladder by ko"
        counts[f"{kind} compared"] += 1
        if kind != "ladder by ko" and (sign != "=" or " ".join(said) != expected):
            counts[f"{kind} different"] += 1
            apart = " ".join(sorted({*said} ^ {*expected.split()}))
            shown.append(f"{job}: {command}: GNU Go says {sign} {' '.join(said)[:30]}, different is {apart}")
    return counts, shown


def run(job: Job, gnugo: str) -> tuple[Job, Counter[str], list[str]]:
    """Plays a job's games and counts."""
    counts, shown, rules, seed = Counter[str](), list[str](), np.zeros(4, np.int64), 0

    def add(flags: list[str], games: list[list[Question]]) -> None:
        found, differences = compare(job, gnugo, [*job.flags, *flags], games)
        counts.update(found)
        shown.extend(differences)

    while counts["legal compared"] < job.moves:
        seed += BATCH
        add([], [random_game(job, seed + k, rules) for k in range(BATCH)])
    add(["--chinese-rules"], scored_games(job, "area"))
    add(["--japanese-rules"], scored_games(job, "territory"))
    counts.update(dict(zip(FORBIDDEN, rules.tolist(), strict=True)))
    counts["different"] = sum(n for kind, n in counts.items() if kind.endswith(" different"))
    return job, counts, shown[:SHOWN]


def jobs(moves: int, seed: int) -> list[Job]:
    """Divides moves over sizes and rules, the longest jobs first."""
    share = -(-moves // (len(SIZES) * len(SUPERKO) * 2))
    kinds = product(sorted(SIZES + MORE_SIZES, reverse=True), SUPERKO, (False, True))
    return [Job(size, superko, suicide, share, seed + k) for k, (size, superko, suicide) in enumerate(kinds)]


def row(*cells: Any) -> str:
    """Sets a row of the table."""
    widths = (">4", "<12", "<8", ">9", ">8", ">11", ">9", ">22", ">11")
    return " ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True))


def main() -> None:
    """Prints the tables, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--moves", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    gnugo = shutil.which("gnugo", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/games"]))
    if gnugo is None:
        raise SystemExit("gnugo is not installed; Debian's package of that name is wanted")
    begun, total, moves, shown, todo = (
        time.perf_counter(),
        Counter[str](),
        0,
        list[str](),
        jobs(options.moves, options.seed),
    )
    print(row("size", "ko", "suicide", "moves", *FORBIDDEN, "different"))
    with ProcessPoolExecutor(options.processes) as pool:
        for job, counts, differences in pool.map(run, todo, [gnugo] * len(todo)):
            total += counts
            shown += differences
            moves += counts["legal compared"] if job.size in SIZES else 0
            cells = [f"{counts[key]:,}" for key in ("legal compared", *FORBIDDEN, "different")]
            print(row(job.size, job.superko, "yes" if job.suicide else "no", *cells), flush=True)
    for kind in sorted(k.removesuffix(" compared") for k in total if k.endswith(" compared")):
        print(f"{kind:20}{total[f'{kind} compared']:>12,} compared{total[f'{kind} different']:>8,} different")
    print(*shown[:SHOWN], sep="\n")
    seconds = round(time.perf_counter() - begun, 1)
    print(
        json.dumps({"moves": moves, "seconds": seconds, "different": total["different"], **dict(sorted(total.items()))})
    )


if __name__ == "__main__":
    main()
