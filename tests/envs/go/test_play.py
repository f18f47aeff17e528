"""Random games beside the twin: legal moves, captures, ko, past boards, the end and the score."""

from collections import Counter

import numpy as np
import pytest
from numba import config

from palestra.envs.game import OVER, PLAYER, PLY
from palestra.envs.go.board import point_of
from palestra.envs.go.play import legal, play, set_up
from palestra.envs.go.rules import SCORING, SUPERKO, Rules, Scoring, Superko, rules_named
from palestra.envs.go.scoring import owners, score_2
from palestra.envs.go.state import (
    HISTORY,
    LOST_BLACK,
    LOST_WHITE,
    PASSES,
    PLACED,
    POSITIONS,
    USED,
    State,
    new_state,
)
from tests import naive_go
from tests.envs.go.checks import NO_DATA, NO_RNG, board_of, check_board, past_boards
from tests.naive_go import NaiveGo

pytestmark = pytest.mark.kernel


def omega(state: State) -> list[bool]:
    """Returns Ω; its count must be its sum."""
    mask = np.ones(len(board_of(state)) + 1, np.bool_)
    assert legal(state, mask, NO_DATA) == mask.sum()
    return [bool(m) for m in mask]


def compare(state: State, twin: NaiveGo) -> None:
    """Asserts that all that both know is equal."""
    board = board_of(state)
    assert board == twin.board
    assert (state[LOST_BLACK], state[LOST_WHITE]) == (twin.lost[1], twin.lost[2])
    assert (state[PLAYER] + 1, bool(state[OVER]), state[PLY]) == (twin.to_move, twin.over, len(twin.actions))
    assert state[USED] == state[HISTORY] + state[POSITIONS] <= len(state)
    owner = np.empty(len(board), np.int64)
    owners(state, owner)
    assert owner.tolist() == naive_go.owners(twin.board, twin.size)
    assert score_2(state) / 2 == twin.lead()
    boards = [b for b, _ in reversed(twin.past)][:8]
    assert past_boards(state) == boards + [(0,) * len(board)] * (8 - len(boards))


def play_beside(rules: Rules, seed: int, unseen: int, seen: int) -> Counter[str]:
    """Plays a random game in both, compares them after `unseen` moves, and counts what the rules forbade and took."""
    random = np.random.default_rng(seed)
    state, twin, count = new_state(rules), NaiveGo(rules), Counter[str]()
    for ply in range(unseen + seen):
        mask = omega(state)
        if ply >= unseen:
            check_board(state)
            compare(state, twin)
            reasons = twin.reasons()
            assert mask == [reason == "" for reason in reasons]
            count.update(reasons)
        if twin.over:
            break
        stones = np.flatnonzero(mask[:-1])
        action = twin.pass_action if len(stones) == 0 or random.random() < 0.02 else int(random.choice(stones))
        reward = play(state, action, NO_RNG, NO_DATA)
        twin.play(action)
        assert reward == (np.sign(twin.lead()) if twin.over else 0)
    count.update(lost=sum(twin.lost.values()), moves=len(twin.actions))
    return count


# size, games, moves before the two are compared, moves compared
GAMES = [(2, 6, 0, 60), (3, 8, 0, 80), (4, 8, 10, 80), (5, 3, 20, 40), (6, 1, 40, 20), (7, 1, 60, 20), (8, 1, 80, 10)]
GAMES += [(9, 1, 100, 10), (13, 1, 200, 2), (19, 1, 420, 1), (25, 1, 700, 1)]
if config.DISABLE_JIT:
    GAMES = [(2, 2, 0, 15), (3, 1, 10, 15), (4, 1, 15, 5)]


@pytest.mark.parametrize("suicide", [False, True])
@pytest.mark.parametrize("superko", SUPERKO)
def test_random_games_equal_the_twin(superko: Superko, suicide: bool) -> None:
    count = Counter[str]()
    for size, games, unseen, seen in GAMES:
        for game in range(games):
            scoring = SCORING[(size + game) % 2]
            rules = Rules(size, 0.5 * (size - 4), superko, suicide, scoring, max_moves=unseen + min(seen, 70))
            count += play_beside(rules, 100 * size + game, unseen, seen)
    assert count["lost"] > count["moves"] / 10  # the games are about captures
    assert (count["suicide"] == 0) == suicide
    assert (count["superko"] > 0) == (superko != "simple")
    assert count["ko"] > 0 or config.DISABLE_JIT


@pytest.mark.parametrize("superko", SUPERKO)
def test_games_from_a_set_up_position_equal_the_twin(superko: Superko) -> None:
    random = np.random.default_rng(5)
    for round in range(3 if config.DISABLE_JIT else 24):
        size = int(random.integers(2, 4 if config.DISABLE_JIT else 8))
        rules = Rules(size, 7, superko, suicide=round % 2 == 0, max_moves=400)
        board = tuple(int(c) for c in random.choice(3, size * size, p=[0.4, 0.3, 0.3]))
        board = tuple(c if naive_go.liberties(board, size, p) else 0 for p, c in enumerate(board))
        stones = random.permutation([p for p, c in enumerate(board) if c]).astype(np.int64)
        state, twin = new_state(rules), NaiveGo(rules, board, to_move=2)
        state[PLAYER] = 1
        assert set_up(state, stones, np.array([board[p] for p in stones], np.int64))
        for _ in range(8 if config.DISABLE_JIT else 20):
            check_board(state)
            compare(state, twin)
            mask = omega(state)
            assert mask == twin.legal()
            if twin.over:
                break
            action = int(random.choice(np.flatnonzero(mask)))
            play(state, action, NO_RNG, NO_DATA)
            twin.play(action)


def test_set_up_refuses_an_occupied_point_and_a_stone_without_liberty() -> None:
    black, white = np.array([1, 2]), np.array([0])
    for actions, colors in (([0, 0], [1, 1]), ([1, 2, 0], [1, 1, 2]), ([0, 1, 2, 3], [1, 1, 1, 1])):
        state = new_state(Rules(size=2))
        assert not set_up(state, np.array(actions), np.array(colors))
    assert set_up(new_state(Rules(size=3)), np.r_[black, white], np.array([1, 1, 2]))


def test_the_game_ends_by_two_passes_or_by_the_cap() -> None:
    state = new_state(Rules(size=3, komi=0))
    assert play(state, 4, NO_RNG, NO_DATA) == 0
    assert play(state, 9, NO_RNG, NO_DATA) == 0
    assert play(state, 9, NO_RNG, NO_DATA) == 1  # the whole board is Black's
    assert state[OVER] == 1
    assert state[PASSES] == 2
    assert not any(omega(state))
    for komi, result in ((8.5, 1), (9, 0), (9.5, -1)):
        state = new_state(Rules(size=3, komi=komi, max_moves=1))
        assert play(state, 4, NO_RNG, NO_DATA) == result
        assert state[OVER] == 1


def test_placed_tells_the_ply_of_the_last_stone_on_a_point() -> None:
    state = new_state(Rules(size=3))
    for action in (0, 1, 8, 3):  # White's second stone takes the first
        play(state, action, NO_RNG, NO_DATA)
    assert [int(state[point_of(state, a) + PLACED]) for a in range(9)] == [1, 2, 0, 4, 0, 0, 0, 0, 3]


@pytest.mark.parametrize("scoring", SCORING)
def test_the_longest_game_fits_into_the_state(scoring: Scoring) -> None:
    rules = rules_named("tromp-taylor", size=2, scoring=scoring, superko="simple", max_moves=7)
    state, before = new_state(rules), len(new_state(rules))
    random = np.random.default_rng(0)
    while not state[OVER]:
        action = int(random.choice(np.flatnonzero(omega(state)[:-1]) if any(omega(state)[:-1]) else [4]))
        play(state, action, NO_RNG, NO_DATA)
    assert state[PLY] == 7
    assert state[USED] == before
