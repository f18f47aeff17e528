"""Games between two policies: legal, counted for the right side, drawn by the policies' probabilities."""

import numpy as np
import pytest

from palestra.agents.self_play import play_batch, play_out
from palestra.envs.go.batch import sensible_all
from palestra.envs.go.board import is_eye, point_of
from palestra.envs.go.position import Position
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import BLACK, OVER, PLAYER
from palestra.envs.go.vector import GoBatch

RULES = Rules(5, komi=0.5)


def even(obs: np.ndarray) -> np.ndarray:
    return np.zeros((len(obs), 26))


def in_order(obs: np.ndarray) -> np.ndarray:
    """Prefers the first point that it may play."""
    return np.broadcast_to(-1000.0 * np.arange(26), (len(obs), 26))


def test_sensible_moves_are_the_legal_ones_that_fill_no_eye() -> None:
    """The slow twin asks the position for each point by itself."""
    rng, passed, struck = np.random.default_rng(0), 0, 0
    for _ in range(30):
        position = Position(RULES)
        while not position.state[OVER]:
            mask = np.empty((2, 26), np.bool_)
            sensible_all(np.stack([position.state, position.state]), mask)
            color = int(position.state[PLAYER]) + BLACK
            eyes = [is_eye(position.state, point_of(position.state, a), color) for a in range(25)]
            legal = position.legal()[:25]
            wanted = legal & ~np.array(eyes)
            struck += int((legal & np.array(eyes)).sum())
            passed += not wanted.any()
            assert (mask == [*wanted, not wanted.any()]).all()
            position.play(int(rng.choice(np.flatnonzero(mask[0]))))
        sensible_all(position.state[None], mask[:1])
        assert not mask[0].any()
    assert passed > 30
    assert struck > 30


def test_games_are_replayed_to_the_same_results() -> None:
    """The learner plays in a fixed order, and so does the opponent: every game is known from its colour."""
    played = play_batch(GoBatch(RULES, 5), in_order, in_order, np.random.default_rng(0))
    position = Position(RULES)
    moves: list[int] = []
    while not position.state[OVER]:
        mask = np.empty((1, 26), np.bool_)
        sensible_all(position.state[None], mask)
        moves.append(int(mask[0].argmax()))
        position.play(moves[-1])
    black = float(np.sign(position.score()))
    assert played.result.tolist() == [black] * 3 + [-black] * 2  # Black in the first half
    assert played.length.tolist() == [len(moves)] * 5
    for game in range(5):
        own = played.action[played.game == game].tolist()
        assert own == moves[(game >= 3) :: 2]
    first = played.obs[played.game == 3][0]
    assert first[1].sum() == 1  # White sees Black's stone as the opponent's
    assert first[1].ravel()[moves[0]] == 1


def test_moves_are_drawn_by_their_probabilities() -> None:
    """First moves of 3,000 games, of probabilities in the ratio 3 to 1, within four standard deviations."""
    logits = np.full(26, -50.0)
    logits[[3, 7]] = np.log([3.0, 1.0])

    def policy(obs: np.ndarray) -> np.ndarray:
        return np.broadcast_to(logits, (len(obs), 26))

    played = play_batch(GoBatch(Rules(5, max_moves=2), 6000), policy, even, np.random.default_rng(0))
    black = played.action[played.game < 3000]
    assert np.isin(black, [3, 7]).all()
    assert (black == 3).mean() == pytest.approx(0.75, abs=4 * np.sqrt(0.75 * 0.25 / 3000))
    assert played.mask[played.game < 3000].sum(axis=1).tolist() == [25] * 3000


def test_games_played_out_are_legal_to_their_last_state() -> None:
    games = play_out(GoBatch(RULES, 7), even, np.random.default_rng(0))
    assert len({tuple(moves) for moves, _ in games}) == 7
    for moves, state in games:
        position = Position(RULES)
        for action in moves:
            assert not position.state[OVER]
            position.play(action)
        assert (position.state == state).all()
        assert state[OVER]


def test_one_policy_for_both_sides_plays_as_two_that_are_equal() -> None:
    one, two = (play_out(GoBatch(RULES, 4), even, np.random.default_rng(3)) for _ in range(2))
    assert [moves for moves, _ in one] == [moves for moves, _ in two]
    batch = GoBatch(RULES, 4)
    first = play_batch(batch, even, lambda obs: even(obs), np.random.default_rng(3))
    assert first.length.tolist() == [len(moves) for moves, _ in one]
