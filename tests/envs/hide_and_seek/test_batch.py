"""Worlds do not know of one another: same seed, same bits, for any number of worlds and threads, and in every view."""

import warnings

import numpy as np
import pytest

from palestra.envs.hide_and_seek import parallel_env
from palestra.envs.hide_and_seek.batch import HideAndSeekBatch
from palestra.envs.hide_and_seek.statistics import COUNTED
from tests.envs.hide_and_seek.test_solver import random_actions

with warnings.catch_warnings():  # PettingZoo's checks import an environment of its own in a way that it deprecates
    warnings.simplefilter("ignore", DeprecationWarning)
    from pettingzoo.test import parallel_api_test, parallel_seed_test


@pytest.mark.parametrize("scenario", ["quadrant", "full"])
def test_pettingzoos_own_checks(scenario: str) -> None:
    parallel_api_test(parallel_env(scenario), 600)
    parallel_seed_test(lambda: parallel_env(scenario))


@pytest.mark.parametrize("scenario", ["quadrant", "full"])
def test_a_world_is_the_same_for_any_number_of_worlds_and_threads_and_in_pettingzoo(scenario: str) -> None:
    many, some = HideAndSeekBatch(scenario, 200, threads=3), HideAndSeekBatch(scenario, 3, threads=1)
    one = parallel_env(scenario)
    many.reset(10), some.reset(10 + 77)
    seen, _ = one.reset(seed=10 + 77)
    rng = np.random.default_rng(0)
    for _ in range(2 * many.scenario.horizon + 5):
        actions = random_actions(rng, many)
        sight, rewards, ends = many.step(actions)
        few, few_rewards, _ = some.step(actions[77:80])
        assert few_rewards.tobytes() == rewards[77:80].tobytes()
        assert all(a.tobytes() == b[77:80].tobytes() for a, b in zip(few, sight, strict=True))
        seen, got, terminated, truncated, infos = one.step(dict(zip(one.agents, actions[77], strict=True)))
        assert list(got.values()) == rewards[77].tolist()
        assert set(terminated.values()) == {bool(ends[77])}
        assert not any(truncated.values())
        if ends[77]:
            assert set(infos["hider_0"]["statistics"]) == set(COUNTED)
            seen, _ = one.reset()
        for i, agent in enumerate(one.possible_agents):
            for name in ("me", "others", "things", "ranges", "seen"):
                assert (seen[agent][name] == getattr(sight, name)[77, i]).all()


def test_rewards_are_zero_sum_and_nobody_is_rewarded_during_the_preparation() -> None:
    batch, rng, kinds = HideAndSeekBatch("quadrant", 64), np.random.default_rng(0), set()
    batch.reset(0)
    for t in range(80):
        _, rewards, _ = batch.step(random_actions(rng, batch))
        assert (rewards.sum(axis=1) == 0).all()
        assert (rewards[:, :2] == rewards[:, :1]).all()
        kinds |= set(rewards[:, 0].tolist())
        if t < 32:
            assert not rewards.any()
    assert kinds == {-1.0, 0.0, 1.0}


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (np.zeros((2, 3, 5), np.int64), r"\[2, 4, 5\]"),
        (np.zeros((2, 4, 5)), "integers"),
        (np.full((2, 4, 5), 2), "lie from 0"),
        (np.full((2, 4, 5), -1), "lie from 0"),
    ],
)
def test_bad_actions_move_nothing(actions: np.ndarray, message: str) -> None:
    batch = HideAndSeekBatch("quadrant", 2)
    batch.reset(0)
    before = batch.bodies.tobytes()
    with pytest.raises(ValueError, match=message):
        batch.step(actions)
    assert batch.bodies.tobytes() == before


def test_worlds_that_have_not_begun_say_so() -> None:
    with pytest.raises(ValueError, match="reset before"):
        HideAndSeekBatch("quadrant", 1).step(np.zeros((1, 4, 5), np.int64))
    with pytest.raises(ValueError, match="at least one world"):
        HideAndSeekBatch("quadrant", 0)
