"""Connect four against its twin, the published counts of positions and published scores of solved ones."""

from itertools import product

import numpy as np
import pytest
from numba import config

from palestra.envs.connect_four import STONES, connect_four
from palestra.envs.game import OVER, PLAYER, PLY, State, legal_mask, move
from palestra.envs.rng import seed_state
from tests.game_trees import (
    assert_equals_twin,
    assert_playout_is_a_game,
    assert_playouts_are_uniform,
    leaves,
    played,
    positions,
    score,
)
from tests.naive_games import NaiveRow

GAME, UNIFORM = connect_four(), connect_four(playouts="uniform")
FEW = config.DISABLE_JIT

# The first of "Test_L3_R1" at blog.gamesolver.org/solving-connect-four/02-test-protocol: columns played, and the score.
SOLVED = {
    "2252576253462244111563365343671351441": -1,
    "7422341735647741166133573473242566": 1,
    "23163416124767223154467471272416755633": 0,
    "71255763773133525731261364622167124446454": 0,
    "65214673556155731566316327373221417": -1,
    "52677675164321472411331752454": 0,
    "562154564361751726662253737734213275114": 0,
    "233377345754465174223731671122611552": 1,
    "6763525635134453444361412671365712": -1,
    "211376455663355325112113664364524722": 0,
    "3146762114467714356347741621375222": -1,
    "67152117737262713366376314254": 6,
    "2762751722231276466633475674533": 5,
    "3642756176227637211322113551637574556": 2,
    "22647455554314246733661634615122372377511": 0,
    "427566236745127177115664464254": 2,
}

DRAWN = "6 6 6 1 6 5 5 7 7 4 6 2 4 6 3 2 3 4 1 5 2 5 4 1 3 3 3 2 1 1 1 3 2 7 2 4 5 5 4 7 7 7"


@pytest.mark.kernel
@pytest.mark.parametrize("seed", range(5 if FEW else 40))
def test_random_games_equal_the_twins(seed: int) -> None:
    assert_equals_twin(GAME, NaiveRow(6, 7, 4, falls=True), seed)


@pytest.mark.kernel
def test_positions_by_moves() -> None:
    # OEIS A212693.
    depth = 4 if FEW else 6
    assert positions(GAME, depth) == [1, 7, 49, 238, 1120, 4263, 16422][: depth + 1]


@pytest.mark.slow
def test_positions_after_eight_moves() -> None:
    assert positions(GAME, 8)[7:] == [54859, 184275]


@pytest.mark.kernel
def test_games_of_few_moves() -> None:
    # No column is full and nobody has four before the seventh move.
    depth = 4 if FEW else 6
    assert leaves(GAME, depth) == (7**depth, [0, 0, 0])


@pytest.mark.kernel
@pytest.mark.parametrize("moves", [m for m in SOLVED if len(m) > (36 if FEW else 0)])
def test_solved_positions_have_the_published_scores(moves: str) -> None:
    assert score(GAME, played(GAME, " ".join(moves))) == SOLVED[moves]


@pytest.mark.kernel
@pytest.mark.parametrize("seed", range(20))
def test_playouts_are_games(seed: int) -> None:
    full = DRAWN.rsplit(maxsplit=seed)[0]
    for game, moves in product((GAME, UNIFORM), ("", "4 4 4 4 4 4 3 5 1", full, DRAWN)):
        assert_playout_is_a_game(game, played(game, moves), seed)


@pytest.mark.kernel
def test_a_playout_after_the_end_is_empty() -> None:
    state, trace = played(GAME, "1 2 1 2 1 2 1"), np.full(43, -1)
    before = state.tolist()
    assert GAME.playout(state, trace, seed_state(0), GAME.data) == 0.0
    assert trace[0] == 0
    assert state.tolist() == before


@pytest.mark.kernel
def test_playouts_are_uniform() -> None:
    state = played(GAME, "4 4 4 4 4 4 3 5 1")
    assert legal_mask(GAME, state).tolist() == [True, True, True, False, True, True, True]
    assert_playouts_are_uniform(UNIFORM, state, 300 if FEW else 12_000)


def after(state: State, action: int) -> State:
    """Returns the state after a move."""
    state = state.copy()
    move(GAME, state, action, seed_state(0))
    return state


def wins_of(state: State) -> set[int]:
    """Returns the columns that win at once, found by trying all."""
    legal = np.flatnonzero(legal_mask(GAME, state)).tolist()
    return {c for c in legal if (next_ := after(state, c))[OVER] and "wins" in GAME.describe(next_)}


def expected(state: State) -> tuple[set[int], set[int]]:
    """Returns the decisive moves, and what the search should leave."""
    legal = set(np.flatnonzero(legal_mask(GAME, state)).tolist())
    passed = state.copy()
    passed[PLAYER] = 1 - state[PLAYER]
    decisive = wins_of(state) or wins_of(passed)
    safe = {c for c in legal if (next_ := after(state, c))[OVER] or not wins_of(next_)}
    return decisive, decisive or safe or legal


@pytest.mark.kernel
@pytest.mark.parametrize("seed", range(3 if FEW else 60))
def test_decisive_moves_are_played_and_blunders_left(seed: int) -> None:
    random, state, trace = np.random.default_rng(seed), GAME.start.copy(), np.zeros(43, np.int64)
    while not state[OVER]:
        decisive, left = expected(state)
        mask = legal_mask(GAME, state)
        GAME.priors(state, mask, np.zeros((2, 7)), GAME.data)
        assert set(np.flatnonzero(mask).tolist()) == left
        mask = legal_mask(UNIFORM, state)
        UNIFORM.priors(state, mask, np.zeros((2, 7)), UNIFORM.data)
        assert (mask == legal_mask(UNIFORM, state)).all()
        for k in range(5):
            GAME.playout(state.copy(), trace, seed_state(seed, k), GAME.data)
            assert trace[1] in (decisive or set(np.flatnonzero(mask)))
        state = after(state, int(random.choice(np.flatnonzero(mask))))


@pytest.mark.parametrize("seed", range(20))
def test_the_best_move_is_never_left_out(seed: int) -> None:
    """Values of late positions by alpha-beta: the best of those left wins if any does."""
    random, state = np.random.default_rng(seed), GAME.start.copy()
    while state[PLY] < 28 and not state[OVER]:
        state = after(state, int(random.choice(np.flatnonzero(legal_mask(GAME, state)))))
    while not state[OVER]:
        mask = legal_mask(GAME, state)
        values = {c: 1 if c in wins_of(state) else np.sign(-score(GAME, after(state, c))) for c in np.flatnonzero(mask)}
        GAME.priors(state, mask, np.zeros((2, 7)), GAME.data)
        assert max(values[c] for c in np.flatnonzero(mask)) == max(values.values())
        state = after(state, int(random.choice(list(values))))


@pytest.mark.kernel
def test_all_fours_win_by_any_of_their_stones() -> None:
    # 24 in rows, 21 in columns, 12 in diagonals of either kind: 69.
    fours = {
        tuple((column + i * right, height + i * up) for i in range(4))
        for right, up in ((1, 0), (0, 1), (1, 1), (1, -1))
        for column in range(8 - max(1, 4 * right))
        for height in range(6)
        if 0 <= height + 3 * up < 6
    }
    assert len(fours) == 69
    for four in fours:
        for column, height in four:
            if (column, height + 1) in four:
                continue  # a stone on top of it was there before
            state = GAME.start.copy()
            own = {square for square in four if square != (column, height)}
            state[STONES] = sum(1 << (7 * c + h) for c, h in own)
            below = {(column, h) for h in range(height)} - own
            state[STONES + 1] = sum(1 << (7 * c + h) for c, h in below)
            assert GAME.play(state, column, seed_state(0), GAME.data) == 1.0
            assert state[STONES] == sum(1 << (7 * c + h) for c, h in four)
            assert state[OVER]


def test_a_full_column_is_not_legal() -> None:
    state = played(GAME, "1 1 1 1 1 1")
    assert not legal_mask(GAME, state)[0]
    with pytest.raises(ValueError, match="1 is not a legal move of connect-four here"):
        played(GAME, "1 1 1 1 1 1 a")


def test_the_end() -> None:
    state = played(GAME, "1 2 1 2 1 2 1")
    assert state[OVER]
    assert not legal_mask(GAME, state).any()
    assert GAME.describe(state).endswith("● wins")
    assert GAME.describe(played(GAME, DRAWN)).endswith("draw")
    assert GAME.describe(played(GAME, "1 2 1 2 1 2 3 2")).endswith("○ wins")


def test_drawing() -> None:
    empty = "· · · · · · ·\n"
    assert GAME.describe(played(GAME, "4 4 3")) == 4 * empty + (
        "· · · ○ · · ·\n· · ● ● · · ·\n1 2 3 4 5 6 7\n○ to move"
    )


def test_columns_have_numbers_and_letters() -> None:
    assert [GAME.parse_action(text) for text in ("1", "7", "a", " G ")] == [0, 6, 0, 6]
    assert [GAME.action_name(action) for action in (0, 6)] == ["1", "7"]
    for text in ("", "0", "8", "h", "11", "1a"):
        with pytest.raises(ValueError, match="is not a column: a number 1 to 7 or a letter a to g is wanted"):
            GAME.parse_action(text)
