"""Games by name as Gymnasium environments: Gymnasium's own test, seats, results, and what is refused."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import palestra.envs  # noqa: F401  (registers)
from palestra.envs.game import OVER, PLAYER
from palestra.envs.game_env import GameEnv


@pytest.mark.parametrize("name", ["tic-tac-toe", "connect-four", "gomoku-5x5", "go-3x3"])
def test_gymnasiums_own_test_passes(name: str) -> None:
    check_env(gym.make("palestra/Game-v0", game=name).unwrapped, skip_render_check=True)  # warnings are errors


@pytest.mark.parametrize("name", ["connect-four", "othello"])
def test_the_agent_begins_every_other_game_and_gets_its_own_result(name: str) -> None:
    env, rng = GameEnv(name), np.random.default_rng(0)
    results = []
    for game in range(12):
        _, info = env.reset(seed=5 if game == 0 else None)
        assert env.seat == game % 2
        over, reward = False, 0.0
        while not over:
            assert env.state[PLAYER] == env.seat
            obs, reward, over, truncated, info = env.step(rng.choice(np.flatnonzero(info["action_mask"])))
            assert not truncated
            assert env.observation_space.contains(obs)
        assert env.state[OVER]
        assert not info["action_mask"].any()
        own, other = int(obs[0].sum()), int(obs[1].sum())  # the last sight is the agent's
        if name == "othello":
            assert reward == np.sign(own - other)
        results.append(reward)
    assert {1.0, -1.0} <= set(results)
    env.reset(seed=5)
    assert env.seat == 0


def test_go_has_exact_rules_unless_others_are_named() -> None:
    one, other = GameEnv("go-5x5"), GameEnv("go-5x5", rules="japanese")
    assert one.game.name == "go-5x5"
    assert not np.array_equal(one.game.start, other.game.start)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"game": "conect-four"}, "did you mean connect-four"),
        ({"game": "othello", "size": 6}, "othello has no option 'size'"),
        ({"game": "othello", "render_mode": "rgb_array"}, "render_mode is 'rgb_array', but ansi or None"),
    ],
)
def test_what_there_is_not_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GameEnv(**options)


def test_an_illegal_move_changes_nothing() -> None:
    env = GameEnv("tic-tac-toe", render_mode="ansi")
    with pytest.raises(gym.error.ResetNeeded):
        env.step(np.int64(0))
    env.reset(seed=0)
    env.step(np.int64(4))
    before = env.render()
    with pytest.raises(ValueError, match="is not a legal move"):
        env.step(np.int64(4))
    assert env.render() == before
