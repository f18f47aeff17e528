"""Simulations beside a slow twin, simulation by simulation, and what must hold of any tree."""

from typing import Any

import pytest
from numba import config

from palestra.agents.tree import Tree, new_tree
from palestra.agents.tree_policy import PUCT
from palestra.agents.tree_search import Walk, World, new_walk, simulate
from palestra.envs.game import Game, State, functions
from palestra.envs.games import make_game
from palestra.envs.mdp_game import mdp_game
from palestra.envs.rng import seed_state
from tests.games import beliefs, keep_turn, line_of_dice
from tests.mdps import random_mdp
from tests.naive_mcts import SETTINGS, NaiveSearch, assert_same

FEW = bool(config.DISABLE_JIT)

CASES: dict[str, tuple[Game, dict[str, Any]]] = {
    "uct": (make_game("tic-tac-toe"), {}),
    "no solver": (make_game("tic-tac-toe"), {"solver": False}),
    "late": (make_game("tic-tac-toe"), {"expand_after": 4}),
    "rave": (make_game("tic-tac-toe"), {"rave": 30.0, "exploration": 0.0, "first_play": 1.0}),
    "rave and uct": (make_game("tic-tac-toe"), {"rave": 10.0, "exploration": 0.3}),
    "puct": (make_game("tic-tac-toe"), {"rule": PUCT, "exploration": 1.25, "first_play": 0.2}),
    "own playout": (make_game("connect-four"), {"own_playout": True, "rave": 20.0}),
    "beliefs": (beliefs(), {"rave": 5.0}),
    "beliefs and uct": (beliefs(), {"exploration": 0.5}),
    "same player again": (keep_turn(), {}),
    "chance": (mdp_game(random_mdp(3), 0, 20), {"num_players": 1, "rescale": True, "solver": False, "discount": 0.9}),
    "chance for two": (line_of_dice(), {"solver": False}),
}


def tools(game: Game, seed: int, start: State | None = None, nodes: int = 20_000) -> tuple[Tree, Walk, World]:
    walk = new_walk(len(game.start), game.num_actions, game.max_plies)
    walk.start[:] = game.start if start is None else start
    return new_tree(nodes, game.deterministic), walk, World(functions(game), seed_state(seed), game.data)


@pytest.mark.kernel
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", range(1 if FEW else 4))
def test_every_simulation_is_the_twins(name: str, seed: int) -> None:
    game, options = CASES[name]
    settings = SETTINGS._replace(max_plies=game.max_plies, **options)
    (tree, walk, world), twin = tools(game, seed), NaiveSearch(game, settings, seed)
    for number in range(60 if FEW else 300):
        if simulate(tree, walk, settings, world, 1, -1) == 0:
            assert twin.root.proven is not None
            break
        twin.simulate()
        if number % 10 == 0 or number < 20:
            assert_same(tree, twin)
        assert world.rng.tolist() == twin.rng.tolist()
    if settings.rescale:
        assert tree.bounds.tolist() == pytest.approx([min(twin.returns), max(twin.returns)])
