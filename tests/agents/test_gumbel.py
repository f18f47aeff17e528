"""Gumbel AlphaZero's root beside numbers of mctx 0.0.71 (jax 0.10.2), which its authors published, in 64 bits."""

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest

from palestra.agents.gumbel import GumbelRoot, halving_visits
from palestra.agents.mcts import Config, Search
from palestra.agents.tree import LOST, WON, Tree, add_children, new_tree
from palestra.agents.tree_policy import GUMBEL, improved_policy
from palestra.envs.games import make_game
from tests.game_trees import played
from tests.games import wander, wander_network
from tests.naive_mcts import SETTINGS

SETTINGS_GUMBEL = SETTINGS._replace(rule=GUMBEL, expand_after=-1)

# get_sequence_of_considered_visits(considered, simulations)
SEQUENCES = {
    (1, 5): [0, 1, 2, 3, 4],
    (2, 7): [0, 0, 1, 1, 2, 2, 3],
    (3, 10): [0, 0, 0, 1, 1, 2, 2, 3, 3, 4],
    (4, 10): [0, 0, 0, 0, 1, 1, 2, 2, 3, 3],
    (16, 20): [0] * 16 + [1] * 4,
    (16, 50): [0] * 16
    + [1] * 8
    + [n for n in (2, 3, 4) for _ in range(4)]
    + [n for n in range(5, 12) for _ in range(2)],
    (5, 32): [0] * 5 + [1] * 5 + [n for n in range(2, 13) for _ in range(2)],
}

# gumbel_muzero_policy with gumbel_scale=0 on tests/games.py: wander, discount=-1, the fifth action invalid at the root,
# and qtransform_completed_by_mix_value(value_scale=0.5, rescale_values=False), which is (50 + most visits) (q + 1) / 2
# up to a constant: (place, simulations without the root's, considered), action, visits; values; policy target
MCTX = [
    ((3, 16, 4), 0, [6, 6, 2, 2]),
    ((10, 32, 4), 1, [12, 12, 4, 4]),
    ((42, 32, 16), 3, [12, 4, 4, 12]),
    ((77, 50, 3), 0, [21, 8, 0, 21]),
    ((5, 3, 2), 3, [0, 0, 1, 2]),
]
MCTX_VALUES = [
    [0.433246, -0.115504, -0.293281, -0.027781],
    [-0.034354, 0.177621, -0.010215, -0.12897],
    [-0.152653, -0.538985, -0.192337, -0.022489],
    [0.021328, -0.03853, 0.0, -0.025624],
    [0.0, 0.0, -0.764059, -0.493557],
]
MCTX_POLICY = [
    [0.999999, 9.15788e-08, 2.5156e-09, 6.38506e-07],
    [7.59554e-05, 0.999805, 6.60523e-05, 5.32662e-05],
    [0.0189904, 3.2375e-06, 0.0671362, 0.91387],
    [0.944364, 0.0135, 0.011201, 0.0309348],
    [0.164757, 0.377766, 0.000238556, 0.457238],
]


@pytest.mark.parametrize(("considered", "simulations"), SEQUENCES)
def test_simulations_are_shared_out_as_mctx_does(considered: int, simulations: int) -> None:
    assert halving_visits(considered, simulations).tolist() == SEQUENCES[considered, simulations]


def test_sixteen_moves_and_sixty_four_simulations_are_halved_as_in_the_paper() -> None:
    """Figure 1 of the paper is of four moves; here each of log2(16) rounds has 16 simulations."""
    visits = np.zeros(16, int)
    for wanted in halving_visits(16, 64):
        visits[np.flatnonzero(visits == wanted)[0]] += 1
    assert sorted(visits.tolist(), reverse=True) == [15] * 2 + [7] * 2 + [3] * 4 + [1] * 8


@pytest.mark.parametrize("number", range(len(MCTX)))
def test_searches_are_those_of_mctx(number: int) -> None:
    (place, simulations, considered), action, visits = MCTX[number]
    config = Config(simulations=simulations + 1, rule="gumbel", considered=considered, batch=1, solver=False)
    game = wander(place)
    search = Search(game, config, evaluator=wander_network)
    search.run(game.start)
    tree, policy = search._trees[0], np.empty(4)
    improved_policy(tree, 0, search.settings, policy)
    assert tree.visits[1:5].tolist() == visits
    assert tree.value[1:5] / np.maximum(visits, 1) == pytest.approx(MCTX_VALUES[number], abs=2e-6)
    assert policy == pytest.approx(MCTX_POLICY[number], rel=2e-5, abs=1e-10)
    assert search.best() == action


def made(visits: list[int], means: list[float], considered: int, total: int, **arrays: Any) -> tuple[Tree, GumbelRoot]:
    tree, count = new_tree(64), len(visits)
    add_children(tree, 0, np.ones(count, np.bool_), np.zeros((2, count)), np.ones(count))
    for name, values in arrays.items():
        getattr(tree, name)[1 : 1 + count] = values
    root = GumbelRoot(tree, SETTINGS_GUMBEL, np.zeros(count), considered, total)
    tree.visits[1 : 1 + count], tree.value[1 : 1 + count] = visits, np.multiply(visits, means)
    return tree, root


def visit(tree: Tree, children: np.ndarray) -> list[int]:
    np.add.at(tree.visits, children, 1)
    return [int(child) - 1 for child in children]


def test_noise_decides_which_moves_are_considered_as_often_as_probabilities_say() -> None:
    """Without values a move is the best as often as its probability says; 2,000 draws, 5 standard errors."""
    policy, counts, random = np.array([0.5, 0.3, 0.2]), Counter[int](), np.random.default_rng(0)
    tree = new_tree(64)
    add_children(tree, 0, np.ones(3, np.bool_), np.zeros((2, 3)), policy)
    for _ in range(2000):
        root = GumbelRoot(tree, SETTINGS_GUMBEL, random.gumbel(size=3), 1, 1)
        counts[int(root.take(1)[0]) - 1] += 1
    for action, p in enumerate(policy):
        assert counts[action] == pytest.approx(2000 * p, abs=5 * math.sqrt(2000 * p * (1 - p)))


def test_what_was_not_gone_through_is_taken_again() -> None:
    tree, root = made([0, 0, 0, 0], [0] * 4, 4, 12)
    taken = root.take(3)
    root.untake(2)
    visit(tree, taken[:1])
    assert visit(tree, root.take(3)) == [1, 2, 3]
    assert sorted(tree.visits[1:5]) == [1] * 4


def test_more_simulations_than_planned_get_another_plan() -> None:
    tree, root = made([0, 0, 0, 0], [0] * 4, 4, 8)
    plans = []
    for _ in range(3):
        taken = list[int]()
        while len(taken) < 8 * 2 ** len(plans):
            taken += visit(tree, root.take(5))
        plans.append(sorted(Counter(taken).values()))
    assert plans == [[1, 1, 3, 3], [2, 2, 6, 6], [4, 4, 12, 12]]


def test_a_proven_loss_is_not_the_best_however_often_visited() -> None:
    _, root = made([9, 4, 4], [0.9, 0.1, 0.2], 3, 17, proven=[LOST, 0, 0])
    assert root.best() == 2
    _, root = made([9, 4, 1], [0.9, 0.1, 0.2], 3, 17, proven=[0, LOST, WON])
    assert root.best() == 2
    _, root = made([9, 9, 1], [0.2, 0.3, 0.9], 3, 17)
    assert root.best() == 1
    _, root = made([1, 2, 1], [-1.0] * 3, 3, 4, proven=[LOST] * 3)
    assert root.best() in range(3)


def test_lost_moves_get_no_more_simulations() -> None:
    _, root = made([1, 1, 1, 1], [0.0] * 4, 4, 12, proven=[LOST, LOST, LOST, 0])
    assert set(root.take(4).tolist()) == {4}


@pytest.mark.parametrize("moves", ["a1 b1 a2 b2", "a1 c3 b1"])
def test_wins_are_found_and_threats_are_met(moves: str) -> None:
    """X wins by a3; O must take c1."""
    game = make_game("tic-tac-toe")
    search = Search(
        game,
        Config(simulations=60, rule="gumbel", batch=4),
        evaluator=lambda obs, _: (np.zeros((len(obs), 9)), np.zeros(len(obs))),
    )
    search.run(played(game, moves))
    assert game.action_name(search.best()) == {"a1 b1 a2 b2": "a3", "a1 c3 b1": "c1"}[moves]


def test_the_root_alone_decides_by_its_policy() -> None:
    game = wander(5)
    search = Search(game, Config(simulations=1, rule="gumbel"), evaluator=wander_network)
    search.run(game.start)
    assert (search.visits, search.best()) == (1, int(np.argmax(np.sin(5.0 * np.arange(1, 5)))))
