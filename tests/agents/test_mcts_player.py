"""Tree search as a player: whole games, repeatability, resignation, and moves that are not allowed."""

from typing import Any

import numpy as np
import pytest

from palestra.agents.mcts import Config
from palestra.agents.mcts_player import MCTSPlayer
from palestra.agents.player import RESIGN, Player, make_player
from palestra.envs.game import OVER, PLAYER, Game, legal_mask, move
from palestra.envs.games import make_game
from palestra.envs.rng import seed_state
from tests.game_trees import played

CONNECT_FOUR = make_game("connect-four")


def player_of(game: Game, seed: int = 0, **options: Any) -> MCTSPlayer:
    return MCTSPlayer(Config(**{"simulations": 200, **options}), game, seed)


def game_of(game: Game, players: list[Player], seed: int | None = None) -> tuple[list[int], float]:
    """Lets two players play; `move` refuses whatever is not legal. Returns the moves and player 0's reward."""
    state, moves, reward = game.start.copy(), list[int](), 0.0
    for player in players:
        player.start(game, game.start, seed)
    while not state[OVER]:
        before = state.copy()
        moves.append(players[state[PLAYER]].choose(state))
        assert (state == before).all()
        reward = move(game, state, moves[-1], seed_state(0))
        for player in players:
            player.note(moves[-1])
    return moves, reward


@pytest.mark.parametrize("name", ["tic-tac-toe", "connect-four", "othello", "gomoku-9x9", "go-5x5"])
def test_whole_games_are_played_and_a_seed_repeats_them(name: str) -> None:
    game = make_game(name)
    games = [game_of(game, [player_of(game, 1, simulations=50), player_of(game, 2, simulations=50)]) for _ in range(2)]
    assert games[0] == games[1]
    one, other = (
        game_of(game, [player_of(game, seed, simulations=50), player_of(game, seed, simulations=50)])[0]
        for seed in (3, 4)
    )
    assert one != other or name == "tic-tac-toe"


def test_a_seed_of_a_game_repeats_it_whatever_was_played_before() -> None:
    players: list[Player] = [player_of(CONNECT_FOUR, 1), player_of(CONNECT_FOUR, 2)]
    first = game_of(CONNECT_FOUR, players, seed=7)
    game_of(CONNECT_FOUR, players)
    assert game_of(CONNECT_FOUR, players, seed=7) == first


def test_another_game_keeps_the_players_own_seed() -> None:
    othello = make_game("othello")
    moves = []
    for seed in (5, 5, 6):
        player = player_of(CONNECT_FOUR, seed, simulations=300, temperature=1.0)
        player.start(othello, othello.start)
        moves.append([(c.action, c.visits) for _ in [player.choose(othello.start)] for c in player.search.children()])
    assert moves[0] == moves[1] != moves[2]


def test_the_tree_is_kept_over_both_moves() -> None:
    player = player_of(CONNECT_FOUR, simulations=2000)
    player.start(CONNECT_FOUR, CONNECT_FOUR.start)
    state = CONNECT_FOUR.start.copy()
    for action in player.search.variation(player.choose(state), 2):
        move(CONNECT_FOUR, state, action, seed_state(0))
        player.note(action)
    kept = player.search.visits
    assert kept > 50
    player.choose(state)
    assert player.search.visits == 2000
    assert player.search.simulations == 2000 - kept
    player.close()
    assert player.search.visits == 0


def test_it_resigns_where_its_value_is_too_low() -> None:
    """Black threatens both ends of his three."""
    lost = played(CONNECT_FOUR, "4 1 5 1 6")
    assert player_of(CONNECT_FOUR, simulations=2000, resign=-0.9).choose(lost) == RESIGN
    assert player_of(CONNECT_FOUR, simulations=2000).choose(lost) in (2, 6)  # one of the two ends
    assert player_of(CONNECT_FOUR, simulations=2000, resign=-0.9).choose(CONNECT_FOUR.start) != RESIGN


def test_a_pass_is_made_where_nothing_else_is_legal() -> None:
    othello = make_game("othello")
    state = played(othello, "f5 d6 c3 g5 g6 g7 h7 b2 h5 f3 f7")  # white has no move
    assert legal_mask(othello, state).sum() == 1
    assert othello.action_name(player_of(othello).choose(state)) == "pass"


def test_superko_is_never_broken() -> None:
    """Games on 2x2 under positional superko are full of repetitions; `move` refuses them, and none is searched."""
    game = make_game("go-2x2", rules="tromp-taylor")
    for seed in range(20):
        moves, _ = game_of(game, [player_of(game, seed, simulations=30, temperature=2.0), player_of(game, seed + 50)])
        assert moves
    state, random = game.start.copy(), np.random.default_rng(0)
    while not state[OVER]:
        player = player_of(game)
        player.choose(state)
        legal = np.flatnonzero(legal_mask(game, state))
        assert {child.action for child in player.search.children()} <= set(legal.tolist())
        move(game, state, int(random.choice(legal)), seed_state(0))


def test_it_is_made_by_its_name() -> None:
    player = make_player("mcts:simulations=10,rule=puct,temperature=0.5", CONNECT_FOUR, 3)
    assert isinstance(player, MCTSPlayer)
    assert (player.name, player.config.simulations, player.config.rule) == ("mcts", 10, "puct")
    with pytest.raises(ValueError, match=r"noise is 0\.25, but only a network"):
        make_player("mcts:noise=0.25", CONNECT_FOUR, 3)
    with pytest.raises(ValueError, match="rule is 'ucb1', but one of uct, puct, gumbel"):
        make_player("mcts:rule=ucb1", CONNECT_FOUR, 3)


def test_it_beats_random_play() -> None:
    """20 games of connect four with 200 simulations a move, colours in turn: all are won."""
    wins = 0
    for seed in range(20):
        players = [player_of(CONNECT_FOUR, seed), make_player("random", CONNECT_FOUR, seed)]
        _, reward = game_of(CONNECT_FOUR, players if seed % 2 else players[::-1])
        wins += reward * (1 if seed % 2 else -1) > 0
    assert wins == 20
