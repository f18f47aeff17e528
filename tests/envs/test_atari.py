import gymnasium as gym
import numpy as np
import pytest

from palestra.envs.atari import PROTOCOLS, AtariEnv, AtariVectorEnv, protocol_named
from palestra.envs.spec import EnvSpec


def play(envs: AtariVectorEnv, steps: int, seed: int = 0) -> list[tuple]:
    rng = np.random.default_rng(seed)
    envs.reset(seed=seed)
    n = int(envs.single_action_space.n)
    return [envs.step(rng.integers(0, n, envs.num_envs)) for _ in range(steps)]


def test_the_protocols_are_what_their_papers_say() -> None:
    v5, nature = PROTOCOLS["v5"], PROTOCOLS["nature"]
    registered = gym.spec("ALE/Pong-v5").kwargs  # ale-py's own v5
    assert v5.sticky == registered["repeat_action_probability"] == 0.25  # Machado et al. 2018, section 5
    assert v5.frame_skip == nature.frame_skip == registered["frameskip"] == 4
    assert v5.max_frames == registered["max_num_frames_per_episode"] == 108_000
    assert v5.full_action_space is registered["full_action_space"] is False
    assert (v5.life_loss, v5.noop_max) == (False, 0)
    assert (nature.sticky, nature.life_loss, nature.noop_max) == (0.0, True, 30)  # Mnih et al. 2015, methods
    assert v5.reward_clip == nature.reward_clip == 1.0


def test_single_and_vector_environments_show_the_same_game() -> None:
    spec = EnvSpec("ALE/Breakout-v5")
    one, many = spec.make("rgb_array"), spec.make_vec(1)
    obs, _ = one.reset(seed=5)
    assert np.array_equal(obs, many.reset(seed=5)[0][0])
    rng, ends = np.random.default_rng(0), 0
    for _ in range(700):
        action = rng.integers(0, 4)
        obs, reward, terminated, truncated, _ = one.step(action)
        batch, rewards, terminations, _, info = many.step(np.array([action]))
        assert (reward, terminated) == (rewards[0], terminations[0])
        seen = info["final_obs"][0] if terminated else batch[0]
        assert np.array_equal(obs, seen)
        picture = one.render()
        assert picture.shape == (210, 160, 3)
        assert picture.max() > 0
        if terminated or truncated:
            ends += 1
            assert np.array_equal(one.reset()[0], batch[0])
    assert ends > 0
    one.close()
    many.close()


def test_a_lost_life_ends_nothing_but_is_told_to_learners() -> None:
    nature = play(AtariVectorEnv("ALE/Breakout-v5", 2, "nature"), 1200)
    losses = sum(step[4]["life_loss"].sum() for step in nature)
    ends = sum(step[2].sum() for step in nature)
    assert ends > 0
    assert losses >= 4 * ends  # five lives a game: four losses before each end
    v5 = play(AtariVectorEnv("ALE/Breakout-v5", 2, "v5"), 600)
    assert sum(step[4]["life_loss"].sum() for step in v5) == 0


def test_scores_are_raw() -> None:
    rewards = [step[1] for step in play(AtariVectorEnv("ALE/SpaceInvaders-v5", 2), 400)]
    assert np.max(rewards) > 1  # an invader is worth 5 to 30 points
    assert EnvSpec("ALE/SpaceInvaders-v5").reward_clip == 1.0


def test_reseeding_reproduces_to_the_bit() -> None:
    envs = AtariVectorEnv("ALE/Pong-v5", 2)
    first, second = play(envs, 60, seed=3), play(envs, 60, seed=3)
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(first, second, strict=True))
    other = play(envs, 60, seed=4)
    assert not all(np.array_equal(a[0], b[0]) for a, b in zip(first, other, strict=True))


def test_observations_are_shifts_of_each_other() -> None:
    envs = AtariVectorEnv("ALE/Pong-v5", 1)
    before, _ = envs.reset(seed=0)
    for step in range(50):
        after, _, ended, _, _ = envs.step(np.array([step % 6]))
        if not ended[0]:
            assert np.array_equal(after[:, :-1], before[:, 1:])
        before = after


def test_unknown_protocols_fields_and_modes_are_said() -> None:
    with pytest.raises(ValueError, match="no Atari protocol 'v4'; there are v5 and nature"):
        protocol_named("v4")
    with pytest.raises(ValueError, match="no field 'stiky'; did you mean sticky"):
        protocol_named("v5", stiky=0.5)
    with pytest.raises(ValueError, match="draws rgb_array only"):
        AtariEnv("ALE/Pong-v5", render_mode="human")
    assert protocol_named("v5", sticky=0.5).sticky == 0.5


def test_actions_have_the_emulators_names() -> None:
    # ale-py's Pong has six minimal actions of eighteen.
    assert AtariEnv("ALE/Pong-v5").get_action_meanings() == ["NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE"]
    env = AtariEnv("ALE/Pong-v5", full_action_space=True)
    assert len(env.get_action_meanings()) == env.action_space.n == 18
