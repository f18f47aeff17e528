"""GTP commands that show a search at work: `lz-analyze`, `kata-analyze`, `cgos-analyze`, and moves with analysis.

Formats: Leela Zero's and KataGo's as in KataGo's docs/GTP_Extensions.md, CGOS's as in zakki/cgos's page on
`cgos-genmove_analyze` (JSON on one line). Values are those of the player to move. The bound `lcb` is the winrate less
1.96 standard errors of a mean of wins and losses.
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from palestra.agents.player import RESIGN
from palestra.cli.gtp.args import CommandError, is_color, read_bool, read_color, read_int, read_vertex, shown
from palestra.cli.gtp.brain import SLICE, Choice
from palestra.cli.gtp.moves import made, may_pass
from palestra.cli.gtp.score import Prediction, predict
from palestra.cli.gtp.session import Command, Session, fail_unless_open

LONGEST_INTERVAL = 100_000_000  # centiseconds
IGNORED = ("movesOwnership", "movesOwnershipStdev", "ownershipStdev", "pvVisits", "noResultValue")
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


@dataclass(frozen=True)
class Wanted:
    """What an analysis is to show."""

    color: int
    interval: float = math.inf
    """Seconds between two lines."""
    min_moves: int = 0
    max_moves: int = 1000
    ownership: bool = False
    root_info: bool = False
    avoid: frozenset[int] = frozenset()
    allow: frozenset[int] | None = None

    def shows(self, action: int) -> bool:
        """Says whether a move is among those to show."""
        return action not in self.avoid and (self.allow is None or action in self.allow)


class Line(NamedTuple):
    """One move as the search sees it."""

    move: str
    visits: int
    winrate: float
    lcb: float
    prior: float
    variation: list[str]


Format = Callable[[list[Line], "Prediction | None", Wanted], str]


def read_wanted(session: Session, args: list[str]) -> Wanted:
    """Reads `[COLOR] [INTERVAL] [KEY VALUE]...`, as analysis commands have them."""
    rest = list(args)
    wanted = Wanted(read_color(rest.pop(0)) if rest and is_color(rest[0]) else session.table.position.to_move)
    if rest and rest[0].isdigit():
        wanted = replace(wanted, interval=_interval(rest.pop(0)))
    while rest:
        key = rest.pop(0)
        if not rest:
            raise CommandError(f"syntax error: {shown(key)} has no value")
        if key in ("avoid", "allow"):
            wanted = _restricted(session, wanted, key, rest)
        else:
            wanted = _with(wanted, key, rest.pop(0))
    return wanted


def _with(wanted: Wanted, key: str, value: str) -> Wanted:
    if key == "interval":
        return replace(wanted, interval=_interval(value))
    if key == "minmoves":
        return replace(wanted, min_moves=read_int(value, key, 0, 1000))
    if key == "maxmoves":
        return replace(wanted, max_moves=read_int(value, key, 1, 1000))
    if key == "ownership":
        return replace(wanted, ownership=read_bool(value, key))
    if key == "rootInfo":
        return replace(wanted, root_info=read_bool(value, key))
    if key in IGNORED:
        read_bool(value, key)
        return wanted
    raise CommandError(f"syntax error: there is no option {shown(key)}")


def _interval(text: str) -> float:
    centiseconds = read_int(text, "the interval", 0, LONGEST_INTERVAL)
    return centiseconds / 100 if centiseconds else math.inf


def _restricted(session: Session, wanted: Wanted, key: str, rest: list[str]) -> Wanted:
    """Reads `avoid|allow COLOR VERTEX,VERTEX,... UNTIL_DEPTH`; the root's moves of that colour are chosen from."""
    if len(rest) < 3:
        raise CommandError(f"syntax error: {key} COLOR VERTEX,VERTEX,... DEPTH is wanted")
    color, points, depth = rest.pop(0), rest.pop(0), rest.pop(0)
    mover, moves = read_color(color), frozenset(read_vertex(p, session.table.size) for p in points.split(","))
    read_int(depth, "the depth", 1, 999_999)
    if mover != wanted.color:
        return wanted
    if key == "avoid":
        return replace(wanted, avoid=wanted.avoid | moves)
    return replace(wanted, allow=moves | (wanted.allow or frozenset()))


def lines_of(session: Session, wanted: Wanted) -> list[Line]:
    """Returns the moves to show, the best first: those visited, and more up to `min_moves`."""
    search, name = session.brain.search, session.table.name
    children = [child for child in search.children() if wanted.shows(child.action)]
    seen = [child for child in children if child.visits]
    seen += [child for child in children if not child.visits][: max(0, wanted.min_moves - len(seen))]
    lines = []
    for child in seen[: wanted.max_moves]:
        winrate = min(max((child.value + 1) / 2, 0.0), 1.0)
        error = 1.96 * math.sqrt(winrate * (1 - winrate) / max(child.visits, 1))
        moves = (
            [name(int(action)) for action in search.variation(child.action)] if child.visits else [name(child.action)]
        )
        lines.append(Line(name(child.action), child.visits, winrate, max(winrate - error, 0.0), child.prior, moves))
    return lines


def leela(lines: list[Line], prediction: Prediction | None, wanted: Wanted) -> str:
    """Writes a line as Leela Zero does: shares of 10,000."""
    return " ".join(
        f"info move {line.move} visits {line.visits} winrate {round(1e4 * line.winrate)}"
        f" prior {round(1e4 * line.prior)} lcb {round(1e4 * line.lcb)} order {order} pv {' '.join(line.variation)}"
        for order, line in enumerate(lines)
    )


def katago(lines: list[Line], prediction: Prediction | None, wanted: Wanted) -> str:
    """Writes a line as KataGo does: shares of one, the expected lead, and ownership.

    Shares have a point even where they are whole, by which Sabaki tells them from Leela Zero's.
    """
    lead = f" scoreMean {prediction.lead:.4g} scoreStdev {prediction.deviation:.4g}" if prediction else ""
    lead += f" scoreLead {prediction.lead:.4g}" if prediction else ""
    words = [
        f"info move {line.move} visits {line.visits} utility {2 * line.winrate - 1:.6f}"
        f" winrate {line.winrate:.6f}{lead} prior {line.prior:.6f} lcb {line.lcb:.6f}"
        f" utilityLcb {2 * line.lcb - 1:.6f} order {order} pv {' '.join(line.variation)}"
        for order, line in enumerate(lines)
    ]
    if wanted.root_info:
        visits, winrate = root_of(lines)
        words.append(f"rootInfo visits {visits} utility {2 * winrate - 1:.6f} winrate {winrate:.6f}{lead}")
    if wanted.ownership and prediction:
        words.append("ownership " + " ".join(f"{value:.4g}" for value in prediction.ownership.ravel()))
    return " ".join(words)


def cgos(lines: list[Line], prediction: Prediction | None, wanted: Wanted) -> str:
    """Writes a line as CGOS reads it: JSON, ownership as letters from A (the opponent's) to + (the player's)."""
    visits, winrate = root_of(lines)
    report: dict[str, Any] = {"winrate": round(winrate, 4), "visits": visits}
    if prediction:
        report["score"] = round(prediction.lead, 2)
        index = np.rint((np.clip(prediction.ownership.ravel(), -1, 1) + 1) * 31).astype(int)
        report["ownership"] = "".join(_BASE64[i] for i in index)
    report["moves"] = [
        {
            "move": line.move,
            "visits": line.visits,
            "winrate": round(line.winrate, 4),
            "prior": round(line.prior, 6),
            "pv": " ".join(line.variation[1:]),
        }
        for line in lines
    ]
    return json.dumps(report, separators=(",", ":"))


def root_of(lines: list[Line]) -> tuple[int, float]:
    """Returns visits and winrate of the position, from those of its moves."""
    visits = sum(line.visits for line in lines)
    return visits, sum(line.visits * line.winrate for line in lines) / visits if visits else 0.5


def analysed(format_: Format, predicts: bool, session: Session, args: list[str]) -> Iterator[str]:
    """Searches until input comes, and yields lines; the first of them, empty, says that the arguments are right."""
    wanted = read_wanted(session, args)
    fail_unless_open(session)
    state, search = session.table.state_for(wanted.color), session.brain.search
    search.run(state, simulations=1)
    prediction = predict(session.table.state, wanted.color) if predicts else None
    yield ""
    due, shown_once = time.perf_counter() + wanted.interval, False
    while True:
        with session.timed():
            search.run(state, seconds=min(SLICE, wanted.interval))
        if time.perf_counter() >= due:
            due, shown_once = max(due + wanted.interval, time.perf_counter()), True
            yield format_(lines_of(session, wanted), prediction, wanted)
        idle = 0.0 if search.simulations else min(wanted.interval, 1.0)
        if session.waiting(idle):
            break
    if not shown_once:
        yield format_(lines_of(session, wanted), prediction, wanted)


def generated(format_: Format, predicts: bool, session: Session, args: list[str]) -> Iterator[str]:
    """Searches for a move as `genmove` does, yields lines now and then and at the end, and then the move."""
    wanted = read_wanted(session, args)
    fail_unless_open(session)
    passing = may_pass(session, wanted.color)
    prediction = predict(session.table.state, wanted.color) if predicts else None
    state = session.table.state_for(wanted.color)
    session.brain.search.run(state, simulations=1)
    yield ""
    due = time.perf_counter() + wanted.interval
    for _ in session.brain.slices(state, session.seconds(wanted.color)):
        if time.perf_counter() >= due and format_ is not cgos:
            due = time.perf_counter() + wanted.interval
            yield format_(lines_of(session, wanted), prediction, wanted)
    choice = Choice(session.table.position.pass_action) if passing else _preferred(session, wanted)
    yield format_(lines_of(session, wanted), prediction, wanted)
    yield f"play {made(session, wanted.color, choice)}"


def _preferred(session: Session, wanted: Wanted) -> Choice:
    actions = range(session.table.position.pass_action + 1)
    choice = session.brain.pick([action for action in actions if not wanted.shows(action)])
    allowed = choice.action == RESIGN or wanted.shows(choice.action)
    return choice if allowed else Choice(session.table.position.pass_action)


def sboard_visits(session: Session, args: list[str]) -> str:
    """Returns the visits of the last search as GoGui's board of strings."""
    size, visits = session.table.size, dict[int, int]()
    if session.brain.search.visits:
        visits = {child.action: child.visits for child in session.brain.search.children()}
    cells = [str(visits.get(action) or '""') for action in range(size * size)]
    return "\n".join(" ".join(cells[row * size : (row + 1) * size]) for row in range(size))


def dboard_ownership(session: Session, args: list[str]) -> str:
    """Returns whose each point will be as GoGui's board of numbers, 1 Black's, -1 White's."""
    rows = predict(session.table.state, 1).ownership
    return "\n".join(" ".join(f"{value:.2f}" for value in row) for row in rows)


def gogui_commands(session: Session, args: list[str]) -> str:
    """Lists, for GoGui's window of analysis, `type/label/command`."""
    known = [
        "plist/All legal/all_legal %c",
        "string/Count liberties/countlib %p",
        "plist/Find liberties/findlib %p",
        "string/Final score/final_score",
        "plist/Final status list/final_status_list %s",
        "dboard/Ownership/palestra-ownership",
        "sboard/Visits/palestra-visits",
        "string/Last move explained/gomill-explain_last_move",
    ]
    return "\n".join(line for line in known if line.split("/")[2].split()[0] in session.commands)


def _command(work: Callable[..., Iterator[str]], format_: Format, predicts: bool) -> Command:
    return lambda session, args: work(format_, predicts, session, args)


def stop(session: Session, args: list[str]) -> str:
    """Ends analysis, as any line does."""
    return ""


COMMANDS: dict[str, Command] = {
    "lz-analyze": _command(analysed, leela, False),
    "lz-genmove_analyze": _command(generated, leela, False),
    "kata-analyze": _command(analysed, katago, True),
    "kata-genmove_analyze": _command(generated, katago, True),
    "cgos-analyze": _command(analysed, cgos, True),
    "cgos-genmove_analyze": _command(generated, cgos, True),
    "palestra-visits": sboard_visits,
}
ALWAYS: dict[str, Command] = {
    "stop": stop,
    "gogui-analyze_commands": gogui_commands,
    "palestra-ownership": dboard_ownership,
}
