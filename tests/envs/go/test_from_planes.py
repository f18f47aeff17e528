"""Positions and planes there and back."""

import numpy as np
import pytest

from palestra.envs.go.features import alphago_zero, feature_set
from palestra.envs.go.from_planes import position_of
from palestra.envs.go.game import colors
from palestra.envs.go.play import legal, play
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import ACTION, LAST, LAST_BUT_ONE, PLAYER, new_state
from tests.envs.go.checks import NO_DATA, NO_RNG


@pytest.mark.kernel
@pytest.mark.parametrize("size", [3, 5, 9])
def test_a_position_of_planes_has_these_planes_and_so_has_what_follows(size: int) -> None:
    rules = Rules(size, superko="simple")
    _, shape = feature_set("alphago-zero", size)
    state, random, seen = new_state(rules), np.random.default_rng(size), 0
    mask = np.zeros(size * size + 1, np.bool_)
    for _ in range(60):
        planes = np.zeros(shape, np.float32)
        alphago_zero(state, planes.reshape(-1), NO_DATA)
        again = position_of(planes, rules)
        assert (colors(again) == colors(state)).all()
        assert again[PLAYER] == state[PLAYER]
        for word in (LAST, LAST_BUT_ONE):
            if again[word]:
                assert again[again[word] + ACTION] == state[state[word] + ACTION]
                seen += 1
        legal(state, mask, NO_DATA)
        action = int(random.choice(np.flatnonzero(mask)))
        for s in (state, again):
            play(s, action, NO_RNG, NO_DATA)
        after = [np.zeros(shape, np.float32) for _ in range(2)]
        for s, out in zip((state, again), after, strict=True):
            alphago_zero(s, out.reshape(-1), NO_DATA)
        np.testing.assert_array_equal(after[1], after[0])
        if not mask[:-1].any() or state[1]:
            state = new_state(rules)
    assert seen > 20
