"""Leaves that wait for a network, beside a slow twin."""

from typing import Any

import numpy as np
import pytest
from numba import config

from palestra.agents.tree import Tree, new_tree
from palestra.agents.tree_batch import Batch, checked, collect, deliver, new_batch
from palestra.agents.tree_policy import GUMBEL, PUCT, UCT, Settings
from palestra.agents.tree_search import Walk, new_walk
from palestra.agents.world import World, sealed
from palestra.envs.game import Game, State, functions, legal_mask
from palestra.envs.games import make_game
from palestra.envs.rng import seed_state
from tests.games import keep_turn, line_of_dice
from tests.naive_mcts import SETTINGS, NaiveSearch, assert_same

NETWORK = SETTINGS._replace(expand_after=-1, rule=PUCT, exploration=1.25, first_play=0.2)
FEW = bool(config.DISABLE_JIT)


class Searched:
    """A search whose network is a table of random numbers."""

    def __init__(self, game: Game, settings: Settings, size: int, seed: int = 0) -> None:
        num = game.num_actions
        self.game, self.settings, self.seed, self.leaves = game, settings, seed, list[list[bytes]]()
        self.tree: Tree = new_tree(20_000, game.deterministic)
        self.walk: Walk = new_walk(len(game.start), num, game.max_plies)
        self.walk.start[:] = game.start
        self.world = World(functions(game), seed_state(seed), game.data)
        self.batch: Batch = new_batch(size, len(game.start), num, game.max_plies, int(np.prod(game.obs_shape)))

    def evaluate(self, state: State) -> tuple[Any, float]:
        """Returns probabilities and a value that depend on the state alone, as 32 bits hold them."""
        random = np.random.default_rng([self.seed, *np.abs(state)])
        mask = legal_mask(self.game, state)
        policy = np.where(mask, random.random(len(mask)).astype(np.float32), 0.0)
        return (policy / policy.sum()), float(np.float32(random.uniform(-1, 1)))

    def run(self, forced: list[int]) -> int:
        """Collects and delivers a batch; returns how many simulations there were."""
        rows, ran = collect(self.tree, self.walk, self.settings, sealed(self.world), self.batch, np.array(forced))
        states = self.batch.state[:rows]
        self.leaves.append([state.tobytes() for state in states])
        if rows:
            answers = [self.evaluate(state) for state in states]
            policy, values = np.array([p for p, _ in answers]), np.array([v for _, v in answers])
            deliver(self.tree, self.walk, self.settings, self.batch, policy, values)
        return int(ran)


CASES: dict[str, tuple[Game, dict[str, Any]]] = {
    "puct": (make_game("tic-tac-toe"), {}),
    "gumbel": (make_game("tic-tac-toe"), {"rule": GUMBEL}),
    "uct": (make_game("tic-tac-toe"), {"rule": UCT, "exploration": 0.7, "first_play": 10.0}),
    "no solver": (make_game("tic-tac-toe"), {"solver": False}),
    "no loss": (make_game("connect-four"), {"virtual_loss": 0.0}),
    "great loss": (make_game("connect-four"), {"virtual_loss": 3.0}),
    "same player again": (keep_turn(), {}),
    "chance for two": (line_of_dice(), {"solver": False}),
}


@pytest.mark.kernel
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("size", [1, 8])
def test_every_batch_is_the_twins(name: str, size: int) -> None:
    game, options = CASES[name]
    settings = NETWORK._replace(**options)
    search, twin = Searched(game, settings, size), NaiveSearch(game, settings, 0)
    done, number = 0, 40 if FEW else 200
    while done < number and not (settings.solver and twin.root.proven is not None):
        forced = [-1] * (size if done else 1)
        ran = search.run(forced)
        assert ran == twin.batch([None] * len(forced), search.evaluate)
        done += ran
        if done < 20 or done % 20 < size:
            assert_same(search.tree, twin)
    assert_same(search.tree, twin)
    assert search.tree.visits[0] == done
    assert not search.tree.pending.any()


@pytest.mark.kernel
def test_a_batch_goes_through_the_children_it_is_told() -> None:
    game = make_game("tic-tac-toe")
    search = Searched(game, NETWORK, 8)
    search.run([-1])
    first = int(search.tree.first[0])
    assert search.run([first + 3, first + 7, first + 5]) == 3
    assert search.tree.visits[first : first + 9].tolist() == [0, 0, 0, 1, 0, 1, 0, 1, 0]


@pytest.mark.kernel
def test_no_leaf_is_twice_in_a_batch_and_each_simulation_has_one() -> None:
    game = make_game("connect-four")
    search = Searched(game, NETWORK, 8)
    done = search.run([-1])
    while done < (60 if FEW else 400):
        done += search.run([-1] * 8)
    assert all(len(set(batch)) == len(batch) <= 8 for batch in search.leaves)
    assert done == sum(map(len, search.leaves)) == search.tree.visits[0]
    assert np.mean([len(batch) for batch in search.leaves[1:]]) > 4  # batches are filled


@pytest.mark.kernel
def test_leaves_wait_until_they_are_delivered() -> None:
    search = Searched(make_game("tic-tac-toe"), NETWORK, 4)
    search.run([-1])
    rows, ran = collect(search.tree, search.walk, NETWORK, sealed(search.world), search.batch, np.full(4, -1))
    assert (rows, ran) == (4, 4)
    assert search.tree.pending[0] == 4
    assert sorted(search.tree.pending[1:10]) == [0] * 5 + [1] * 4
    assert search.tree.visits[0] == 1
    assert collect(search.tree, search.walk, NETWORK, sealed(search.world), search.batch, np.full(0, -1)) == (0, 0)


def test_outputs_of_a_network_become_probabilities_of_legal_moves() -> None:
    mask = np.array([[True, False, True], [True, True, True]])
    logits = np.array([[0.0, 99.0, np.log(3.0)], [-1e30, 0.0, 0.0]], np.float32)
    policy, values = checked(logits, [0.5, -1.0], mask)
    assert policy == pytest.approx(np.array([[0.25, 0.0, 0.75], [0.0, 0.5, 0.5]]))
    assert (policy.dtype, values.dtype, values.tolist()) == (np.float64, np.float64, [0.5, -1.0])
    logits[0, 1] = np.nan  # of a move that is not legal
    assert checked(logits, values, mask)[0] == pytest.approx(policy)


@pytest.mark.parametrize(
    ("logits", "values", "message"),
    [
        (np.zeros((2, 3)), np.zeros((2, 1)), r"logits \[2, 3\] and values \[2, 1\], but \[2, 3\] and \[2\] are wanted"),
        (np.zeros((2, 4)), np.zeros(2), r"logits \[2, 4\] and values \[2\], but \[2, 3\]"),
        (np.full((2, 3), np.nan), np.zeros(2), "not finite"),
        (np.full((2, 3), -np.inf), np.zeros(2), "not finite"),
        (np.zeros((2, 3)), np.array([0.0, np.inf]), "not finite"),
    ],
)
def test_other_outputs_are_refused(logits: Any, values: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked(logits, values, np.ones((2, 3), np.bool_))
