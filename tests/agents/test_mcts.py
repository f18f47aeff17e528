"""Searches as users see them: budgets, repeatability, reuse, noise, temperature, refusals."""

import time
from typing import Any

import numpy as np
import pytest

from palestra.agents.mcts import Config, Search, settings_of
from palestra.agents.tree import NODES
from palestra.envs.game import Game, State, legal_mask, move
from palestra.envs.games import make_game
from palestra.envs.mdp_game import mdp_game
from palestra.envs.rng import seed_state
from tests.game_trees import played
from tests.games import line_of_dice, wander, wander_network
from tests.mdps import random_mdp
from tests.naive_mcts import NaiveSearch, assert_same

TIC_TAC_TOE, CONNECT_FOUR = make_game("tic-tac-toe"), make_game("connect-four")
Answer = tuple[np.ndarray, np.ndarray]


class Network:
    """Stands for a network: even probabilities and values near zero; counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[np.ndarray] = []

    def __call__(self, obs: np.ndarray, states: np.ndarray) -> Answer:
        self.asked.append(states.copy())
        values = np.sin(states[:, 4].astype(np.float64)) * 0.1
        return np.zeros((len(obs), 9 if obs.shape[1:] == (3, 3, 3) else 7)), values


def run(game: Game, start: State | None = None, seed: int = 0, network: Any = None, **options: Any) -> Search:
    search = Search(game, Config(**options), seed, network)
    search.run(game.start if start is None else start)
    return search


@pytest.mark.parametrize(
    "options", [{}, {"threads": 2}, {"rule": "puct"}, {"rave": 100.0}, {"threads": 3, "reuse": False}]
)
def test_a_seed_gives_the_same_search_and_another_one_another(options: dict[str, Any]) -> None:
    one, same, other = (run(CONNECT_FOUR, seed=seed, simulations=2001, **options) for seed in (1, 1, 2))
    assert one.children() == same.children() != other.children()
    assert one.visits == one.simulations == 2001
    assert sum(child.visits for child in one.children()) == 2001
    assert all(-1 <= child.value <= 1 for child in one.children())


def test_threads_grow_trees_of_their_own() -> None:
    search = run(CONNECT_FOUR, simulations=1000, threads=2)
    first, second = ([int(v) for v in tree.visits[1:8]] for tree in search._trees)
    assert first != second
    assert sorted(child.visits for child in search.children()) == sorted(
        a + b for a, b in zip(first, second, strict=True)
    )
    assert search.nodes == sum(tree.info[NODES] for tree in search._trees)


def test_simulations_that_were_kept_count() -> None:
    search = run(CONNECT_FOUR, simulations=1000)
    best = search.children()[0]
    state = played(CONNECT_FOUR, CONNECT_FOUR.action_name(best.action))
    below = search.variation(best.action)[1:]
    search.advance(best.action, state)
    assert search.visits == best.visits  # exactly
    assert search.variation(below[0], 11)[: len(below)] == below
    search.run(state)
    assert search.visits == 1000
    assert search.simulations == 1000 - best.visits
    search.run(state, simulations=50)  # so many more
    assert (search.visits, search.simulations) == (1050, 50)
    search.run(state)  # nothing is left to do but one
    assert search.visits == 1051


@pytest.mark.parametrize("threads", [1, 2])
def test_going_on_with_a_tree_is_like_having_begun_there(threads: int) -> None:
    """Reuse changes what is known, not what is true: values of the same moves, from the same position, agree."""
    state = played(CONNECT_FOUR, "4 4")
    kept = run(CONNECT_FOUR, simulations=20_000, threads=threads)
    kept.advance(3, played(CONNECT_FOUR, "4"))
    kept.advance(3, state)
    assert 0 < kept.visits < 20_000
    kept.run(state, simulations=20_000)
    fresh = run(CONNECT_FOUR, state, seed=5, simulations=20_000, threads=threads)
    assert kept.best() == fresh.best()
    assert kept.children()[0].value == pytest.approx(fresh.children()[0].value, abs=0.05)


def test_a_tree_of_another_position_is_not_used() -> None:
    search = run(CONNECT_FOUR, simulations=500)
    search.run(played(CONNECT_FOUR, "1 2"))
    assert search.visits == 500
    search.advance(6, played(CONNECT_FOUR, "1 2 7"))
    search.run(played(CONNECT_FOUR, "1 2"))
    assert search.visits == 500
    unused = Search(CONNECT_FOUR, Config(simulations=10, reuse=False))
    unused.run(CONNECT_FOUR.start)
    unused.advance(3, played(CONNECT_FOUR, "4"))
    assert unused.visits == unused.nodes == 0


def test_words_that_are_not_in_use_make_no_other_position() -> None:
    game = make_game("go-5x5")
    search, state = run(game, simulations=100), game.start.copy()
    state[-1] = 7
    search.run(state, simulations=1)
    assert search.visits == 101


def test_a_move_that_was_never_tried_leaves_an_empty_tree() -> None:
    search = Search(CONNECT_FOUR, Config(simulations=100))
    search.advance(3, played(CONNECT_FOUR, "4"))  # before any search
    search.run(played(CONNECT_FOUR, "4"), simulations=3)
    search.advance(6, played(CONNECT_FOUR, "4 7"))
    search.run(played(CONNECT_FOUR, "4 7"))
    assert search.visits == 100


def test_a_full_tree_is_no_error() -> None:
    search = run(CONNECT_FOUR, simulations=3000, nodes=100)
    assert search.full
    assert search.nodes <= 100
    assert search.visits == 3000
    assert not run(CONNECT_FOUR, simulations=10).full


@pytest.mark.parametrize("network", [None, Network()])
@pytest.mark.parametrize("rule", ["uct", "puct", "gumbel"])
def test_searches_take_about_the_time_they_are_given(network: Any, rule: Any) -> None:
    if network is None and rule == "gumbel":
        return
    search = Search(CONNECT_FOUR, Config(rule=rule, early=False), 0, network)
    search.run(CONNECT_FOUR.start, simulations=10)  # whatever has to be compiled
    begin = time.perf_counter()
    search.run(CONNECT_FOUR.start, seconds=0.2)
    assert time.perf_counter() - begin >= 0.2
    assert search.simulations >= 1
    search.run(CONNECT_FOUR.start, seconds=1e-9)
    assert search.simulations >= 1
    assert search.best() in range(7)


def test_leaves_are_evaluated_in_batches_and_once_each() -> None:
    network = Network()
    search = run(CONNECT_FOUR, network=network, simulations=400, rule="puct", batch=8)
    assert search.visits == 400
    assert len(network.asked[0]) == 1  # the root
    assert max(len(batch) for batch in network.asked) == 8
    states = [state.tobytes() for batch in network.asked for state in batch]
    assert len(states) <= 400  # ends of the game need no network
    assert not search._trees[0].pending.any()


def test_batches_of_one_are_the_plain_puct_search() -> None:
    network = Network()
    search = run(TIC_TAC_TOE, network=network, simulations=150, rule="puct", batch=1)
    twin = NaiveSearch(TIC_TAC_TOE, search.settings, 0)

    def evaluate(state: State) -> tuple[Any, float]:
        mask = legal_mask(TIC_TAC_TOE, state)
        return mask / mask.sum(), float(network(np.zeros((1, 3, 3, 3)), state[None])[1][0])

    for _ in range(search.visits):
        twin.batch([None], evaluate)
    assert_same(search._trees[0], twin)


def test_noise_is_in_the_roots_probabilities_alone_and_once() -> None:
    """A quarter of noise: shares of 3/4 of the even ones stay, and ten runs have no more of it than one."""
    plain = run(CONNECT_FOUR, network=Network(), simulations=100, rule="puct")
    search = run(CONNECT_FOUR, network=Network(), simulations=100, rule="puct", noise=0.25)
    noisy = {child.action: child.prior for child in search.children()}
    assert [child.prior for child in plain.children()] == pytest.approx([1 / 7] * 7)
    assert sum(noisy.values()) == pytest.approx(1.0)
    assert all(prior >= 0.75 / 7 - 1e-6 for prior in noisy.values())
    assert len(set(noisy.values())) == 7
    for _ in range(3):
        search.run(CONNECT_FOUR.start, simulations=20)
    assert {child.action: child.prior for child in search.children()} == noisy
    tree = search._trees[0]
    below = tree.policy[8 : tree.info[NODES]]
    assert below == pytest.approx(1 / 7, abs=1e-6)


def test_a_kept_root_gets_noise_of_its_own_once() -> None:
    search = run(CONNECT_FOUR, network=Network(), simulations=100, rule="puct", noise=0.25)
    best, state = search.children()[0].action, CONNECT_FOUR.start.copy()
    move(CONNECT_FOUR, state, best, seed_state(0))
    search.advance(best, state)
    assert [child.prior for child in search.children()] == pytest.approx([1 / 7] * 7)
    search.run(state, simulations=20)
    noisy = sorted(child.prior for child in search.children())
    assert noisy[0] < noisy[-1]
    search.run(state, simulations=20)
    assert sorted(child.prior for child in search.children()) == noisy


def test_noise_is_dirichlets_with_the_sum_that_is_asked_for() -> None:
    """Shares of Dirichlet(a, ..., a) of seven: mean 1/7, variance (1/7)(6/7) / (7 a + 1), over 300 draws of noise."""
    shares = []
    for seed in range(300):
        search = run(CONNECT_FOUR, network=Network(), seed=seed, simulations=2, rule="puct", noise=1.0, noise_total=3.5)
        shares += [child.prior for child in search.children()]
    assert np.mean(shares) == pytest.approx(1 / 7, abs=1e-6)
    assert np.var(shares) == pytest.approx(6 / 49 / 4.5, rel=0.1)


def test_temperature_draws_from_the_seed() -> None:
    def moves(seed: int) -> list[int]:
        search = run(CONNECT_FOUR, seed=seed, simulations=200, temperature=1.0)
        return [search.best() for _ in range(30)]

    assert moves(0) == moves(0)
    assert len(set(moves(0))) > 1
    assert len({run(CONNECT_FOUR, simulations=200).best() for _ in range(3)}) == 1


def test_games_with_chance_are_not_solved_and_one_player_has_no_losses() -> None:
    assert not settings_of(line_of_dice(), Config(), False).solver
    assert not settings_of(mdp_game(random_mdp(0), 0), Config(), False).solver
    assert settings_of(TIC_TAC_TOE, Config(), False).solver
    search = run(line_of_dice(), simulations=3000)
    assert not any(child.proven for child in search.children())
    assert sum(child.visits for child in search.children()) == 3000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"simulations": 0}, "simulations is 0, but at least 1 is wanted"),
        ({"seconds": float("nan")}, "seconds is nan"),
        ({"threads": 0}, "threads is 0"),
        ({"nodes": 8}, "nodes is 8, but at least 64"),
        ({"rule": "ucb"}, "rule is 'ucb', but one of uct, puct, gumbel is wanted"),
        ({"temperature": -1.0}, "temperature is -1.0, but a number from 0 on"),
        ({"exploration": float("inf")}, "exploration is inf"),
        ({"noise": 1.5}, "noise 1.5 must lie in"),
        ({"resign": -2.0}, "resign -2.0 in"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Config(**options)


@pytest.mark.parametrize(
    ("game", "options", "network", "message"),
    [
        ("tic-tac-toe", {"rule": "gumbel"}, None, "rule gumbel needs a network's probabilities"),
        ("tic-tac-toe", {"noise": 0.25}, None, "noise is 0.25, but only a network's probabilities take any"),
        ("tic-tac-toe", {"rule": "gumbel", "threads": 2}, Network(), "threads is 2, but rule gumbel evaluates one"),
        ("go-9x9", {"nodes": 82}, None, "nodes is 82, but more than go-9x9's 82 moves are wanted"),
    ],
)
def test_searches_that_cannot_be(game: str, options: dict[str, Any], network: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Search(make_game(game), Config(**options), 0, network)


def test_what_cannot_be_searched() -> None:
    search = Search(TIC_TAC_TOE, Config())
    with pytest.raises(ValueError, match="no best move before a search"):
        search.best()
    with pytest.raises(ValueError, match="tic-tac-toe is over"):
        search.run(played(TIC_TAC_TOE, "a1 b1 a2 b2 a3"))


def test_an_evaluator_that_fails_leaves_a_search_that_works() -> None:
    network, fail = Network(), [True]

    def evaluate(obs: np.ndarray, states: np.ndarray) -> Answer:
        logits, values = network(obs, states)
        return logits, values * (np.nan if fail[0] and len(network.asked) > 3 else 1.0)

    search = Search(TIC_TAC_TOE, Config(simulations=100, rule="puct"), 0, evaluate)
    with pytest.raises(ValueError, match="not finite"):
        search.run(TIC_TAC_TOE.start)
    fail[0] = False
    search.run(TIC_TAC_TOE.start)
    assert search.visits == 100


def test_networks_see_the_planes_of_the_player_to_move() -> None:
    game = wander(9)
    search = run(game, network=wander_network, simulations=1, rule="puct")
    logits = np.sin(9.0 * np.arange(1, 5)) * 2
    wanted = np.exp(logits) / np.exp(logits).sum()
    assert {c.action: c.prior for c in search.children()} == pytest.approx(dict(enumerate(wanted)), rel=1e-6)
    assert search._trees[0].estimate[0] == pytest.approx(0.8 * np.cos(9.0), rel=1e-6)
    assert search.best() == int(np.argmax(wanted))
