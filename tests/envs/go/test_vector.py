"""All views of the engine play the same: `Position`, PettingZoo, Gymnasium, `GoBatch` and the vector environment."""

import threading
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from numba import config

import palestra.envs  # noqa: F401  (registers Go)
from palestra.envs.go.aec import AGENTS, env
from palestra.envs.go.env import GoEnv
from palestra.envs.go.position import Position
from palestra.envs.go.rules import Rules, rules_named
from palestra.envs.go.vector import GoBatch, GoVectorEnv

STEPS = 20 if config.DISABLE_JIT else 150
RULES = [
    Rules(size=3, suicide=True),
    Rules(size=4, superko="simple", scoring="territory", komi=0.5, max_moves=40),
    rules_named("aga", size=5, komi=1.0),
    rules_named("chinese", size=7, handicap=3),
]


def result(lead: float) -> float:
    """Black's result."""
    return float((lead > 0) - (lead < 0))


@pytest.mark.kernel
@pytest.mark.parametrize("rules", RULES[:1] if config.DISABLE_JIT else RULES)
def test_all_views_play_the_same_game(rules: Rules) -> None:
    for seed in range(3):
        batch, game, position = GoBatch(rules, 2, seed), env(rules=rules), Position(rules)
        game.reset()
        white: list[int] = []  # what a Gymnasium opponent is to answer
        actions: list[int] = []
        while not position.over:
            agent = AGENTS[position.to_move - 1]
            seen = game.last()[0]
            assert agent == game.agent_selection
            assert batch.player.tolist() == [position.to_move - 1] * 2
            for mask in (seen["action_mask"], *batch.legal()):
                np.testing.assert_array_equal(mask, position.legal())
            np.testing.assert_array_equal(seen["observation"].transpose(2, 0, 1), batch.observe()[1])
            np.testing.assert_array_equal(game.state(), position.board)
            action = int(batch.draw()[0])
            actions.append(action)
            white += [action] * (position.to_move == 2)
            position.play(action)
            game.step(action)
            reward, over = batch.step(np.array([action, action]), reset=False)
            assert over.tolist() == [position.over] * 2
            wanted = result(position.score()) if position.over else 0.0
            assert reward.tolist() == [wanted] * 2
        assert game.infos["black_0"]["result"] == result(position.score())
        assert any(game.terminations.values()) == (actions[-2:] == [rules.size**2] * 2)
        replay(rules, actions, white, result(position.score()))


def replay(rules: Rules, actions: list[int], white: list[int], wanted: float) -> None:
    """Plays Black's moves in the Gymnasium environment against an opponent that makes White's."""
    answers = iter(white)
    single = GoEnv(rules=rules, opponent=lambda state: next(answers))
    single.reset(seed=0)
    black, position = actions[1::2] if rules.handicap else actions[::2], Position(rules)
    for action in actions:
        position.play(action)
    for i, action in enumerate(black):
        _, _, terminated, truncated, info = single.step(np.int64(action))
        assert (terminated or truncated) == (i == len(black) - 1)
    assert info["result"] == wanted
    assert (single.state[: single.state[3]] == position.state[: position.state[3]]).all()


def assert_same(given: Any, wanted: Any) -> None:
    """Compares infos (and what else a step gives) key by key, type by type."""
    if isinstance(wanted, dict):
        assert given.keys() == wanted.keys()
        for key in wanted:
            assert_same(given[key], wanted[key])
    elif wanted.dtype.kind == "O":
        for one, other in zip(given, wanted, strict=True):
            np.testing.assert_array_equal(one, other)
    else:
        assert given.dtype == wanted.dtype
        np.testing.assert_array_equal(given, wanted)


@pytest.mark.parametrize(
    "options",
    [
        {"size": 3, "max_moves": 30},
        {"size": 4, "color": "white", "features": "stones", "rules": "japanese", "komi": 0.5},
        {"size": 5, "color": "alternate", "rules": rules_named("aga", size=5), "max_episode_steps": 30},
        {"size": 3, "color": "alternate", "max_episode_steps": 3},
    ],
)
def test_the_vector_env_equals_gymnasiums_loop_over_single_ones(options: dict[str, Any]) -> None:
    single = SyncVectorEnv([lambda: gym.make("palestra/Go-v0", **options)] * 3, autoreset_mode=AutoresetMode.SAME_STEP)
    batch = gym.make_vec("palestra/Go-v0", 3, vectorization_mode="vector_entry_point", **options)
    assert isinstance(batch, GoVectorEnv)
    assert batch.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    assert batch.observation_space == single.observation_space
    assert batch.action_space == single.action_space
    random, ended = np.random.default_rng(0), np.zeros(2, int)
    for seed in (5, None):
        (obs, info), (wanted_obs, wanted_info) = batch.reset(seed=seed), single.reset(seed=seed)
        assert_same(obs, wanted_obs)
        assert_same(info, wanted_info)
        for _ in range(STEPS):
            action = np.where(info["action_mask"], random.random(info["action_mask"].shape), -1.0).argmax(axis=1)
            *given, info = batch.step(action)
            *wanted, wanted_info = single.step(action)
            for one, other in zip(given, wanted, strict=True):
                assert_same(one, other)
            assert_same(info, wanted_info)
            ended += [int(given[2].sum()), int(given[3].sum())]
    assert ended.sum() >= 12
    batch.close()
    single.close()


def test_a_batch_is_reproduced_by_its_seed_and_its_games_differ() -> None:
    def moves(seed: int) -> list[list[int]]:
        batch = GoBatch(Rules(size=5), 4, seed)
        drawn = []
        for _ in range(30):
            drawn.append(batch.draw().tolist())
            batch.step(np.array(drawn[-1]))
        return np.array(drawn).T.tolist()  # type: ignore[no-any-return]

    assert moves(1) == moves(1)
    assert moves(1) != moves(2)
    assert len({tuple(game) for game in moves(1)}) == 4


@pytest.mark.kernel
def test_running_equals_drawing_and_stepping() -> None:
    one, other = GoBatch(Rules(size=3), 3, 7), GoBatch(Rules(size=3), 3, 7)
    ended = sum(int(other.step(other.draw())[1].sum()) for _ in range(STEPS))
    assert one.run(STEPS) == ended > 0
    np.testing.assert_array_equal(one.legal(), other.legal())


def test_threads_each_with_a_batch_of_their_own_do_not_disturb_each_other() -> None:
    alone = [GoBatch(Rules(size=5), 16, seed) for seed in range(4)]
    together = [GoBatch(Rules(size=5), 16, seed) for seed in range(4)]
    for batch in alone:
        batch.run(500)
    threads = [threading.Thread(target=batch.run, args=(500,)) for batch in together]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.observe(), other.observe())


def test_ended_games_wait_for_a_reset_where_asked_to() -> None:
    batch = GoBatch(Rules(size=3), 2)
    batch.step(np.array([9, 0]))
    reward, over = batch.step(np.array([9, 1]), reset=False)
    assert over.tolist() == [True, False]
    assert reward.tolist() == [-1.0, 0.0]
    assert not batch.legal()[0].any()
    with pytest.raises(ValueError, match="call reset first"):
        batch.draw()
    with pytest.raises(ValueError, match="action 0 in game 0 is not legal: the game is over by two passes"):
        batch.step(np.array([0, 5]))
    batch.reset(over)
    assert batch.legal().sum(axis=1).tolist() == [10, 8]
    batch.reset()
    assert batch.legal().all()


def test_what_is_written_into_is_checked() -> None:
    batch = GoBatch(Rules(size=3), 2, features="stones")
    mask, planes = np.empty((2, 10), np.bool_), np.empty((2, 4, 3, 3), np.float32)
    assert batch.legal(mask) is mask
    assert batch.observe(planes) is planes
    with pytest.raises(ValueError, match=r"out must be a contiguous array \[2, 10\] of bool, but is \[2, 10\] of int8"):
        batch.legal(np.empty((2, 10), np.int8))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="out must be a contiguous array"):
        batch.observe(np.empty((2, 4, 3, 6), np.float32)[..., ::2])


def test_wrong_options_are_refused() -> None:
    with pytest.raises(ValueError, match="num_games is 0"):
        GoBatch(Rules(size=3), 0)
    with pytest.raises(ValueError, match="num_envs is 0"):
        GoVectorEnv(0, 3)
    with pytest.raises(ValueError, match="opponent is 'mcts', but a batch of games knows random only"):
        GoVectorEnv(1, 3, opponent="mcts")
    with pytest.raises(ValueError, match="render_mode"):
        GoVectorEnv(1, 3, render_mode="human")
    with pytest.raises(gym.error.ResetNeeded):
        GoVectorEnv(1, 3).step(np.array([0]))


def test_a_batch_draws_each_of_its_boards() -> None:
    games = GoVectorEnv(2, 3, render_mode="ansi")
    games.reset(seed=0)
    games.step(np.array([0, 9]))
    texts = games.render() or ()
    assert [text.count("X") for text in texts] == [1, 0]
    assert GoVectorEnv(2, 3).render() is None


def test_games_that_are_kept_go_on_as_they_were() -> None:
    whole, part = GoBatch(Rules(size=5), 4, 3), GoBatch(Rules(size=5), 4, 3)
    for batch in (whole, part):
        batch.run(6)
    where = np.array([True, False, False, True])
    part.keep(where)
    assert part.num_games == 2
    assert (part.observe() == whole.observe()[where]).all()
    assert (part.sensible() == whole.sensible()[where]).all()
    assert part.draw().tolist() == whole.draw()[where].tolist()  # with the same randomness
