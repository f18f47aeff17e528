"""A game in progress: undo, resigning, and the count of a game of Go."""

import pytest

from palestra.agents.player import RESIGN
from palestra.cli.play_match import Match, outcome, record, side_name
from palestra.envs.game import Game, State
from palestra.envs.games import make_game


class Recorder:
    """A player that gives set answers and writes down what it is told."""

    name = "recorder"

    def __init__(self, *answers: int) -> None:
        self.answers, self.heard = list(answers), list[str]()

    def start(self, game: Game, state: State, seed: int | None = None) -> None:
        self.heard.append("start")

    def choose(self, state: State) -> int:
        return self.answers.pop(0)

    def note(self, action: int) -> None:
        self.heard.append(f"note {action}")

    def close(self) -> None:
        """Has nothing to end."""


def match_of(game: Game, *moves: int, player: Recorder | None = None, side: int = 0, rules: str = "chinese") -> Match:
    """Returns a match after some moves."""
    match = Match(game, player, side, game.start.copy(), rules=rules)
    for action in moves:
        match.make(action)
    return match


def test_undo_goes_back_to_the_users_last_move() -> None:
    player = Recorder()
    match = match_of(make_game("tic-tac-toe"), 0, 4, 8, player=player)
    match.undo()
    assert (match.moves, match.turn) == ([0, 4], 0)
    match.undo()
    assert (match.moves, match.turn) == ([], 0)
    assert player.heard == ["note 0", "note 4", "note 8", "start", "start"]
    with pytest.raises(ValueError, match="no move of yours"):
        match.undo()
    other = match_of(make_game("tic-tac-toe"), 0, player=player, side=1)  # the user is second and has not moved
    with pytest.raises(ValueError, match="no move of yours"):
        other.undo()


def test_an_illegal_move_changes_nothing() -> None:
    match = match_of(make_game("tic-tac-toe"), 0)
    before = match.state.copy()
    with pytest.raises(ValueError, match="not a legal move"):
        match.make(0)
    assert (match.moves, len(match.past)) == ([0], 1)
    assert (match.state == before).all()


def test_a_player_resigns_and_undo_takes_that_back() -> None:
    match = match_of(make_game("go", size=5), 12, player=Recorder(RESIGN))
    assert match.answer() == "recorder resigns"
    assert (match.over, outcome(match)) == (True, "white resigns: black wins")
    assert record(match).result == "B+R"
    match.undo()
    assert (match.over, match.moves) == (False, [])


def test_results_of_other_games() -> None:
    game = make_game("tic-tac-toe")
    assert outcome(match_of(game, 0, 3, 1, 4, 2)) == "first wins"
    assert outcome(match_of(game, 0, 1, 2, 4, 3, 5, 7, 6, 8)) == "a draw"
    assert side_name(match_of(game), 1) == "second"


WALLS = (10, 15, 11, 16, 12, 17, 13, 18, 14, 19)  # on 5x5: 15 points to Black, 10 to White


@pytest.mark.parametrize(
    ("rules", "said", "result"),
    [
        ("chinese", "black wins by 2.5; taken off as dead: C5", "B+2.5"),
        ("tromp-taylor", "white wins by 8.5", "W+8.5"),  # Black has its row of 5, White 10 and C5, the rest is nobody's
    ],
)
def test_dead_stones_are_taken_off_where_the_rules_have_it_so(rules: str, said: str, result: str) -> None:
    game = make_game("go", size=5, rules=rules, komi=2.5)
    match = match_of(game, *WALLS, 25, 2, 25, rules=rules)
    assert record(match).result == "?"
    match.make(25)
    assert (outcome(match), record(match).result) == (said, result)
