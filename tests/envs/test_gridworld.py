"""The views of a grid world against each other: Env, VectorEnv and MDP play the same."""

import re
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from numba import config

import palestra.envs
from palestra.envs.gridworld import GridWorldEnv, GridWorldVectorEnv
from palestra.envs.mdp import MDP, sample_transition
from palestra.envs.rng import randint, seed_state

OURS = ("palestra.envs.gridworld:", "palestra.envs.maze:")
IDS = sorted(id for id, spec in gym.registry.items() if str(spec.entry_point).startswith(OURS))
STEPS = 60 if config.DISABLE_JIT else 400
MIXED = {"map": "S..#3/.#A.P/..S.a/...#G", "slip": 0.3, "wind": [0, 1, 0, -1, 0], "moves": "9", "mask_walls": True}


def choose(mask: Any, random: np.random.Generator) -> Any:
    """A random allowed action for each row of a mask `[..., A]`."""
    return np.where(mask, random.random(np.shape(mask)), -1.0).argmax(axis=-1)


def test_the_six_worlds_are_registered() -> None:
    names = ["Classic4x4", "Cliff", "GridWorld", "JumpGrid", "Maze", "WindyGrid"]
    assert [f"palestra/{name}-v0" for name in names] == IDS
    assert palestra.envs.__doc__


@pytest.mark.parametrize("id", IDS)
def test_env_conforms_to_gymnasium(id: str) -> None:
    check_env(gym.make(id).unwrapped)


def assert_same(given: Any, wanted: Any) -> None:
    """Compares infos (and what else a step gives) key by key, type by type."""
    if isinstance(wanted, dict):
        assert given.keys() == wanted.keys()
        for key in wanted:
            assert_same(given[key], wanted[key])
        return
    assert given.dtype == wanted.dtype
    assert given.shape == wanted.shape
    assert (given == wanted).all()


@pytest.mark.parametrize(("id", "options"), [(id, {}) for id in IDS] + [("palestra/GridWorld-v0", MIXED)])
def test_the_vector_env_equals_gymnasiums_loop_over_single_ones(id: str, options: dict[str, Any]) -> None:
    options = options | {"max_episode_steps": 10}
    single = SyncVectorEnv([lambda: gym.make(id, **options)] * 3, autoreset_mode=AutoresetMode.SAME_STEP)
    batch = gym.make_vec(id, 3, **options)
    assert isinstance(batch, GridWorldVectorEnv)
    assert batch.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    assert batch.observation_space == single.observation_space
    assert batch.action_space == single.action_space
    random, ended = np.random.default_rng(0), 0
    for seed in (5, None):
        (obs, info), (wanted_obs, wanted_info) = batch.reset(seed=seed), single.reset(seed=seed)
        assert_same(obs, wanted_obs)
        assert_same(info, wanted_info)
        for _ in range(STEPS // 4):
            action = choose(info["action_mask"], random)
            *given, info = batch.step(action)
            *wanted, wanted_info = single.step(action)
            for one, other in zip(given, wanted, strict=True):
                assert_same(one, other)
            assert_same(info, wanted_info)
            ended += int((given[2] | given[3]).sum())
    assert ended >= 6


@pytest.mark.parametrize(("id", "options"), [(id, {}) for id in IDS] + [("palestra/GridWorld-v0", MIXED)])
def test_the_env_equals_its_mdp_with_the_same_random_numbers(id: str, options: dict[str, Any]) -> None:
    env: Any = gym.make(id, **options).unwrapped
    mdp, random = MDP.from_env(env), np.random.default_rng(0)
    starts, rng = np.flatnonzero(mdp.start), seed_state(11)
    obs, info = env.reset(seed=11)
    assert obs == starts[randint(rng, len(starts))]
    for _ in range(STEPS):
        assert (info["action_mask"] == mdp.allowed[obs]).all()
        action = choose(info["action_mask"], random)
        wanted = sample_transition(
            mdp.next_state, mdp.probability, mdp.reward, mdp.terminated, int(obs), int(action), rng
        )
        obs, reward, terminated, truncated, info = env.step(action)
        assert (int(obs), reward, terminated, truncated) == (*wanted, False)
        if terminated:
            obs, info = env.reset()
            assert obs == starts[randint(rng, len(starts))]


@pytest.mark.parametrize("make", [lambda: GridWorldEnv(**MIXED), lambda: GridWorldVectorEnv(4, **MIXED)])
def test_same_seed_same_trajectory(make: Any) -> None:
    def play(seed: int) -> list[Any]:
        env, random = make(), np.random.default_rng(0)
        obs, info = env.reset(seed=seed)
        seen = [np.array(obs).tolist()]
        for _ in range(STEPS // 4):
            obs, reward, terminated, _, info = env.step(choose(info["action_mask"], random))
            seen.append((np.array(obs).tolist(), np.array(reward).tolist()))
            if terminated is True:
                _, info = env.reset()
        return seen

    assert play(3) == play(3)
    assert play(3) != play(4)


def test_without_a_time_limit_nothing_is_truncated() -> None:
    batch = GridWorldVectorEnv(2, "S.G")
    batch.reset(seed=0)
    for _ in range(50):
        _, _, terminated, truncated, info = batch.step(np.array([1, 3]))
        assert not truncated.any()
        assert not terminated[1]
        assert ("final_obs" in info) == terminated.any()


def test_an_action_outside_omega_is_refused_and_nothing_moves() -> None:
    env, batch = GridWorldEnv("S.G", mask_walls=True), GridWorldVectorEnv(2, "S.G", mask_walls=True)
    for view, action in ((env, np.int64(1)), (batch, np.array([1, 1]))):
        with pytest.raises(gym.error.ResetNeeded, match="must be reset before"):
            view.step(action)  # type: ignore[attr-defined]
        view.reset(seed=0)  # type: ignore[attr-defined]
    for action in (0, 3, 4, -1):
        with pytest.raises(ValueError, match=rf"action {action} is not allowed in state 0, which allows \[1\]"):
            env.step(np.int64(action))
        with pytest.raises(ValueError, match=rf"action {action} is not allowed in state 0, which allows \[1\]"):
            batch.step(np.array([1, action]))
    assert batch.step(np.array([1, 1]))[0].tolist() == [1, 1]


@pytest.mark.parametrize("actions", [np.array([1.0, 1.0]), np.array([1]), np.array([[1, 1]])])
def test_actions_that_are_no_integer_a_world_are_refused(actions: Any) -> None:
    batch = GridWorldVectorEnv(2, "S.G")
    batch.reset(seed=0)
    with pytest.raises(ValueError, match="actions must be 2 integers, but are"):
        batch.step(actions)


def test_rendering_shows_the_agent() -> None:
    env = GridWorldEnv("S.G/...", render_mode="ansi")
    env.reset(seed=0)
    env.step(np.int64(1))
    assert env.render() == "S@G\n..."
    batch = GridWorldVectorEnv(2, "S.G/...", render_mode="rgb_array")
    batch.reset(seed=0)
    first, second = batch.render() or ()
    assert first.shape == (64, 96, 3)
    assert (first == second).all()
    assert GridWorldVectorEnv(1, "S").render() is None


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: GridWorldEnv("S", render_mode="human"),
            "render_mode is 'human', but one of ansi, rgb_array is wanted",
        ),
        (lambda: GridWorldVectorEnv(0, "S"), "num_envs is 0, but at least one world is wanted"),
        (lambda: gym.make("palestra/GridWorld-v0", map="..."), "the map has no start: at least one cell must be 'S'"),
    ],
)
def test_wrong_options_are_refused(make: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        make()
