"""Moves of policies that have not learnt to pass, beside the engine's own word on eyes."""

import numpy as np

from palestra.agents.board_moves import choose_moves, own_eyes
from palestra.envs.go.board import is_eye, point_of
from palestra.envs.go.features import feature_set
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import EMPTY, OVER, PLAYER
from tests.envs.go.checks import random_state


def test_only_legal_moves_are_made_and_no_own_eye_is_filled() -> None:
    rng = np.random.default_rng(0)
    observe, shape = feature_set("alphago-zero", 5)
    for seed in range(30):
        state = random_state(Rules(5, superko="simple"), 30, seed)
        state[OVER] = 0
        obs = np.zeros((1, *shape), np.float32)
        observe(state, obs.reshape(-1), np.zeros(1))
        own = int(state[PLAYER]) + 1
        points = [int(point_of(state, a)) for a in range(25)]
        eyes = [bool(state[p] == EMPTY and is_eye(state, p, own)) for p in points]
        assert own_eyes(obs).ravel().tolist() == eyes
        mask = np.ones((1, 26), np.bool_)
        mask[0, :25] = obs[0, 0].ravel() + obs[0, 1].ravel() == 0
        for explore in (False, True):
            action = int(choose_moves(rng.normal(size=(1, 26)), obs, mask, rng if explore else None)[0])
            assert mask[0, action]
            assert action == 25 or not eyes[action]
            left = any(mask[0, a] and not eyes[a] for a in range(25))
            assert (action != 25) == left


def test_the_likeliest_move_or_one_by_its_probability() -> None:
    """A thousand draws between two moves of which one is three times as likely: four standard deviations."""
    obs, mask = np.zeros((1000, 17, 3, 3)), np.zeros((1000, 10), np.bool_)
    mask[:, [2, 5, 9]] = True
    logits = np.zeros((1000, 10))
    logits[:, 5], logits[:, 9] = np.log(3.0), 50.0
    assert (choose_moves(logits, obs, mask, None) == 5).all()
    drawn = choose_moves(logits, obs, mask, np.random.default_rng(0))
    assert set(drawn.tolist()) == {2, 5}
    assert abs((drawn == 5).mean() - 0.75) < 4 * np.sqrt(0.75 * 0.25 / 1000)
