"""What tables can take."""

import gymnasium as gym
import pytest

from palestra.agents.tabular import check_discount, default_discount, known_model, table_size
from palestra.envs.spec import EnvSpec


def test_sizes_of_discrete_spaces_and_of_no_others() -> None:
    few, box = gym.spaces.Discrete(3), gym.spaces.Box(-1, 1, (4,))
    assert table_size("x", few, gym.spaces.Discrete(2)) == (3, 2)
    with pytest.raises(ValueError, match=r"x takes discrete.*, but here the observations are Box"):
        table_size("x", box, few)
    with pytest.raises(ValueError, match=r"here the actions are Box.*try dqn or ppo"):
        table_size("x", few, box)


def test_models_that_are_not_known_are_said() -> None:
    assert known_model("x", EnvSpec("FrozenLake-v1"), 0.9).discount == 0.9
    with pytest.raises(ValueError, match=r"x plans on a known model, but Blackjack-v1 exposes none"):
        known_model("x", EnvSpec("Blackjack-v1"), 0.9)


def test_discounts() -> None:
    check_discount(1.0)
    with pytest.raises(ValueError, match=r"must lie between 0 and 1, but is 1\.1"):
        check_discount(1.1)
    assert default_discount(EnvSpec("FrozenLake8x8-v1")) == pytest.approx(1 - 1 / (5 * 200))
    assert default_discount(EnvSpec("CliffWalking-v1")) == 0.99  # no time limit
