"""The rollout policy's features, probabilities and steps of learning beside slow twins, and its playouts as games."""

import numpy as np
import pytest
from numba import config

from palestra.envs.game import OVER, PLAYER, State
from palestra.envs.go.board import is_eye, point_of
from palestra.envs.go.game import colors, parse_vertex
from palestra.envs.go.play import legal
from palestra.envs.go.position import from_rows
from palestra.envs.go.rollout import (
    ANSWER,
    DISTANCE,
    DISTANCE_2,
    FAR,
    LINE,
    NOWHERE,
    NUM_FEATURES,
    NUM_WEIGHTS,
    SHAPES,
    TACTICS,
    candidates,
    canonical,
    expanded,
    features,
    learn_move,
    rollout,
    softmax,
)
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import ACTION, BLACK, EMPTY, LAST, LAST_BUT_ONE, WHITE
from palestra.envs.rng import seed_state
from tests.envs.go.checks import NO_DATA, random_state
from tests.naive_go import after, liberties

CANON = canonical()
FEW = config.DISABLE_JIT


def found(state: State, vertex: str, color: int = BLACK) -> list[int]:
    """Returns the features of a move."""
    out = np.zeros(NUM_FEATURES, np.int64)
    features(state, point_of(state, parse_vertex(int(np.sqrt(colors(state).size)), vertex)), color, out)
    return out.tolist()


@pytest.mark.kernel
def test_shapes_that_turn_into_each_other_are_one() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        around = random.integers(0, 4, (3, 3))
        codes = set()
        for k in range(4):
            for square in (np.rot90(around, k), np.rot90(around, k).T):
                ring = square.ravel()[[0, 1, 2, 5, 8, 7, 6, 3]]
                codes.add(int(sum(int(c) << (2 * i) for i, c in enumerate(ring))))
        assert {int(CANON[code]) for code in codes} == {min(codes)}


@pytest.mark.kernel
def test_features_by_hand() -> None:
    """Black takes one stone at C3; White saves it at C3 by making it longer; at A1 Black is in self-atari."""
    rows = [". . . . .", ". . X . .", ". X O . .", ". . X . .", ". O . . ."]
    state = from_rows(rows, Rules(5, superko="simple")).state
    state[LAST], state[LAST_BUT_ONE] = point_of(state, parse_vertex(5, "C3")), point_of(state, parse_vertex(5, "C2"))
    shape, tactics, near, near_2, line = found(state, "D3")
    assert (shape >= ANSWER, tactics - TACTICS, near - DISTANCE, near_2 - DISTANCE_2, line - LINE) == (True, 4, 1, 2, 1)
    shape, tactics, near, near_2, _ = found(state, "D3", WHITE)
    assert (tactics - TACTICS) == 2  # C3 and D3 have three liberties then
    shape, tactics, near, near_2, line = found(state, "A1")
    assert (shape < SHAPES, tactics - TACTICS, near - DISTANCE, line - LINE) == (True, 1, 5, 0)
    assert near_2 - DISTANCE_2 == 4
    state[[LAST, LAST_BUT_ONE]] = 0
    assert found(state, "A5")[2:4] == [DISTANCE + NOWHERE, DISTANCE_2 + NOWHERE]
    wide = from_rows([" ".join("." * 9)] * 9, Rules(9)).state
    wide[LAST] = point_of(wide, 0)
    assert [found(wide, v)[2] - DISTANCE for v in ("B9", "B8", "E9", "E5", "F9")] == [1, 2, 10, 14, FAR]


@pytest.mark.kernel
@pytest.mark.parametrize("seed", range(2 if FEW else 20))
def test_features_of_random_positions(seed: int) -> None:
    """Shapes from the board as drawn, and tactics from what the move leaves, on the twin."""
    n = 6
    state = random_state(Rules(n, superko="simple"), 25, seed)
    board = tuple(int(c) for c in colors(state).ravel())
    framed = np.pad(colors(state), 1, constant_values=3)
    points = np.empty(n * n, np.int64)
    for color in (BLACK, WHITE):
        seen = np.where(np.isin(framed, (1, 2)), np.where(framed == color, 1, 2), framed)
        for p in points[: candidates(state, color, points)]:
            action = int(state[p + ACTION])
            out = np.zeros(NUM_FEATURES, np.int64)
            features(state, p, color, out)
            row, column = divmod(action, n)
            ring = seen[row : row + 3, column : column + 3].ravel()[[0, 1, 2, 5, 8, 7, 6, 3]]
            assert out[0] % SHAPES == sum(int(c) << (2 * i) for i, c in enumerate(ring))
            left, taken, _ = after(board, n, action, color)
            beside = [q for q in _beside(n, action) if board[q] == color and len(liberties(board, n, q)) == 1]
            risky = taken == 0 and len(liberties(left, n, action)) < 2
            assert out[1] - TACTICS == 4 * min(taken, 3) + 2 * (bool(beside) and not risky) + risky


def _beside(n: int, action: int) -> list[int]:
    row, column = divmod(action, n)
    around = [(row + down, column + right) for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0))]
    return [r * n + c for r, c in around if 0 <= r < n and 0 <= c < n]


@pytest.mark.kernel
def test_candidates_are_the_legal_moves_that_fill_no_eye() -> None:
    for seed in range(5):
        state = random_state(Rules(5, superko="simple"), 30, seed)
        state[OVER] = 0
        mask, points = np.zeros(26, np.bool_), np.empty(25, np.int64)
        legal(state, mask, NO_DATA)
        color = int(state[PLAYER]) + BLACK
        some = points[: candidates(state, color, points)]
        eyes = [a for a in range(25) if mask[a] and is_eye(state, point_of(state, a), color)]
        assert sorted(state[some + ACTION]) == sorted(set(np.flatnonzero(mask[:25]).tolist()) - set(eyes))


@pytest.mark.kernel
def test_a_step_of_learning_is_the_gradients() -> None:
    """The twin: probabilities by NumPy, and AdaGrad's sums over all candidates one after another."""
    state = random_state(Rules(5, superko="simple"), 12, 3)
    color = int(state[PLAYER]) + BLACK
    points = np.empty(25, np.int64)
    some = points[: candidates(state, color, points)].copy()
    weights, squares = np.random.default_rng(0).normal(size=NUM_WEIGHTS), np.ones(NUM_WEIGHTS)
    rows = np.zeros((len(some), NUM_FEATURES), np.int64)
    for k, p in enumerate(some):
        features(state, p, color, rows[k])
        table = rows[k, 0] // SHAPES * SHAPES
        rows[k, 0] = table + CANON[rows[k, 0] - table]
    value = weights[rows].sum(1)
    chance = np.exp(value - value.max()) / np.exp(value - value.max()).sum()
    made = 2
    expected_w, expected_s = weights.copy(), squares.copy()
    for k in range(len(some)):
        step = (k == made) - chance[k]
        for f in rows[k]:
            expected_s[f] += step**2
            expected_w[f] += 0.3 * step / np.sqrt(expected_s[f] + 1)
    memory = np.empty(25, np.int64), np.empty((25, NUM_FEATURES), np.int64), np.empty(25)
    action = int(state[some[made] + ACTION])
    rank = learn_move(state, action, weights, squares, CANON, 0.3, *memory)
    assert rank == (chance > chance[made]).sum()
    np.testing.assert_allclose(weights, expected_w)
    np.testing.assert_allclose(squares, expected_s)
    np.testing.assert_allclose(memory[2][: len(some)], chance)
    again = weights.copy()
    learn_move(state, action, again, squares, CANON, 0.0, *memory)
    assert (again == weights).all()
    assert learn_move(state, 25, again, squares, CANON, 0.3, *memory) == -1  # a pass


@pytest.mark.kernel
@pytest.mark.parametrize("seed", range(2 if FEW else 10))
def test_playouts_are_games(seed: int) -> None:
    """All moves are legal by simple ko, none fills an eye, and the result is the area's."""
    rules = Rules(5, komi=0.5, superko="simple", suicide=False, max_moves=1000)
    weights = np.random.default_rng(seed).normal(size=NUM_WEIGHTS)
    state, trace = random_state(rules, 5, seed), np.zeros(76, np.int64)
    ended = state.copy()
    result = rollout(ended, trace, seed_state(seed), weights)
    from palestra.envs.go.position import Position

    position = Position(rules)
    position.state = state
    for action in trace[1 : 1 + trace[0]]:
        if action < 25:
            assert not is_eye(position.state, point_of(position.state, action), position.to_move)
        position.play(int(action))
    assert (colors(ended) == position.board).all()
    if position.over:
        assert result == np.sign(position.score())


@pytest.mark.kernel
def test_moves_are_drawn_by_their_probabilities() -> None:
    """Five standard errors of the counts of first moves."""
    state = from_rows([". . .", ". X .", ". . O"], Rules(3, superko="simple")).state
    canon_weights = np.random.default_rng(1).normal(size=NUM_WEIGHTS)
    weights = expanded(canon_weights, CANON)
    assert (weights[TACTICS:] == canon_weights[TACTICS:]).all()
    points, rows, chance = np.empty(9, np.int64), np.zeros((9, NUM_FEATURES), np.int64), np.empty(9)
    count, num = candidates(state, BLACK, points), 200 if FEW else 20_000
    for k in range(count):
        features(state, points[k], BLACK, rows[k])
    softmax(rows, count, weights, chance)
    assert chance[:count].sum() == pytest.approx(1)
    counts, trace, rng = np.zeros(10), np.zeros(28, np.int64), seed_state(0)
    for _ in range(num):
        rollout(state.copy(), trace, rng, weights)
        counts[trace[1]] += 1
    for k in range(count):
        p = chance[k]
        assert abs(counts[state[points[k] + ACTION]] - num * p) < 5 * np.sqrt(num * p * (1 - p))
    assert counts.sum() == num
    assert state[point_of(state, 0)] == EMPTY
