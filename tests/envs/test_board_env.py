"""Games as PettingZoo environments: its own tests, and the same game move by move."""

import importlib
import warnings
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from pettingzoo.utils.wrappers import TerminateIllegalWrapper

from palestra.envs.board_env import board_env
from palestra.envs.game import OVER, PLAYER, legal_mask, move
from palestra.envs.games import make_game
from palestra.envs.mdp_game import mdp_game
from palestra.envs.rng import seed_state
from tests.mdps import shortest_path

NAMES = ("tic-tac-toe", "connect-four", "othello", "gomoku-9x9")


@pytest.fixture
def official(monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, ModuleType]:
    """PettingZoo's own tests, which know by their names what environments may have dictionaries as observations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of its own modules
        api, seed = (importlib.import_module(f"pettingzoo.test.{name}_test") for name in ("api", "seed"))
    for exceptions in ("env_obs_dicts", "env_obs_space"):
        monkeypatch.setattr(api, exceptions, list(NAMES))
    return api, seed


@pytest.mark.parametrize("name", NAMES)
def test_pettingzoos_own_tests_pass(
    name: str, official: tuple[ModuleType, ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    api, seed = official
    api.api_test(board_env(make_game(name)), num_cycles=200)  # warnings are errors
    seed.seed_test(lambda: board_env(make_game(name)), num_cycles=50)
    assert "Passed API test" in capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(3))
def test_it_plays_the_game(name: str, seed: int) -> None:
    game = make_game(name)
    env, state, random, rng = board_env(game), game.start.copy(), np.random.default_rng(seed), seed_state(seed)
    env.reset(seed=seed)
    planes, reward = np.zeros(game.obs_shape, np.float32), 0.0
    while not state[OVER]:
        assert env.agent_selection == f"player_{state[PLAYER]}"
        obs, _, terminated, truncated, _ = env.last()
        assert (terminated, truncated) == (False, False)
        game.observe(state, planes.reshape(-1), game.data)
        assert (obs["observation"] == planes).all()
        assert (obs["action_mask"] == legal_mask(game, state)).all()
        other = env.observe(f"player_{1 - state[PLAYER]}")
        assert (other["observation"] == planes[[1, 0, 2]]).all()
        assert not other["action_mask"].any()
        action = int(random.choice(np.flatnonzero(obs["action_mask"])))
        reward = move(game, state, action, rng)
        env.step(np.int64(action))
    assert env.terminations == {"player_0": True, "player_1": True}
    assert env.rewards == {"player_0": reward, "player_1": -reward}
    for _ in range(2):
        assert env.last()[1] == (reward if env.agent_selection == "player_0" else -reward)
        assert env.last()[0]["action_mask"].all()
        env.step(None)
    assert env.agents == []


def test_an_illegal_move_is_an_error_and_changes_nothing() -> None:
    env = board_env(make_game("tic-tac-toe"))
    with pytest.raises(ValueError, match="no game of tic-tac-toe is on: call reset first"):
        env.step(4)
    env.reset()
    env.step(4)
    before = env.observe("player_1")["observation"].tolist()
    for action, message in (
        (4, "b2 is not a legal move of tic-tac-toe here"),
        (9, "9 is not a legal move of tic-tac-toe here"),
        (-1, "-1 is not a legal move"),
        (None, "player_1 is to move in tic-tac-toe, but the action is None: a number 0 to 8 is wanted"),
        (5.0, "player_1 is to move in tic-tac-toe, but the action is 5.0: a number 0 to 8 is wanted"),
    ):
        with pytest.raises(ValueError, match=message):
            env.step(action)
        assert env.agent_selection == "player_1"
        assert env.observe("player_1")["observation"].tolist() == before


def test_pettingzoos_wrapper_makes_an_illegal_move_a_loss() -> None:
    env = TerminateIllegalWrapper(board_env(make_game("connect-four")), illegal_reward=-1)
    env.reset()
    for _ in range(6):
        env.step(0)
    env.last()
    env.step(0)
    assert env.terminations == {"player_0": True, "player_1": True}
    assert env.rewards == {"player_0": -1.0, "player_1": 0}


def test_resets_are_independent() -> None:
    game = make_game("othello")
    first, second = board_env(game), board_env(game)
    first.reset(seed=1)
    second.reset()
    first.step(int(np.flatnonzero(first.last()[0]["action_mask"])[0]))
    assert second.last()[0]["observation"][:2].sum() == 4
    first.reset()
    assert first.last()[0]["observation"][:2].sum() == 4
    assert first.agents == ["player_0", "player_1"]


def test_rendering() -> None:
    game = make_game("tic-tac-toe")
    env = board_env(game, render_mode="ansi")
    env.reset()
    assert env.render() == game.describe(game.start)
    assert board_env(game).render() is None
    assert str(env) == env.metadata["name"] == "tic-tac-toe"
    env.close()


def test_what_is_no_board_is_refused() -> None:
    game = make_game("tic-tac-toe")
    with pytest.raises(ValueError, match="mdp has 1 player, but a board is for two"):
        board_env(mdp_game(shortest_path(), 0))
    with pytest.raises(ValueError, match="tic-tac-toe has no planes to observe: give it `observe` and `obs_shape`"):
        board_env(replace(game, obs_shape=()))
    with pytest.raises(ValueError, match="render_mode is 'human', but ansi or None is wanted"):
        board_env(game, render_mode="human")
