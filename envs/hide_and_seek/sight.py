"""What agents see: a cone in front of them, lines of sight, lidar.

Boxes, ramps and walls hide what is behind them, agents do not. Who is above looks over boxes, ramps and inner walls,
and is seen over them. Lidar runs on the agent's level and meets agents too.
"""

import math

from numba import njit

from palestra.envs.hide_and_seek.geometry import ray_box
from palestra.envs.hide_and_seek.state import ABSENT, AGENT, OUTER


@njit(cache=True)
def in_cone(agent, x, y, cone):  # type: ignore[no-untyped-def]
    """Says whether a point lies in front of an agent; `cone` is the cosine of half the angle."""
    dx, dy = x - agent.x, y - agent.y
    return agent.cos * dx + agent.sin * dy >= cone * math.sqrt(dx * dx + dy * dy)


@njit(cache=True)
def is_clear(bodies, first, game, start, x, y, skip, above):  # type: ignore[no-untyped-def]
    """Says whether nothing from body `first` on, but for `skip`, stands between a body's centre and a point."""
    dx, dy = x - start.x, y - start.y
    for j in range(first, game.bodies):
        body = bodies[j]
        hides = j != skip and body.kind != ABSENT and (not above or body.kind == OUTER)
        if hides and ray_box(start.x, start.y, dx, dy, body) <= 1.0:
            return False
    return True


@njit(cache=True)
def sees(bodies, rules, game, i, j):  # type: ignore[no-untyped-def]
    """Says whether agent i sees the centre of body j."""
    agent, body = bodies[i], bodies[j]
    above = agent.level == 1 or (body.kind == AGENT and body.level == 1)
    return (
        body.kind != ABSENT
        and in_cone(agent, body.x, body.y, rules.cone)
        and is_clear(bodies, rules.agents, game, agent, body.x, body.y, j, above)
    )


@njit(cache=True)
def _to_box(agent, box, rays, out):  # type: ignore[no-untyped-def]
    """Shortens rays at a box."""
    px, py = agent.x - box.x, agent.y - box.y
    u, v = box.cos * px + box.sin * py, box.cos * py - box.sin * px
    c, s = agent.cos * box.cos + agent.sin * box.sin, agent.sin * box.cos - agent.cos * box.sin
    half_x, half_y = box.half_x, box.half_y
    for k in range(len(out)):
        du, dv = c * rays[0, k] - s * rays[1, k], s * rays[0, k] + c * rays[1, k]
        du, dv = du if abs(du) > 1e-12 else 1e-12, dv if abs(dv) > 1e-12 else 1e-12
        per_u, per_v = 1.0 / du, 1.0 / dv
        u_low, u_high, v_low, v_high = (
            (-half_x - u) * per_u,
            (half_x - u) * per_u,
            (-half_y - v) * per_v,
            (half_y - v) * per_v,
        )
        near = max(min(u_low, u_high), min(v_low, v_high), 0.0)
        far = min(max(u_low, u_high), max(v_low, v_high))
        out[k] = near if near <= far and near < out[k] else out[k]


@njit(cache=True)
def _to_disc(agent, other, rays, out):  # type: ignore[no-untyped-def]
    """Shortens rays at another agent."""
    px, py = other.x - agent.x, other.y - agent.y
    u, v = agent.cos * px + agent.sin * py, agent.cos * py - agent.sin * px
    c = px * px + py * py - other.half_x * other.half_x
    for k in range(len(out)):
        along = rays[0, k] * u + rays[1, k] * v
        root = along * along - c
        if along > 0.0 and root >= 0.0:
            out[k] = min(out[k], max(along - math.sqrt(root), 0.0))


@njit(cache=True)
def lidar(bodies, rules, game, i, rays, out):  # type: ignore[no-untyped-def]
    """Writes how far agent i sees along `rays` `[2, R]`, cosines and sines to its heading, into `out` `[R]`."""
    agent = bodies[i]
    out[:] = rules.lidar
    for j in range(game.bodies):
        body = bodies[j]
        dx, dy = abs(body.x - agent.x) - body.width, abs(body.y - agent.y) - body.height
        if j == i or body.kind == ABSENT or dx > rules.lidar or dy > rules.lidar:
            continue
        if body.kind == AGENT:
            if body.level == agent.level:
                _to_disc(agent, body, rays, out)
        elif agent.level == 0 or body.kind == OUTER:
            _to_box(agent, body, rays, out)
