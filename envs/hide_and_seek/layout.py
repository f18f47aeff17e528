"""Rooms, and where an episode begins: drawn anew for each episode.

quadrant: one room in a corner with doors in its two walls, of which one may be closed; boxes begin in the room, ramps
and seekers outside. random: rooms by cutting the floor again and again, a door in each cut. open: no rooms. six: three
by two rooms, a door in each wall. cells: rooms without doors in three corners, with a box and a ramp in each, and what
is left in the fourth quarter. pillar: something round that does not move. After the released code of Baker et al.
(2019), on whose grid of 30 by 30 walls and doors lie.
"""

import math

import numpy as np
from numba import njit

from palestra.envs.hide_and_seek.contacts import set_frame, touching
from palestra.envs.hide_and_seek.hands import free
from palestra.envs.hide_and_seek.state import ABSENT, AGENT, BOX, FREE, HIDERS, INNER, OUTER, RAMP, SEEKERS, num_moving
from palestra.envs.rng import randint, uniform

OPEN, QUADRANT, RANDOM, SIX, CELLS, PILLAR = range(6)  # kinds of rooms
GRID = 30  # cells along a side
DOOR = 2  # cells
SMALLEST = 6  # cells along a side of a room
THICK = 0.05  # half a wall's thickness, metres
OUTER_THICK = 0.25  # of the walls around
ROOMS = 4  # at most
CUTS = 20  # tries
LONG, SLIM = 3.3, 0.3  # sides of an elongated box, in those of a box
UNPLACED = -1  # level of a body that has no place yet
TRIES, LAYOUTS = 100, 100


@njit(cache=True)
def _wall(bodies, game, kind, x0, y0, x1, y1):  # type: ignore[no-untyped-def]
    """Adds a wall between two corners, if it has any length."""
    if x1 <= x0 or y1 <= y0:
        return
    body = bodies[game.bodies]
    body.kind, body.angle = kind, 0.0
    body.level = 0
    body.x, body.y, body.half_x, body.half_y = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2
    set_frame(body)
    game.bodies += 1


@njit(cache=True)
def _cut(bodies, rules, game, upright, at, low, high, door):  # type: ignore[no-untyped-def]
    """Adds a wall on a line of the grid from cell `low` to `high`, with a door from cell `door` on, or none below 0."""
    cell = rules.floor / GRID
    line, ends = at * cell, (low * cell, high * cell)
    middle = (door * cell, (door + DOOR) * cell) if door >= 0 else (ends[1], ends[1])
    for begin, end in ((ends[0], middle[0]), (middle[1], ends[1])):
        if upright:
            _wall(bodies, game, INNER, line - THICK, begin, line + THICK, end)
        else:
            _wall(bodies, game, INNER, begin, line - THICK, end, line + THICK)


@njit(cache=True)
def _quadrant(bodies, rules, game, rng):  # type: ignore[no-untyped-def]
    """Walls off the corner of large x and small y."""
    half = GRID // 2
    closed = randint(rng, 2) if uniform(rng) < 0.5 else -1
    for wall in range(2):
        door = -1 if wall == closed else 1 + randint(rng, half - DOOR - 1)
        if wall == 0:
            _cut(bodies, rules, game, True, half, 0, half, door)
        else:
            _cut(bodies, rules, game, False, half, half, GRID, door + half if door >= 0 else -1)


@njit(cache=True)
def _at_door(doors, count, upright, at, stop):  # type: ignore[no-untyped-def]
    """Says whether a cut that ends at cell `stop` would end in a door of a wall across it."""
    for k in range(count):
        across, line, door = doors[k, 0] != int(upright), doors[k, 1], doors[k, 2]
        if across and line == stop and door <= at <= door + DOOR:
            return True
    return False


@njit(cache=True)
def _random(bodies, rules, game, rng):  # type: ignore[no-untyped-def]
    """Cuts the floor into up to four rooms, of low and high cells along x and y."""
    rooms, doors, count = np.zeros((ROOMS, 4), np.int64), np.zeros((ROOMS, 3), np.int64), 1
    rooms[0, 1] = rooms[0, 3] = GRID
    wanted = 1 + randint(rng, ROOMS)
    for _ in range(CUTS):
        if count == wanted:
            return
        room, upright = rooms[randint(rng, count)], randint(rng, 2) == 1
        along, across = (0, 2) if upright else (2, 0)  # columns of what is cut, and of where the cut runs
        low, high, begin, end = room[along], room[along + 1], room[across], room[across + 1]
        if high - low < 2 * SMALLEST:
            continue
        at = low + SMALLEST + randint(rng, high - low - 2 * SMALLEST + 1)
        if _at_door(doors, count - 1, upright, at, begin) or _at_door(doors, count - 1, upright, at, end):
            continue
        door = begin + 1 + randint(rng, end - begin - DOOR - 1)
        _cut(bodies, rules, game, upright, at, begin, end, door)
        doors[count - 1, 0], doors[count - 1, 1], doors[count - 1, 2] = int(upright), at, door
        rooms[count] = room
        room[along + 1] = rooms[count, along] = at
        count += 1


@njit(cache=True)
def _six(bodies, rules, game, rng):  # type: ignore[no-untyped-def]
    """Builds three by two rooms."""
    half, third = GRID // 2, GRID // 3
    for k in range(2):
        for low in (0, half):
            _cut(bodies, rules, game, True, (k + 1) * third, low, low + half, low + 1 + randint(rng, half - DOOR - 1))
    for k in range(3):
        low = k * third
        _cut(bodies, rules, game, False, half, low, low + third, low + 1 + randint(rng, third - DOOR - 1))


@njit(cache=True)
def _cells(bodies, rules, game):  # type: ignore[no-untyped-def]
    """Walls off three corners: of large x and small y, of both large, of small x and large y."""
    low, high = GRID // 3, GRID - GRID // 3
    _cut(bodies, rules, game, True, high, 0, low, -1)
    _cut(bodies, rules, game, False, low, high, GRID, -1)
    _cut(bodies, rules, game, True, high, high, GRID, -1)
    _cut(bodies, rules, game, False, high, high, GRID, -1)
    _cut(bodies, rules, game, True, low, high, GRID, -1)
    _cut(bodies, rules, game, False, high, 0, low, -1)


@njit(cache=True)
def _pillar(bodies, rules, game, rng):  # type: ignore[no-untyped-def]
    """Puts a pillar of 1.5 to 2 metres near the middle, as two squares turned against each other."""
    radius = 0.75 + 0.25 * uniform(rng)
    half, middle = radius * math.sqrt(0.5), rules.floor / 2
    x, y = middle + 0.5 * uniform(rng) - 0.25, middle + 0.5 * uniform(rng) - 0.25
    for k in range(2):
        _wall(bodies, game, INNER, x - half, y - half, x + half, y + half)
        body = bodies[game.bodies - 1]
        body.angle = 0.25 * math.pi * k
        set_frame(body)


@njit(cache=True)
def _walls(bodies, rules, game, rng):  # type: ignore[no-untyped-def]
    """Builds the walls of an episode."""
    first, side, thick = num_moving(rules), rules.floor, 2.0 * OUTER_THICK
    game.bodies = first
    if uniform(rng) < rules.outer_walls:
        _wall(bodies, game, OUTER, -thick, -thick, 0.0, side + thick)
        _wall(bodies, game, OUTER, side, -thick, side + thick, side + thick)
        _wall(bodies, game, OUTER, 0.0, -thick, side, 0.0)
        _wall(bodies, game, OUTER, 0.0, side, side, side + thick)
    if rules.rooms == QUADRANT:
        _quadrant(bodies, rules, game, rng)
    elif rules.rooms == RANDOM:
        _random(bodies, rules, game, rng)
    elif rules.rooms == SIX:
        _six(bodies, rules, game, rng)
    elif rules.rooms == CELLS:
        _cells(bodies, rules, game)
    elif rules.rooms == PILLAR:
        _pillar(bodies, rules, game, rng)


@njit(cache=True)
def _fits(bodies, game, i, contacts):  # type: ignore[no-untyped-def]
    """Says whether body i touches no wall and no body that has its place."""
    body = bodies[i]
    for j in range(game.bodies):
        other = bodies[j]
        near = (
            abs(body.x - other.x) <= body.width + other.width and abs(body.y - other.y) <= body.height + other.height
        )  # fmt: skip
        if j == i or other.kind == ABSENT or other.level == UNPLACED or not near:
            continue
        one, two = (other, body) if other.kind == AGENT else (body, other)
        if touching(one, two, 0.0, contacts, 0):
            return False
    return True


@njit(cache=True)
def _put(bodies, game, i, low_x, high_x, low_y, high_y, rng, contacts):  # type: ignore[no-untyped-def]
    """Puts a body somewhere in a rectangle, and says whether there was room."""
    body = bodies[i]
    for _ in range(TRIES):
        body.angle = 2.0 * math.pi * uniform(rng) - math.pi
        set_frame(body)
        wide, high = high_x - low_x - 2.0 * body.width, high_y - low_y - 2.0 * body.height
        body.x, body.y = low_x + body.width + uniform(rng) * wide, low_y + body.height + uniform(rng) * high
        if wide >= 0.0 and high >= 0.0 and _fits(bodies, game, i, contacts):
            body.level = 0
            body.start_x, body.start_y = body.x, body.y
            return True
    return False


@njit(cache=True)
def _put_near(bodies, rules, game, i, first, rng, contacts):  # type: ignore[no-untyped-def]
    """Puts an agent near the first of its team, or anywhere where there is no room."""
    if rules.together > 0.0 and i > first:
        x, y, reach = bodies[first].x, bodies[first].y, rules.together
        low_x, high_x, low_y, high_y = (
            max(0.0, x - reach),
            min(rules.floor, x + reach),
            max(0.0, y - reach),
            min(rules.floor, y + reach),
        )
        if _put(bodies, game, i, low_x, high_x, low_y, high_y, rng, contacts):
            return True
    return _put(bodies, game, i, 0.0, rules.floor, 0.0, rules.floor, rng, contacts)


@njit(cache=True)
def _put_in_cell(bodies, rules, game, i, rng, contacts):  # type: ignore[no-untyped-def]
    """Puts the first three boxes and ramps into a cell each, and others into the open quarter."""
    side, low = rules.floor, rules.floor / 3
    k = i - rules.agents if bodies[i].kind == BOX else i - rules.agents - rules.boxes
    if k > 2:
        return _put(bodies, game, i, 0.0, side / 2, 0.0, side / 2, rng, contacts)
    left, below = k == 2, k == 0
    low_x, low_y = 0.0 if left else side - low, 0.0 if below else side - low
    return _put(bodies, game, i, low_x, low_x + low, low_y, low_y + low, rng, contacts)


@njit(cache=True)
def _put_all(bodies, rules, game, rng, contacts):  # type: ignore[no-untyped-def]
    """Puts everything somewhere, large things first; says whether there was room."""
    side, half = rules.floor, rules.floor / 2
    room = rules.rooms == QUADRANT
    for i in range(rules.agents, num_moving(rules)):
        body = bodies[i]
        if body.kind == BOX and room:
            done = _put(bodies, game, i, half, side, 0.0, half, rng, contacts)
        elif body.kind == RAMP and room:
            done = _put(bodies, game, i, 0.0, half, 0.0, side, rng, contacts)
        elif body.kind != ABSENT and rules.rooms == CELLS:
            done = _put_in_cell(bodies, rules, game, i, rng, contacts)
        else:
            done = body.kind == ABSENT or _put(bodies, game, i, 0.0, side, 0.0, side, rng, contacts)
        if not done:
            return False
    for i in range(rules.agents):
        if rules.rooms == CELLS:
            done = _put(bodies, game, i, 0.0, half, 0.0, half, rng, contacts)
        elif i >= rules.hiders and room:
            done = _put(bodies, game, i, 0.0, half, 0.0, side, rng, contacts)
        else:
            done = _put_near(bodies, rules, game, i, 0 if i < rules.hiders else rules.hiders, rng, contacts)
        if not done:
            return False
    return True


@njit(cache=True)
def _furnish(bodies, rules, rng):  # type: ignore[no-untyped-def]
    """Says which bodies there are and what they are like; none has a place."""
    boxes = rules.fewest_boxes + randint(rng, rules.boxes - rules.fewest_boxes + 1)
    most = min(boxes, rules.most_long)
    long = min(most, rules.fewest_long) + randint(rng, max(most - rules.fewest_long, 0) + 1)
    for i in range(len(bodies)):
        body = bodies[i]
        body.kind, body.level, body.hold, body.ramp, body.team = ABSENT, UNPLACED, FREE, FREE, FREE
        body.vx = body.vy = body.spin = body.push_x = body.push_y = body.push_spin = 0.0
        if i < rules.agents:
            body.kind, body.team = AGENT, HIDERS if i < rules.hiders else SEEKERS
            body.half_x = body.half_y = rules.radius
            body.per_mass, body.per_inertia = 1.0, 2.0 / (rules.radius * rules.radius)
        elif i < num_moving(rules):
            k = i - rules.agents
            body.half_x = body.half_y = rules.box
            if k < boxes or k >= rules.boxes:
                body.kind = RAMP if k >= rules.boxes else BOX
            if k < long:
                body.half_x, body.half_y = LONG * rules.box, SLIM * rules.box
            free(body)
        else:
            body.level, body.per_mass, body.per_inertia = 0, 0.0, 0.0


@njit(cache=True)
def begin(bodies, rules, game, rng, contacts):  # type: ignore[no-untyped-def]
    """Begins an episode; `game.bodies` is 0 where there is no room for everything."""
    for _ in range(LAYOUTS):
        _furnish(bodies, rules, rng)
        _walls(bodies, rules, game, rng)
        if _put_all(bodies, rules, game, rng, contacts):
            game.time = 0
            game.episode += 1
            return
    game.bodies = 0
