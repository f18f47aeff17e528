"""Go programs that speak GTP as players, and as referees of finished games."""

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from palestra.agents.player import RESIGN, ForfeitError
from palestra.envs.game import Game, State
from palestra.envs.go.game import COLUMNS, colors
from palestra.envs.go.gtp_client import GTPClient, GTPError
from palestra.envs.go.rules import SCORING, SUPERKO
from palestra.envs.go.state import BLACK, COUNTING, KOMI_2, PLAYER, REPETITION, SIZE, SUICIDE

COLORS = ("black", "white")
_LONGEST_NAME = 60


@dataclass(frozen=True)
class GTPPlayerConfig:
    """Options of `GTPPlayer`."""

    command: str = ""
    """The program and its arguments, as in `gnugo --mode gtp --level 10`; what they say of rules is not looked at."""
    timeout: float = 600.0
    """Seconds in which the program must answer."""

    def __post_init__(self) -> None:
        if not self.command.strip():
            raise ValueError("the command of a GTP program is empty; one as in gtp:gnugo --mode gtp is wanted")


class GTPPlayer:
    """Plays Go with a program; size, komi and all moves are told to it, and the rules if it knows `kata-set-rules`.

    Raises:
        ValueError: the game is not Go, or the command is ill-formed.
        GTPError: the program cannot be started, fails, or does not answer in time; so do all methods.
    """

    Config: ClassVar[type] = GTPPlayerConfig

    def __init__(self, config: GTPPlayerConfig, game: Game, seed: int) -> None:
        check_go(game)
        self.config = config
        self._client = start_program(config.command, config.timeout)
        try:
            self.name = _name_of(self._client)
        except BaseException:
            self._client.close()
            raise
        self._game, self._color, self._own = game, 0, RESIGN

    def start(self, game: Game, state: State, seed: int | None = None) -> None:
        """Begins a game; a program's randomness is its own."""
        check_go(game)
        self._game, self._color, self._own = game, int(state[PLAYER]), RESIGN
        begin(self._client, state)

    def choose(self, state: State) -> int:
        """Asks for a move.

        Raises:
            ForfeitError: its answer is no move.
        """
        vertex = self._client.send("genmove", COLORS[int(state[PLAYER])])
        if vertex.lower() == "resign":
            return RESIGN
        try:
            self._own = self._game.parse_action(vertex)
        except ValueError as error:
            raise ForfeitError(str(error)) from None
        return self._own

    def note(self, action: int) -> None:
        """Tells the program of a move that it has not made itself.

        Raises:
            ForfeitError: it refuses the move.
        """
        color, own = self._color, self._own
        self._color, self._own = 1 - color, RESIGN
        if action != own:
            tell(self._client, color, self._game.action_name(action))

    def close(self) -> None:
        """Ends the program."""
        self._client.close()


class Referee:
    """Counts finished games of Go by a program's `final_score`.

    Raises:
        ValueError: the command is ill-formed.
        GTPError: the program cannot be started or does not know `final_score`, fails, or does not answer in time.
    """

    def __init__(self, command: str, timeout: float = 600.0) -> None:
        self._client = start_program(command, timeout)
        try:
            self.name = _name_of(self._client)
            if "final_score" not in self._client.commands:
                raise GTPError(f"{self.name} does not know final_score, so it cannot be referee", self.name, "")
        except BaseException:
            self._client.close()
            raise

    def lead(self, game: Game, moves: Sequence[int]) -> float:
        """Returns Black's lead in points after these moves.

        Raises:
            ForfeitError: the program refuses a move, or its answer is no score.
        """
        begin(self._client, game.start)
        for i, action in enumerate(moves):
            tell(self._client, (int(game.start[PLAYER]) + i) % 2, game.action_name(action))
        return read_score(self._client.send("final_score"))

    def close(self) -> None:
        """Ends the program."""
        self._client.close()


def check_go(game: Game) -> None:
    """Checks that a game is Go.

    Raises:
        ValueError: it is another.
    """
    if not game.name.startswith("go-"):
        raise ValueError(f"GTP programs play Go, not {game.name}; an environment as go-9x9 is wanted")


def start_program(command: str, timeout: float) -> GTPClient:
    """Starts a program by its command line.

    Raises:
        ValueError: quotes in it are not closed.
        GTPError: it cannot be started.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ValueError(f"the command {command!r} cannot be read: {str(error).lower()}") from None
    return GTPClient(words, timeout)


def begin(client: GTPClient, state: State) -> None:
    """Makes a program stand at a state: stones that lie there are played, and what was before them is not told."""
    client.send("boardsize", int(state[SIZE]))
    client.send("clear_board")
    if "kata-set-rules" in client.commands:
        client.send("kata-set-rules", json.dumps(kata_rules(state)))
    client.send("komi", int(state[KOMI_2]) / 2)
    board = colors(state)
    for row, column in np.argwhere(board):
        vertex = f"{COLUMNS[column]}{len(board) - row}"
        client.send("play", COLORS[board[row, column] - BLACK], vertex)


def kata_rules(state: State) -> dict[str, object]:
    """Returns the rules of a state as the JSON of KataGo's GTP extensions; komi holds what White gets for handicap."""
    return {
        "ko": SUPERKO[int(state[REPETITION])].upper(),
        "scoring": SCORING[int(state[COUNTING])].upper(),
        "tax": "NONE",
        "suicide": bool(state[SUICIDE]),
        "hasButton": False,
        "whiteHandicapBonus": "0",
    }


def tell(client: GTPClient, color: int, vertex: str) -> None:
    """Tells a program of a move of player 0 or 1.

    Raises:
        ForfeitError: it refuses the move.
        GTPError: it fails otherwise.
    """
    try:
        client.send("play", COLORS[color], vertex)
    except GTPError as error:
        if not client.running:
            raise
        told = " ".join(error.answer.split()) or "without a reason"
        raise ForfeitError(f"{client.program} refused {COLORS[color]} {vertex}, a legal move: {told}") from None


def read_score(text: str) -> float:
    """Returns Black's lead from a result as GTP and SGF write it: B+3.5, W+7, 0, Draw.

    Raises:
        ForfeitError: it is no count of points.
    """
    won = re.fullmatch(r"([BW])\+(\d{1,6}(?:\.\d{0,6})?)", text.strip(), flags=re.IGNORECASE)
    if won:
        return float(won[2]) * (1 if won[1] in "Bb" else -1)
    if text.strip().lower() in ("0", "draw", "jigo"):
        return 0.0
    raise ForfeitError(f"{text.strip()[:100]!r} is no score; one as B+3.5 is wanted")


def _name_of(client: GTPClient) -> str:
    known = client.commands
    words = [client.send(word) for word in ("name", "version") if word in known]
    return " ".join(" ".join(words).split())[:_LONGEST_NAME] or client.program
