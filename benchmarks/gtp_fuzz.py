"""Sends lines of all kinds to a GTP engine in this process, and counts what is not answered as the protocol wants.

Run by hand: `python benchmarks/gtp_fuzz.py --inputs 1000000`. Lines are valid commands, commands with arguments of all
kinds, and both with bytes changed; files are in memory. A crash is an exception or an internal error in an answer, a
hang an answer that took longer than `--hang` seconds; the engine's memory is looked at all along. The last line printed
is a JSON object.
"""

import argparse
import json
import random
import re
import resource
import time
from collections import Counter

from palestra.agents.mcts import Config
from palestra.agents.mcts_player import MCTSPlayer
from palestra.agents.player import Player, RandomPlayer, RandomPlayerConfig
from palestra.cli.gtp.brain import Brain
from palestra.cli.gtp.engine import add_commands, answers
from palestra.cli.gtp.rules import named_rules
from palestra.cli.gtp.session import Session
from palestra.cli.gtp.table import Table
from palestra.envs.game import Game

ANSWER = re.compile(r"([=?][0-9]*( [^\n]*)?\n([^\n]+\n)*\n)?")
SGF = b"(;GM[1]FF[4]SZ[5]KM[6.5]HA[2]AB[bb][dd]RU[Japanese];W[cc];B[dc](;W[])(;W[aa]))"
WORDS = "b w black white B W pass resign A1 B2 c3 D4 E5 T19 Z99 i5 a0 A1,B2 b,c 0 1 2 3 5 9 19 25 26 -1 7.5 6.5 1e999"
WORDS += " nan inf -0.0 .5 99999999999999999999 0x10 1_0 true false interval avoid allow minmoves maxmoves ownership"
WORDS += " rootInfo pvVisits alive dead seki black_territory a.sgf b.sgf - chinese japanese aga tromp-taylor cgos {"
WORDS += ' {"ko":"SIMPLE"} {"suicide":null} {"scoring":"TERRITORY"} ko SIMPLE none absolute byoyomi canadian # \\ %s'
ARGUMENTS = [
    *(word.encode() for word in WORDS.split()),
    b"\x00",
    b"\x7f",
    b"\xff\xfe",
    "é١".encode(),
    b"\t",
    b"a" * 400,
]
VALID = """boardsize 5|boardsize 9|clear_board|komi 6.5|undo|undo|showboard|last_move|move_history|captures b
all_legal w|is_legal b C3|countlib C3|findlib D4|list_stones b|fixed_handicap 2|place_free_handicap 4
set_free_handicap A1 B2|set_position b A1 w B2 b C3|time_settings 60 30 5|kgs-time_settings byoyomi 60 5 3
time_left b 30 0|loadsgf a.sgf|loadsgf a.sgf 3|printsgf|kata-get-rules|kata-set-rules japanese
kata-set-rules tromp-taylor|kata-set-rule suicide true|play b pass|play w pass|gogui-analyze_commands|gg-undo 3"""
VALID_LINES = [line.encode() for line in VALID.replace("\n", "|").split("|")]
HEAVY = {"genmove", "reg_genmove", "kgs-genmove_cleanup", "final_score", "final_status_list", "palestra-ownership"}


class Lines:
    """Draws lines."""

    def __init__(self, commands: list[str], seed: int) -> None:
        self.random = random.Random(seed)
        self.light = [name.encode() for name in commands if name not in HEAVY and "analy" not in name]
        self.heavy = [name.encode() for name in commands if name in HEAVY or "analy" in name]

    def draw(self) -> bytes:
        """Returns a line: a move, a command, or either with some bytes changed."""
        r = self.random
        kind = r.random()
        if kind < 0.3:
            size = r.choice((5, 5, 5, 9, 25))
            vertex = b"ABCDEFGHJKLMNOPQRSTUVWXYZ"[r.randrange(size) :][:1] + str(r.randint(1, size)).encode()
            line = b"play " + r.choice((b"b ", b"w ")) + vertex
        elif kind < 0.5:
            line = r.choice(VALID_LINES)
        elif kind < 0.97:
            names = self.heavy if r.random() < 0.02 else self.light
            words = [r.choice(names), *r.choices(ARGUMENTS, k=r.choice((0, 1, 1, 2, 2, 3, 4, 6)))]
            line = b" ".join([str(r.getrandbits(40)).encode(), *words] if r.random() < 0.1 else words)
        else:
            line = r.randbytes(r.randrange(80))
        return self.changed(line) if r.random() < 0.3 else line

    def changed(self, line: bytes) -> bytes:
        """Changes, drops, doubles or adds some bytes."""
        r, data = self.random, bytearray(line)
        for _ in range(r.randint(1, 4)):
            at = r.randrange(len(data) + 1)
            what = r.randrange(4)
            if what == 0:
                data[at : at + 1] = r.randbytes(1)
            elif what == 1:
                del data[at : at + r.randint(1, 4)]
            elif what == 2:
                data[at:at] = data[at : at + 8]
            else:
                data[at:at] = r.choice((b" ", b"\r", b"#", b"9" * 30, b"\x1b", b"-", b"."))
        return bytes(data).replace(b"\n", b" ")


def new_session(searches: bool) -> Session:
    """Makes an engine that touches no file and stops analysing at once."""
    config = Config(simulations=4, nodes=4096)

    def make(game: Game) -> Player:
        return MCTSPlayer(config, game, 0) if searches else RandomPlayer(RandomPlayerConfig(), game, 0)

    files = {"a.sgf": SGF, "b.sgf": SGF[:50]}
    session = Session(
        Brain("fuzzed", make, searches, -0.9), Table(named_rules("chinese", 5, None)), lambda seconds: True
    )
    session.read_file = lambda name: files.get(name, b"")
    session.write_file = lambda name, text: None
    add_commands(session)
    return session


def main() -> None:
    """Runs the fuzzer and prints what it found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hang", type=float, default=10.0, help="seconds after which an answer counts as a hang")
    options = parser.parse_args()
    sessions = [new_session(True), new_session(False)]
    lines = Lines(sorted(set(sessions[0].commands) - {"quit"}), options.seed)
    found: Counter[str] = Counter()
    for session in sessions:  # kernels are compiled, and not timed
        for name in sorted(session.commands):
            for args in ("", " b", " b C3", " alive", " 2", " a.sgf"):
                "".join(answers(session, (name + args).encode()))
        session.ended = False
    slowest, begin, early = 0.0, time.perf_counter(), 0.0
    for i in range(options.inputs):
        session, line = sessions[i % 2], lines.draw()
        now = time.perf_counter()
        try:
            answer = "".join(answers(session, line))
        except Exception as error:
            answer = f"? internal error: {error!r}\n\n"
        took = time.perf_counter() - now
        slowest = max(slowest, took)
        if took > options.hang:
            found["hangs"] += 1
            print(f"{line!r} took {took:.1f} s")
        bad = "internal error" in answer or not ANSWER.fullmatch(answer)
        if bad:
            found["crashes"] += 1
            print(f"{line!r}\n  {answer!r}")
        found["refused" if answer.startswith("?") else "answered" if answer else "empty"] += 1
        session.ended = False
        if i == options.inputs // 10:
            early = _peak()
    report = {
        "inputs": options.inputs,
        **{name: found[name] for name in ("crashes", "hangs", "answered", "refused", "empty")},
        "slowest_seconds": round(slowest, 3),
        "seconds": round(time.perf_counter() - begin, 1),
        "peak_mib_after_a_tenth": round(early),
        "peak_mib": round(_peak()),
    }
    for name, value in report.items():
        print(f"{name:24}{value:>12,}")
    print(json.dumps(report))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
