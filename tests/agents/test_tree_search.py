"""Simulations beside a slow twin, simulation by simulation, and what must hold of any tree."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numba import config

from palestra.agents.tree import DRAWN, FULL, NODES, Tree, new_tree
from palestra.agents.tree_policy import PUCT
from palestra.agents.tree_search import Walk, new_walk, random_playout, simulate
from palestra.agents.world import World, sealed
from palestra.envs.game import OVER, Game, State, functions, legal_mask
from palestra.envs.games import make_game
from palestra.envs.mdp_game import mdp_game
from palestra.envs.rng import seed_state
from tests.game_trees import played
from tests.games import beliefs, keep_turn, line_of_dice
from tests.mdps import random_mdp, shortest_path
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
        if simulate(tree, walk, settings, sealed(world), 1, -1) == 0:
            assert twin.root.proven is not None
            break
        twin.simulate()
        if number % 10 == 0 or number < 20:
            assert_same(tree, twin)
        assert world.rng.tolist() == twin.rng.tolist()
    if settings.rescale:
        assert tree.bounds.tolist() == pytest.approx([min(twin.returns), max(twin.returns)])


def minimax(game: Game, state: State) -> float:
    """Returns the result for player 0 under perfect play."""
    results = []
    for action in np.flatnonzero(legal_mask(game, state)):
        after = state.copy()
        reward = float(game.play(after, action, seed_state(0), game.data))
        results.append(reward if after[OVER] else minimax(game, after))
    return max(results) if state[0] == 0 else min(results)


def searched(
    game: Game, number: int, start: State | None = None, seed: int = 0, nodes: int = 20_000, **options: Any
) -> Tree:
    tree, walk, world = tools(game, seed, start, nodes)
    simulate(tree, walk, SETTINGS._replace(max_plies=game.max_plies, **options), sealed(world), number, -1)
    return tree


@pytest.mark.kernel
@pytest.mark.parametrize("name", CASES)
def test_what_holds_of_any_tree(name: str) -> None:
    game, options = CASES[name]
    options = {**options, "solver": False}
    number = 100 if FEW else 1000
    tree = searched(game, number, **options)
    used = int(tree.info[NODES])
    assert tree.visits[0] == number
    assert not tree.pending.any()
    assert not tree.visits[used:].any()
    highest = 1.0 if game.num_players == 2 else max(abs(tree.bounds))
    assert (np.abs(tree.value[:used]) <= tree.visits[:used] * highest + 1e-9).all()
    late = options.get("expand_after", 1)
    parents = np.flatnonzero(tree.first[:used])
    for node in parents:
        children = slice(tree.first[node], tree.first[node] + tree.num_children[node])
        missing = tree.visits[node] - tree.visits[children].sum()
        # what came before its moves were added; at the root nothing
        assert missing == (0 if node == 0 else late)
        assert tree.policy[children].sum() == pytest.approx(1.0, abs=1e-5)
        assert len(set(tree.action[children].tolist())) == tree.num_children[node]
    assert sum(tree.num_children[parents]) + (tree.table > 0).sum() + 1 == used


@pytest.mark.kernel
def test_a_full_tree_stops_to_grow_and_the_search_goes_on() -> None:
    for game in (make_game("tic-tac-toe"), line_of_dice()):
        tree, walk, world = tools(game, 0, nodes=64)
        settings = SETTINGS._replace(solver=False, max_plies=game.max_plies)
        simulate(tree, walk, settings, sealed(world), 300, -1)
        assert tree.info[FULL] == 1
        used = tree.info[NODES]
        assert used > 64 - game.num_actions
        before = tree.visits.copy()
        simulate(tree, walk, settings, sealed(world), 300, -1)
        assert tree.visits[0] == 600
        assert (tree.visits >= before).all()
        assert tree.visits[1 : 1 + tree.num_children[0]].sum() == 600


@pytest.mark.kernel
def test_a_game_longer_than_it_says_writes_nowhere_else() -> None:
    """The path has room for 2 * max_plies + 4 nodes; three plies make ten, of which nine can be moves."""
    game = replace(make_game("connect-four"), max_plies=3)
    tree, walk, world = tools(game, 0)
    for _ in range(20 if FEW else 300):  # only the middle column is good: one line is searched deep
        simulate(tree, walk, SETTINGS._replace(exploration=0.0, first_play=-9.0, max_plies=3), sealed(world), 1, -1)
    assert tree.visits[0] == (20 if FEW else 300)


@pytest.mark.kernel
def test_random_playouts_end_where_nothing_is_legal() -> None:
    game = keep_turn(heap=0)
    _, walk, world = tools(game, 0)
    walk.state[:] = game.start
    assert random_playout(walk, SETTINGS, world) == 0.0
    assert walk.trace[0] == 0


@pytest.mark.kernel
@pytest.mark.parametrize("moves", ["a1 b1", "b2 b1", "a1 b1 b2 c3", "a1 b2 c3 a3", "a1 b2 c1", "a1 a2 b2 c3 b1"])
def test_tic_tac_toe_is_solved(moves: str) -> None:
    """The root is told as the opponent of who is to move sees it: lost where that one wins."""
    if FEW and len(moves) < 8:
        return
    game = make_game("tic-tac-toe")
    start = played(game, moves)
    tree = searched(game, 20_000, start, exploration=2.0)
    assert tree.proven[0] == DRAWN - minimax(game, start) * (1 - 2 * start[0])
    assert tree.visits[0] < 20_000  # it stops there


@pytest.mark.kernel
@pytest.mark.parametrize("heap", range(1, 10 if FEW else 13))
def test_a_game_in_which_a_player_moves_again_is_solved(heap: int) -> None:
    game = keep_turn(heap)
    tree = searched(game, 20_000, nodes=200_000 if not FEW else 20_000)
    assert tree.proven[0] == DRAWN - minimax(game, game.start)


@pytest.mark.kernel
@pytest.mark.parametrize("seed", range(20))
def test_every_proof_is_the_value_of_minimax(seed: int) -> None:
    """All proven nodes of a half-grown tree, each beside minimax of its own position."""
    game = make_game("tic-tac-toe") if seed % 2 else keep_turn(8)
    start = played(game, "a1 b1" if seed % 2 else "")
    if seed % 2:
        for _ in range(2):
            legal = np.flatnonzero(legal_mask(game, start))
            game.play(start, legal[(seed * 7) % len(legal)], seed_state(0), game.data)
    tree, checked = searched(game, 30, start, seed), 0
    stack = [(0, start)]
    while stack:
        node, state = stack.pop()
        for child in range(tree.first[node], tree.first[node] + tree.num_children[node]):
            after, mover = state.copy(), state[0]
            reward = float(game.play(after, int(tree.action[child]), seed_state(0), game.data))
            if tree.proven[child]:
                value = reward if after[OVER] else minimax(game, after)
                assert tree.proven[child] - DRAWN == value * (1 - 2 * mover)
                checked += 1
            if tree.first[child]:
                stack.append((int(child), after))
    assert checked > 0


@pytest.mark.kernel
def test_discounted_rewards_are_summed_along_the_way() -> None:
    """From state 0 of a line of four, each step costs one: 1 + g + g^2 + g^3 at g = 0.9 is 3.439."""
    game = mdp_game(shortest_path(4, 0.9), 0, 30)
    game = replace(game, deterministic=False)
    tree = searched(game, 200 if FEW else 3000, num_players=1, rescale=True, solver=False, discount=0.9)
    right = int(tree.first[0]) + 1
    assert tree.visits[right] > 0.6 * tree.visits[0]
    assert tree.value[right] / tree.visits[right] == pytest.approx(-3.439, abs=0.6 if FEW else 0.1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_planning_approaches_the_values_of_dynamic_programming(seed: int) -> None:
    """A random MDP of 5 states over 6 steps, by backward induction, and the search's best value at more and more."""
    mdp = random_mdp(seed)
    value = np.zeros(5)
    for _ in range(6):
        after = mdp.reward + mdp.discount * np.where(mdp.terminated, 0.0, value[mdp.next_state])
        q = np.where(mdp.allowed, (mdp.probability * after).sum(axis=2), -np.inf)
        value = q.max(axis=1)
    game = mdp_game(mdp, 0, 6)
    errors = []
    for number in (100, 2_000, 40_000):
        tree = searched(
            replace(game, deterministic=False), number, num_players=1, rescale=True, solver=False, discount=mdp.discount
        )
        children = slice(1, 1 + tree.num_children[0])
        best = int(np.argmax(tree.visits[children]))
        errors.append(abs(tree.value[1 + best] / tree.visits[1 + best] - value[0]))
    assert q[0, tree.action[1 + best]] == pytest.approx(value[0], abs=0.02)
    assert errors[2] < 0.1
    assert errors[2] <= errors[0]
