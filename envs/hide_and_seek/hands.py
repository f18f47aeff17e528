"""Holding and locking: what agents do to the boxes and ramps within their reach.

An agent holds the closest free thing in front of it, within reach, as long as it wants to (Baker et al., 2019,
section 3). It locks the closest thing that it can lock; a lock belongs to the team, and opens when every agent of that
team that is at it wants it open. What is locked does not move, and nobody holds it. Who stands above holds and locks
what is under it.
"""

import math

from numba import njit

from palestra.envs.hide_and_seek.geometry import seen_from
from palestra.envs.hide_and_seek.joints import take_hold
from palestra.envs.hide_and_seek.sight import in_cone, is_clear
from palestra.envs.hide_and_seek.state import ABSENT, BOX, FREE, HOLD, LOCK, num_moving


@njit(cache=True)
def _distance(bodies, rules, game, i, j):  # type: ignore[no-untyped-def]
    """Returns how far body j is from an agent's rim, infinity where it is not to be had."""
    agent, body = bodies[i], bodies[j]
    if body.kind == ABSENT or agent.ramp == j:
        return math.inf
    u, v = seen_from(body, agent.x, agent.y)
    near_u, near_v = min(max(u, -body.half_x), body.half_x), min(max(v, -body.half_y), body.half_y)
    distance = math.sqrt((u - near_u) ** 2 + (v - near_v) ** 2) - agent.half_x
    if agent.level == 1:
        return distance if distance < 0.0 else math.inf
    if distance > rules.reach:
        return math.inf
    x, y = body.x + body.cos * near_u - body.sin * near_v, body.y + body.sin * near_u + body.cos * near_v
    if in_cone(agent, x, y, rules.cone) and is_clear(bodies, rules.agents, game, agent, x, y, j, False):
        return distance
    return math.inf


@njit(cache=True)
def closest(bodies, rules, game, i, locking):  # type: ignore[no-untyped-def]
    """Returns the closest thing that an agent can lock, or hold, or FREE."""
    best, found = math.inf, FREE
    for j in range(rules.agents, num_moving(rules)):
        body = bodies[j]
        able = (rules.lock_ramps != 0 or body.kind == BOX) if locking else body.team == FREE
        if able:
            distance = _distance(bodies, rules, game, i, j)
            if distance < best:
                best, found = distance, j
    return found


@njit(cache=True)
def free(body):  # type: ignore[no-untyped-def]
    """Lets a box or ramp of a kilogram move."""
    body.team, body.per_mass = FREE, 1.0
    body.per_inertia = 3.0 / (body.half_x * body.half_x + body.half_y * body.half_y)


@njit(cache=True)
def lock(bodies, agents, j, team):  # type: ignore[no-untyped-def]
    """Locks a box or ramp for a team."""
    body = bodies[j]
    body.team, body.per_mass, body.per_inertia = team, 0.0, 0.0
    body.vx = body.vy = body.spin = 0.0
    for i in range(agents):
        if bodies[i].hold == j:
            bodies[i].hold = FREE


@njit(cache=True)
def use_locks(bodies, rules, game, actions, acting):  # type: ignore[no-untyped-def]
    """Locks and unlocks what the first `acting` agents are at, as their actions `[A, 5]` wish."""
    for i in range(acting):
        agent = bodies[i]
        agent.lockable = closest(bodies, rules, game, i, True)
    for j in range(rules.agents, num_moving(rules)):
        owner, keep, opens = bodies[j].team, False, False
        for i in range(acting):
            agent = bodies[i]
            if agent.lockable != j or owner not in (FREE, agent.team):
                continue
            if actions[i, LOCK]:
                keep = True
                if owner == FREE:
                    lock(bodies, rules.agents, j, agent.team)
                    break
            else:
                opens = True
        if owner != FREE and opens and not keep:
            free(bodies[j])


@njit(cache=True)
def use_hands(bodies, rules, game, actions, acting):  # type: ignore[no-untyped-def]
    """Lets the first `acting` agents take hold and let go as their actions `[A, 5]` wish; the others let go."""
    for i in range(rules.agents):
        agent = bodies[i]
        if i >= acting or not actions[i, HOLD]:
            agent.hold = FREE
        elif agent.hold == FREE:
            j = closest(bodies, rules, game, i, False)
            if j != FREE:
                take_hold(agent, bodies[j], j)
