"""The compiled loops of Q-learning against their slow twin."""

import numpy as np
import pytest
from numba import config

from palestra.agents.q_kernels import Exploration, exploration_rate, learning_rates, make_sampler, make_table, play
from palestra.agents.schedule import EXPONENTIAL, LINEAR
from palestra.envs.mdp import MDP
from palestra.envs.rng import seed_state
from tests.naive import NaiveRandom, naive_q_learning

STEPS = 500 if config.DISABLE_JIT else 20_000


def random_mdp(seed: int, num_outcomes: int) -> MDP:
    rng = np.random.default_rng(seed)
    shape = (6, 3, num_outcomes)
    probability = rng.dirichlet([0.5] * num_outcomes, shape[:2])
    probability[0, 0] = np.eye(num_outcomes)[0]
    allowed = rng.random(shape[:2]) < 0.7
    allowed[np.arange(6), rng.integers(3, size=6)] = True
    start = np.array([0.5, 0.0, 0.25, 0.0, 0.25, 0.0])
    reward = rng.normal(size=shape)
    return MDP(rng.integers(6, size=shape), probability, reward, rng.random(shape) < 0.1, start, allowed, 0.9)


@pytest.mark.kernel
@pytest.mark.parametrize("num_outcomes", [1, 3, 4])
@pytest.mark.parametrize(("decay", "limit"), [(0.0, 0), (0.7, 5)])
@pytest.mark.parametrize("kind", [LINEAR, EXPONENTIAL])
def test_the_fused_loop_equals_its_twin_to_the_bit(num_outcomes: int, decay: float, limit: int, kind: int) -> None:
    mdp = random_mdp(5 + num_outcomes, num_outcomes)
    rates = learning_rates(0.1, decay)
    exploration = Exploration(kind, 0.9, 0.05, STEPS // 2)
    epsilons = [exploration_rate(exploration, step) for step in range(STEPS)]
    seeds = seed_state(1), seed_state(2)
    initial = np.where(mdp.allowed, 0.5, -np.inf)
    wanted, episodes = naive_q_learning(
        mdp, initial, rates, epsilons, (NaiveRandom(seeds[0]), NaiveRandom(seeds[1])), limit
    )
    table = make_table(initial.copy(), np.zeros((6, 3), np.uint32), rates)
    sampler, episode, ended = make_sampler(mdp), (-1, 0, 0.0), []
    for first, end in ((0, STEPS // 3), (STEPS // 3, STEPS)):  # the second part goes on with the episode of the first
        episode, returns, lengths = play(sampler, table, exploration, seeds, episode, (first, end, limit), mdp.discount)
        ended += list(zip(returns.tolist(), lengths.tolist(), strict=True))
    assert table.q.tolist() == wanted
    assert ended == episodes
    assert len(ended) > 5
    if limit:
        assert max(length for _, length in ended) == limit


def test_learning_rates_fall_to_the_least() -> None:
    assert learning_rates(0.25, 0.5) == pytest.approx([1.0, 2**-0.5, 3**-0.5, *[k**-0.5 for k in range(4, 17)]])
    assert learning_rates(0.25, 0.0).tolist() == [0.25]
