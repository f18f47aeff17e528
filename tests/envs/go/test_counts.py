"""Numbers of legal positions and of games, counted with the engine, beside the published ones.

Tromp and Farnebäck, "Combinatorics of Go" (2016): legal positions are those in which every chain has a liberty
(section 2); games are counted under positional superko with suicide allowed, passes left out, so that either colour may
move at any time: simple paths from the empty board in the graph of positions (section 9, table of exact counts).
"""

import numpy as np
import pytest
from numba import config, njit
from numpy.typing import NDArray

from palestra.envs.go.board import place, point_of
from palestra.envs.go.play import legal, play, set_up
from palestra.envs.go.rules import Rules, Superko
from palestra.envs.go.state import (
    BOARDS,
    BORDER,
    COLOR,
    EMPTIES,
    EMPTY,
    EMPTY_POINT,
    PLAYER,
    POINTS,
    RECORD,
    SIZE,
    State,
    new_state,
)
from tests.envs.go.checks import NO_DATA, NO_RNG, board_of
from tests.naive_go import Board

pytestmark = pytest.mark.kernel

DE_BRUIJN = 0x03F79D71B4CB0A89  # its first 64 windows of six bits differ, so that a power of two finds its number
BIT_NUMBER = np.zeros(64, np.int64)
BIT_NUMBER[[(DE_BRUIJN << k) >> 58 & 63 for k in range(64)]] = np.arange(64)


@njit(cache=True)
def boards_that_stand(start, points):  # type: ignore[no-untyped-def]
    """Counts the boards that can be set up, stone by stone, without a stone being taken by the engine."""
    n, words = len(points), start[BOARDS]
    boards, tried, depth, total = np.empty((n + 1, words), np.int64), np.zeros(n + 1, np.int64), 0, 0
    boards[0] = start[:words]
    while depth >= 0:
        color = tried[depth]
        tried[depth] += 1
        if depth == n or color == 3:
            total += depth == n
            depth -= 1
            continue
        after = boards[depth + 1]
        after[:] = boards[depth]
        if color == EMPTY or (place(after, points[depth], color) == 0 and after[points[depth] + COLOR] == color):
            depth += 1
            tried[depth] = 0
    return total


@njit(cache=True)
def boards_with_liberties(size):  # type: ignore[no-untyped-def]
    """Counts the same by bits alone: every stone is joined to a liberty through friends."""
    n, total = size * size, 0
    left, right = 0, 0
    for k in range(n):
        left |= (1 << k) * (k % size != 0)
        right |= (1 << k) * (k % size != size - 1)
    for black in range(1 << n):
        others = ((1 << n) - 1) & ~black
        white = others
        while True:
            empty = others & ~white
            alive = empty
            for stones in (black, white):
                reached = empty
                while True:
                    spread = reached | (reached << size) | (reached >> size)
                    spread |= ((reached & right) << 1) | ((reached & left) >> 1)
                    spread = (spread & stones) | empty
                    if spread == reached:
                        break
                    reached = spread
                alive |= reached
            total += alive == (1 << n) - 1
            if white == 0:
                break
            white = (white - 1) & others
    return total


def stands(size: int) -> int:
    """Counts the legal positions with the engine's chains and liberties."""
    state = new_state(Rules(size=size))
    return int(boards_that_stand(state, np.array([point_of(state, a) for a in range(size**2)])))


@pytest.mark.parametrize(("size", "count"), [(2, 57), (3, 12_675)])
def test_legal_positions_of_small_boards(size: int, count: int) -> None:
    if size == 2 or not config.DISABLE_JIT:
        assert boards_with_liberties(size) == count
        assert stands(size) == count


@pytest.mark.slow
@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="43 million boards are too many to be counted interpreted")
def test_legal_positions_of_the_4x4_board() -> None:
    assert boards_with_liberties(4) == 24_318_165
    assert stands(4) == 24_318_165


def strip(length: int, superko: Superko = "positional", suicide: bool = True) -> State:
    """Makes a board of one row: all rows but the first become border."""
    state = new_state(Rules(max(2, length), superko=superko, suicide=suicide, max_moves=1000))
    points = [point_of(state, a) for a in range(len(board_of(state)))]
    for p in points[length:]:
        state[p + COLOR] = BORDER
    assert [int(state[POINTS + RECORD * k + EMPTY_POINT]) for k in range(length)] == points[:length]
    state[EMPTIES] = length
    return state


@njit(cache=True)
def games(start, length, rng, data):  # type: ignore[no-untyped-def]
    """Plays every game on a strip, each move by either colour, the other passing if it is its turn; counts them."""
    pass_action = start[SIZE] * start[SIZE]
    states, tried = np.empty((100, len(start)), np.int64), np.zeros(100, np.int64)
    mask = np.empty(pass_action + 1, np.bool_)
    states[0], depth, total = start, 0, 1
    while depth >= 0:
        if tried[depth] == 2 * length:
            depth -= 1
            continue
        color, action = divmod(tried[depth], length)
        tried[depth] += 1
        after = states[depth + 1]
        after[:] = states[depth]
        if after[PLAYER] != color:
            play(after, pass_action, rng, data)
        legal(after, mask, data)
        if mask[action]:
            play(after, action, rng, data)
            depth += 1
            tried[depth] = 0
            total += 1
    return total


@pytest.mark.parametrize(("length", "count"), [(1, 1), (2, 9), (3, 907)])
def test_games_on_a_strip(length: int, count: int) -> None:
    assert games(strip(length), length, NO_RNG, NO_DATA) == count


def moves_between(start: State, length: int) -> tuple[list[Board], NDArray[np.int64]]:
    """Lists the positions of a strip, the empty one first, and to which each leads, as bits `[positions]`."""
    boards, leads = [board_of(start)[:length]], [set[int]()]
    for i, board in enumerate(boards):
        state = start.copy()
        stones = np.array([p for p in range(length) if board[p]], np.int64)
        assert set_up(state, stones, np.array([board[p] for p in stones], np.int64))
        for state[PLAYER] in (0, 1):
            mask = np.empty(len(board_of(start)) + 1, np.bool_)
            legal(state, mask, NO_DATA)
            for action in np.flatnonzero(mask[:-1]):
                after = state.copy()
                play(after, action, NO_RNG, NO_DATA)
                if (position := board_of(after)[:length]) not in boards:
                    boards.append(position)
                    leads.append(set())
                leads[i].add(boards.index(position))
    return boards, np.array([sum(1 << j for j in row) for row in leads])


@njit(cache=True)
def paths(leads, first):  # type: ignore[no-untyped-def]
    """Counts the simple paths that begin with positions 0 and `first`."""
    n = len(leads)
    left, at = np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64)
    visited, depth, total = 1 | (1 << first), 0, 1
    at[0], left[0] = first, leads[first] & ~visited
    while depth >= 0:
        bits = left[depth]
        if bits == 0:
            visited ^= 1 << at[depth]
            depth -= 1
            continue
        bit = bits & -bits
        left[depth] = bits ^ bit
        total += 1
        j = BIT_NUMBER[(bit * DE_BRUIJN) >> 58 & 63]
        visited |= bit
        depth += 1
        at[depth], left[depth] = j, leads[j] & ~visited
    return total


if config.DISABLE_JIT:  # NumPy warns where machine words wrap around
    paths = np.errstate(over="ignore")(paths)


def test_games_are_paths_through_the_positions() -> None:
    for length, positions, count in ((1, 1, 1), (2, 5, 9), (3, 15, 907)):
        boards, leads = moves_between(strip(length, "simple"), length)
        assert len(boards) == positions  # section 2: 1, 5, 15, 41 on 1 x n
        firsts = [j for j in range(1, len(boards)) if leads[0] >> j & 1]
        assert 1 + sum(int(paths(leads, j)) for j in firsts) == count


@pytest.mark.slow
@pytest.mark.skipif(
    bool(config.DISABLE_JIT), reason="two thousand million games are too many to be counted interpreted"
)
def test_games_on_the_1x4_board() -> None:
    """Half of the first moves are the others mirrored, and White's games are Black's."""
    boards, leads = moves_between(strip(4, "simple"), 4)
    assert len(boards) == 41
    firsts = [boards.index(stone) for stone in ((1, 0, 0, 0), (0, 1, 0, 0))]
    assert 1 + 4 * sum(int(paths(leads, j)) for j in firsts) == 2_098_407_841
