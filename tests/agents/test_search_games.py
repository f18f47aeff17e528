"""Self-play by search: what is kept of a game is what happened in it, whoever else shares the batches."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from palestra.agents.alphazero import AlphaZeroConfig
from palestra.agents.search_games import play_games, seed_of_game
from palestra.envs.game import OVER, PLAYER, Game
from palestra.envs.games import make_game
from palestra.envs.go.game import go_game
from palestra.envs.go.rules import Rules
from palestra.envs.rng import seed_state

CONNECT_FOUR, TIC_TAC_TOE = make_game("connect-four"), make_game("tic-tac-toe")
QUICK = AlphaZeroConfig(simulations=12, leaves=3, random_plies=0, foresight=0.0)


class Network:
    """Probabilities and values that follow from the position alone; counts its batches."""

    def __init__(self, num_actions: int, sign: float = 1.0) -> None:
        self.num_actions, self.sign, self.sizes = num_actions, sign, list[int]()

    def __call__(self, obs: np.ndarray, states: np.ndarray) -> Any:
        self.sizes.append(len(obs))
        mixed = np.sin(obs.reshape(len(obs), -1) @ np.arange(1.0, obs[0].size + 1))
        return np.cos(np.arange(self.num_actions) * mixed[:, None] * 3), self.sign * 0.5 * mixed


def replayed(game: Game, played: Any) -> None:
    """Checks the kept positions of a game in which every move was kept, move by move."""
    state, rng = game.start.copy(), seed_state(0)
    samples = played.samples
    for i in range(played.plies):
        obs = np.zeros(int(np.prod(game.obs_shape)), np.float32)
        game.observe(state, obs, game.data)
        assert (samples.obs[i].ravel() == obs).all()
        assert samples.value[i] == (played.result if state[PLAYER] == 0 else -played.result)
        assert samples.policy[i].sum() == pytest.approx(1.0, abs=1e-5)
        # the move is where the next position differs from it
        following = samples.obs[i + 1] if i + 1 < played.plies else None
        for action in np.flatnonzero(samples.policy[i]):
            after = state.copy()
            game.play(after, int(action), rng, game.data)
            game.observe(after, obs, game.data)
            if following is not None and (following.ravel() == obs).all():
                state = after
                break
            if following is None and after[OVER]:
                state = after
        else:
            assert following is None
    assert state[OVER]


@pytest.mark.parametrize("rule", ["gumbel", "puct"])
def test_positions_results_and_policies_are_those_of_the_game(rule: Any) -> None:
    games = play_games(TIC_TAC_TOE, replace(QUICK, rule=rule), [Network(9)], 8, 0, parallel=3)
    assert len(games) == 8
    for played in games:
        assert len(played.samples.value) == played.plies
        assert played.samples.owner.shape == (played.plies, 0)
        replayed(TIC_TAC_TOE, played)
    assert len({played.samples.policy.tobytes() for played in games}) > 1


def test_with_foresight_values_are_lambda_returns() -> None:
    """As in Sutton and Barto, equation 12.3: later searches count (1 - lambda) lambda^k, the result what is left.

    Games are the same whatever is learnt from them; at the end what is expected is proven and is the result.
    """
    plain, some, whole = (
        play_games(CONNECT_FOUR, replace(QUICK, foresight=share), [Network(7)], 4, 0) for share in (0.0, 0.3, 1.0)
    )
    for one, two, three in zip(plain, some, whole, strict=True):
        sign = np.resize([1, -1], one.plies)
        expected = sign * three.samples.value  # by each search alone, as the first player sees it
        wanted = [
            0.3 * 0.7 ** np.arange(one.plies - i) @ expected[i:] + 0.7 ** (one.plies - i) * one.result
            for i in range(one.plies)
        ]
        np.testing.assert_allclose(two.samples.value, sign * wanted, atol=1e-6)
        np.testing.assert_array_equal(one.samples.value, sign * one.result)
        assert three.samples.value[-1] == one.samples.value[-1]
        assert len(np.unique(three.samples.value)) > 3


def test_games_do_not_depend_on_who_shares_their_batches() -> None:
    network = Network(7)
    together = play_games(CONNECT_FOUR, QUICK, [network], 5, 3, parallel=5)
    assert max(network.sizes) == 5 * QUICK.leaves
    alone = play_games(CONNECT_FOUR, QUICK, [Network(7)], 5, 3, parallel=1)
    for one, other in zip(together, alone, strict=True):
        assert (one.result, one.plies) == (other.result, other.plies)
        for a, b in zip(one.samples, other.samples, strict=True):
            np.testing.assert_array_equal(a, b)
    assert len({seed_of_game(0, i) for i in range(100)} | {seed_of_game(1, i) for i in range(100)}) == 200


def test_with_a_playout_cap_only_full_searches_are_kept() -> None:
    """A quarter of the moves, within four standard deviations; quick searches ask the network less."""
    options = replace(QUICK, full_share=0.25, simulations=24, quick_simulations=4)
    network = Network(7)
    games = play_games(CONNECT_FOUR, options, [network], 40, 0)
    plies, kept = sum(game.plies for game in games), sum(len(game.samples.value) for game in games)
    assert kept / plies == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / plies))
    assert sum(network.sizes) < plies * (0.3 * 24 + 0.7 * 4)


@cache
def outcome(own: int, other: int) -> float:
    """Returns what the player to move gets by perfect play of tic-tac-toe, by plain minimax on squares as bits."""
    if any(other & line == line for line in (7, 56, 448, 73, 146, 292, 273, 84)):
        return -1.0
    free = [1 << i for i in range(9) if not (own | other) >> i & 1]
    return max((-outcome(other, own | square) for square in free), default=0.0)


class Knowing(Network):
    """Values positions as minimax does, times a sign: with -1 it wants to lose."""

    def __call__(self, obs: np.ndarray, states: np.ndarray) -> Any:
        boards = obs.reshape(len(obs), 3, 9).astype(int) @ (1 << np.arange(9))
        values = [self.sign * outcome(int(own), int(other)) for own, other, _ in boards]
        return np.zeros((len(obs), 9)), np.array(values)


def test_two_networks_take_turns_in_the_first_seat_and_each_is_asked_for_its_own_moves() -> None:
    """One knows the game and one plays to lose it, for lack of a solver in the search: the first wins every game."""
    networks = [Knowing(9), Knowing(9, -1.0)]
    games = play_games(TIC_TAC_TOE, replace(QUICK, simulations=40), networks, 20, 0, exploring=False)
    assert [game.first for game in games] == [0, 1] * 10
    won = [game.result if game.first == 0 else -game.result for game in games]
    assert won.count(1.0) >= 18
    assert -1.0 not in won
    assert all(len(game.samples.value) == 0 for game in games)  # nothing is kept of a match


def test_games_begin_with_up_to_so_many_random_moves_that_are_not_learnt() -> None:
    """0 to 3 moves, each number as likely: 200 games within five standard deviations, none over at once."""
    games = play_games(TIC_TAC_TOE, replace(QUICK, simulations=2, random_plies=3), [Network(9)], 200, 0)
    skipped = [game.plies - len(game.samples.value) for game in games]
    for number in range(4):
        assert skipped.count(number) == pytest.approx(50, abs=5 * np.sqrt(200 * 0.25 * 0.75))
    assert min(len(game.samples.value) for game in games) > 0
    firsts = {game.samples.obs[0].tobytes() for game, number in zip(games, skipped, strict=True) if number == 1}
    assert len(firsts) == 9


def test_in_go_owners_and_lead_are_those_of_the_final_position() -> None:
    rules = Rules(3, komi=0.5, max_moves=18)
    game = go_game(rules)
    games = play_games(game, replace(QUICK, simulations=4), [Network(10)], 6, 0)
    for played in games:
        samples = played.samples
        assert samples.owner.shape == (played.plies, 9)
        for i in range(played.plies):
            black = i % 2 == 0
            sign = 1 if black else -1
            assert samples.value[i] == np.sign(samples.lead[i])
            stones = int(samples.owner[i].sum()) * sign  # Black's points less White's
            assert samples.lead[i] * sign == pytest.approx(stones - 0.5)
