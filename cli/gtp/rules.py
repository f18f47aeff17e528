"""GTP commands about rules and game records: KataGo's `kata-get-rules` and `kata-set-rules`, `kgs-rules`, SGF.

The fields of KataGo's rules are explained in its docs/GTP_Extensions.md; those that the engine here has no choice in
(hasButton, tax) are refused unless they say what it does. Points in seki count, whatever tax says of territory rules.
"""

import io
import json
from dataclasses import replace
from typing import Any

from palestra.cli.gtp.args import CommandError, read_int, shown, syntax_error, take
from palestra.cli.gtp.session import Command, Session
from palestra.cli.gtp.table import Setup, Table
from palestra.envs.go.position import IllegalMoveError
from palestra.envs.go.records import GameRecord, record_of, tree_of
from palestra.envs.go.records import Setup as RecordSetup
from palestra.envs.go.rules import NAMED, Rules, rules_named
from palestra.envs.go.sgf import dump
from palestra.envs.go.sgf_files import read_games
from palestra.envs.go.state import BLACK, WHITE

ALIKE = {  # names that others use
    "chinese-ogs": "chinese",
    "chinese-kgs": "chinese",
    "korean": "japanese",
    "bga": "aga",
    "french": "aga",
    "new_zealand": "new-zealand",
}
LONGEST_JSON = 1000  # characters
_BONUS = {"none": "0", "n-1": "N-1", "n": "N"}


def named_rules(name: str, size: int, komi: float | None) -> Rules:
    """Returns rules by name.

    Raises:
        ValueError: there are none of that name.
    """
    name = ALIKE.get(name, name)
    if name == "new-zealand":
        return Rules(size, 7.0 if komi is None else komi, superko="situational", suicide=True, agreement=True)
    return rules_named(name, size=size, komi=komi)


def name_of(rules: Rules) -> str:
    """Returns the name of rules, whatever their size and komi; empty if they have none."""
    for name, known in NAMED.items():
        if replace(known, size=rules.size, komi=rules.komi) == rules:
            return name
    return ""


def fields_of(rules: Rules) -> dict[str, Any]:
    """Returns the rules as KataGo writes them."""
    return {
        "friendlyPassOk": rules.agreement,
        "hasButton": False,
        "ko": rules.superko.upper(),
        "scoring": rules.scoring.upper(),
        "suicide": rules.suicide,
        "tax": "NONE",
        "whiteHandicapBonus": _BONUS[rules.handicap_bonus],
    }


def read_fields(rules: Rules, fields: dict[str, Any]) -> Rules:
    """Returns rules with some of KataGo's fields changed."""
    known = fields_of(rules)
    if unknown := [name for name in fields if name not in known]:
        raise CommandError(f"rules have no field {shown(str(unknown[0]))}; they have {', '.join(known)}")
    given = {**known, **fields}
    for name in ("friendlyPassOk", "suicide", "hasButton"):
        if not isinstance(given[name], bool):
            raise CommandError(f"{name} is {shown(str(given[name]))}, but true or false is wanted")
    bonus = {text: value for value, text in _BONUS.items()}.get(str(given["whiteHandicapBonus"]))
    taxes = ("NONE", "SEKI") if given["scoring"] == "TERRITORY" else ("NONE",)
    if given["hasButton"] or given["tax"] not in taxes or bonus is None:
        raise CommandError("these rules cannot be played: there is no button, no such tax or no such bonus")
    ko, scoring = str(given["ko"]).lower(), str(given["scoring"]).lower()
    changes: dict[str, Any] = {"superko": ko, "scoring": scoring, "suicide": given["suicide"], "handicap_bonus": bonus}
    try:
        return replace(rules, **changes, agreement=given["friendlyPassOk"])
    except ValueError as error:
        raise CommandError(f"these rules cannot be played: {shown(str(error))}") from None


def kata_get_rules(session: Session, args: list[str]) -> str:
    """Returns the rules as a JSON object of KataGo's fields."""
    take(args, 0, 0, "")
    return json.dumps(fields_of(session.table.rules), separators=(",", ":"))


def kata_set_rules(session: Session, args: list[str]) -> str:
    """Changes the rules by name or by a JSON object of fields, if all moves of the game are legal under them."""
    text = " ".join(args)
    if not text or len(text) > LONGEST_JSON:
        raise syntax_error("the name of rules, or a JSON object of their fields, is wanted")
    if not text.startswith("{"):
        return _set_named(session, text.lower())
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        raise syntax_error(f"{shown(text)} is no JSON object") from None
    return _set(session, read_fields(session.table.rules, fields))


def kata_set_rule(session: Session, args: list[str]) -> str:
    """Changes one field of the rules: `kata-set-rule FIELD VALUE`."""
    take(args, 2, 2, "FIELD VALUE")
    value: Any = {"true": True, "false": False}.get(args[1].lower(), args[1])
    return _set(session, read_fields(session.table.rules, {args[0]: value}))


def kgs_rules(session: Session, args: list[str]) -> str:
    """Changes the rules to those that KGS names: chinese, aga, japanese or new_zealand."""
    take(args, 1, 1, "chinese|aga|japanese|new_zealand")
    return _set_named(session, args[0].lower())


def _set_named(session: Session, name: str) -> str:
    try:
        rules = named_rules(name, session.table.size, session.table.rules.komi)
    except ValueError as error:
        raise CommandError(str(error).encode("ascii", "backslashreplace").decode()) from None
    return _set(session, rules)


def _set(session: Session, rules: Rules) -> str:
    try:
        session.table.change_rules(rules)
    except IllegalMoveError as error:
        raise CommandError(f"under these rules a move of this game is illegal: {error}") from None
    session.changed()
    return ""


def loadsgf(session: Session, args: list[str]) -> str:
    """Loads a game, up to the position before a move if one is given: `loadsgf FILE [MOVE_NUMBER]`."""
    take(args, 1, 2, "FILE [MOVE_NUMBER]")
    before = read_int(args[1], "the move number", 1, 999_999) if len(args) == 2 else 1_000_000
    try:
        _, root = next(iter(read_games(io.BytesIO(session.read_file(args[0])))))
        table = table_of(record_of(root), session.table, before)
    except OSError as error:
        raise CommandError(f"cannot load file: {error.strerror}") from None
    except (ValueError, StopIteration) as error:
        raise CommandError(f"cannot load file: {str(error).removeprefix('games')}") from None
    session.table = table
    session.new_game()
    return ""


def table_of(record: GameRecord, table: Table, before: int) -> Table:
    """Returns the game of a record up to a move, not including it, under the rules of a table.

    Raises:
        ValueError: a move is illegal, or a set-up or komi impossible.
    """
    komi = table.rules.komi if record.komi is None else max(-1000.0, min(1000.0, round(record.komi * 2) / 2))
    made = Table(replace(table.rules, size=record.size, komi=komi))
    steps = [*record.moves[: before - 1], (0, 0)]
    for i, (color, action) in enumerate(steps):
        setups = [setup for setup in record.setups if setup.before == i]
        if not i or (setups and i < before - 1):
            board, to_move = made.position.board.ravel(), color or made.position.to_move if i else record.to_move
            for setup in setups:
                for points, stone in ((setup.empty, 0), (setup.black, BLACK), (setup.white, WHITE)):
                    board[list(points)] = stone
                to_move = setup.to_move or to_move
            stones = [tuple(int(p) for p in (board == stone).nonzero()[0]) for stone in (BLACK, WHITE)]
            made.set_up(Setup(stones[0], stones[1], to_move, record.handicap))
        if color:
            try:
                made.play(action, color)
            except IllegalMoveError as error:
                raise ValueError(f"move {i + 1}: {error}") from None
    return made


def record_of_table(table: Table, **known: Any) -> GameRecord:
    """Returns the game so far as a record."""
    setup = table.setup
    setups: tuple[RecordSetup, ...] = ()
    if setup != Setup():
        black, white = tuple(sorted(setup.black)), tuple(sorted(setup.white))
        setups = (RecordSetup(0, black, white, to_move=setup.to_move),)
    return GameRecord(
        table.size,
        tuple(table.moves),
        komi=table.rules.komi,
        rules=name_of(table.rules),
        handicap=setup.handicap,
        setups=setups,
        **known,
    )


def printsgf(session: Session, args: list[str]) -> str:
    """Returns the game as SGF, or writes it to a file: `printsgf [FILE]`."""
    take(args, 0, 1, "[FILE]")
    text = dump([tree_of(record_of_table(session.table))])
    if not args or args[0] == "-":
        return text
    try:
        session.write_file(args[0], text)
    except (OSError, ValueError) as error:
        raise CommandError(f"cannot write file: {getattr(error, 'strerror', None) or error}") from None
    return ""


COMMANDS: dict[str, Command] = {
    "kata-get-rules": kata_get_rules,
    "kata-set-rules": kata_set_rules,
    "kata-set-rule": kata_set_rule,
    "kgs-rules": kgs_rules,
    "loadsgf": loadsgf,
    "printsgf": printsgf,
}
