"""KataGo's analysis engine for programs that speak it in place of GTP, such as KaTrain: JSON queries, a line each.

The protocol is described in KataGo's docs/Analysis_Engine.md. Understood are positions (`moves`, `initialStones`,
`rules`, `komi`), `analyzeTurns`, `maxVisits`, `maxTime`, `priority`, reports during the search, ownership, policy,
avoided moves of the root, and the actions `terminate`, `terminate_all`, `query_version` and `clear_cache`. Leads and
ownership are those of playouts. Winrates and leads are Black's unless `reportAnalysisWinratesAs` says otherwise.
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from palestra.cli.gtp.analysis import Line, Wanted, lines_of, root_of
from palestra.cli.gtp.args import CommandError, read_color, read_point, read_vertex
from palestra.cli.gtp.brain import SLICE
from palestra.cli.gtp.engine import LONGEST_LINE, Lines
from palestra.cli.gtp.rules import named_rules, read_fields
from palestra.cli.gtp.score import predict
from palestra.cli.gtp.session import Session
from palestra.cli.gtp.table import Setup, Table
from palestra.envs.game import State
from palestra.envs.go.game import go_game
from palestra.envs.go.state import BLACK, WHITE
from palestra.envs.rng import seed_state

MOVE_PLAYOUTS = 100  # for the lead after a move
MOST_LEADS = 12  # moves of a report whose leads are looked at one by one
SIDES = {"BLACK": BLACK, "WHITE": WHITE, "SIDETOMOVE": 0}


@dataclass
class Job:
    """A position to analyse."""

    id: str
    turn: int
    table: Table
    wanted: Wanted
    side: int
    """The colour whose winrates are reported, 0 for the player to move."""
    priority: int
    visits: int
    seconds: float
    interval: float
    """Seconds between two reports during the search."""
    ownership: bool
    policy: bool
    cut: bool = False
    """Whether `terminate` has ended it."""


class Analyst:
    """Answers queries until the input ends and all are answered; one is worked on at a time."""

    def __init__(self, session: Session, lines: Lines, write: Callable[[str], object]) -> None:
        self._session, self._lines, self._input, self._write = session, lines, iter(lines), write
        self._jobs: list[Job] = []
        self._open = True

    def serve(self) -> None:
        """Works."""
        while self._open or self._jobs:
            self._take_in(None if self._jobs else 3600.0)
            if self._jobs:
                job = max(self._jobs, key=lambda job: job.priority)  # the first of several
                try:
                    self._work(job)
                except (CommandError, ValueError) as error:
                    self._say({"id": job.id, "error": str(error)})
                self._jobs.remove(job)

    def _take_in(self, seconds: float | None) -> None:
        """Reads what has come; waits for some seconds if there is nothing."""
        while self._open and self._lines.waiting(seconds or 0.0):
            line = next(self._input, None)
            self._open = line is not None
            if line and line.strip():
                self._query(line)
            seconds = None

    def _query(self, line: bytes) -> None:
        """Does an action or queues a query."""
        query: Any = None
        try:
            if len(line) > LONGEST_LINE:
                raise ValueError(f"a query has more than {LONGEST_LINE} bytes")
            query = json.loads(line)
            if not isinstance(query, dict) or not isinstance(query.get("id"), str):
                raise ValueError("a JSON object with an id is wanted")
            if "action" in query:
                self._act(query)
            else:
                self._jobs += read_jobs(query)
        except RecursionError:
            self._say({"error": "the query is nested too deep"})
        except (CommandError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            known = {"id": query["id"]} if isinstance(query, dict) and isinstance(query.get("id"), str) else {}
            why = f"the field {error} is missing, or no such value" if isinstance(error, KeyError) else str(error)
            self._say({**known, "error": " ".join(why.split())[:500]})

    def _act(self, query: dict[str, Any]) -> None:
        action = query["action"]
        if action == "query_version":
            query = {**query, "version": version("palestra"), "git_hash": ""}
        elif action in ("terminate", "terminate_all"):
            for job in self._jobs:
                job.cut |= action == "terminate_all" or job.id == query.get("terminateId")
        elif action != "clear_cache":
            raise ValueError(f"there is no action {str(action)[:40]!r}")
        self._say(query)

    def _work(self, job: Job) -> None:
        """Searches, with reports if some are wanted, and reports."""
        session = self._session
        session.table = job.table
        session.changed()
        state, search = job.table.state_for(job.wanted.color), session.brain.search
        end = time.perf_counter() + job.seconds
        due = time.perf_counter() + job.interval
        if job.cut:
            self._say({"id": job.id, "turnNumber": job.turn, "isDuringSearch": False, "noResults": True})
            return
        search.run(state, simulations=1)
        while search.visits < job.visits and time.perf_counter() < end and not job.cut:
            search.run(state, simulations=max(1, min(64, job.visits - search.visits)))
            if not search.simulations:
                break
            if time.perf_counter() >= due:
                due = time.perf_counter() + job.interval
                self._say(report(session, job, state, True))
            self._take_in(None)
        self._say(report(session, job, state, False))

    def _say(self, answer: dict[str, Any]) -> None:
        self._write(json.dumps(answer, separators=(",", ":")) + "\n")


def read_jobs(query: dict[str, Any]) -> list[Job]:
    """Returns the positions that a query asks about.

    Raises:
        ValueError: it asks about none that can be had.
        KeyError, TypeError, AttributeError: a field is missing or of a wrong kind.
    """
    size = query["boardXSize"]
    if size != query["boardYSize"] or not isinstance(size, int):
        raise ValueError("only square boards can be played")
    komi = float(query["komi"]) if "komi" in query else None
    given = query["rules"]
    rules = named_rules(given.lower() if isinstance(given, str) else "chinese", size, komi)
    if isinstance(given, dict):
        rules = read_fields(rules, given)
    stones: dict[int, list[int]] = {BLACK: [], WHITE: []}
    for color, point in query.get("initialStones", []):
        stones[read_color(color)].append(read_point(point, size))
    moves = [(read_color(color), read_vertex(vertex, size)) for color, vertex in query["moves"]]
    first = read_color(query["initialPlayer"]) if "initialPlayer" in query else moves[0][0] if moves else BLACK
    turns = query.get("analyzeTurns", [len(moves)])
    if not all(isinstance(turn, int) and 0 <= turn <= len(moves) for turn in turns):
        raise ValueError(f"analyzeTurns must lie between 0 and {len(moves)}")
    jobs = []
    for turn in sorted(set(turns)):
        table = Table(rules)
        table.set_up(Setup(tuple(stones[BLACK]), tuple(stones[WHITE]), first))
        for color, action in moves[:turn]:
            table.play(action, color)
        jobs.append(_job(query, turn, table))
    return jobs


def _job(query: dict[str, Any], turn: int, table: Table) -> Job:
    settings = query.get("overrideSettings", {})
    avoid: set[int] = set()
    for entry in query.get("avoidMoves", []):
        if read_color(entry["player"]) == table.position.to_move:
            avoid |= {read_vertex(move, table.size) for move in entry["moves"]}
    visits, seconds = int(query.get("maxVisits", 1000)), float(settings.get("maxTime", math.inf))
    if visits < 1 or not seconds > 0:
        raise ValueError("maxVisits and maxTime must be above 0")
    return Job(
        id=query["id"],
        turn=turn,
        table=table,
        wanted=Wanted(table.position.to_move, avoid=frozenset(avoid)),
        side=SIDES[str(settings.get("reportAnalysisWinratesAs", "BLACK")).upper()],
        priority=int(query.get("priority", 0)),
        visits=visits,
        seconds=seconds,
        interval=max(float(query.get("reportDuringSearchEvery", math.inf)), SLICE),
        ownership=query.get("includeOwnership") is True,
        policy=query.get("includePolicy") is True,
    )


def report(session: Session, job: Job, state: State, during: bool) -> dict[str, Any]:
    """Returns what the search knows, as the protocol writes it."""
    mover = job.wanted.color
    sign = 1 if job.side in (0, mover) else -1
    lines = lines_of(session, job.wanted)
    visits, winrate = root_of(lines)
    prediction = predict(job.table.state, mover)
    leads = _leads(job, state, lines)
    infos = [_info(line, order, sign, leads.get(line.move, prediction.lead)) for order, line in enumerate(lines)]
    root = {"currentPlayer": "BW"[mover - 1], "visits": visits, "winrate": _turned(winrate, sign)}
    root |= {"scoreLead": sign * prediction.lead, "scoreSelfplay": sign * prediction.lead}
    root |= {"scoreStdev": prediction.deviation, "utility": sign * (2 * winrate - 1)}
    answer = {"id": job.id, "turnNumber": job.turn, "isDuringSearch": during, "moveInfos": infos, "rootInfo": root}
    if job.ownership:
        answer["ownership"] = np.round(sign * prediction.ownership.ravel(), 4).tolist()
    if job.policy:
        policy = np.full(job.table.size**2 + 1, -1.0)
        for child in session.brain.search.children():
            policy[child.action] = child.prior
        answer["policy"] = np.round(policy, 6).tolist()
    return answer


def _turned(winrate: float, sign: int) -> float:
    return winrate if sign > 0 else 1 - winrate


def _info(line: Line, order: int, sign: int, lead: float) -> dict[str, Any]:
    lead = round(sign * lead, 3)
    return {
        "move": line.move,
        "visits": line.visits,
        "winrate": _turned(line.winrate, sign),
        "utility": sign * (2 * line.winrate - 1),
        "lcb": _turned(line.lcb, sign),
        "scoreLead": lead,
        "scoreMean": lead,
        "scoreSelfplay": lead,
        "prior": line.prior,
        "order": order,
        "pv": line.variation,
    }


def _leads(job: Job, state: State, lines: list[Line]) -> dict[str, float]:
    """Returns the mover's lead after each of the first moves."""
    game, rng, leads = go_game(job.table.position.rules), seed_state(0), {}
    for line in lines[:MOST_LEADS]:
        after = state.copy()
        game.play(after, read_vertex(line.move, job.table.size), rng, game.data)
        leads[line.move] = predict(after, job.wanted.color, MOVE_PLAYOUTS).lead
    return leads
