"""Go as a `Game`: names of moves, drawings, and games through the contract."""

import re

import numpy as np
import pytest

from palestra.envs.game import OVER, USED, legal_mask, move
from palestra.envs.go.game import COLUMNS, colors, describe, go_game, parse_vertex, vertex
from palestra.envs.go.position import from_rows
from palestra.envs.go.rollout import LINE, NUM_WEIGHTS
from palestra.envs.go.rules import Rules, Scoring
from palestra.envs.rng import seed_state
from tests.envs.go.checks import random_state
from tests.naive_go import NaiveGo


def test_names_of_points_skip_the_i_and_count_rows_from_below() -> None:
    assert [vertex(19, a) for a in (0, 7, 8, 18, 342, 360, 361)] == ["A19", "H19", "J19", "T19", "A1", "T1", "pass"]
    assert vertex(25, 24) == "Z25"
    assert "I" not in COLUMNS


@pytest.mark.parametrize("size", [2, 9, 25])
def test_every_name_reads_back(size: int) -> None:
    for action in range(size * size + 1):
        name = vertex(size, action)
        assert parse_vertex(size, name) == action
        assert parse_vertex(size, f" {name.lower()} ") == action


@pytest.mark.parametrize(
    "text", ["", "A", "1", "I5", "A0", "A10", "K1", "a1a", "A-1", "AA1", "A 1", "A١", "A001", "A+1"]
)
def test_what_is_no_point_is_refused(text: str) -> None:
    with pytest.raises(
        ValueError, match=re.escape(f"{text.strip()!r} is no point of this board; a name from A1 to J9")
    ):
        parse_vertex(9, text)


def test_a_drawing_shows_stones_the_last_move_and_who_is_to_move() -> None:
    position = from_rows(["X . .", ". O .", ". . ."], Rules(size=3))
    position.play(2)
    assert describe(position.state).split("\n") == [
        "   A B C",
        " 3 X .(X)3",
        " 2 . O . 2",
        " 1 . . . 1",
        "   A B C",
        "White to move; Black has taken 0, White 0",
    ]
    assert " 3 . . + . + . + . . 3" in describe(go_game(Rules(size=9)).start)
    position.play(9)
    position.play(9)
    assert "over; Black has taken 0" in describe(position.state)


def test_colors_are_the_board() -> None:
    position = from_rows(["X . .", ". O .", ". . ."], Rules(size=3))
    board = colors(position.state)
    assert board.dtype == np.int8
    assert board.tolist() == [[1, 0, 0], [0, 2, 0], [0, 0, 0]]


@pytest.mark.parametrize("superko", ["simple", "positional"])
def test_games_through_the_contract_equal_the_twin(superko: str) -> None:
    rules = Rules(4, 0.5, superko, max_moves=60)  # type: ignore[arg-type]
    game, rng = go_game(rules), seed_state(0)
    assert (game.name, game.num_actions, game.max_plies, game.num_players) == ("go-4x4", 17, 60, 2)
    assert game.has_playout
    random = np.random.default_rng(2)
    for _ in range(5):
        state, twin, reward = game.start.copy(), NaiveGo(rules), 0.0
        while not state[OVER]:
            mask = legal_mask(game, state)
            assert mask.tolist() == twin.legal()
            assert reward == 0
            action = int(random.choice(np.flatnonzero(mask)))
            reward = move(game, state, action, rng)
            twin.play(action)
        assert reward == np.sign(twin.lead())
        assert not legal_mask(game, state).any()


def test_moves_are_checked_and_the_start_is_not_touched() -> None:
    game, rng = go_game(Rules(size=3)), seed_state(0)
    before, state = game.start.copy(), game.start.copy()
    move(game, state, 4, rng)
    assert (game.start == before).all()
    with pytest.raises(ValueError, match="B2 is not a legal move of go-3x3 here"):
        move(game, state, 4, rng)
    for action in (-1, 10):
        with pytest.raises(ValueError, match=f"{action} is not a legal move"):
            move(game, state, action, rng)
    move(game, state, 9, rng)
    move(game, state, 9, rng)
    with pytest.raises(ValueError, match="go-3x3 is over: no move can be made"):
        move(game, state, 0, rng)


def test_what_lies_behind_the_used_words_of_a_state_does_not_matter() -> None:
    """A search copies only those."""
    rules = Rules(5, superko="positional", max_moves=300)
    game = go_game(rules)
    for seed in range(5):
        state = random_state(rules, 40 + 20 * seed, seed)
        other = np.full(len(state), 12345, np.int64)
        other[: state[USED]] = state[: state[USED]]
        assert (legal_mask(game, other) == legal_mask(game, state)).all()
        action = int(np.flatnonzero(legal_mask(game, state))[0])
        for s in (state, other):
            move(game, s, action, seed_state(0))
        assert (other[: other[USED]] == state[: state[USED]]).all()


WALLS = [  # 25 points to Black and 24 to White, each alive by two eyes of three; one white stone is dead
    ". X X O O O .",
    "O X X O O O .",
    ". X X O O O .",
    "X X X X O O O",
    ". X X X O O .",
    ". X X X O O .",
    ". X X X O O .",
]


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("komi", "scoring", "white_last", "black_last", "as_it_lies"),
    [
        (0.5, "area", 1, -1, -1),
        (1.0, "area", 0, -1, -1),
        (1.5, "area", -1, -1, -1),
        (-3.5, "area", 1, 1, 1),
        (0.5, "territory", 1, 1, -1),
        (-9.5, "territory", 1, 1, 1),
        (1.5, "territory", -1, -1, -1),
    ],
)
def test_two_passes_end_a_game_with_dead_stones_off_where_the_rules_have_it_so(
    komi: float, scoring: Scoring, white_last: int, black_last: int, as_it_lies: int
) -> None:
    """By area 25 to 24, as it lies 22 to 25 (A5 and A7 are nobody's, A6 is White's), and the worse for who passes last.

    By territory 7 to 6: six points each and a prisoner. As it lies 4 to 6.
    """
    for to_move, result in ((1, white_last), (2, black_last)):
        start = from_rows(WALLS, Rules(7, komi, "simple", scoring=scoring), to_move).state
        for agreement, expected in ((True, result), (False, as_it_lies)):
            rules = Rules(7, komi, "simple", scoring=scoring, agreement=agreement)
            game, state = go_game(rules), start.copy()
            assert move(game, state, 49, seed_state(0)) == 0
            assert move(game, state, 49, seed_state(0)) == expected
            assert (colors(state) == colors(start)).all()


@pytest.mark.kernel
def test_a_game_that_its_cap_ends_is_counted_as_it_lies() -> None:
    rules = Rules(7, 0.5, "simple", agreement=True, max_moves=1)
    state = from_rows(WALLS, rules).state
    assert move(go_game(rules), state, 49, seed_state(0)) == -1


@pytest.mark.kernel
def test_playouts_by_a_rollout_policy_follow_its_weights() -> None:
    """Weights that want the second line most and the first least: no playout begins on the first."""
    weights = np.zeros(NUM_WEIGHTS)
    weights[LINE + 1], weights[LINE] = 50.0, -50.0
    game = go_game(Rules(5), playouts="rollout", weights=weights)
    trace = np.zeros(1 + game.max_plies, np.int64)
    for seed in range(20):
        game.playout(game.start.copy(), trace, seed_state(seed), game.data)
        assert trace[1] in (6, 7, 8, 11, 13, 16, 17, 18)
    for options in ({"playouts": "rollout"}, {"weights": weights}, {"playouts": "rollout", "weights": weights[1:]}):
        with pytest.raises(ValueError, match="playouts rollout, and no others, want weights"):
            go_game(Rules(5), **options)  # type: ignore[arg-type]
