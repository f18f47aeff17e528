"""Engines for tests of GTP: a search that thinks what it is told to think, and a session to ask."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

from palestra.agents.player import RandomPlayer, RandomPlayerConfig
from palestra.cli.gtp.brain import Brain
from palestra.cli.gtp.engine import add_commands, answers
from palestra.cli.gtp.rules import named_rules
from palestra.cli.gtp.session import Session
from palestra.cli.gtp.table import Table
from palestra.envs.game import Game, State, legal_mask


class Child(NamedTuple):
    """A move of the double."""

    action: int
    visits: int
    value: float
    prior: float


class SearchDouble:
    """Gives half of the simulations to the first legal move, a quarter to the next and so on; all have one value."""

    def __init__(self, game: Game, value: float = 0.2) -> None:
        self.game, self.value = game, value
        self.config: Any = SimpleNamespace(simulations=64, seconds=0.0)
        self.simulations = self.visits = 0
        self.state: State = game.start
        self.advanced: list[int] = []
        self.fails = False

    def run(self, state: State, simulations: int | None = None, seconds: float | None = None) -> None:
        if self.fails:
            raise RuntimeError("the search broke\n\ndown")
        if not (self.state == state).all():
            self.reset()
        self.state = state.copy()
        if simulations is None:
            simulations = 16 if seconds else self.config.simulations - self.visits
        self.simulations = simulations
        self.visits += simulations

    def advance(self, action: int, state: State) -> None:
        self.advanced.append(action)
        self.visits //= 2
        self.state = state.copy()

    def reset(self) -> None:
        self.visits = 0

    def children(self) -> list[Child]:
        moves = legal_mask(self.game, self.state).nonzero()[0].tolist()
        return [Child(a, self.visits >> i + 1, self.value, 1 / len(moves)) for i, a in enumerate(moves)]

    def best(self) -> int:
        return self.children()[0].action

    def variation(self, action: int) -> list[int]:
        return [action, self.game.num_actions - 1]


class DoublePlayer:
    """A player around the double."""

    name = "double"

    def __init__(self, game: Game, value: float = 0.2) -> None:
        self.search = SearchDouble(game, value)

    def start(self, game: Game, state: State, seed: int | None = None) -> None:
        """Is not used."""

    def choose(self, state: State) -> int:
        return self.search.best()

    def note(self, action: int) -> None:
        """Is not used."""

    def close(self) -> None:
        """Has nothing to end."""


def new_engine(
    size: int = 5, *, searches: bool = False, rules: str = "chinese", value: float = 0.2, slices: int = 3
) -> Session:
    """Makes a session; its input comes after some looks at it."""
    looks = [0]

    def waiting(seconds: float) -> bool:
        looks[0] += 1
        return looks[0] % slices == 0

    def make(game: Game) -> Any:
        return DoublePlayer(game, value) if searches else RandomPlayer(RandomPlayerConfig(), game, 0)

    brain = Brain("double" if searches else "random", make, searches, -0.9)
    session = Session(brain, Table(named_rules(rules, size, None)), waiting)
    add_commands(session)
    return session


def say(session: Session, *lines: str) -> str:
    """Sends lines and returns all answers."""
    return "".join(piece for line in lines for piece in answers(session, line.encode()))


def asker(session: Session) -> Callable[[str], str]:
    """Returns a function that sends a line and returns the text of its answer, which must be a good one."""

    def ask(line: str) -> str:
        answer = say(session, line)
        assert answer.startswith("="), (line, answer)
        return answer[1:].strip()

    return ask


def refusals(session: Session, lines: Sequence[str]) -> list[str]:
    """Sends lines that must be refused, and returns the texts."""
    answers_ = [say(session, line) for line in lines]
    assert all(answer.startswith("? ") and answer.endswith("\n\n") for answer in answers_), answers_
    return [answer[2:-2] for answer in answers_]
