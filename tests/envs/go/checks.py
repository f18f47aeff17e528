"""What must hold in every state of the engine, worked out from the stones alone."""

import numpy as np

from palestra.envs.go.board import packed, point_of
from palestra.envs.go.game import colors
from palestra.envs.go.play import legal, play
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import (
    ACTION,
    BOARDS,
    BORDER,
    COLOR,
    COUNT,
    EMPTIES,
    EMPTY_POINT,
    HASH,
    HEAD,
    KO,
    LIBERTIES,
    NEXT,
    NUM_BOARDS,
    OVER,
    PLY,
    POINTS,
    RECORD,
    SIZE,
    ZOBRIST,
    State,
    board_words,
    new_state,
)
from tests.naive_go import Board, flood, neighbours

NO_RNG, NO_DATA = np.zeros(4, np.uint64), np.zeros(1)  # Go has no chance and no tables


def board_of(state: State) -> Board:
    """Returns the stones as the twin has them."""
    return tuple(int(c) for c in colors(state).ravel())


def check_board(state: State) -> None:
    """Compares borders, the list of empty points, chains and the hash with what flood fill finds."""
    n, board = int(state[SIZE]), board_of(state)
    points = [int(point_of(state, action)) for action in range(n * n)]
    records = range(POINTS, POINTS + RECORD * ((n + 1) * (n + 2) + 1), RECORD)
    assert all(state[p + COLOR] == BORDER for p in records if p not in points)
    assert [int(state[p + ACTION]) for p in points] == list(range(n * n))
    empty = [int(state[POINTS + RECORD * k + EMPTY_POINT]) for k in range(int(state[EMPTIES]))]
    assert sorted(empty) == [p for p, color in zip(points, board, strict=True) if color == 0]
    assert [int(state[p + COUNT]) for p in empty] == list(range(len(empty)))
    assert state[KO] == 0 or state[KO] in empty
    key = 0
    for action, color in enumerate(board):
        if color:
            key ^= int(ZOBRIST[2 * ((points[action] - POINTS) // RECORD) + color - 1])
            check_chain(state, board, points, action)
    assert int(state[HASH]) == key


def check_chain(state: State, board: Board, points: list[int], action: int) -> None:
    """Compares the chain of one stone with what flood fill finds."""
    n = int(state[SIZE])
    stones = flood(board, n, action)[0]
    head = int(state[points[action] + HEAD])
    ring, q = [head], int(state[head + NEXT])
    while q != head:
        ring.append(q)
        q = int(state[q + NEXT])
    assert sorted(ring) == sorted(points[s] for s in stones)
    assert {int(state[q + HEAD]) for q in ring} == {head}
    assert state[head + COUNT] == len(stones)
    touching = [points[q] for s in stones for q in neighbours(n, s) if board[q] == 0]
    word = sum(int(packed(q)) for q in touching)  # as a machine word, which wraps around
    assert int(state[head + LIBERTIES]) == (word + 2**63) % 2**64 - 2**63


def past_boards(state: State) -> list[Board]:
    """Unpacks the last eight boards, the newest first."""
    n, words = int(state[SIZE]), board_words(int(state[SIZE]))
    boards = []
    for k in range(NUM_BOARDS):
        begin = int(state[BOARDS]) + 2 * words * int((state[PLY] - k) % NUM_BOARDS)
        bits = state[begin : begin + 2 * words].view(np.uint8).reshape(2, 8 * words)
        black, white = np.unpackbits(bits, axis=1, bitorder="little")[:, : n * n].astype(int)
        boards.append(tuple((black + 2 * white).tolist()))
    return boards


def random_state(rules: Rules, moves: int, seed: int) -> State:
    """Plays random moves, few of them passes, from the empty board, and stops before the game is over."""
    random, state = np.random.default_rng(seed), new_state(rules)
    mask = np.zeros(rules.size**2 + 1, np.bool_)
    for _ in range(moves):
        legal(state, mask, NO_DATA)
        stones = np.flatnonzero(mask[:-1])
        action = rules.size**2 if len(stones) == 0 else int(random.choice(stones))
        before = state.copy()
        play(state, action, NO_RNG, NO_DATA)
        if state[OVER]:
            return before
    return state
