"""Schedules start and end where they should."""

import pytest

from palestra.agents.q_learning import QLearningConfig
from palestra.agents.schedule import EXPONENTIAL, LINEAR, scheduled

pytestmark = pytest.mark.kernel


def test_schedules_start_and_end_where_they_should() -> None:
    for kind, middle in ((LINEAR, 0.505), (EXPONENTIAL, 0.1)):
        assert [scheduled(kind, 1.0, 0.01, 100, t) for t in (0, 50, 100, 1000)] == pytest.approx(
            [1.0, middle, 0.01, 0.01]
        )
    assert scheduled(LINEAR, 0.5, 0.1, 0, 0) == 0.1


def test_exponential_schedules_cannot_end_at_zero() -> None:
    with pytest.raises(ValueError, match="both must be positive"):
        QLearningConfig(exploration_schedule="exponential", exploration_final_eps=0.0)
