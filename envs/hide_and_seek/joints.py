"""What an agent holds is welded to it: the same velocity at the agent's centre, the same turning."""

import math

from numba import njit

from palestra.envs.hide_and_seek.contacts import set_frame
from palestra.envs.hide_and_seek.geometry import seen_from


@njit(cache=True)
def wrapped(angle):  # type: ignore[no-untyped-def]
    """Returns an angle in [-pi, pi)."""
    return angle - 2.0 * math.pi * math.floor((angle + math.pi) / (2.0 * math.pi))


@njit(cache=True)
def take_hold(agent, held, index):  # type: ignore[no-untyped-def]
    """Lets an agent hold a body, of this index, as they stand now."""
    agent.hold = index
    agent.joint_x, agent.joint_y = seen_from(held, agent.x, agent.y)
    agent.joint_angle = agent.angle - held.angle


@njit(cache=True)
def _impulse(agent, held, rx, ry, x, y):  # type: ignore[no-untyped-def]
    """Returns the impulse on the agent that takes (x, y) from the difference of two points, r from what it holds."""
    mass, inertia = agent.per_mass + held.per_mass, held.per_inertia
    xx, xy, yy = mass + inertia * ry * ry, -inertia * rx * ry, mass + inertia * rx * rx
    det = xx * yy - xy * xy
    return (yy * x - xy * y) / det, (xx * y - xy * x) / det


@njit(cache=True)
def solve_joint(agent, held):  # type: ignore[no-untyped-def]
    """Gives an agent and what it holds the same velocity."""
    turn = (agent.spin - held.spin) / (agent.per_inertia + held.per_inertia)
    agent.spin -= turn * agent.per_inertia
    held.spin += turn * held.per_inertia
    rx, ry = agent.x - held.x, agent.y - held.y
    x, y = _impulse(
        agent, held, rx, ry, held.vx - held.spin * ry - agent.vx, held.vy + held.spin * rx - agent.vy
    )  # fmt: skip
    agent.vx += agent.per_mass * x
    agent.vy += agent.per_mass * y
    held.vx -= held.per_mass * x
    held.vy -= held.per_mass * y
    held.spin -= held.per_inertia * (rx * y - ry * x)


@njit(cache=True)
def mend_joint(agent, held):  # type: ignore[no-untyped-def]
    """Brings an agent and what it holds back to where they stood to one another."""
    turn = wrapped(agent.angle - held.angle - agent.joint_angle) / (agent.per_inertia + held.per_inertia)
    agent.angle -= turn * agent.per_inertia
    held.angle += turn * held.per_inertia
    set_frame(held)
    rx = held.cos * agent.joint_x - held.sin * agent.joint_y
    ry = held.sin * agent.joint_x + held.cos * agent.joint_y
    x, y = _impulse(agent, held, rx, ry, held.x + rx - agent.x, held.y + ry - agent.y)
    agent.x += agent.per_mass * x
    agent.y += agent.per_mass * y
    held.x -= held.per_mass * x
    held.y -= held.per_mass * y
    held.angle -= held.per_inertia * (rx * y - ry * x)
    set_frame(held)
