"""GTP commands that think or count: moves, time, and the end of the game.

`kgs-` commands are those of kgsGtp, `gomill-` those of Gomill, the rest of GTP 2 (draft 2, sections 4.2 and 6.3).
"""

import time

from palestra.agents.player import RESIGN
from palestra.cli.counting import score_text
from palestra.cli.gtp.args import CommandError, read_color, read_int, read_seconds, shown, syntax_error, take
from palestra.cli.gtp.brain import Choice
from palestra.cli.gtp.clock import KINDS, TimeLeft, TimeSettings, standard
from palestra.cli.gtp.score import final_lead, status_list
from palestra.cli.gtp.session import Command, Session, fail_unless_open
from palestra.envs.go.dead import dead_stones


def genmove(session: Session, args: list[str]) -> str:
    """Chooses a move and makes it: `genmove COLOR`; returns its vertex, pass or resign."""
    take(args, 1, 1, "COLOR")
    color = read_color(args[0])
    return made(session, color, chosen(session, color))


def reg_genmove(session: Session, args: list[str]) -> str:
    """Chooses a move as `genmove` does and leaves the board as it is."""
    take(args, 1, 1, "COLOR")
    choice = chosen(session, read_color(args[0]))
    return "resign" if choice.action == RESIGN else session.table.name(choice.action)


def genmove_cleanup(session: Session, args: list[str]) -> str:
    """Makes a move that takes off the opponent's dead stones, as long as there are any, before a pass."""
    take(args, 1, 1, "COLOR")
    color = read_color(args[0])
    fail_unless_open(session)
    table = session.table
    dead = set(dead_stones(table.state)) & set(table.stones(3 - color))
    if not dead:
        return made(session, color, chosen(session, color))
    choice = chosen(session, color, cleanup=True)
    if choice.action in (RESIGN, table.position.pass_action) or not choice.visits:  # a won game is not searched
        choice = Choice(_towards(session, color, dead))
    return made(session, color, choice)


def chosen(session: Session, color: int, cleanup: bool = False) -> Choice:
    """Chooses a move; one that ends a won game after the opponent's pass, unless dead stones are to be taken off."""
    fail_unless_open(session)
    passing = session.table.position.pass_action
    if not cleanup and may_pass(session, color):
        return Choice(passing)
    with session.timed():
        choice = session.brain.choose(
            session.table.state_for(color), session.seconds(color), (passing,) if cleanup else ()
        )
    return choice


def may_pass(session: Session, color: int) -> bool:
    """Says whether the opponent has passed and the game is won once dead stones are off."""
    table = session.table
    if not table.rules.agreement or table.moves[-1:] != [(3 - color, table.position.pass_action)]:
        return False
    lead = final_lead(table)
    return lead > 0 if color == 1 else lead < 0


def made(session: Session, color: int, choice: Choice) -> str:
    """Makes a move that was chosen and names it; a resignation changes nothing."""
    if choice.action == RESIGN:
        return "resign"
    name = session.table.name(choice.action)
    if reason := session.table.forbidden(choice.action, color):
        raise CommandError(f"{session.brain.name} chose {name}, which is illegal: {reason}")
    session.play(choice.action, color)
    known = f", expected result {choice.value:+.2f} after {choice.visits} simulations" if choice.visits else ""
    session.comment = f"{name}{known}"
    return name


def _towards(session: Session, color: int, dead: set[int]) -> int:
    """Returns a legal move beside dead stones, or a pass."""
    table = session.table
    legal = table.legal(color)
    beside = sorted({point for stone in dead for point in table.chain(stone)[1]})
    safe = [point for point in beside if legal[point]]
    return safe[0] if safe else table.position.pass_action


def time_settings(session: Session, args: list[str]) -> str:
    """Sets the time of a game: `time_settings MAIN BYO_YOMI STONES`, seconds twice."""
    take(args, 3, 3, "MAIN_TIME BYO_YOMI_TIME BYO_YOMI_STONES")
    main, period = (read_seconds(arg, "a time") for arg in args[:2])
    session.settings = standard(main, period, read_int(args[2], "the number of stones", 0, 999_999))
    session.left = {}
    return ""


def kgs_time_settings(session: Session, args: list[str]) -> str:
    """Sets the time by its kind: `none`, `absolute MAIN`, `byoyomi` or `canadian MAIN PERIOD NUMBER`."""
    kind = args[0].lower() if args else ""
    if kind not in KINDS:
        raise syntax_error(f"the kind of time is {shown(kind)}, but one of {', '.join(KINDS)} is wanted")
    wanted = {"none": 0, "absolute": 1}.get(kind, 3)
    if len(args) != 1 + wanted:
        raise syntax_error(f"{kind} has {wanted} numbers, but {len(args) - 1} came")
    times = [read_seconds(arg, "a time") for arg in args[1:3]] + [0.0, 0.0]
    number = read_int(args[3], "the number", 1, 999_999) if wanted == 3 else 0
    session.settings = TimeSettings(next(known for known in KINDS if known == kind), times[0], times[1], number)
    session.left = {}
    return ""


def list_time_settings(session: Session, args: list[str]) -> str:
    """Returns the kinds of time that `kata-time_settings` knows."""
    take(args, 0, 0, "")
    return " ".join(KINDS)


def time_left(session: Session, args: list[str]) -> str:
    """Says what is left on a clock: `time_left COLOR SECONDS STONES`; no stones in main time."""
    take(args, 3, 3, "COLOR TIME STONES")
    color, seconds = read_color(args[0]), read_seconds(args[1], "the time")
    session.left[color] = TimeLeft(seconds, read_int(args[2], "the number of stones", 0, 999_999))
    return ""


def final_score(session: Session, args: list[str]) -> str:
    """Returns the result with dead stones off, as B+3.5, W+2 or 0."""
    take(args, 0, 0, "")
    return score_text(final_lead(session.table))


def final_status_list(session: Session, args: list[str]) -> str:
    """Returns the stones or points of a status, a chain a line: `final_status_list STATUS`."""
    take(args, 1, 1, "alive|dead|seki|black_territory|white_territory")
    try:
        return status_list(session.table, args[0].lower())
    except KeyError:
        raise syntax_error(f"the status is {shown(args[0])}, but alive, dead or seki is wanted") from None


def game_over(session: Session, args: list[str]) -> str:
    """Takes notice of the end of a game on KGS; there is nothing to do."""
    return ""


def explain_last_move(session: Session, args: list[str]) -> str:
    """Returns what the last move that was chosen was expected to bring."""
    take(args, 0, 0, "")
    return session.comment


def describe_engine(session: Session, args: list[str]) -> str:
    """Returns the engine's name and the agent's options."""
    take(args, 0, 0, "")
    player = session.brain.player
    config = getattr(player, "config", "")
    return f"Palestra {session.brain.name}\n{config}".strip()


def cpu_time(session: Session, args: list[str]) -> str:
    """Returns the seconds of processor time spent on choosing moves."""
    take(args, 0, 0, "")
    return f"{session.thinking:.3f}"


def cputime(session: Session, args: list[str]) -> str:
    """Returns the seconds of processor time that the process has used."""
    take(args, 0, 0, "")
    return f"{time.process_time():.3f}"


COMMANDS: dict[str, Command] = {
    "genmove": genmove,
    "reg_genmove": reg_genmove,
    "kgs-genmove_cleanup": genmove_cleanup,
    "time_settings": time_settings,
    "kgs-time_settings": kgs_time_settings,
    "kata-time_settings": kgs_time_settings,
    "kata-list_time_settings": list_time_settings,
    "time_left": time_left,
    "final_score": final_score,
    "final_status_list": final_status_list,
    "kgs-game_over": game_over,
    "gomill-explain_last_move": explain_last_move,
    "gomill-describe_engine": describe_engine,
    "gomill-cpu_time": cpu_time,
    "cputime": cputime,
}
