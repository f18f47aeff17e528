"""SGF: games read per second beside sgfmill, and a million inputs that are no good SGF.

    python benchmarks/sgf.py [FILE] [--growth] [--fuzz N] [--seed S]

FILE is a collection, by default $PALESTRA_DATA/go9x9/games.sgf, or games made up where that is not set. The peer is
sgfmill 1.1.1 (`pip install sgfmill`), left out if it is not installed: both read the same bytes game by game, to trees
of nodes, and then to the moves of main lines, which are compared. Processor seconds, the best of five in turn. Then the
growth of the time with the length of files that repeat a piece, most of them damaged.

With --fuzz N, damaged files are given to `parse` and `read_games`: anything but a ValueError of one line is a crash.
"""

import argparse
import importlib
import importlib.util
import io
import json
import os
import random
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from palestra.envs.go.records import record_of, replay, tree_of
from palestra.envs.go.sgf import Node, dump, main_line, parse
from palestra.envs.go.sgf_files import read_games

SEEDS = (
    b"(;FF[4]GM[1]SZ[9]KM[6.5]PB[a \\] b]RE[W+3.5];B[ee];W[ge](;B[];W[tt])(;C[x\\\ny]))\n(;SZ[9]AB[aa:cc][ee]PL[W])",
    b"(;GaMe[1]SiZe[19]HA[2]AP[foxwq]KM[375]CoPyright[c];W[dd];B[pp]AE[dd]LB[aa:x\\:y](;W[dp](;B[pd])(;))(;W[pd]))",
    "(;CA[GBK]GM[1]C[朴埈奭 本因坊]SZ[5];B[aa])(;CA[Shift_JIS]SZ[5]C[ソ];W[bb])".encode("gbk", "replace"),
    "\ufeff(;GM[1]SZ[13:9]C[日本]RU[Japanese]DT[2001-01-01])junk(;CA[latin-9]SZ[25];B[yy];W[xx])".encode(),
)
PIECES = (
    *(b"( ) [ ] ; \\ : (; (;GM[1] B[aa] ;W[bb] [tt] SZ[9] SZ[99] CA[UTF-8] CA[gbk] KM[-1e9] HA[9]".split(b" ")),
    *(b"AB[aa:ss] AW[ee:aa] PL[x] RE[B+] \x81 \xe4\xb8 \x00".split(b" ")),
    b"\n",
    b" ",
)


def mutants(seed: int) -> Iterator[bytes]:
    """Yields damaged files without end: pieces cut out, doubled, moved, put in, and bytes changed."""
    rng = random.Random(seed)
    while True:
        data = rng.choice(SEEDS)
        for _ in range(rng.randint(1, 6)):
            at, to = sorted(rng.randint(0, len(data)) for _ in range(2))
            kind = rng.randrange(6)
            if kind == 0:
                data = data[:at] + data[to:]
            elif kind == 1:
                data = data[:to] + data[at:]
            elif kind == 2:
                data = data[:at] + rng.choice(PIECES) + data[at:]
            elif kind == 3:
                data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
            elif kind == 4:
                data = data[:at] + rng.choice(PIECES) * rng.randint(1, 8) + data[at + 2 :]
            else:
                data = data[:at] + rng.randbytes(rng.randint(0, 8)) + data[at:]
        yield data[:1000]


def examine(data: bytes) -> tuple[int, int, int]:
    """Gives damaged data to every reader; returns how many inputs `parse` refused, and games read and not replayed.

    Raises:
        Exception: what is not a ValueError of one line with a place or a game's name, or a tree that is not read back.
    """
    refused = not_replayed = 0
    try:
        roots = parse(data.decode("latin-1"))
    except ValueError as error:
        _check(error, ("line ", "there is no game"))
        refused = 1
    else:
        if dump(parse(dump(roots))) != dump(roots):
            raise AssertionError("a tree is not read back as it was written")
    reports: list[str] = []
    games = list(read_games(io.BytesIO(data), reports.append))
    for sentence in reports:
        _check(ValueError(sentence), ("games#", "games: "))
    for source, root in games:
        try:
            record = record_of(root, source)
            if record_of(tree_of(record), source) != record:
                raise AssertionError("a record is not read back as it was written")
            replay(record)
        except ValueError as error:
            _check(error, (source,))
            not_replayed += 1
    return refused, len(games), not_replayed


def _check(error: ValueError, begins: tuple[str, ...]) -> None:
    if type(error).__name__ not in ("ValueError", "IllegalMoveError") or not str(error).startswith(begins):
        raise AssertionError(f"{error!r} is no plain ValueError that says where") from error
    if "\n" in str(error):
        raise AssertionError(f"{error!r} has more than a line") from error


def fuzz(count: int, seed: int) -> dict[str, Any]:
    """Examines `count` damaged files and prints what became of them."""
    refused = games = not_replayed = crashes = 0
    slowest, begin, stream = 0.0, time.process_time(), mutants(seed)
    for i in range(count):
        data, start = next(stream), time.process_time()
        try:
            result = examine(data)
        except Exception as error:
            crashes += 1
            print(f"input {i} of seed {seed}: {error!r}: {data!r}")
            continue
        refused, games, not_replayed = refused + result[0], games + result[1], not_replayed + result[2]
        slowest = max(slowest, time.process_time() - start)
    seconds = time.process_time() - begin
    print(f"{count:,} damaged files of seed {seed} in {seconds:.0f} s: {refused:,} refused by parse, {crashes} crashes")
    print(
        f"{games:,} games were read from them, {not_replayed:,} not replayed; the slowest took {slowest * 1e3:.0f} ms"
    )
    figures = {"inputs": count, "seed": seed, "refused": refused, "crashes": crashes, "games": games}
    return {**figures, "not_replayed": not_replayed, "slowest_ms": slowest * 1e3}


def collection(path: str | None) -> bytes:
    """Returns a collection of games, a line each."""
    if path is None and "PALESTRA_DATA" in os.environ:
        path = str(Path(os.environ["PALESTRA_DATA"]) / "go9x9" / "games.sgf")
    if path is not None:
        return Path(path).read_bytes()
    rng = random.Random(0)
    points = [a + b for a in "abcdefghi" for b in "abcdefghi"]
    moves = ["".join(f";{'BW'[i % 2]}[{p}]" for i, p in enumerate(rng.sample(points, 61))) for _ in range(9000)]
    return "\n".join(f"(;GM[1]FF[4]SZ[9]KM[7]RE[W+R]{m})" for m in moves).encode()


def read_ours(lines: list[bytes]) -> int:
    """Reads games one by one to trees of nodes, as a user of files does."""
    return sum(1 for _ in read_games(io.BytesIO(b"\n".join(lines))))


def moves_ours(lines: list[bytes]) -> int:
    """Counts the moves of the main lines."""
    return sum(len(record_of(root).moves) for _, root in read_games(io.BytesIO(b"\n".join(lines))))


def moves_peer(lines: list[bytes]) -> int:
    """Counts the moves of the main lines with sgfmill."""
    games = (sgfmill().from_bytes(line) for line in lines)
    return sum(node.get_move()[0] is not None for game in games for node in game.get_main_sequence())


def read_peer(lines: list[bytes]) -> int:
    """Reads games with sgfmill to trees of nodes, which it makes when they are asked for."""
    return sum(len(sgfmill().from_bytes(line).get_main_sequence()) > 0 for line in lines)


def sgfmill() -> Any:
    """Returns the peer's class of games."""
    return importlib.import_module("sgfmill.sgf").Sgf_game


def same(ours: Node, peer: Any) -> bool:
    """Says whether a main line has the same properties in both."""
    mine = [{name: [v.encode() for v in values] for name, values in n.properties.items()} for n in main_line(ours)]
    theirs = [{name: n.get_raw_list(name) for name in n.properties()} for n in peer.get_main_sequence()]
    return mine == theirs


def best(work: Callable[[], object]) -> float:
    """Times work in processor seconds."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def speed(data: bytes) -> dict[str, Any]:
    """Prints games per second of both, and what memory the reading of the whole takes."""
    lines = data.splitlines()
    tasks: dict[str, Callable[[], object]] = {
        "ours, trees": lambda: read_ours(lines),
        "ours, moves": lambda: moves_ours(lines),
        "ours, all kept": lambda: parse(data.decode()),
    }
    if importlib.util.find_spec("sgfmill"):
        tasks |= {"sgfmill, trees": lambda: read_peer(lines), "sgfmill, moves": lambda: moves_peer(lines)}
        pairs = zip(read_games(io.BytesIO(data)), lines, strict=True)
        equal = sum(same(root, sgfmill().from_bytes(line)) for (_, root), line in pairs)
        print(f"{len(lines):,} games, of which {equal:,} have the same main line in both")
    else:
        print(f"{len(lines):,} games; sgfmill is not installed")
    seconds = dict.fromkeys(tasks, float("inf"))
    for _ in range(5):
        for name, work in tasks.items():
            seconds[name] = min(seconds[name], best(work))
    figures: dict[str, Any] = {name: len(lines) / s for name, s in seconds.items()}
    for name, rate in figures.items():
        print(f"{name:<16}{rate:>10,.0f} games/s")
    for kind in ("trees", "moves"):
        if f"sgfmill, {kind}" in figures:
            figures[f"ratio, {kind}"] = figures[f"ours, {kind}"] / figures[f"sgfmill, {kind}"]
            print(f"ours to sgfmill, {kind}: {figures[f'ratio, {kind}']:.2f}")
    tracemalloc.start()
    for _ in read_games(io.BytesIO(data)):
        pass
    figures["peak_mib"] = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    print(f"memory of a reading game by game: at most {figures['peak_mib']:.1f} MiB for {len(data) / 2**20:.1f} MiB")
    return figures


def growth() -> dict[str, float]:
    """Prints how the time of `read_games` grows from one mebibyte to four: 4 is linear."""
    figures = {}
    pieces = (
        b"(;GM[1]C[",
        b"(;CA[gbk]C[\x81]",
        b"(;B[aa]",
        b"(;",
        b"(",
        b"[",
        b"( ",
        b"\\",
        b"\x81",
        b" ",
        b";C[a]",
        b"C[(;",
    )
    for piece in pieces:
        for start in (b"(;", b"(;C["):
            one, four = (
                best(lambda n=n, p=piece, s=start: sum(1 for _ in read_games(io.BytesIO(s + p * (n // len(p))), str)))  # type: ignore[misc]
                for n in (1 << 20, 1 << 22)
            )
            figures[f"{start.decode()} {piece.decode('latin-1')}"] = four / one
            print(f"{start.decode():<6}{piece!s:<22}{one:>8.3f} s{four:>8.3f} s{four / one:>8.1f}")
    return figures


def main() -> None:
    """Prints the tables, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", help="a collection, a game a line")
    parser.add_argument("--fuzz", type=int, default=0, help="number of damaged files; the speed is not measured then")
    parser.add_argument("--growth", action="store_true", help="only the growth of the time")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.fuzz:
        figures = fuzz(options.fuzz, options.seed)
    else:
        figures = {} if options.growth else speed(collection(options.file))
        figures["growth"] = growth()
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
