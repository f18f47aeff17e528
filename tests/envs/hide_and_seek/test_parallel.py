"""The PettingZoo environment; `test_batch.py` runs PettingZoo's own checks on it."""

import numpy as np
import pytest

from palestra.envs.hide_and_seek import parallel_env
from palestra.envs.hide_and_seek.observe import NUM_SELF, NUM_THING


def still(env) -> dict[str, np.ndarray]:  # type: ignore[no-untyped-def]
    """Returns actions that do nothing."""
    return {agent: np.array([5, 5, 5, 0, 0]) for agent in env.agents}


def test_agents_are_named_by_their_teams_and_see_what_their_spaces_say() -> None:
    env = parallel_env("full")
    assert env.possible_agents == ["hider_0", "hider_1", "seeker_0", "seeker_1"]
    seen, _ = env.reset(seed=1)
    for _ in range(3):
        for agent in env.agents:
            assert seen[agent] in env.observation_space(agent)
            assert env.action_space(agent).nvec.tolist() == [11, 11, 11, 2, 2]
        seen, *_ = env.step(still(env))


def test_the_state_is_all_there_is_whoever_sees_it() -> None:
    env = parallel_env("quadrant")
    seen, _ = env.reset(seed=0)
    state = env.state()
    assert state.shape == env.state_space.shape == (4 * NUM_SELF + 3 * NUM_THING + 3,)
    assert state.dtype == np.float32
    for i, agent in enumerate(env.agents):
        assert (state[i * NUM_SELF : (i + 1) * NUM_SELF] == seen[agent]["me"]).all()
    assert (state[4 * NUM_SELF : -3].reshape(3, NUM_THING) == seen["hider_0"]["things"]).all()
    assert (state[-3:] == seen["hider_0"]["there"]).all()


def test_what_was_observed_does_not_change_later() -> None:
    env = parallel_env("quadrant")
    seen, _ = env.reset(seed=0)
    kept = {name: value.copy() for name, value in seen["hider_0"].items()}
    env.step({agent: np.array([10, 0, 10, 1, 1]) for agent in env.agents})
    assert all((kept[name] == value).all() for name, value in seen["hider_0"].items())


def test_an_episode_ends_for_all_at_once_and_says_what_happened() -> None:
    env = parallel_env("quadrant")
    env.reset(seed=0)
    for time in range(1, 81):
        _, rewards, terminated, _, infos = env.step(still(env))
        assert set(terminated.values()) == {time == 80}
        assert set(rewards) == set(env.possible_agents)
    assert env.agents == []
    assert infos["seeker_1"]["statistics"]["box_moved"] == 0.0
    with pytest.raises(ValueError, match="reset must be called before step"):
        env.step({})
    env.reset()
    assert len(env.agents) == 4


def test_a_missing_action_and_a_bad_one_move_nothing() -> None:
    env = parallel_env("quadrant")
    env.reset(seed=0)
    before = env.state()
    actions = still(env)
    del actions["seeker_0"]
    with pytest.raises(ValueError, match="the action of seeker_0 is missing"):
        env.step(actions)
    with pytest.raises(ValueError, match="lie from 0"):
        env.step(still(env) | {"seeker_0": np.array([11, 5, 5, 0, 0])})
    assert (env.state() == before).all()


def test_the_environment_draws_what_it_shows() -> None:
    env = parallel_env("quadrant", render_mode="rgb_array", side=200)
    env.reset(seed=0)
    image = env.render()
    assert image.shape == (200, 200, 3)
    assert image.dtype == np.uint8
    assert parallel_env("quadrant").render() is None
    with pytest.raises(ValueError, match="rgb_array"):
        parallel_env("quadrant", render_mode="human")
