"""One game between two players, with players that do as they are told."""

import pytest

from palestra.agents.match import check_match, check_opening, play_game, random_opening
from palestra.agents.player import RESIGN, ForfeitError
from palestra.envs.game import OVER, PLY, Game, State, move
from palestra.envs.games import make_game
from palestra.envs.rng import seed_state

GAME = make_game("tic-tac-toe")


class Scripted:
    """Plays the moves that it was given, and remembers what it was told."""

    def __init__(self, name: str, *moves: int, refuses: int | None = None) -> None:
        self.name, self.moves, self.refuses = name, list(moves), refuses
        self.told: list[object] = []

    def start(self, game: Game, state: State, seed: int | None = None) -> None:
        assert state[PLY] == 0
        self.told.append(("start", seed))

    def choose(self, state: State) -> int:
        return self.moves.pop(0)

    def note(self, action: int) -> None:
        self.told.append(action)
        if action == self.refuses:
            raise ForfeitError(f"{action} will not do")

    def close(self) -> None: ...


def test_a_game_is_played_to_its_end_and_both_are_told() -> None:
    """First has the top row: 0, 1, 2."""
    first, second = Scripted("one", 0, 1, 2), Scripted("two", 3, 4)
    played = play_game(GAME, (first, second), seeds=(5, None))
    assert played.moves == (0, 3, 1, 4, 2)
    assert (played.names, played.reward, played.end, played.detail) == (("one", "two"), 1.0, "finished", "")
    assert (played.opening, played.choices, played.tried) == (0, (3, 2), -1)
    assert all(seconds > 0 for seconds in played.seconds)
    assert first.told == [("start", 5), 0, 3, 1, 4, 2]
    assert second.told == [("start", None), 0, 3, 1, 4, 2]


def test_an_opening_is_made_for_both() -> None:
    first, second = Scripted("one", 2), Scripted("two")
    played = play_game(GAME, (first, second), (0, 3, 1, 4))
    assert (played.moves, played.opening, played.choices) == ((0, 3, 1, 4, 2), 4, (1, 0))
    assert second.told == [("start", None), 0, 3, 1, 4, 2]


def test_a_draw_and_the_second_player_s_win() -> None:
    draw = play_game(GAME, (Scripted("one", 0, 1, 5, 6, 8), Scripted("two", 2, 3, 4, 7)))
    assert (draw.reward, draw.end, len(draw.moves)) == (0.0, "finished", 9)
    won = play_game(GAME, (Scripted("one", 0, 1, 8), Scripted("two", 3, 4, 5)))
    assert (won.reward, won.end) == (-1.0, "finished")


def test_a_game_is_cut_off() -> None:
    played = play_game(GAME, (Scripted("one", 0, 1), Scripted("two", 3)), max_plies=3)
    assert (played.moves, played.reward, played.end) == ((0, 3, 1), 0.0, "cut off")


@pytest.mark.parametrize("seat", [0, 1])
def test_resigning_loses(seat: int) -> None:
    players = [Scripted("one", 0, 1), Scripted("two", 3, 4)]
    players[seat].moves[1] = RESIGN
    played = play_game(GAME, (players[0], players[1]))
    assert (played.end, played.detail, played.reward) == ("resignation", "", 1.0 if seat else -1.0)
    assert len(played.moves) == 2 + seat


@pytest.mark.parametrize(
    ("action", "reason"), [(3, "is not a legal move"), (9, "9 is not a legal move"), (-2, "-2 is not a legal move")]
)
def test_an_illegal_move_loses(action: int, reason: str) -> None:
    played = play_game(GAME, (Scripted("one", 0, action), Scripted("two", 3)))
    assert (played.end, played.reward, played.tried, played.moves) == ("forfeit", -1.0, action, (0, 3))
    assert played.detail.endswith(reason)


def test_refusing_a_legal_move_loses_for_the_one_who_refuses() -> None:
    played = play_game(GAME, (Scripted("one", 0, 1), Scripted("two", 3, refuses=1)))
    assert (played.end, played.detail, played.reward, played.tried) == ("forfeit", "1 will not do", 1.0, -1)
    last = play_game(GAME, (Scripted("one", 0, 1, 2), Scripted("two", 3, 4, refuses=2)))
    assert last.end == "finished"  # the game was over by then


def test_what_is_no_match() -> None:
    with pytest.raises(ValueError, match="is partly left to chance"):
        check_match(Game(**{**vars(GAME), "deterministic": False}))
    with pytest.raises(ValueError, match="has 1 player, but a match wants a game of two players"):
        check_match(Game(**{**vars(GAME), "num_players": 1}))
    check_match(GAME)


def test_openings_that_cannot_be_used() -> None:
    with pytest.raises(ValueError, match=r"move 2 of an opening cannot be made: .* is not legal"):
        check_opening(GAME, (0, 0))
    with pytest.raises(ValueError, match="move 6 of an opening cannot be made: the game is over"):
        check_opening(GAME, (0, 3, 1, 4, 2, 5))
    with pytest.raises(ValueError, match="an opening of 5 moves ends the game"):
        play_game(GAME, (Scripted("one"), Scripted("two")), (0, 3, 1, 4, 2))


def test_random_openings_leave_the_game_open_and_differ_by_seed() -> None:
    openings = {random_opening(GAME, 4, seed) for seed in range(20)}
    assert len(openings) > 15
    assert random_opening(GAME, 4, 3) == random_opening(GAME, 4, 3)
    for opening in openings:
        state = GAME.start.copy()
        for action in opening:
            move(GAME, state, action, seed_state(0))
        assert not state[OVER]
    with pytest.raises(ValueError, match="no opening of 9 plies was found"):
        random_opening(GAME, 9, 0)
