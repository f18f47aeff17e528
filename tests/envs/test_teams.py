"""Teams as Gymnasium batches: the same play in every view, and what is refused."""

import sys

import gymnasium as gym
import numpy as np
import pytest

from palestra.envs.hide_and_seek.batch import HideAndSeekBatch
from palestra.envs.spec import EnvSpec
from palestra.envs.teams import HideAndSeekTeams, ParallelTeams
from tests.agents import parallel_toys


def test_hide_and_seek_is_the_batchs() -> None:
    envs, batch, rng = HideAndSeekTeams(5, "full"), HideAndSeekBatch("full", 5), np.random.default_rng(0)
    obs, _ = envs.reset(seed=3)
    batch.reset(3)
    assert obs in envs.observation_space
    for _ in range(250):
        actions = envs.action_space.sample() if rng.random() < 0.5 else np.zeros((5, 4, 5), np.int64)
        obs, reward, terminated, truncated, info = envs.step(actions)
        sight, rewards, ends = batch.step(actions)
        assert all((obs[name] == value).all() for name, value in sight._asdict().items())
        assert (info["rewards"] == rewards).all()
        assert (reward == rewards[:, :2].mean(axis=1)).all()
        assert (terminated == ends).all()
        assert not truncated.any()
        assert ("statistics" in info) == ends.any()


def test_one_world_is_the_first_of_a_batch() -> None:
    spec = EnvSpec("palestra/HideAndSeek-v0", 2, 0, {"scenario": "quadrant"})
    one, many = spec.make(render_mode="rgb_array"), spec.make_vec()
    first, _ = one.reset(seed=9)
    seen, _ = many.reset(seed=9)
    assert first in one.observation_space
    rng = np.random.default_rng(0)
    for _ in range(30):
        actions = rng.integers(2, size=(2, 4, 5))
        first, reward, *_ = one.step(actions[0])
        seen, rewards, *_ = many.step(actions)
        assert all((value == seen[name][0]).all() for name, value in first.items())
        assert reward == rewards[0]
    assert one.render().shape == (480, 480, 3)


def test_copies_of_a_parallel_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "toys", parallel_toys)
    envs = ParallelTeams(3, "toys")
    obs, _ = envs.reset(seed=0)
    assert obs["me"].shape == (3, 2, 3)
    assert envs.team_names == ("left",)
    for t in range(16):
        actions = obs["me"].argmax(axis=2)[..., None]
        obs, reward, terminated, truncated, info = envs.step(actions)
        assert reward.tolist() == [1.0] * 3
        assert not terminated.any()
        assert truncated.all() == (t % 8 == 7)
        if truncated.any():
            assert not (info["final"]["me"] == obs["me"]).all()


def test_episodes_are_cut_off_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "toys", parallel_toys)
    envs = ParallelTeams(1, "toys", max_episode_steps=3)
    envs.reset(seed=0)
    cuts = [bool(envs.step(np.zeros((1, 2, 1), np.int64))[3][0]) for _ in range(6)]
    assert cuts == [False, False, True, False, False, True]


def test_what_is_not_for_teams_is_refused() -> None:
    for module in ("", "json", "no.such.module"):
        with pytest.raises(ValueError, match="parallel_env is wanted"):
            ParallelTeams(1, module)
    with pytest.raises(ValueError, match="did you mean quadrant"):
        EnvSpec("palestra/HideAndSeek-v0", 1, 0, {"scenario": "quadrent"}).make_vec()
    with pytest.raises(ValueError, match="does not take the options"):
        EnvSpec("palestra/HideAndSeek-v0", 1, 0, {"rooms": 3}).make_vec()
    assert isinstance(gym.spec("palestra/Parallel-v0").entry_point, str)
