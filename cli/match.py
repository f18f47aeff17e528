"""`palestra match A B`: two players against each other, with score, interval, Elo and a record of each game."""

import contextlib
import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from palestra.agents.elo import SPRT
from palestra.agents.match import check_match
from palestra.agents.match_jobs import MatchPlan, play_match
from palestra.agents.player import PLAYERS
from palestra.cli.match_record import GoRecords, MoveRecords, Records, openings_of
from palestra.cli.match_report import Tally, lines, running, sequential, summary
from palestra.cli.options import key_values, parse, refuse_given
from palestra.cli.players import player_named
from palestra.cli.progress import Progress, say
from palestra.cli.run import free_name, runs_folder, write_json
from palestra.envs.games import make_game
from palestra.envs.go.rules import Rules, rules_named
from palestra.envs.go.state import SIZE
from palestra.envs.spec import EnvSpec

USAGE = "palestra match A B --env GAME"


@dataclass(frozen=True)
class Options:
    """Plays games with alternating colours; a player is random, mcts:simulations=100, gtp:gnugo --mode gtp or a run."""

    env: str = ""
    """The game, as go-9x9 or connect-four, or an environment of teams, as palestra/HideAndSeek-v0."""
    env_kwargs: tuple[str, ...] = ()
    """Options of an environment of teams, as in --env-kwargs scenario=full."""
    rules: str | None = None
    """Rules of Go: tromp-taylor, chinese (if left out), japanese, aga or cgos."""
    komi: float | None = None
    """Points that White gets in Go; those of the rules if left out."""
    games: int = 100
    """Games to play; with --sprt at most so many. Teams play each episode twice, with sides swapped."""
    seed: int = 0
    """Root of the randomness of players and openings."""
    openings: str = ""
    """SGF file of openings, or a number of random plies; each is played twice with colours swapped."""
    sprt: str = ""
    """Ends as soon as it is known whether A is stronger by the first or by the second of two Elo differences: 0,50."""
    referee: str = ""
    """Go program that counts the games, as gtp:gnugo --mode gtp --chinese-rules."""
    max_plies: int = 0
    """Moves after which a game is cut off; 0 leaves it to the game."""
    timeout: float = 600.0
    """Seconds in which a program must answer."""
    jobs: int = 1
    """Processes that play games at the same time."""
    out: Path | None = None
    """Folder of the games' records; runs/match-1, -2 ... if left out."""
    json: bool = False
    """Whether to print one JSON object instead of lines for people."""

    def __post_init__(self) -> None:
        for name, least in (("games", 1), ("jobs", 1), ("max_plies", 0), ("seed", 0)):
            if getattr(self, name) < least:
                option = name.replace("_", "-")
                raise ValueError(f"--{option} is {getattr(self, name)}, but at least {least} is wanted")


def main(args: Sequence[str]) -> int:
    """Plays a match, prints the result, and keeps it as `match.json` beside the games."""
    players = _players(args)
    if len(players) < 2 and not {"-h", "--help"} & set(args):
        raise ValueError(f"who plays is missing: {USAGE}, where {', '.join(PLAYERS)} and runs of agents can play")
    options = parse(Options, list(args[len(players) :]), USAGE)
    if not options.env:
        raise ValueError("--env is missing: the game to play, as in --env go-9x9")
    out = options.out or runs_folder() / free_name("match")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"--out {out} exists and is not empty; choose another folder")
    if _of_teams(options):
        from palestra.cli import match_teams

        env = EnvSpec(options.env, kwargs=key_values(options.env_kwargs))
        report, status = match_teams.play((players[0], players[1]), env, options.games, options.seed, out)
        print(json.dumps(report) if options.json else match_teams.lines(report))
        return status
    plan, test = _plan(players, options), _test(options.sprt)
    tally = Tally(len(plan.openings) if options.openings else 0)
    out.mkdir(parents=True, exist_ok=True)
    try:
        with _records(plan, options, out) as records:
            status, stopped = _play(plan, options.jobs, test, records, tally)
    except BaseException:
        with contextlib.suppress(OSError):  # a folder that holds games stays
            out.rmdir()
        raise
    report = {
        "players": dict(zip("AB", plan.players, strict=True)),
        "names": dict(zip("AB", tally.names, strict=True)),
        "env": plan.env,
        "rules": dataclasses.asdict(plan.rules) | {"name": options.rules or "chinese"} if plan.rules else None,
        "seed": plan.seed,
        **summary(tally),
        "disagreements": tally.disagreements if options.referee else None,
        "sprt": sequential(tally, test) if test else None,
        "out": str(out),
        "stopped": stopped,
    }
    write_json(out / "match.json", report)
    print(json.dumps(report) if options.json else lines(report))
    return status


def _play(plan: MatchPlan, jobs: int, test: SPRT | None, records: Records, tally: Tally) -> tuple[int, str]:
    """Plays until the games are done or the test ends; returns the exit status and what stopped it after some games."""
    games = play_match(plan, jobs)
    try:
        with Progress("playing", plan.games) as progress:
            for index, played in enumerate(games):
                tally.add(played, records.judge(index, played))
                progress.update(index + 1, running(tally.standing))
                if test and test.verdict(*tally.outcomes()) != "continue":
                    break
    except (ValueError, OSError, MemoryError, KeyboardInterrupt) as stop:
        if not tally.points:
            raise
        if isinstance(stop, KeyboardInterrupt):
            return 130, "interrupted"
        say(f"palestra: after {len(tally.points)} games: {stop}")
        return 2, " ".join(str(stop).split())
    finally:
        games.close()
    return 0, ""


def _of_teams(options: Options) -> bool:
    """Says whether teams play; checks that nothing is asked that only board games have."""
    if "/" not in options.env or not EnvSpec(options.env).is_teams:  # games have plain names
        return False
    alone = ("rules", "komi", "openings", "sprt", "referee", "max_plies", "jobs")
    refuse_given(options, alone, f"is for board games, but {options.env} is played by teams")
    return True


def _players(args: Sequence[str]) -> list[str]:
    """Returns the players at the beginning of the arguments, two of them at most."""
    return [arg for i, arg in enumerate(args[:2]) if not any(a.startswith("-") for a in args[: i + 1])]


def _plan(players: Sequence[str], options: Options) -> MatchPlan:
    """Checks what is to be played, all but the players."""
    refuse_given(options, ("env_kwargs",), f"is for environments of teams, but {options.env} is played")
    rules = _rules(options)
    plan = MatchPlan(
        (players[0], players[1]),
        options.env,
        rules,
        options.games,
        options.seed,
        timeout=options.timeout,
        make=player_named,
    )
    game = plan.game()
    check_match(game)
    return dataclasses.replace(
        plan,
        openings=openings_of(options.openings, game, rules, math.ceil(options.games / 2), options.seed),
        max_plies=0 if rules else options.max_plies,
    )


def _rules(options: Options) -> Rules | None:
    """Returns the rules of Go, or None if another game is played."""
    game = make_game(options.env)
    if game.name.startswith("go-"):
        size, name = int(game.start[SIZE]), options.rules or "chinese"
        return rules_named(name, size=size, komi=options.komi, max_moves=options.max_plies or None)
    for name, given in (("rules", options.rules), ("komi", options.komi), ("referee", options.referee or None)):
        if given is not None:
            raise ValueError(f"--{name} is for Go, but {options.env} is played")
    if options.max_plies > game.max_plies:
        raise ValueError(f"--max-plies is {options.max_plies}, but {options.env} has at most {game.max_plies} moves")
    return None


def _records(plan: MatchPlan, options: Options, out: Path) -> Records:
    if plan.rules is None:
        return MoveRecords(plan.game(), out)
    referee = options.referee.removeprefix("gtp:")
    return GoRecords(plan.rules, options.rules or "chinese", out, referee=referee, timeout=options.timeout)


def _test(text: str) -> SPRT | None:
    """Reads `--sprt elo0,elo1`."""
    if not text:
        return None
    try:
        elo0, elo1 = (float(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"--sprt is {text!r}, but two Elo differences are wanted, as in 0,50") from None
    return SPRT(elo0, elo1)
