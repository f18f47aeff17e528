"""Agents that were trained in an environment play the game that it shows."""

from typing import Any

import numpy as np
import pytest

from palestra.agents.agent_player import agent_player
from palestra.agents.match import play_game
from palestra.agents.player import RandomPlayer, RandomPlayerConfig
from palestra.envs.game import PLAYER, legal_mask
from palestra.envs.games import make_game
from palestra.envs.spec import EnvSpec

GAME = make_game("go-5x5")


class Recorder:
    """An agent that takes the last legal action but the pass, and keeps what it was shown."""

    def __init__(self) -> None:
        self.seen: list[tuple[np.ndarray[Any, Any], bool, np.ndarray[Any, Any]]] = []

    def act(self, obs: Any, first: Any, mask: Any = None, *, explore: bool = True) -> Any:
        assert not explore
        assert (len(obs), len(first), len(mask)) == (1, 1, 1)
        self.seen.append((obs[0].copy(), bool(first[0]), mask[0].copy()))
        return np.array([np.flatnonzero(mask[0])[-2 if mask[0].sum() > 1 else -1]])


@pytest.mark.parametrize(("features", "num_planes"), [("alphago-zero", 17), ("stones", 4)])
def test_an_agent_sees_its_environments_planes_and_the_moves_that_are_legal(features: str, num_planes: int) -> None:
    """Against the environment itself, with the other player's moves made by a function."""
    env, agent = EnvSpec("palestra/Go-v0", kwargs={"size": 5, "features": features, "rules": "chinese"}), Recorder()
    player = agent_player("mine", agent, env, GAME, 0)  # type: ignore[arg-type]
    game = play_game(GAME, (player, RandomPlayer(RandomPlayerConfig(), GAME, 1)), seeds=(0, 1))
    answers = iter(game.moves[1::2])
    go = env.make().unwrapped
    go.opponent = lambda state: next(answers)  # type: ignore[attr-defined]
    obs, info = go.reset(seed=0)
    assert obs.shape == (num_planes, 5, 5)
    assert [first for _, first, _ in agent.seen] == [True] + [False] * (len(agent.seen) - 1)
    for (seen, _, mask), action in zip(agent.seen, game.moves[::2], strict=True):
        np.testing.assert_array_equal(seen, obs)
        np.testing.assert_array_equal(mask, info["action_mask"].astype(bool))
        if seen is not agent.seen[-1][0]:
            obs, _, _, _, info = go.step(np.int64(action))


def test_a_new_game_begins_an_episode() -> None:
    agent = Recorder()
    player = agent_player("mine", agent, EnvSpec("palestra/Go-v0", kwargs={"size": 5}), GAME, 0)  # type: ignore[arg-type]
    for _ in range(2):
        player.start(GAME, GAME.start)
        state = GAME.start.copy()
        state[PLAYER] = 1
        assert legal_mask(GAME, state)[player.choose(state)]
    assert [first for _, first, _ in agent.seen] == [True, True]


@pytest.mark.parametrize(
    ("env", "message"),
    [
        (EnvSpec("CartPole-v1"), "mine was trained in CartPole-v1, which is no game"),
        (EnvSpec("palestra/Go-v0"), "mine was trained on go-9x9 and plays nothing else, but go-5x5 is asked for"),
    ],
)
def test_what_cannot_be_played(env: EnvSpec, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        agent_player("mine", Recorder(), env, GAME, 0)  # type: ignore[arg-type]
