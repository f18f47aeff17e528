"""Deep sea: all ways down by enumeration, the model, observations, and what it refuses."""

import itertools
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from palestra.agents.bellman import optimal_value
from palestra.envs.deep_sea import DeepSeaEnv
from palestra.envs.spec import EnvSpec


def descend(env: DeepSeaEnv, moves: tuple[bool, ...]) -> float:
    """Plays moves, True to the right, and returns the sum of the rewards."""
    env.reset(seed=0)
    row, column, total = 0, 0, 0.0
    for i, right in enumerate(moves):
        leads_right = int(env.right[row, column])
        _, reward, terminated, truncated, _ = env.step(leads_right if right else 1 - leads_right)
        assert (terminated, truncated) == (i == env.size - 1, False)
        row, column = row + 1, min(column + 1, env.size - 1) if right else max(column - 1, 0)
        total += reward
    return total


def test_all_ways_down_pay_what_the_behaviour_suite_says() -> None:
    # 0.01 / N a step to the right, and 1 after N of them: 0.99 for one way in 2^N, at most 0 for the others.
    env = DeepSeaEnv(size=5)
    for moves in itertools.product([False, True], repeat=5):
        assert descend(env, moves) == pytest.approx(0.99 if all(moves) else -0.002 * sum(moves))


def test_the_optimum_of_the_model_is_that_way() -> None:
    mdp = EnvSpec("palestra/DeepSea-v0", kwargs={"size": 12}).mdp(1.0)
    assert mdp is not None
    assert optimal_value(mdp)[0][0] == pytest.approx(0.99)


@pytest.mark.parametrize("observation", ["state", "image"])
def test_it_is_an_environment(observation: str) -> None:
    check_env(DeepSeaEnv(6, observation=observation), skip_render_check=True)


def test_observations_are_where_the_diver_is() -> None:
    by_number, picture = (DeepSeaEnv(3, observation=name) for name in ("state", "image"))
    seen, shown = [by_number.reset()[0]], [picture.reset()[0]]
    for row in range(3):
        action = by_number.right[row, row]
        seen.append(by_number.step(action)[0])
        shown.append(picture.step(action)[0])
    assert seen == [0, 4, 8, 9]
    expected: Any = [255 * np.eye(10, dtype=np.uint8)[state, :9].reshape(1, 3, 3) for state in seen]
    np.testing.assert_array_equal(shown, expected)


def test_what_actions_mean_is_drawn_from_the_seed() -> None:
    # 400 fair draws: within 5 deviations of 10 each; two seeds agree in half of the cells.
    one, same, other = (DeepSeaEnv(20, mapping_seed=seed).right for seed in (0, 0, 1))
    assert (one == same).all()
    assert abs(one.sum() - 200) < 50
    assert abs((one == other).sum() - 200) < 50


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 1}, "at least 2 deep, but size is 1"),
        ({"mapping_seed": -1}, "mapping_seed is -1"),
        ({"observation": "images"}, "must be state or image, but is 'images'"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DeepSeaEnv(**options)
