import numpy as np

from palestra.agents.sb3_env import SB3VecEnv, SpacesOnly, masked_space, with_mask
from palestra.envs.spec import EnvSpec


def test_ends_carry_what_the_library_reads() -> None:
    envs = SB3VecEnv(EnvSpec("CartPole-v1", num_envs=2, kwargs={"max_episode_steps": 15}), seed=0)
    before = envs.reset()["obs"]
    cut = fallen = 0
    for _ in range(200):
        after, reward, done, infos = envs.step(np.zeros(2, np.int64))
        assert reward.tolist() == [1.0, 1.0]
        for i in range(2):
            assert done[i] == ("terminal_observation" in infos[i])
            if done[i]:
                last = infos[i]["terminal_observation"]["obs"]
                assert np.abs(last - before[i]).max() < 1
                assert not np.array_equal(last, after["obs"][i])
                cut += infos[i]["TimeLimit.truncated"]
                fallen += not infos[i]["TimeLimit.truncated"]
        before = after["obs"]
    assert fallen > 0
    metrics = envs.finished_episodes()
    assert len(metrics["rollout/ep_rew_mean"]) == cut + fallen
    assert np.array_equal(metrics["rollout/ep_rew_mean"], metrics["rollout/ep_len_mean"])
    assert envs.finished_episodes() == {}
    envs.close()


def test_time_limits_are_told_from_falls() -> None:
    envs = SB3VecEnv(EnvSpec("FrozenLake-v1", kwargs={"max_episode_steps": 2, "is_slippery": False}), seed=0)
    envs.reset()
    envs.step(np.array([0]))  # into the wall
    _, _, done, infos = envs.step(np.array([0]))
    assert done[0]
    assert infos[0]["TimeLimit.truncated"]
    envs.step(np.array([2]))
    _, _, done, infos = envs.step(np.array([1]))  # right, down: a hole
    assert done[0]
    assert not infos[0]["TimeLimit.truncated"]


def test_masks_stand_beside_the_observations() -> None:
    space = EnvSpec("Taxi-v4").make()
    assert set(masked_space(space.observation_space, space.action_space)) == {"obs", "mask"}
    assert with_mask(np.zeros(2), None, space.action_space)["mask"].tolist() == [[1] * 6] * 2
    continuous = EnvSpec("Pendulum-v1").make()
    assert set(masked_space(continuous.observation_space, continuous.action_space)) == {"obs"}
    stub = SpacesOnly(space.observation_space, space.action_space, 3)
    assert stub.get_attr("render_mode") == [None] * 3
    assert stub.env_is_wrapped(object) == [False] * 3
