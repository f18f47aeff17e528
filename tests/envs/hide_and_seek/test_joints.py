"""What holds of an agent and what it holds: nothing is gained or lost, and they stay as they were."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palestra.envs.hide_and_seek.joints import mend_joint, solve_joint, take_hold, wrapped
from tests.envs.hide_and_seek.worlds import Set

NUMBER = st.floats(-3.0, 3.0)


@pytest.mark.parametrize("angle", [-9.5, -math.pi, -3.0, 0.0, 1.5, 3.2, 100.0])
def test_an_angle_is_wrapped(angle: float) -> None:
    found = float(wrapped(angle))
    assert -math.pi <= found < math.pi
    assert math.remainder(found - angle, 2 * math.pi) == pytest.approx(0.0, abs=1e-12)


def test_half_a_turn_is_minus_half_a_turn() -> None:
    assert wrapped(math.pi) == wrapped(-math.pi) == -math.pi


def joined() -> tuple[Set, int]:
    """Returns a world in which the agent holds a box that stands askew."""
    world = Set((2.0, 3.0, 0.4))
    k = world.box(2.5, 3.1, 0.3, half=(0.3, 0.2))
    take_hold(world.bodies[0], world.bodies[k], k)
    return world, k


def momenta(world: Set, *bodies: int) -> np.ndarray:
    """Returns momentum along x and y, and the angular momentum about the corner of the floor."""
    total = np.zeros(3)
    for body in (world.bodies[k] for k in bodies):
        mass, inertia = 1 / body.per_mass, 1 / body.per_inertia
        total += (mass * body.vx, mass * body.vy, inertia * body.spin + mass * (body.x * body.vy - body.y * body.vx))
    return total


def test_a_hold_is_where_the_agent_stands_seen_from_the_box() -> None:
    world, k = joined()
    agent, box = world.bodies[0], world.bodies[k]
    x = box.x + box.cos * agent.joint_x - box.sin * agent.joint_y
    y = box.y + box.sin * agent.joint_x + box.cos * agent.joint_y
    assert (x, y) == pytest.approx((agent.x, agent.y))
    assert agent.joint_angle == pytest.approx(0.1)
    assert agent.hold == k


@settings(max_examples=200, deadline=None)
@given(speeds=st.tuples(*[NUMBER] * 6))
def test_a_joint_gives_both_the_same_velocity_and_keeps_all_momentum(speeds: tuple[float, ...]) -> None:
    world, k = joined()
    agent, box = world.bodies[0], world.bodies[k]
    agent.vx, agent.vy, agent.spin, box.vx, box.vy, box.spin = speeds
    before = momenta(world, 0, k)
    for _ in range(60):  # turning and moving are solved in turns; each round takes its share of what is left
        solve_joint(agent, box)
    assert momenta(world, 0, k) == pytest.approx(before, abs=1e-9)
    rx, ry = agent.x - box.x, agent.y - box.y
    assert agent.spin == pytest.approx(box.spin, abs=1e-6)
    assert (agent.vx, agent.vy) == pytest.approx((box.vx - box.spin * ry, box.vy + box.spin * rx), abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(x=st.floats(-0.1, 0.1), y=st.floats(-0.1, 0.1), turn=st.floats(-0.3, 0.3))
def test_a_joint_that_was_pulled_apart_is_mended_about_the_common_centre(x: float, y: float, turn: float) -> None:
    world, k = joined()
    agent, box = world.bodies[0], world.bodies[k]
    agent.x, agent.y, agent.angle = agent.x + x, agent.y + y, agent.angle + turn

    def centre() -> tuple[float, float]:
        parts = [(1 / body.per_mass, body) for body in (agent, box)]
        total = sum(mass for mass, _ in parts)
        return sum(m * body.x for m, body in parts) / total, sum(m * body.y for m, body in parts) / total

    before = centre()
    for _ in range(60):
        mend_joint(agent, box)
    assert centre() == pytest.approx(before, abs=1e-9)
    rx = box.x + box.cos * agent.joint_x - box.sin * agent.joint_y
    ry = box.y + box.sin * agent.joint_x + box.cos * agent.joint_y
    assert (agent.x, agent.y) == pytest.approx((rx, ry), abs=1e-5)
    assert agent.angle - box.angle == pytest.approx(agent.joint_angle, abs=1e-5)
