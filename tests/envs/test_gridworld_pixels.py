"""Grid worlds seen as images: the same worlds, and each picture tells where the agent is."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from palestra.agents.dqn import DQN
from palestra.agents.evaluation import evaluate
from palestra.envs.gridmap import parse_map
from palestra.envs.gridworld_pictures import map_image
from palestra.envs.gridworld_pixels import ImageSight, sight
from palestra.envs.spec import EnvSpec

WORLDS: list[tuple[str, dict[str, Any]]] = [
    ("palestra/GridWorld-v0", {"map": "S..#3/.#A.P/..S.a/...#G", "slip": 0.3, "moves": "9", "mask_walls": True}),
    ("palestra/Cliff-v0", {}),
    ("palestra/Maze-v0", {"size": 9}),
]


def test_a_picture_a_state_is_drawn_as_the_map_is() -> None:
    cells = parse_map("S.#/.GP")
    see = ImageSight(cells)
    assert see.space == gym.spaces.Box(0, 255, (3, 36, 54), np.uint8)  # 36 / 2 rows = 18 pixels a cell
    pictures = see(np.array([4, 0, 4]))
    for picture, state in zip(pictures, (4, 0, 4), strict=True):
        np.testing.assert_array_equal(picture, map_image(cells, state, side=18).transpose(2, 0, 1))


def test_observations_of_the_past_stay_as_they_were() -> None:
    for observation in ("state", "image"):
        envs = EnvSpec("palestra/GridWorld-v0", 2, kwargs={"map": "S..G", "observation": observation}).make_vec()
        obs, _ = envs.reset(seed=0)
        before = obs.copy()
        after = envs.step(np.array([1, 1]))[0]
        np.testing.assert_array_equal(obs, before)
        assert (after != before).any()


def test_states_are_told_apart_by_their_pictures() -> None:
    cells = parse_map(".......#G/..#....#./S.#....#./..#....../.....#.../.........")
    pictures = ImageSight(cells)(np.arange(cells.size))
    assert len(np.unique(pictures.reshape(cells.size, -1), axis=0)) == cells.size


@pytest.mark.parametrize(("id", "options"), WORLDS)
def test_same_actions_same_rewards_as_the_state_view(id: str, options: dict[str, Any]) -> None:
    options = options | {"max_episode_steps": 12}
    by_state, by_image = (EnvSpec(id, 3, kwargs=options | {"observation": o}).make_vec() for o in ("state", "image"))
    see: Any = by_image.unwrapped.see  # type: ignore[attr-defined]
    state, info = by_state.reset(seed=4)
    image, image_info = by_image.reset(seed=4)
    random, ended = np.random.default_rng(0), 0
    for _ in range(60):
        np.testing.assert_array_equal(image, see(state))
        np.testing.assert_array_equal(image_info["action_mask"], info["action_mask"])
        action = np.where(info["action_mask"], random.random(info["action_mask"].shape), -1.0).argmax(axis=1)
        state, *rest, info = by_state.step(action)
        image, *image_rest, image_info = by_image.step(action)
        for given, wanted in zip(image_rest, rest, strict=True):
            np.testing.assert_array_equal(given, wanted)
        for i in np.flatnonzero(rest[1] | rest[2]):
            ended += 1
            np.testing.assert_array_equal(image_info["final_obs"][i], see(info["final_obs"][i][None])[0])
            np.testing.assert_array_equal(
                image_info["final_info"]["action_mask"][i], info["final_info"]["action_mask"][i]
            )
    assert ended >= 6


def test_single_and_batch_see_the_same() -> None:
    options = {"map": "S..G/....", "observation": "image", "max_episode_steps": 5}
    check_env(gym.make("palestra/GridWorld-v0", **options).unwrapped)
    single = SyncVectorEnv(
        [lambda: gym.make("palestra/GridWorld-v0", **options)] * 2, autoreset_mode=AutoresetMode.SAME_STEP
    )
    batch = EnvSpec("palestra/GridWorld-v0", 2, kwargs=options).make_vec()
    np.testing.assert_array_equal(batch.reset(seed=1)[0], single.reset(seed=1)[0])
    for action in (1, 2, 3, 1, 0, 2):
        one, other = (envs.step(np.array([action, 1])) for envs in (batch, single))
        np.testing.assert_array_equal(one[0], other[0])
        assert one[4].keys() == other[4].keys()


def test_the_model_is_that_of_the_states() -> None:
    spec = EnvSpec("palestra/Cliff-v0", kwargs={"observation": "image"})
    mdp, plain = spec.mdp(0.9), EnvSpec("palestra/Cliff-v0").mdp(0.9)
    assert mdp is not None
    assert plain is not None
    np.testing.assert_array_equal(mdp.next_state, plain.next_state)


def test_dqn_learns_from_what_it_sees() -> None:
    # Three steps to the right are the optimum, 1 - 2 * 0.1 = 0.8
    env = EnvSpec("palestra/GridWorld-v0", kwargs={"map": "S..G", "step_reward": -0.1, "observation": "image",
                                                   "max_episode_steps": 20})  # fmt: skip
    space = env.make_vec(1).single_observation_space
    config = DQN.Config(learning_starts=50, exploration_steps=200, batch_size=16, train_freq=4, buffer_size=1000)
    agent = DQN(config, space, gym.spaces.Discrete(4), seed=0)
    for _ in agent.train(env, 500):
        pass
    assert evaluate(agent, env, 1, seed=0).returns[0] == pytest.approx(0.8)


def test_what_cannot_be_seen_is_said() -> None:
    with pytest.raises(ValueError, match="observation is 'pixels', but one of state, image is wanted"):
        sight("pixels", parse_map("SG"))
    with pytest.raises(ValueError, match="200 x 200 cells would be seen as images of 800 x 800 pixels"):
        EnvSpec("palestra/Maze-v0", kwargs={"size": 200, "observation": "image"}).make_vec()
