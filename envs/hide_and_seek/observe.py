"""What agents observe, as one row of numbers each: themselves, other agents, boxes and ramps, lidar; and what they see.

Places are in halves of the floor from its middle, speeds in metres a second. With `egocentric` rules what others are is
seen from where the agent stands and looks, otherwise all places are those of the floor, as in Baker et al., 2019.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from palestra.envs.hide_and_seek.sight import lidar, sees
from palestra.envs.hide_and_seek.state import ABSENT, FREE, num_moving

SELF = ("x", "y", "vx", "vy", "cos", "sin", "spin", "level", "holds", "seeker", "preparation left", "time left")
OTHER = ("x", "y", "vx", "vy", "cos", "sin", "level", "holds", "same team")
THING = ("x", "y", "vx", "vy", "cos", "sin", "half_x", "half_y", "locked by us", "locked by them", "held by me", "ramp")
NUM_SELF, NUM_OTHER, NUM_THING = len(SELF), len(OTHER), len(THING)


@njit(cache=True)
def _place(agent, body, rules, out):  # type: ignore[no-untyped-def]
    """Writes place, velocity and heading of a body as an agent sees them, into `out[:6]`."""
    scale = 2.0 / rules.floor
    if rules.egocentric:
        c, s = agent.cos, agent.sin
        dx, dy = scale * (body.x - agent.x), scale * (body.y - agent.y)
        out[0], out[1] = c * dx + s * dy, c * dy - s * dx
        out[2], out[3] = c * body.vx + s * body.vy, c * body.vy - s * body.vx
        out[4], out[5] = c * body.cos + s * body.sin, c * body.sin - s * body.cos
    else:
        out[0], out[1] = scale * body.x - 1.0, scale * body.y - 1.0
        out[2], out[3], out[4], out[5] = body.vx, body.vy, body.cos, body.sin


@njit(cache=True)
def _myself(agent, rules, game, out):  # type: ignore[no-untyped-def]
    """Writes what an agent knows of itself; its own place is that on the floor in any case."""
    scale = 2.0 / rules.floor
    out[0], out[1], out[2], out[3] = scale * agent.x - 1.0, scale * agent.y - 1.0, agent.vx, agent.vy
    if rules.egocentric:
        out[2] = agent.cos * agent.vx + agent.sin * agent.vy
        out[3] = agent.cos * agent.vy - agent.sin * agent.vx
    out[4], out[5], out[6] = agent.cos, agent.sin, agent.spin
    out[7], out[8], out[9] = agent.level, agent.hold != FREE, agent.team
    out[10] = max(0.0, rules.preparation - game.time) / max(1, rules.preparation)
    out[11] = (rules.horizon - game.time) / rules.horizon


@njit(cache=True)
def _thing(agent, body, index, rules, out):  # type: ignore[no-untyped-def]
    """Writes what a box or ramp is to an agent."""
    _place(agent, body, rules, out)
    out[6], out[7] = body.half_x, body.half_y
    out[8], out[9] = body.team == agent.team, body.team != agent.team and body.team != FREE
    out[10], out[11] = agent.hold == index, index >= rules.agents + rules.boxes


class Sight(NamedTuple):
    """What the A agents of N worlds observe, K boxes and ramps among it."""

    me: NDArray[np.float32]  # [N, A, NUM_SELF]
    others: NDArray[np.float32]  # [N, A, A - 1, NUM_OTHER] the other agents, in their order
    things: NDArray[np.float32]  # [N, A, K, NUM_THING] boxes, then ramps; zeros of those that are not there
    ranges: NDArray[np.float32]  # [N, A, R] metres along rays that begin at the heading and go around to the left
    seen: NDArray[np.bool_]  # [N, A, A - 1 + K] which of the others and of the things an agent sees


def new_sight(num_worlds: int, agents: int, things: int, rays: int) -> Sight:
    """Returns memory for what is observed."""
    shape = (num_worlds, agents)
    return Sight(
        np.zeros((*shape, NUM_SELF), np.float32),
        np.zeros((*shape, agents - 1, NUM_OTHER), np.float32),
        np.zeros((*shape, things, NUM_THING), np.float32),
        np.zeros((*shape, rays), np.float32),
        np.zeros((*shape, agents - 1 + things), np.bool_),
    )


@njit(cache=True)
def sight_of(sight, n):  # type: ignore[no-untyped-def]
    """Returns what is observed in one world."""
    return Sight(sight.me[n], sight.others[n], sight.things[n], sight.ranges[n], sight.seen[n])


@njit(cache=True)
def observe(bodies, rules, game, rays, sight):  # type: ignore[no-untyped-def]
    """Writes the observations of all agents of a world; `rays` `[2, R]` are cosines and sines to the heading."""
    me, others, things, ranges, seen = sight
    agents = rules.agents
    for i in range(agents):
        agent = bodies[i]
        _myself(agent, rules, game, me[i])
        lidar(bodies, rules, game, i, rays, ranges[i])
        row = 0
        for j in range(agents):
            if j != i:
                other = bodies[j]
                _place(agent, other, rules, others[i, row])
                others[i, row, 6], others[i, row, 7] = other.level, other.hold != FREE
                others[i, row, 8] = other.team == agent.team
                seen[i, row] = sees(bodies, rules, game, i, j)
                row += 1
        for k in range(num_moving(rules) - agents):
            body = bodies[agents + k]
            if body.kind == ABSENT:
                things[i, k] = 0.0
                seen[i, row + k] = False
            else:
                _thing(agent, body, agents + k, rules, things[i, k])
                seen[i, row + k] = sees(bodies, rules, game, i, agents + k)


@njit(cache=True)
def turn_heads(bodies, rules):  # type: ignore[no-untyped-def]
    """Writes cosine and sine of the agents' headings, which the solver does not need."""
    for i in range(rules.agents):
        agent = bodies[i]
        agent.cos, agent.sin = math.cos(agent.angle), math.sin(agent.angle)
