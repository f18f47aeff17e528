"""Othello against its twin and the published counts of games."""

from collections.abc import Iterator
from copy import deepcopy
from itertools import product

import numpy as np
import pytest
from numba import config

from palestra.envs.game import OVER, PLAYER, State, legal_mask, move
from palestra.envs.othello import DISCS, count_bits, nth_bit, othello
from palestra.envs.rng import seed_state
from tests.game_trees import (
    assert_equals_twin,
    assert_playout_is_a_game,
    assert_playouts_are_uniform,
    leaves,
    played,
)
from tests.naive_games import NaiveOthello

GAME, UNIFORM = othello(), othello(playouts="uniform")
FEW = config.DISABLE_JIT

# aartbik.blogspot.com/2009/02/perft-for-reversi.html: leaves by depth; passes are moves and begin at the ninth.
PERFT = [1, 4, 12, 56, 244, 1396, 8200, 55092, 390216, 3005288]
PASSING = "f5 d6 c3 g5 g6 g7 h7 b2 h5 f3 f7"  # white has no move then
DRAWN = (
    f"{PASSING} pass c5 e6 d3 g4 g3 e3 f2 f1 e2 c6 f4 c4 d7 e8 a1 e7 b7 c2 c1 h4 c8 b5 a5 b4 c7 d8 a4 f6 g2 h8 h6 h3 "
    "d2 a8 f8 g1 b6 a7 a6 b1 h1 e1 d1 b8 b3 g8 h2 a2 a3"
)
WIPED_OUT = "d3 e3 f2 c4 b5 c5 f5 d2 d1"  # 13 black discs, none white: no game is shorter


@pytest.mark.kernel
@pytest.mark.parametrize("seed", range(4 if FEW else 40))
def test_random_games_equal_the_twins(seed: int) -> None:
    assert_equals_twin(GAME, NaiveOthello(), seed)


@pytest.mark.kernel
def test_games_of_few_moves() -> None:
    depth = 3 if FEW else 8
    assert leaves(GAME, depth)[0] == PERFT[depth]


@pytest.mark.slow
def test_games_of_nine_moves() -> None:
    count, ends = leaves(GAME, 9)
    assert count == PERFT[9]
    assert ends[0] > 0  # the shortest games end here, all won by black
    assert ends[1:] == [0, 0]


@pytest.mark.kernel
def test_discs_turn_in_all_directions_up_to_the_edges() -> None:
    # A disc in each square, with white ones around it up to a rim of black ones: all that black sees of the eight
    # directions turns, nothing goes round an edge, and nothing turns where the rim is white.
    for square in range(64):
        row, column = divmod(square, 8)
        rim = {8 * r + c for r in range(8) for c in range(8) if r in (0, 7) or c in (0, 7)} - {square}
        lines = {
            8 * r + c for r in range(8) for c in range(8) if r == row or c == column or abs(r - row) == abs(c - column)
        }
        inside = set(range(64)) - rim - {square}
        state = GAME.start.copy()
        state[DISCS], state[DISCS + 1] = word(rim), word(inside)
        GAME.play(state, square, seed_state(0), GAME.data)
        assert state[DISCS] == word(rim | {square} | (inside & lines))
        assert state[DISCS + 1] == word(inside - lines)
        state[:] = GAME.start
        state[DISCS], state[DISCS + 1] = 0, word(rim | inside)
        GAME.play(state, square, seed_state(0), GAME.data)
        assert state[DISCS] == word({square})


def word(squares: set[int]) -> int:
    """A set of squares as 64 bits with a sign."""
    bits = sum(1 << square for square in squares)
    return bits - (1 << 64) if bits >> 63 else bits


@pytest.mark.kernel
def test_a_pass_is_the_only_move_where_there_is_no_other() -> None:
    state = played(GAME, PASSING)
    assert np.flatnonzero(legal_mask(GAME, state)).tolist() == [64]
    board = state[DISCS : DISCS + 2].tolist()
    assert GAME.play(state, 64, seed_state(0), GAME.data) == 0.0
    assert state[PLAYER] == 0
    assert state[DISCS : DISCS + 2].tolist() == board
    assert not legal_mask(GAME, state)[64]
    with pytest.raises(ValueError, match="pass is not a legal move of othello here"):
        played(GAME, "pass")


@pytest.mark.kernel
def test_who_has_no_disc_has_lost() -> None:
    state = played(GAME, WIPED_OUT)
    assert state[OVER]
    assert not legal_mask(GAME, state).any()
    assert GAME.describe(state).endswith("\n● wins; ● 13, ○ 0")


@pytest.mark.kernel
@pytest.mark.parametrize("seed", range(20))
def test_playouts_are_games(seed: int) -> None:
    for game, moves in product((GAME, UNIFORM), ("", PASSING, DRAWN.rsplit(maxsplit=seed + 1)[0], WIPED_OUT[:-3])):
        assert_playout_is_a_game(game, played(game, moves), seed)


@pytest.mark.kernel
def test_a_playout_after_the_end_is_empty() -> None:
    state, trace = played(GAME, WIPED_OUT), np.full(121, -1)
    before = state.tolist()
    GAME.playout(state, trace, seed_state(0), GAME.data)
    assert trace[0] == 0
    assert state.tolist() == before


@pytest.mark.kernel
def test_playouts_are_uniform() -> None:
    state = played(GAME, "f5 d6 c3 g5 g6 g7")
    assert legal_mask(GAME, state).sum() == 7
    assert_playouts_are_uniform(UNIFORM, state, 100 if FEW else 10_000)


def random_states(seed: int) -> Iterator[tuple[State, NaiveOthello]]:
    """Plays a random game and yields its states and their twins, all but the last."""
    random, state, twin = np.random.default_rng(seed), GAME.start.copy(), NaiveOthello()
    while not state[OVER]:
        yield state.copy(), deepcopy(twin)
        action = int(random.choice(twin.moves()))
        move(GAME, state, action, seed_state(0))
        twin.play(action)


@pytest.mark.kernel
@pytest.mark.parametrize("seed", range(2 if FEW else 20))
def test_playouts_take_corners_and_give_none_away(seed: int) -> None:
    beside = {"a1": "b2", "h1": "g2", "a8": "b7", "h8": "g7"}
    trace, drawn = np.zeros(121, np.int64), 0
    for state, _ in random_states(seed):
        legal = {GAME.action_name(a) for a in np.flatnonzero(legal_mask(GAME, state))}
        taken = int(state[DISCS] | state[DISCS + 1])
        gifts = {near for corner, near in beside.items() if not taken >> GAME.parse_action(corner) & 1}
        sound = (legal & set(beside)) or (legal - gifts) or legal
        for k in range(3):
            GAME.playout(state.copy(), trace, seed_state(seed, k), GAME.data)
            assert GAME.action_name(int(trace[1])) in sound
            drawn += len(sound) < len(legal)
    assert drawn > 0


@pytest.mark.kernel
@pytest.mark.parametrize("seed", range(2 if FEW else 20))
def test_beliefs_count_moves_and_corners(seed: int) -> None:
    """The formula of `_believe`, with moves counted on the twin."""
    corners = [GAME.parse_action(name) for name in ("a1", "h1", "a8", "h8")]
    for state, twin in random_states(seed):
        mask, prior = legal_mask(GAME, state), np.zeros((2, 65))
        GAME.priors(state, mask, prior, GAME.data)
        assert (mask == legal_mask(GAME, state)).all()
        for action in np.flatnonzero(mask[:64]):
            (after := deepcopy(twin)).play(int(action))
            own, answers = after.placings(twin.player), after.placings(1 - twin.player)
            worth = (len(own) - len(answers)) / (len(own) + len(answers) + 2)
            worth += 0.5 * (action in corners) - 0.5 * bool(set(answers) & set(corners))
            assert prior[:, action] == pytest.approx([5 * np.clip(worth, -1, 1), 5])
        UNIFORM.priors(state, mask, nothing := np.zeros((2, 65)), UNIFORM.data)
        assert not nothing.any()


@pytest.mark.kernel
def test_bits() -> None:
    random = np.random.default_rng(0)
    for bits in [0, 1, -1, -(2**63), 2**63 - 1, *random.integers(-(2**63), 2**63, 50).tolist()]:
        ones = [i for i in range(64) if bits >> i & 1]
        assert count_bits(np.int64(bits)) == len(ones)
        assert [nth_bit(np.int64(bits), n) for n in range(len(ones))] == ones


def test_drawing() -> None:
    lines = GAME.describe(played(GAME, "d3")).splitlines()
    assert lines[0] == lines[-2] == "   a b c d e f g h"
    assert lines[3:6] == ["3  · · * ● * · · · 3", "4  · · · ● ● · · · 4", "5  · · * ● ○ · · · 5"]
    assert lines[-1] == "○ to move; ● 4, ○ 1"
    assert GAME.describe(played(GAME, DRAWN)).endswith("draw; ● 32, ○ 32")


def test_names() -> None:
    assert GAME.action_name(64) == "pass"
    assert GAME.parse_action(" Pass ") == 64
    assert [GAME.action_name(action) for action in np.flatnonzero(legal_mask(GAME, GAME.start))] == [
        "d3",
        "c4",
        "f5",
        "e6",
    ]
