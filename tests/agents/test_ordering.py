"""The order of sweeps."""

import pytest

from palestra.agents.bellman import (
    expected_model,
)
from tests.mdps import random_mdp, shortest_path

pytestmark = pytest.mark.kernel


def test_states_are_swept_backwards_from_the_end() -> None:
    assert expected_model(shortest_path()).state.tolist() == [3, 2, 1, 0]
    assert sorted(expected_model(random_mdp(0)).state.tolist()) == list(range(5))
