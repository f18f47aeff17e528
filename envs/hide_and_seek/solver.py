"""Moves the bodies of a world by a step: forces, contacts with friction, joints of what agents hold.

Sequential impulses (Catto, 2006, "Fast and simple physics using sequential impulses") on velocities, without bounce:
each impulse only takes energy away. A contact that is still open may close in a substep and no more, and no body moves
farther than `STRIDE` in one, so that nothing passes through anything. What overlap is left is mended on poses alone,
which gives no body speed; a substep after which bodies still overlap by more than `TOLERANCE` is taken back, and all of
its world stands still.
"""

import math

from numba import njit

from palestra.envs.hide_and_seek.contacts import find_contacts, find_pairs, set_frame, touching
from palestra.envs.hide_and_seek.joints import mend_joint, solve_joint
from palestra.envs.hide_and_seek.levels import update_levels
from palestra.envs.hide_and_seek.state import num_moving

TOLERANCE = 0.02  # metres of overlap that no substep leaves
SLOP = 0.001  # metres of overlap that are let be
ROUNDS = 6  # over all contacts, for velocities
MENDING = 12  # at most, for poses
SHARE = 0.8  # of an overlap that is mended at once
STRIDE = 0.12  # metres that a point of a body moves in a substep at most: less than from a wall's rim to behind it


@njit(cache=True)
def _drive(bodies, moving, rules, h):  # type: ignore[no-untyped-def]
    """Lets agents' forces, drag and the ground act on velocities for h seconds."""
    kept = math.exp(-rules.drag * h)
    gain = (1.0 - kept) / rules.drag if rules.drag > 0.0 else h
    for i in range(rules.agents):
        agent = bodies[i]
        agent.vx = kept * agent.vx + gain * agent.push_x * agent.per_mass
        agent.vy = kept * agent.vy + gain * agent.push_y * agent.per_mass
        agent.spin = kept * agent.spin + gain * agent.push_spin * agent.per_inertia
    for i in range(rules.agents, moving):
        body = bodies[i]
        speed = math.sqrt(body.vx * body.vx + body.vy * body.vy)
        if speed > 0.0:
            left = max(0.0, 1.0 - rules.ground * h / speed)
            body.vx *= left
            body.vy *= left
        if body.spin != 0.0:  # the same friction, half a side away from the centre
            arm = 0.5 * (body.half_x + body.half_y)
            body.spin *= max(0.0, 1.0 - rules.ground * h * arm * body.per_inertia / (body.per_mass * abs(body.spin)))


@njit(cache=True)
def _limit(body, h):  # type: ignore[no-untyped-def]
    """Slows a body that is too fast, which takes momentum, and returns the greatest speed of a point of it."""
    fastest = math.sqrt(body.vx * body.vx + body.vy * body.vy) + abs(body.spin) * (body.half_x + body.half_y)
    if fastest * h <= STRIDE:
        return fastest
    part = STRIDE / (fastest * h)
    body.vx, body.vy, body.spin = part * body.vx, part * body.vy, part * body.spin
    return STRIDE / h


@njit(cache=True)
def _fastest(bodies, moving, h):  # type: ignore[no-untyped-def]
    """Slows what is too fast, and returns the greatest speed of a point of a body."""
    best = 0.0
    for i in range(moving):
        best = max(best, _limit(bodies[i], h))
    return best


@njit(cache=True)
def _effective(one, other, one_arm, other_arm):  # type: ignore[no-untyped-def]
    """Returns the inverse mass that an impulse with these arms meets."""
    return (
        one.per_mass + other.per_mass
        + one.per_inertia * one_arm * one_arm + other.per_inertia * other_arm * other_arm
    )  # fmt: skip


@njit(cache=True)
def _prepare(bodies, contact):  # type: ignore[no-untyped-def]
    """Writes arms and effective masses of a contact."""
    one, other, nx, ny = bodies[contact.one], bodies[contact.other], contact.nx, contact.ny
    contact.one_x, contact.one_y = contact.x - one.x, contact.y - one.y
    contact.other_x, contact.other_y = contact.x - other.x, contact.y - other.y
    contact.normal_mass = 1.0 / _effective(
        one, other, contact.one_x * ny - contact.one_y * nx, contact.other_x * ny - contact.other_y * nx
    )
    contact.tangent_mass = 1.0 / _effective(
        one, other, contact.one_x * nx + contact.one_y * ny, contact.other_x * nx + contact.other_y * ny
    )
    contact.normal = contact.tangent = 0.0


@njit(cache=True)
def _solve(bodies, contact, friction, per_h):  # type: ignore[no-untyped-def]
    """Gives a contact the impulse that stops it closing within a substep, and friction within its cone."""
    one, other, nx, ny = bodies[contact.one], bodies[contact.other], contact.nx, contact.ny
    x = other.vx - other.spin * contact.other_y - one.vx + one.spin * contact.one_y
    y = other.vy + other.spin * contact.other_x - one.vy - one.spin * contact.one_x
    closing = x * nx + y * ny + max(contact.separation, 0.0) * per_h
    normal = max(0.0, contact.normal - contact.normal_mass * closing)
    limit = friction * normal
    tangent = min(max(contact.tangent - contact.tangent_mass * (y * nx - x * ny), -limit), limit)
    more, slide = normal - contact.normal, tangent - contact.tangent
    contact.normal, contact.tangent = normal, tangent
    x, y = more * nx - slide * ny, more * ny + slide * nx
    one.vx -= one.per_mass * x
    one.vy -= one.per_mass * y
    one.spin -= one.per_inertia * (contact.one_x * y - contact.one_y * x)
    other.vx += other.per_mass * x
    other.vy += other.per_mass * y
    other.spin += other.per_inertia * (contact.other_x * y - contact.other_y * x)


@njit(cache=True)
def _shift(body, arm_x, arm_y, x, y):  # type: ignore[no-untyped-def]
    """Moves a body as an impulse would its velocity."""
    body.x += body.per_mass * x
    body.y += body.per_mass * y
    body.angle += body.per_inertia * (arm_x * y - arm_y * x)
    if body.per_mass > 0.0:
        set_frame(body)


@njit(cache=True)
def _mend_pair(one, other, contacts):  # type: ignore[no-untyped-def]
    """Pushes a pair apart where it overlaps, and returns its separation before, 0 if there is no overlap."""
    worst = 0.0
    for row in range(touching(one, other, 0.0, contacts, 0)):
        contact = contacts[row]
        worst = min(worst, contact.separation)
        depth, nx, ny = -contact.separation - SLOP, contact.nx, contact.ny
        if depth <= 0.0:
            continue
        one_x, one_y, other_x, other_y = contact.x - one.x, contact.y - one.y, contact.x - other.x, contact.y - other.y
        push = SHARE * depth / _effective(one, other, one_x * ny - one_y * nx, other_x * ny - other_y * nx)
        _shift(one, one_x, one_y, -push * nx, -push * ny)
        _shift(other, other_x, other_y, push * nx, push * ny)
    return worst


@njit(cache=True)
def _mend(bodies, rules, scratch, num_pairs):  # type: ignore[no-untyped-def]
    """Mends overlaps and joints on poses, and returns the greatest overlap that was seen in the last round."""
    worst = 0.0
    for _ in range(MENDING):
        for i in range(rules.agents):
            agent = bodies[i]
            if agent.hold >= 0:
                mend_joint(agent, bodies[agent.hold])
        worst = 0.0
        for k in range(num_pairs):
            one, other = bodies[scratch.pairs[k, 0]], bodies[scratch.pairs[k, 1]]
            worst = min(worst, _mend_pair(one, other, scratch.contacts))
        if worst >= -2.0 * SLOP:
            break
    return -worst


@njit(cache=True)
def _move(bodies, moving, h):  # type: ignore[no-untyped-def]
    """Moves poses by velocities for h seconds, and keeps the old ones."""
    for i in range(moving):
        body = bodies[i]
        body.old_x, body.old_y, body.old_angle = body.x, body.y, body.angle
        if _limit(body, h) > 0.0:
            body.x += h * body.vx
            body.y += h * body.vy
            body.angle += h * body.spin
            set_frame(body)


@njit(cache=True)
def _take_back(bodies, moving):  # type: ignore[no-untyped-def]
    """Puts all bodies where they were, and stops them."""
    for i in range(moving):
        body = bodies[i]
        body.x, body.y, body.angle = body.old_x, body.old_y, body.old_angle
        body.vx = body.vy = body.spin = 0.0
        set_frame(body)


@njit(cache=True)
def substep(bodies, rules, game, scratch, h):  # type: ignore[no-untyped-def]
    """Moves a world by h seconds."""
    moving = num_moving(rules)
    _drive(bodies, moving, rules, h)
    margin = 2.0 * h * _fastest(bodies, moving, h) + SLOP
    update_levels(bodies, rules, game, margin)
    pairs = find_pairs(bodies, moving, game, scratch.pairs, margin)
    contacts = find_contacts(bodies, scratch, pairs, margin)
    for k in range(contacts):
        _prepare(bodies, scratch.contacts[k])
    for _ in range(ROUNDS if contacts else 1):
        for i in range(rules.agents):
            agent = bodies[i]
            if agent.hold >= 0:
                solve_joint(agent, bodies[agent.hold])
        for k in range(contacts):
            _solve(bodies, scratch.contacts[k], rules.friction, 1.0 / h)
    _move(bodies, moving, h)
    if _mend(bodies, rules, scratch, pairs) > TOLERANCE:
        _take_back(bodies, moving)
        game.reverted += 1


@njit(cache=True)
def advance(bodies, rules, game, scratch):  # type: ignore[no-untyped-def]
    """Moves a world by a step; agents push as `push_x`, `push_y` and `push_spin` say."""
    for _ in range(rules.substeps):
        substep(bodies, rules, game, scratch, rules.step / rules.substeps)
