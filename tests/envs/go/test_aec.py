"""Go as PettingZoo sees it."""

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

from palestra.envs.go.aec import AGENTS, GoAECEnv, env
from palestra.envs.go.position import Position
from palestra.envs.go.rules import Rules, rules_named

with warnings.catch_warnings():  # PettingZoo's checks import an environment of its own in a way that it deprecates
    warnings.simplefilter("ignore", DeprecationWarning)
    from pettingzoo.test import api_test, seed_test

# On 3x3 Black fills the left column and the middle one, White passes, and both pass: Black has all nine points
BLACK_WINS = [0, 9, 3, 9, 1, 9, 7, 9, 4, 9, 9]


def play(game: GoAECEnv, actions: list[int]) -> GoAECEnv:
    """Begins a game and makes moves."""
    game.reset()
    for action in actions:
        game.step(action)
    return game


@pytest.mark.parametrize(("size", "features"), [(5, "alphago-zero"), (9, "alphago-zero"), (5, "alphago-value")])
def test_pettingzoos_own_checks_pass_without_a_warning(size: int, features: str) -> None:
    game = env(board_size=size, features=features, render_mode="rgb_array")
    for agent in AGENTS:
        game.action_space(agent).seed(1)
    api_test(game, num_cycles=1000)
    seed_test(lambda: env(board_size=size, features=features))


def test_the_spaces_are_those_of_go_v5() -> None:
    """PettingZoo 1.27, classic/go/go.py: 17 planes last, bool; mask int8; N * N + 1 actions; 19x19 with komi 7.5."""
    game = env()
    assert game.possible_agents == ["black_0", "white_0"]
    assert (game.rules.size, game.rules.komi) == (19, 7.5)
    space: Any = game.observation_space("white_0")
    assert space["observation"].shape == (19, 19, 17)
    assert space["observation"].dtype == np.bool_
    assert space["action_mask"].shape == (362,)
    assert space["action_mask"].dtype == np.int8
    assert game.action_space("black_0").n == 362
    assert str(game) == "go_v5"


def test_plane_0_holds_the_stones_of_the_agent_that_looks() -> None:
    game = play(env(board_size=3), [0, 4])  # Black at A3, White at B2; Black to move
    black, white = game.observe("black_0"), game.observe("white_0")
    assert game.agent_selection == "black_0"
    for seen, own, other in ((black, (0, 0), (1, 1)), (white, (1, 1), (0, 0))):
        assert np.argwhere(seen["observation"][:, :, 0]).tolist() == [list(own)]
        assert np.argwhere(seen["observation"][:, :, 1]).tolist() == [list(other)]
    assert black["observation"][:, :, 16].all()
    assert not white["observation"][:, :, 16].any()
    assert black["action_mask"].tolist() == [0, 1, 1, 1, 0, 1, 1, 1, 1, 1]
    assert not white["action_mask"].any()


@pytest.mark.parametrize(("komi", "rewards"), [(8.5, [1, -1]), (9.5, [-1, 1]), (9.0, [0, 0])])
def test_two_passes_end_the_game_with_the_rewards_of_the_score(komi: float, rewards: list[int]) -> None:
    game = play(env(board_size=3, komi=komi), BLACK_WINS)
    assert [game.rewards[agent] for agent in AGENTS] == rewards
    assert [game.infos[agent]["result"] for agent in AGENTS] == rewards
    assert all(game.terminations.values())
    assert not any(game.truncations.values())


def test_last_gives_each_agent_its_reward_once() -> None:
    game = play(env(board_size=3, komi=0.5), BLACK_WINS)
    collected = {}
    for agent in game.agent_iter():
        obs, reward, terminated, _, _ = game.last()
        collected[agent] = (reward, terminated, obs["action_mask"].tolist())
        game.step(None)
    only_pass = [0] * 9 + [1]
    assert collected == {"black_0": (1.0, True, only_pass), "white_0": (-1.0, True, only_pass)}


def test_the_cap_truncates_and_tells_the_result() -> None:
    game = play(env(rules=Rules(size=3, komi=0.5, max_moves=3)), [0, 9, 1])
    assert all(game.truncations.values())
    assert not any(game.terminations.values())
    assert list(game.rewards.values()) == [0.0, 0.0]
    assert [game.infos[agent]["result"] for agent in AGENTS] == [1.0, -1.0]


def test_an_illegal_move_loses_at_once() -> None:
    """As PettingZoo's TerminateIllegalWrapper has it: -1 and 0, terminated and truncated."""
    game = play(env(board_size=3), [0, 0])
    assert game.rewards == {"black_0": 0.0, "white_0": -1.0}
    assert all(game.terminations.values())
    assert all(game.truncations.values())
    assert game.infos["white_0"] == {"illegal": "a stone is there"}
    for _ in range(2):
        game.last()
        game.step(None)
    assert not game.agents


def test_what_is_no_action_is_refused() -> None:
    game = env(board_size=3)
    with pytest.raises(ValueError, match="call reset first"):
        game.step(0)
    game.reset()
    for action in (-1, 10, None):
        with pytest.raises(ValueError, match=f"action {action} was given, but 0 to 9 are possible"):
            game.step(action)
    assert game.agent_selection == "black_0"


def test_wrong_options_are_refused() -> None:
    with pytest.raises(ValueError, match="board of size 1"):
        env(board_size=1)
    with pytest.raises(ValueError, match="render_mode is 'rgb', but one of human, ansi, rgb_array"):
        env(render_mode="rgb")
    with pytest.raises(ValueError, match="feature planes named 'x'"):
        env(features="x")


def test_sizes_and_rules_do_not_disturb_each_other() -> None:
    large, small = env(board_size=9), env(board_size=5, rules="chinese")
    large.reset()
    small.reset()
    large.step(80)
    small.step(24)
    assert large.state()[8, 8] == 1
    assert small.state()[4, 4] == 1
    assert large.observe("white_0")["action_mask"].sum() == 81


def test_handicap_lets_white_begin() -> None:
    game = env(rules=rules_named("chinese", size=9, handicap=2))
    game.reset()
    assert game.agent_selection == "white_0"
    assert game.observe("white_0")["action_mask"].sum() == 80


def test_superko_masks_what_go_v5_allows() -> None:
    """Random games on 3x3 repeat often; masks are those of `Position`, some forbidden by superko alone."""
    game, random, repeated = env(board_size=3), np.random.default_rng(0), 0
    for _ in range(20):
        game.reset()
        position = Position(game.rules)
        while not position.over:
            mask = game.last()[0]["action_mask"]
            np.testing.assert_array_equal(mask, position.legal())
            repeated += sum("superko" in position.forbidden(a, position.to_move) for a in range(9))
            action = int(random.choice(np.flatnonzero(mask)))
            game.step(action)
            position.play(action)
    assert repeated > 20


def test_a_copy_goes_on_alone() -> None:
    game = play(env(board_size=5), [3, 4])
    for other in (copy.deepcopy(game), pickle.loads(pickle.dumps(game))):
        other.step(7)
        assert other.state()[1, 2] == 1
        assert game.state()[1, 2] == 0


def test_it_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    text = play(env(board_size=3, render_mode="ansi"), [4]).render()
    assert text.splitlines()[2] == " 2 .(X). 2"
    picture = play(env(board_size=3, render_mode="rgb_array", screen_height=90), [4]).render()
    assert picture.shape == (90, 90, 3)
    assert env(board_size=3).render_mode is None
    play(env(board_size=3, render_mode="human"), [4])
    assert capsys.readouterr().out.count("to move") == 2
