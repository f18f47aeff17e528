"""Who won a game of a match, and its record: SGF for Go, counted by the engine or a referee; JSON lines for others."""

import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol

from palestra.agents.gtp_player import Referee
from palestra.agents.match import PlayedGame, check_opening, random_opening, seed_of
from palestra.agents.player import ForfeitError
from palestra.cli.counting import dead_at_end, lead_without, score_text
from palestra.envs.game import PLAYER, Game
from palestra.envs.go.game import go_game, vertex
from palestra.envs.go.position import Position
from palestra.envs.go.records import GameRecord, Setup, record_of, tree_of
from palestra.envs.go.rules import Rules, handicap_points
from palestra.envs.go.sgf import escape
from palestra.envs.go.sgf_files import read_games, write_games


@dataclass(frozen=True)
class Judged:
    """How a game ended."""

    reward: float
    """Of the player who began; above 0 if that one won."""
    end: str
    """In words."""
    note: str = ""
    """How a referee disagrees."""
    detail: str = ""
    """What the one who lost by forfeit did."""
    dead: str = ""
    """Stones that were taken off before the count."""


class Records(AbstractContextManager["Records"], Protocol):
    """Judges games and keeps them."""

    def judge(self, index: int, played: PlayedGame) -> Judged:
        """Decides a game and writes it down; `index` counts from 0."""


class MoveRecords:
    """A line of JSON a game in `games.jsonl`: who played, the moves by name, the result."""

    def __init__(self, game: Game, out: Path) -> None:
        self._game, self._file = game, out / "games.jsonl"

    def __enter__(self) -> "MoveRecords":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Has nothing to end."""

    def judge(self, index: int, played: PlayedGame) -> Judged:
        """Takes the game's own result."""
        line = {
            "game": index + 1,
            "players": played.names,
            "opening": played.opening,
            "moves": [self._game.action_name(action) for action in played.moves],
            "reward": played.reward,
            "end": played.end,
            "detail": played.detail,
        }
        with self._file.open("a") as file:
            file.write(json.dumps(line) + "\n")
        return Judged(played.reward, played.end, detail=played.detail)


class GoRecords:
    """An SGF file a game; a game that both passed in is counted by the referee if there is one, else by the engine.

    Raises:
        ValueError: the referee cannot be started.
    """

    def __init__(self, rules: Rules, name: str, out: Path, *, referee: str = "", timeout: float = 600.0) -> None:
        self._rules, self._name, self._out = rules, name, out
        self._game = go_game(rules)
        self._referee = Referee(referee, timeout) if referee else None

    def __enter__(self) -> "GoRecords":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the referee."""
        if self._referee:
            self._referee.close()

    def judge(self, index: int, played: PlayedGame) -> Judged:
        """Counts a game that was not given up, and writes it."""
        position = Position(self._rules)
        for action in played.moves:
            position.play(action)
        if played.end in ("resignation", "forfeit"):
            result = f"{'B' if played.reward > 0 else 'W'}+{'R' if played.end == 'resignation' else 'F'}"
            why = f"{played.detail}: {position.forbidden(played.tried, position.to_move)}"
            judged = Judged(played.reward, played.end, detail=why if played.tried >= 0 else played.detail)
        else:
            judged, result = self._count(played, position)
        self._write(index, played, result, judged)
        return judged

    def _count(self, played: PlayedGame, position: Position) -> tuple[Judged, str]:
        """Counts the last position; the note says where referee and engine see another winner."""
        passed = [action for _, action in position.moves[-2:]] == [position.pass_action] * 2
        end = "two passes" if passed else "cut off"
        dead = dead_at_end(position.state, self._rules)
        own = lead_without(position.state, dead)
        lead, note = own, ""
        if self._referee:
            try:
                lead, dead = self._referee.lead(self._game, played.moves), []
            except ForfeitError as error:
                note = f"{self._referee.name} cannot count it: {error}"
            if _sign(lead) != _sign(own):
                note = f"{self._referee.name} has {score_text(lead)}, this engine {score_text(own)}"
        taken = " ".join(vertex(self._rules.size, action) for action in dead)
        return Judged(_sign(lead), end, note, dead=taken), score_text(lead)

    def _write(self, index: int, played: PlayedGame, result: str, judged: Judged) -> None:
        rules, first = self._rules, int(self._game.start[PLAYER])
        stones = sorted(row * rules.size + column for row, column in handicap_points(rules.size, rules.handicap))
        record = GameRecord(
            rules.size,
            tuple((1 + (first + i) % 2, action) for i, action in enumerate(played.moves)),
            komi=rules.komi,
            rules=self._name,
            handicap=rules.handicap,
            setups=(Setup(0, tuple(stones), to_move=2),) if stones else (),
            result=result,
            black_player=played.names[0],
            white_player=played.names[1],
        )
        tree = tree_of(record)
        said = [f"ended by {judged.end}", judged.detail, judged.note]
        said += [f"taken off as dead: {judged.dead}"] if judged.dead else []
        said += [f"an opening of {played.opening} moves was given"] if played.opening else []
        tree.properties["C"] = [escape("; ".join(filter(None, said)))]
        write_games(self._out / f"game-{index + 1:04}.sgf", [tree])


def openings_of(text: str, game: Game, rules: Rules | None, count: int, seed: int) -> tuple[tuple[int, ...], ...]:
    """Returns `count` random openings of `text` plies, or those of the SGF file `text`; without a text an empty one.

    Raises:
        ValueError: the file or an opening in it cannot be used, or the plies end the game.
    """
    if not text:
        return ((),)
    if text.isdecimal():
        return tuple(random_opening(game, int(text), seed_of(seed, 2, k)) for k in range(count))
    if rules is None:
        raise ValueError(f"--openings {text!r} is no number of plies, and SGF files are for Go, not for {game.name}")
    openings = [_opening(record_of(root, source), game) for source, root in read_games(text)]
    return tuple(openings)


def _opening(record: GameRecord, game: Game) -> tuple[int, ...]:
    """Returns the moves of a record as an opening.

    Raises:
        ValueError: it is for another board, has set-up stones, colours do not alternate, or a move is not legal.
    """
    if record.size**2 + 1 != game.num_actions:
        raise ValueError(f"{record.source}: the opening has {record.size} lines, but {game.name} is played")
    first = int(game.start[PLAYER])
    in_turn = [color for color, _ in record.moves] == [1 + (first + i) % 2 for i in range(len(record.moves))]
    if record.setups or not in_turn:
        raise ValueError(f"{record.source}: an opening must have moves of alternating colours and no set-up stones")
    actions = tuple(action for _, action in record.moves)
    try:
        check_opening(game, actions)
    except ValueError as error:
        raise ValueError(f"{record.source}: {error}") from None
    return actions


def _sign(value: float) -> float:
    return float((value > 0) - (value < 0))
