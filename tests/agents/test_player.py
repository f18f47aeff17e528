"""Players by their names on the command line, and uniform play."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pytest

from palestra.agents.player import PLAYERS, RandomPlayer, RandomPlayerConfig, make_player, read_options
from palestra.envs.game import OVER, Game, legal_mask, move
from palestra.envs.games import make_game
from palestra.envs.go.position import from_rows
from palestra.envs.go.rules import Rules
from palestra.envs.rng import seed_state


@dataclass(frozen=True)
class Options:
    """One field of each kind."""

    simulations: int = 100
    rave: float = 0.5
    reuse: bool = True
    root: Literal["puct", "gumbel"] = "puct"
    seconds: float | None = None


def play_out(game: Game, seed: int) -> list[int]:
    """Lets a random player play with itself."""
    player, state, moves = RandomPlayer(RandomPlayerConfig(), game, seed), game.start.copy(), list[int]()
    player.start(game, game.start)
    while not state[OVER]:
        moves.append(player.choose(state))
        move(game, state, moves[-1], seed_state(0))  # which refuses what is not legal
        player.note(moves[-1])
    return moves


def test_options_are_read_by_the_types_of_the_fields() -> None:
    assert read_options(Options, "simulations=5,rave=1e-3,reuse=no,root=gumbel,seconds=2", "mcts") == {
        "simulations": 5,
        "rave": 0.001,
        "reuse": False,
        "root": "gumbel",
        "seconds": 2.0,
    }
    assert read_options(Options, "seconds=none", "mcts") == {"seconds": None}
    assert read_options(Options, "", "mcts") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("simulation=5", "mcts has no option 'simulation'; did you mean simulations"),
        ("zzz=5", "mcts has no option 'zzz'; it has simulations, rave, reuse, root, seconds"),
        ("simulations", "option simulations of mcts has no value; write it once, as simulations=VALUE"),
        ("rave=1,rave=2", "option rave of mcts is given twice"),
        ("simulations=many", "option simulations of mcts is 'many', but a whole number is wanted"),
        ("simulations=2.5", "'2.5', but a whole number is wanted"),
        ("rave=much", "option rave of mcts is 'much', but a number is wanted"),
        ("reuse=2", "option reuse of mcts is '2', but true or false is wanted"),
        ("seconds=long", "option seconds of mcts is 'long', but a number is wanted"),
    ],
)
def test_wrong_options_get_one_sentence(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_options(Options, text, "mcts")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("randon", "there is no player 'randon'; did you mean random"),
        ("xyz:5", f"there is no player 'xyz'; there are {', '.join(PLAYERS)}"),
        ("random:colour=red", "random has no option 'colour'; it has playouts"),
        ("gtp:", "the command of a GTP program is empty"),
        ("gtp:gnugo", "GTP programs play Go, not tic-tac-toe"),
    ],
)
def test_players_that_there_are_not(spec: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_player(spec, make_game("tic-tac-toe"), 0)


def test_defaults_are_for_those_who_have_them() -> None:
    player = make_player("random:playouts=no", make_game("tic-tac-toe"), 0, timeout=5.0)
    assert player.name == "random"


def test_random_play_is_uniform_over_the_legal_moves() -> None:
    """2,000 draws of 7 moves: chi-square with 6 degrees of freedom is below 22.5 in 99.9 % of cases."""
    game = make_game("tic-tac-toe")
    player, state = RandomPlayer(RandomPlayerConfig(), game, 1), game.start.copy()
    for action in (4, 0):
        move(game, state, action, seed_state(0))
    counts = Counter(player.choose(state) for _ in range(2000))
    assert set(counts) == set(np.flatnonzero(legal_mask(game, state)).tolist())
    assert sum((n - 2000 / 7) ** 2 / (2000 / 7) for n in counts.values()) < 22.5


@pytest.mark.parametrize("name", ["tic-tac-toe", "connect-four", "go-5x5"])
def test_random_games_end_and_a_seed_repeats_them(name: str) -> None:
    game = make_game(name)
    games = [play_out(game, seed) for seed in (1, 1, 2)]
    assert games[0] == games[1] != games[2]
    assert all(len(moves) <= game.max_plies for moves in games)


def test_a_seed_of_a_game_repeats_it_whatever_was_played_before() -> None:
    game = make_game("go-5x5")
    player = RandomPlayer(RandomPlayerConfig(), game, 1)
    choices = []
    for _ in range(2):
        player.start(game, game.start, 7)
        choices.append([player.choose(game.start) for _ in range(10)])
    assert choices[0] == choices[1]


def test_random_go_fills_no_eyes_and_passes_when_nothing_else_is_left() -> None:
    """Black has two eyes and White none left: Black passes, but uniform play without playouts fills an eye."""
    rows = [". X X . X", "X X X X X", "X X X X X", "X X X X X", "X X X X X"]
    rules = Rules(size=5, komi=0)
    position = from_rows(rows, rules)
    game = make_game("go-5x5")
    assert {RandomPlayer(RandomPlayerConfig(), game, s).choose(position.state) for s in range(5)} == {25}
    lax = {RandomPlayer(RandomPlayerConfig(playouts=False), game, s).choose(position.state) for s in range(30)}
    assert lax == {0, 3, 25}


def test_a_playout_s_move_against_superko_is_not_made() -> None:
    """Random games under positional superko on 2x2 repeat positions soon; `move` refuses an illegal one."""
    game = make_game("go-2x2", rules="tromp-taylor")
    for seed in range(200):
        play_out(game, seed)
