import gymnasium as gym
import numpy as np
import pytest
import torch

from palestra.agents.q_network import as_input, checked_spaces, device_named, q_network, stored_dtype

VECTORS = gym.spaces.Box(-1.0, 1.0, (3,), np.float32)
IMAGES = gym.spaces.Box(0, 255, (4, 84, 84), np.uint8)
STATES = gym.spaces.Discrete(5, start=2)


@pytest.mark.parametrize(("space", "dtype"), [(VECTORS, np.float32), (IMAGES, np.uint8), (STATES, np.int64)])
def test_observations_are_stored_and_valued(space: gym.Space, dtype: type) -> None:
    assert stored_dtype(space) == dtype
    obs = np.stack([space.sample() for _ in range(6)])
    network, _ = q_network("auto", space, 2, (8,))
    assert network(as_input(obs, space, torch.device("cpu"))).shape == (6, 2)


def test_states_are_one_hot_from_their_start() -> None:
    shown = as_input(np.array([2, 6]), STATES, torch.device("cpu"))
    assert shown.tolist() == [[1, 0, 0, 0, 0], [0, 0, 0, 0, 1]]


def test_what_cannot_be_taken_is_said() -> None:
    with pytest.raises(ValueError, match="dqn takes discrete actions, but the action space is Box"):
        checked_spaces(VECTORS, VECTORS, "dqn")
    with pytest.raises(ValueError, match=r"takes vectors, uint8 images .* but the observation space is Dict"):
        checked_spaces(gym.spaces.Dict({"a": VECTORS}), gym.spaces.Discrete(2), "dqn")
    with pytest.raises(ValueError, match="the network 'nature' takes images, but observations have shape"):
        q_network("nature", VECTORS, 2, (8,))
    with pytest.raises(ValueError, match="no network 'natur'; did you mean nature"):
        q_network("natur", IMAGES, 2, (8,))
    with pytest.raises(ValueError, match="must be auto, cpu or cuda, but is 'tpu'"):
        device_named("tpu")
