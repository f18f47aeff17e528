"""A game in progress in the terminal, and what is said and kept of it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from palestra.agents.player import RESIGN, Player
from palestra.envs.game import OVER, PLAYER, Game, State, move
from palestra.envs.rng import seed_state

if TYPE_CHECKING:
    from palestra.envs.go.records import GameRecord

SIDES = ("first", "second")  # who begins has the number 0
GO_SIDES = ("black", "white")


@dataclass
class Match:
    """A game in progress, with what came before each move."""

    game: Game
    player: Player | None
    side: int
    """The user's number; with no player, both are the user's."""
    state: State
    moves: list[int] = field(default_factory=list)
    past: list[tuple[State, float]] = field(default_factory=list)
    """State and reward before each move."""
    reward: float = 0.0
    resigned: int | None = None
    """Who gave up."""
    rules: str = ""
    """Name of the rules, in Go."""

    @property
    def turn(self) -> int:
        """Who is to move."""
        return int(self.state[PLAYER])

    @property
    def over(self) -> bool:
        """Whether the game has ended."""
        return bool(self.state[OVER]) or self.resigned is not None

    def make(self, action: int) -> None:
        """Makes a move.

        Raises:
            ValueError: it is not legal; nothing has changed.
        """
        after = self.state.copy()
        reward = move(self.game, after, action, seed_state(0))
        self.past.append((self.state, self.reward))
        self.state, self.reward = after, self.reward + reward
        self.moves.append(action)
        if self.player:
            self.player.note(action)

    def undo(self) -> None:
        """Takes moves back up to the user's last one.

        Raises:
            ValueError: there is none.
        """
        own = [i for i, (state, _) in enumerate(self.past) if self.player is None or int(state[PLAYER]) == self.side]
        if not own:
            raise ValueError("there is no move of yours to take back")
        self.state, self.reward = self.past[own[-1]]
        del self.moves[own[-1] :], self.past[own[-1] :]
        self.resigned = None
        if self.player:
            self.player.start(self.game, self.state)

    def answer(self) -> str:
        """Lets the player move and says what it did."""
        assert self.player is not None
        action = self.player.choose(self.state)
        if action == RESIGN:
            self.resigned = self.turn
            return f"{self.player.name} resigns"
        self.make(action)
        return f"{self.player.name} plays {self.game.action_name(action)}"


def is_go(match: Match) -> bool:
    """Says whether Go is played."""
    return match.game.name.startswith("go-")


def side_name(match: Match, number: int) -> str:
    """Names a side."""
    return (GO_SIDES if is_go(match) else SIDES)[number]


def outcome(match: Match) -> str:
    """Says who won, and how; in Go dead stones are taken off first if the rules have it so."""
    if match.resigned is not None:
        return f"{side_name(match, match.resigned)} resigns: {side_name(match, 1 - match.resigned)} wins"
    lead, dead = _count(match) if is_go(match) else (match.reward, [])
    if not lead:
        return _with_dead(match, "a draw", dead)
    by = f" by {abs(lead):g}" if is_go(match) else ""
    return _with_dead(match, f"{side_name(match, int(lead < 0))} wins{by}", dead)


def record(match: Match) -> "GameRecord":
    """Returns a game of Go as a record."""
    from palestra.cli.counting import score_text
    from palestra.envs.go.records import GameRecord
    from palestra.envs.go.state import KOMI_2, SIZE

    result = "?"
    if match.resigned is not None:
        result = f"{'WB'[match.resigned]}+R"
    elif match.over:
        result = score_text(_count(match)[0])
    names = ["human", match.player.name if match.player else "human"]
    return GameRecord(
        int(match.state[SIZE]),
        tuple((1 + i % 2, action) for i, action in enumerate(match.moves)),
        komi=float(match.state[KOMI_2]) / 2,
        rules=match.rules,
        result=result,
        black_player=names[match.side],
        white_player=names[1 - match.side],
    )


def _count(match: Match) -> tuple[float, list[int]]:
    """Returns Black's lead in Go, and the stones that were taken off as dead."""
    from palestra.cli.counting import dead_at_end, lead_without
    from palestra.envs.go.rules import rules_named
    from palestra.envs.go.state import SIZE

    dead = dead_at_end(match.state, rules_named(match.rules, size=int(match.state[SIZE])))
    return lead_without(match.state, dead), dead


def _with_dead(match: Match, said: str, dead: list[int]) -> str:
    names = " ".join(match.game.action_name(action) for action in dead)
    return f"{said}; taken off as dead: {names}" if dead else said
