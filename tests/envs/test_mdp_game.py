"""MDPs as games: the same draws as `MDPEnv`'s, and frequencies as the tables say."""

import numpy as np
import pytest
from numba import config

from palestra.envs.game import OVER, legal_mask, move
from palestra.envs.mdp import sample_transition
from palestra.envs.mdp_game import STATE, mdp_game
from palestra.envs.rng import seed_state
from tests.mdps import gambler, random_mdp, shortest_path

DRAWS = 500 if config.DISABLE_JIT else 20_000


@pytest.mark.kernel
@pytest.mark.parametrize("seed", range(5))
def test_moves_are_the_transitions_of_the_mdp(seed: int) -> None:
    mdp, random = random_mdp(seed, num_states=6, num_actions=4), np.random.default_rng(seed)
    game, rng, twin = mdp_game(mdp, start=2), seed_state(seed), seed_state(seed)
    state = game.start.copy()
    for _ in range(200):
        s = int(state[STATE])
        assert legal_mask(game, state).tolist() == mdp.allowed[s].tolist()
        assert game.legal(state, np.zeros(4, np.bool_), game.data) == mdp.allowed[s].sum()
        action = int(random.choice(np.flatnonzero(mdp.allowed[s])))
        wanted = sample_transition(mdp.next_state, mdp.probability, mdp.reward, mdp.terminated, s, action, twin)
        reward = move(game, state, action, rng)
        assert (state[STATE], reward, bool(state[OVER])) == wanted
        if state[OVER]:
            assert not legal_mask(game, state).any()
            state = game.start.copy()


@pytest.mark.kernel
def test_outcomes_are_as_frequent_as_the_tables_say() -> None:
    mdp = random_mdp(7)
    game, rng = mdp_game(mdp, start=0), seed_state(0)
    for s, a in np.argwhere(mdp.allowed)[:5]:
        wanted = np.zeros(mdp.num_states)
        np.add.at(wanted, mdp.next_state[s, a], mdp.probability[s, a])
        seen, rewards, ends = np.zeros(mdp.num_states), 0.0, 0
        for _ in range(DRAWS):
            state = game.start.copy()
            state[STATE] = s
            rewards += game.play(state, a, rng, game.data)
            seen[state[STATE]] += 1
            ends += state[OVER]
        # five standard errors, and one draw where a probability is zero or one
        assert (np.abs(seen / DRAWS - wanted) <= 5 * np.sqrt(wanted * (1 - wanted) / DRAWS)).all()
        mean, square = (mdp.probability[s, a] * [mdp.reward[s, a], mdp.reward[s, a] ** 2]).sum(axis=1)
        assert abs(rewards / DRAWS - mean) <= 5 * np.sqrt((square - mean**2) / DRAWS) + 1e-9
        end = (mdp.probability[s, a] * mdp.terminated[s, a]).sum()
        assert abs(ends / DRAWS - end) <= 5 * np.sqrt(end * (1 - end) / DRAWS) + 1e-9


@pytest.mark.kernel
def test_random_play_ends_as_often_as_the_gamblers_chances_say() -> None:
    # The fair gambler's capital is a martingale: from 30 it reaches 100 with probability 0.3, whatever the stakes.
    game, rng, random = mdp_game(gambler(0.5), start=30), seed_state(1), np.random.default_rng(0)
    games = DRAWS // 100
    won = 0.0
    for _ in range(games):
        state = game.start.copy()
        while not state[OVER]:
            won += move(game, state, int(random.choice(np.flatnonzero(legal_mask(game, state)))), rng)
    assert abs(won / games - 0.3) < 5 * np.sqrt(0.3 * 0.7 / games)


def test_what_the_game_says_of_itself() -> None:
    line, chances = mdp_game(shortest_path(4), start=1, max_plies=7), mdp_game(gambler(0.4), start=30)
    assert (line.num_players, line.num_actions, line.max_plies, line.discount) == (1, 2, 7, 1.0)
    assert line.deterministic
    assert not chances.deterministic
    assert not line.has_playout
    assert mdp_game(random_mdp(0, discount=0.8), 0).discount == 0.8
    assert [line.action_name(action) for action in range(2)] == ["0", "1"]
    assert line.parse_action(" 1") == 1


def test_deterministic_looks_at_allowed_actions_only() -> None:
    mdp = gambler(1.0)
    assert mdp_game(mdp, 1).deterministic
    mdp.probability[3, 50] = [0.5, 0.5]
    assert not mdp.allowed[3, 50]
    assert mdp_game(mdp, 1).deterministic
    mdp.probability[3, 1] = [0.5, 0.5]
    assert not mdp_game(mdp, 1).deterministic


@pytest.mark.kernel
def test_the_horizon_ends_it() -> None:
    game, rng = mdp_game(shortest_path(4), start=0, max_plies=3), seed_state(0)
    state = game.start.copy()
    assert [move(game, state, 0, rng) for _ in range(3)] == [-1.0, -1.0, -1.0]
    assert state[OVER]
    assert game.describe(state) == "state 0 after 3 moves, over"
    with pytest.raises(ValueError, match="mdp is over"):
        move(game, state, 0, rng)


@pytest.mark.parametrize(
    ("start", "max_plies", "message"),
    [
        (4, 10, "the start is state 4, but states are numbered 0 to 3"),
        (-1, 10, "the start is state -1, but states are numbered 0 to 3"),
        (0, 0, "max_plies is 0, but at least one move is wanted"),
    ],
)
def test_wrong_arguments(start: int, max_plies: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mdp_game(shortest_path(4), start, max_plies)


@pytest.mark.parametrize("text", ["", "2", "-1", "x", "0.0", "²"])
def test_wrong_actions(text: str) -> None:
    with pytest.raises(ValueError, match="is not an action: a number 0 to 1 is wanted"):
        mdp_game(shortest_path(4), 0).parse_action(text)
