"""Go against a built-in opponent."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from numba import config

import palestra.envs  # noqa: F401  (registers it)
from palestra.envs.go.env import GoEnv, chosen_rules, random_answer
from palestra.envs.go.play import play
from palestra.envs.go.position import Position, from_rows
from palestra.envs.go.rules import Rules, rules_named
from palestra.envs.go.scoring import score_2
from palestra.envs.go.state import PLAYER, State
from palestra.envs.rng import seed_state
from tests.envs.go.checks import NO_DATA, NO_RNG

OPTIONS: list[dict[str, Any]] = [
    {},
    {"size": 5, "color": "alternate", "render_mode": "ansi"},
    {"size": 5, "rules": "chinese", "color": "white", "features": "stones", "render_mode": "rgb_array"},
]
DRAWS = 200 if config.DISABLE_JIT else 4000


def passes(state: State) -> int:
    """An opponent that always passes."""
    return 9


def whole_game(env: Any, seed: int | None, random: np.random.Generator) -> list[Any]:
    """Plays a game at random and returns all that was seen."""
    obs, info = env.reset(seed=seed)
    seen: list[Any] = [obs]
    ended = False
    while not ended:
        action = random.choice(np.flatnonzero(info["action_mask"]))
        obs, reward, terminated, truncated, info = env.step(action)
        seen += [obs, reward, info["action_mask"]]
        ended = terminated or truncated
    return [*seen, terminated, info["result"]]


@pytest.mark.parametrize("options", OPTIONS)
def test_it_conforms_to_gymnasium(options: dict[str, Any]) -> None:
    env = gym.make("palestra/Go-v0", **options).unwrapped
    env.action_space.seed(0)  # it steps by actions that it draws without a mask
    check_env(env)


@pytest.mark.kernel
@pytest.mark.parametrize("color", ["black", "white", "alternate"])
def test_same_seed_same_games(color: str) -> None:
    def games(seed: int) -> list[Any]:
        env, random = GoEnv(3, color=color), np.random.default_rng(0)
        return [whole_game(env, seed if k == 0 else None, random) for k in range(4)]

    first, again = games(1), games(1)
    for one, other in zip(first, again, strict=True):
        assert len(one) == len(other)
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert any(len(one) != len(other) for one, other in zip(first, games(2), strict=True))


@pytest.mark.kernel
def test_the_agent_sees_its_own_stones_first_whatever_its_colour() -> None:
    for color, seat in (("black", 0), ("white", 1)):
        env = GoEnv(3, color=color, max_moves=12)
        obs, info = env.reset(seed=3)
        assert obs[1].sum() == seat  # the opponent's first stone
        assert (obs[16] == 1 - seat).all()
        own = int(np.flatnonzero(info["action_mask"])[0])
        obs = env.step(np.int64(own))[0]
        assert obs[0].ravel()[own] == 1
        ended = False
        while not ended:
            action = np.flatnonzero(info["action_mask"] if env.state[PLAYER] == seat else [1])[-1]
            obs, _, terminated, truncated, info = env.step(action)
            ended = terminated or truncated
        assert (obs[16] == 1 - seat).all()


@pytest.mark.kernel
def test_alternate_changes_sides_from_game_to_game() -> None:
    env = GoEnv(3, color="alternate")
    seats = []
    for seed in (5, None, None, 5):
        env.reset(seed=seed)
        seats.append(env.seat)
    assert seats == [0, 1, 0, 0]


@pytest.mark.parametrize(("color", "reward"), [("black", 1.0), ("white", -1.0)])
@pytest.mark.kernel
def test_two_passes_end_a_game_with_the_result_of_the_score(color: str, reward: float) -> None:
    """The opponent passes always; one stone on 3x3 owns all nine points, an empty board is White's by komi."""
    env = GoEnv(3, komi=0.5, color=color, opponent=passes)
    env.reset(seed=0)
    if color == "black":
        assert env.step(np.int64(4))[1:4] == (0.0, False, False)
        assert env.step(np.int64(9))[1:4] == (1.0, True, False)
    else:
        *_, info = ended = env.step(np.int64(9))
        assert ended[1:4] == (1.0, True, False)
        assert info["result"] == 1.0
    with pytest.raises(ValueError, match="action 0 is not legal: the game is over by two passes"):
        env.step(np.int64(0))


@pytest.mark.kernel
@pytest.mark.parametrize("color", ["black", "white"])
def test_the_result_is_the_agents_by_the_score(color: str) -> None:
    env, random, results = GoEnv(3, komi=3.0, color=color, max_moves=15), np.random.default_rng(0), set()
    for game in range(12):
        whole = whole_game(env, game, random)
        lead = float(score_2(env.state)) * (1 if color == "black" else -1)
        assert whole[-1] == np.sign(lead)
        results.add(whole[-1])
    assert results >= {1.0, -1.0}


@pytest.mark.kernel
def test_the_cap_truncates_without_a_reward() -> None:
    env = GoEnv(3, komi=0.5, max_moves=3, opponent=passes)
    env.reset(seed=0)
    env.step(np.int64(4))
    _, reward, terminated, truncated, info = env.step(np.int64(0))
    assert (reward, terminated, truncated, info["result"]) == (0.0, False, True, 1.0)
    assert info["action_mask"].tolist() == [0, 1, 1, 1, 0, 1, 1, 1, 1, 1]  # what a learner may bootstrap from


@pytest.mark.kernel
def test_an_illegal_move_changes_nothing() -> None:
    env = GoEnv(3, opponent=passes)
    env.reset(seed=0)
    env.step(np.int64(4))
    before = env.state.copy()
    for action, reason in ((4, "a stone is there"), (10, "actions are 0 to 9"), (-1, "actions are 0 to 9")):
        with pytest.raises(ValueError, match=f"action {action} is not legal: {reason}"):
            env.step(np.int64(action))
    assert (env.state == before).all()


def test_an_opponents_illegal_answer_is_named() -> None:
    env = GoEnv(3, opponent=lambda state: 4)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="action 4 is not legal: a stone is there"):
        env.step(np.int64(4))


def test_wrong_options_are_refused() -> None:
    with pytest.raises(gym.error.ResetNeeded):
        GoEnv(3).step(np.int64(0))
    with pytest.raises(ValueError, match="color is 'red', but one of black, white, alternate is wanted"):
        GoEnv(3, color="red")
    with pytest.raises(ValueError, match="opponent is 'mcts', but one of random or a function is wanted"):
        GoEnv(3, opponent="mcts")
    with pytest.raises(ValueError, match="at least 2 is wanted"):
        GoEnv(3, max_moves=1)
    with pytest.raises(ValueError, match="render_mode"):
        GoEnv(3, render_mode="human")


def test_rules_by_name_or_value_can_be_changed() -> None:
    assert chosen_rules("chinese", 9, None) == rules_named("chinese", size=9)
    assert chosen_rules(Rules(size=7, komi=3.5), None, None) == Rules(size=7, komi=3.5)
    assert chosen_rules(Rules(size=7, komi=3.5), None, 0.5, 30) == Rules(size=7, komi=0.5, max_moves=30)


@pytest.mark.kernel
def test_the_random_opponent_draws_each_legal_move_that_fills_no_eye_equally_often() -> None:
    """Black may play A4, B4, A3 and D1; D4 is its eye, B1 suicide. Chi-square of 3 degrees of freedom at 0.1 %."""
    position, wanted = from_rows(["..X.", ".OXX", "OOXX", "O.O."], Rules(size=4)), [0, 1, 4, 15]
    counts, rng = np.zeros(17), seed_state(0)
    for _ in range(DRAWS):
        counts[random_answer(position.state, rng)] += 1
    assert counts.nonzero()[0].tolist() == wanted
    expected = DRAWS / len(wanted)
    assert ((counts[wanted] - expected) ** 2 / expected).sum() < 16.27


@pytest.mark.kernel
def test_the_random_opponent_passes_where_only_eyes_are_left() -> None:
    position = from_rows([".X.X", "XXXX", "XXXX", "XXXX"], Rules(size=4), to_move=1)
    assert random_answer(position.state, seed_state(0)) == 16


@pytest.mark.kernel
def test_the_random_opponent_keeps_superko() -> None:
    """All its moves in games on 3x3, where positions repeat often, are legal by `Position`."""
    answers, rng = 0, seed_state(1)
    random = np.random.default_rng(0)
    for _ in range(2 if config.DISABLE_JIT else 20):
        position = Position(Rules(size=3, suicide=True))
        while not position.over:
            action = int(random.choice(np.flatnonzero(position.legal())))
            if position.to_move == 2:
                action = int(random_answer(position.state.copy(), rng))
                assert not position.forbidden(action, 2)
                answers += 1
            position.play(action)
    assert answers > 10


def test_pictures_and_texts_are_those_of_the_board() -> None:
    env = GoEnv(5, opponent=lambda state: 25, render_mode="ansi")
    env.reset(seed=0)
    env.step(np.int64(12))
    assert "X" in env.render()
    filmed = GoEnv(5, render_mode="rgb_array")
    filmed.reset(seed=0)
    assert filmed.render().shape == (480, 480, 3)
    play(filmed.state, 12, NO_RNG, NO_DATA)
