"""The rollout policy of AlphaGo: a softmax over the legal moves of a linear function of small features, for playouts.

Silver et al., "Mastering the game of Go with deep neural networks and tree search", Nature 529 (2016), Methods,
"Rollout policy" and Extended Data Table 4, for the idea and the kinds of features: the pattern around a move, whether
it answers the last one, takes or saves stones, is a self-atari. Ours are 3x3 patterns without the liberties of their
stones (tactics say of these what matters at once), in a table of their own beside the last move; and the distances to
the last two moves in place of a pattern around the last one. All is computed anew for each move.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from palestra.envs.go.board import breathes, is_eye, neighbour, only_liberty, packed, place
from palestra.envs.go.liberties import captures
from palestra.envs.go.patterns import surroundings
from palestra.envs.go.play import give_turn, play
from palestra.envs.go.playout import lead_2
from palestra.envs.go.state import (
    ACTION,
    BLACK,
    COLOR,
    EMPTIES,
    EMPTY_POINT,
    KO,
    LAST,
    LAST_BUT_ONE,
    PASSES,
    PLAYER,
    POINTS,
    RECORD,
    SIZE,
    WHITE,
    at,
)
from palestra.envs.go.tactics import is_self_atari
from palestra.envs.rng import uniform

SHAPES = 1 << 16  # surroundings of a point, from the mover's view
ANSWER = SHAPES  # the same where the move lies beside the last one
TACTICS = 2 * SHAPES  # 4 sizes of what is taken x 2 whether a chain is saved x 2 whether it is self-atari
FAR, NOWHERE = 15, 16  # distances of more than four lines, and to no move
DISTANCE = TACTICS + 16  # to the last move, by the lines between: 15 classes, FAR and NOWHERE
DISTANCE_2 = DISTANCE + 17  # to the one before
LINE = DISTANCE_2 + 17  # the line from the edge, up to five, for each third of a game
NUM_WEIGHTS = LINE + 15
NUM_FEATURES = 5  # of a move
_SAVED, _SELF = 2, 1


def canonical() -> NDArray[np.int64]:
    """Returns for each shape `[65536]` the least of those that turning and mirroring make of it."""
    codes = np.arange(SHAPES)
    pairs = np.stack([(codes >> (2 * i)) & 3 for i in range(8)])  # clockwise from the top left
    mirrored = pairs[[2, 1, 0, 7, 6, 5, 4, 3]]
    turned = [np.roll(side, 2 * k, axis=0) for side in (pairs, mirrored) for k in range(4)]
    least: NDArray[np.int64] = np.min([sum(side[i] << (2 * i) for i in range(8)) for side in turned], axis=0)
    return least


@njit(cache=True, inline="always")
def _seen_by(code, color):  # type: ignore[no-untyped-def]
    """Exchanges the colours of surroundings if White looks."""
    return code if color != WHITE else ((code & 0x5555) << 1) | ((code & 0xAAAA) >> 1)


@njit(cache=True)
def _apart(n, a, b):  # type: ignore[no-untyped-def]
    """Returns the class of the distance between two actions: lines between, the longer side first, up to four."""
    down, right = abs(a // n - b // n), abs(a % n - b % n)
    longer, shorter = max(down, right), min(down, right)
    return FAR if longer > 4 else longer * (longer + 1) // 2 + shorter


@njit(cache=True)
def _tactics(state, p, color):  # type: ignore[no-untyped-def]
    """Returns what a move does to chains in atari, as a number below 16."""
    liberty, saved = packed(p), False
    for i in range(4):
        q = neighbour(state, p, i)
        saved = saved or (state[at(q + COLOR)] == color and only_liberty(state, q, liberty))
    self_atari = is_self_atari(state, p, color)
    kind = 4 * min(captures(state, p, color), 3)
    return kind + _SAVED * np.int64(saved and not self_atari) + _SELF * np.int64(self_atari)


@njit(cache=True)
def features(state, p, color, out):  # type: ignore[no-untyped-def]
    """Writes the numbers of a move's features into `out` `[5] int64`; the last two moves are the state's."""
    n, action = state[SIZE], state[at(p + ACTION)]
    last, before = state[LAST], state[LAST_BUT_ONE]
    apart = _apart(n, action, state[at(last + ACTION)]) if last else NOWHERE
    out[0] = _seen_by(surroundings(state, p), color) + (ANSWER if apart in (1, 2) else 0)
    out[1] = TACTICS + _tactics(state, p, color)
    out[2] = DISTANCE + apart
    out[3] = DISTANCE_2 + (_apart(n, action, state[at(before + ACTION)]) if before else NOWHERE)
    row, column = action // n, action % n
    line = min(min(row, n - 1 - row), min(column, n - 1 - column))
    third = min(2, 3 * (n * n - state[EMPTIES]) // (n * n))
    out[4] = LINE + 5 * third + min(line, 4)


@njit(cache=True)
def candidates(state, color, points):  # type: ignore[no-untyped-def]
    """Writes the points where a colour may play without filling an eye into `points`, and returns how many."""
    count = 0
    for k in range(state[EMPTIES]):
        p = state[at(POINTS + RECORD * k + EMPTY_POINT)]
        if p != state[KO] and not is_eye(state, p, color) and breathes(state, p, color):
            points[at(count)] = p
            count += 1
    return count


@njit(cache=True)
def softmax(found, count, weights, chance):  # type: ignore[no-untyped-def]
    """Writes the probabilities of `count` moves with the features `found` `[K, 5]` into `chance` `[K]`."""
    highest, total = -np.inf, 0.0
    for k in range(count):
        value = 0.0
        for i in range(NUM_FEATURES):
            value += weights[at(found[at(k), i])]
        chance[at(k)] = value
        highest = max(highest, value)
    for k in range(count):
        chance[at(k)] = np.exp(chance[at(k)] - highest)
        total += chance[at(k)]
    for k in range(count):
        chance[at(k)] /= total


@njit(cache=True)
def rollout(state, trace, rng, data):  # type: ignore[no-untyped-def]
    """Plays to the end in place by the weights `data` and returns Black's result; `trace` gets number and moves."""
    num_points = state[SIZE] * state[SIZE]
    points, chance = np.empty(num_points, np.int64), np.empty(num_points)
    found = np.empty((num_points, NUM_FEATURES), np.int64)
    color, passes, moves = state[PLAYER] + BLACK, state[PASSES], 0
    longest = min(3 * num_points, len(trace) - 1)
    while passes < 2 and moves < longest:
        count, p = candidates(state, color, points), 0
        moves += 1
        if count:
            for k in range(count):
                features(state, points[at(k)], color, found[at(k)])
            softmax(found, count, data, chance)
            left, k = uniform(rng), 0
            while k < count - 1 and left >= chance[at(k)]:
                left -= chance[at(k)]
                k += 1
            p = points[at(k)]
            place(state, p, color)
            trace[at(moves)] = state[at(p + ACTION)]
            passes = 0
        else:
            state[KO] = 0
            trace[at(moves)] = num_points
            passes += 1
        state[LAST_BUT_ONE], state[LAST] = state[LAST], p
        color = 3 - color
    trace[0] = moves
    lead = lead_2(state)
    return 1.0 if lead > 0 else -1.0 if lead < 0 else 0.0


@njit(cache=True)
def learn_move(state, made, weights, squares, canon, rate, points, found, chance):  # type: ignore[no-untyped-def]
    """Makes the action `made` likelier in a position by a step of AdaGrad, and returns its rank among the candidates.

    `canon` `[65536]` says by which shape's weight a shape is known (`canonical`). With a rate of 0 nothing is learnt.
    The rank is 0 for the likeliest move, and -1 if `made` is no candidate.
    """
    color, chosen, rank = state[PLAYER] + BLACK, -1, 0
    count = candidates(state, color, points)
    for k in range(count):
        features(state, points[k], color, found[k])
        found[k, 0] = (found[k, 0] & ~(SHAPES - 1)) + canon[found[k, 0] & (SHAPES - 1)]
        if state[points[k] + ACTION] == made:
            chosen = k
    if chosen < 0:
        return -1
    softmax(found, count, weights, chance)
    for k in range(count):
        rank += chance[k] > chance[chosen]
    if rate > 0.0:
        for k in range(count):
            step = np.float64(k == chosen) - chance[k]
            for f in found[k]:
                squares[f] += step * step
                weights[f] += rate * step / np.sqrt(squares[f] + 1.0)
    return rank


@njit(cache=True)
def learn_games(starts, start, begin, moves, games, weights, squares, canon, rate, ranks):  # type: ignore[no-untyped-def]
    """Learns the moves of games of a `GameSet`, in order, and writes their ranks into `ranks`; passes have none, -1."""
    state, row = starts[0].copy(), 0
    num_points = state[SIZE] * state[SIZE]
    points, chance = np.empty(num_points, np.int64), np.empty(num_points)
    found, no_data, no_rng = np.empty((num_points, NUM_FEATURES), np.int64), np.zeros(1), np.zeros(4, np.uint64)
    for game in games:
        state[:] = starts[start[game]]
        for i in range(begin[game], begin[game + 1]):
            action = np.int64(moves[i] >> 1)
            give_turn(state, moves[i] & 1)
            ranks[row] = learn_move(state, action, weights, squares, canon, rate, points, found, chance)
            play(state, action, no_rng, no_data)
            row += 1
    return row


def expanded(weights: NDArray[np.float64], canon: NDArray[np.int64]) -> NDArray[np.float64]:
    """Returns weights as `rollout` wants them: those of each shape where only canonical ones were learnt."""
    full = weights.copy()
    for table in (0, ANSWER):
        full[table : table + SHAPES] = weights[table + canon]
    return full
