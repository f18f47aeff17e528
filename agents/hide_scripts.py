"""Scripted players of hide-and-seek, as a fixed ladder to measure learnt ones by; they know where everything is.

random: draws all actions.
run: hiders go where they are first and seekers are last; seekers go to the hider that is nearest by foot.
fort: hiders bring boxes to the doors, each to the nearest one, wait there until all are in or the seekers start soon,
shut them and lock, then run; seekers as run.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from palestra.envs.hide_and_seek.batch import HideAndSeekBatch
from palestra.envs.hide_and_seek.hands import closest
from palestra.envs.hide_and_seek.paths import (
    CELLS,
    FAR,
    angle_to,
    block,
    cell_of,
    downhill,
    middle_of,
    new_grids,
    spread_from,
    spread_to,
)
from palestra.envs.hide_and_seek.state import BOX, FREE, HIDERS, HOLD, INNER, LOCK, MOVE_X, MOVE_Y, TURN, num_moving
from palestra.envs.rng import randint, seed_state

SCRIPTS = ("random", "run", "fort")
AHEAD = 4  # cells that a player looks ahead on its way
NEAR = 0.1  # metres along the wall from the middle of a door, at most, to that of a box that shuts it
CLOSE = 0.17  # metres from a wall's middle to a box that shuts a door, at most
DOOR = 0.45  # metres between two walls on a line, at most
INSIDE = 1.0  # metres from a door to where others wait
CLEAR = 0.8  # metres from a door that a box stays away while others are to come in
LAST = 8  # steps before the seekers start in which doors are shut in any case


@njit(cache=True)
def _go(agent, rules, x, y, look_x, look_y, action):  # type: ignore[no-untyped-def]
    """Writes an action towards a place, looking at another; slower when it is close."""
    middle = 0.5 * (rules.buckets - 1)
    dx, dy = x - agent.x, y - agent.y
    distance = math.sqrt(dx * dx + dy * dy)
    strength = min(1.0, 4.0 * distance) / max(distance, 1e-9)
    fx, fy = dx * strength, dy * strength
    if rules.egocentric:
        fx, fy = agent.cos * fx + agent.sin * fy, agent.cos * fy - agent.sin * fx
    turn = min(max(2.0 * angle_to(agent, look_x, look_y) - 0.3 * agent.spin, -1.0), 1.0)
    action[MOVE_X] = round(middle * (1.0 + fx))
    action[MOVE_Y] = round(middle * (1.0 + fy))
    action[TURN] = round(middle * (1.0 + turn))


@njit(cache=True)
def _walk(agent, rules, x, y, blocked, far, queue, action):  # type: ignore[no-untyped-def]
    """Writes an action along the way to a place; straight where there is no way."""
    spread_to(rules, x, y, blocked, far, queue)
    if far[cell_of(agent.y, rules), cell_of(agent.x, rules)] < FAR:
        near = math.hypot(x - agent.x, y - agent.y) < 0.3
        next_x, next_y = (x, y) if near else downhill(rules, agent.x, agent.y, far, AHEAD)
    else:
        next_x, next_y = _out(agent, rules, far)
        if next_x < 0.0:
            next_x, next_y = x, y
    _go(agent, rules, next_x, next_y, next_x, next_y, action)


@njit(cache=True)
def _out(agent, rules, far):  # type: ignore[no-untyped-def]
    """Returns the best cell around a player who stands too close to something to be on the way; -1 if there is none."""
    row, column, best, x, y = cell_of(agent.y, rules), cell_of(agent.x, rules), FAR, -1.0, -1.0
    for v in range(max(0, row - 3), min(CELLS, row + 4)):
        for u in range(max(0, column - 3), min(CELLS, column + 4)):
            if far[v, u] < best:
                best, x, y = far[v, u], middle_of(u, rules), middle_of(v, rules)
    return x, y


@njit(cache=True)
def _chase(bodies, rules, i, blocked, far, queue, action):  # type: ignore[no-untyped-def]
    """Lets a seeker go to the hider that is nearest by foot, or in a straight line if none can be reached."""
    agent = bodies[i]
    spread_from(bodies, rules, 0, rules.hiders, blocked, far, queue)
    best, x, y = math.inf, agent.x, agent.y
    for j in range(rules.hiders):
        distance = math.hypot(bodies[j].x - agent.x, bodies[j].y - agent.y)
        if distance < best:
            best, x, y = distance, bodies[j].x, bodies[j].y
    next_x, next_y = x, y
    if far[cell_of(agent.y, rules), cell_of(agent.x, rules)] < FAR:
        next_x, next_y = downhill(rules, agent.x, agent.y, far, AHEAD)
    look_x, look_y = (x, y) if best < 2.0 else (next_x, next_y)
    _go(agent, rules, next_x, next_y, look_x, look_y, action)


@njit(cache=True)
def _flee(bodies, rules, i, blocked, far, seekers, queue, action):  # type: ignore[no-untyped-def]
    """Lets a hider go to the cell farthest from seekers among those where it is first."""
    agent = bodies[i]
    spread_from(bodies, rules, rules.hiders, rules.agents, blocked, seekers, queue)
    spread_from(bodies, rules, i, i + 1, blocked, far, queue)
    best, x, y = -1, agent.x, agent.y
    for row in range(CELLS):
        for column in range(CELLS):
            mine, theirs = far[row, column], min(seekers[row, column], 10 * CELLS)
            if mine < FAR and mine < theirs and 8 * theirs - mine > best:
                best, x, y = 8 * theirs - mine, middle_of(column, rules), middle_of(row, rules)
    _walk(agent, rules, x, y, blocked, far, queue, action)


@njit(cache=True)
def _doors(bodies, rules, game, doors):  # type: ignore[no-untyped-def]
    """Writes gaps between walls on a line, x, y and whether the line is upright; returns how many."""
    count = 0
    for j in range(num_moving(rules), game.bodies):
        for k in range(num_moving(rules), game.bodies):
            one, other = bodies[j], bodies[k]
            if j == k or one.kind != INNER or other.kind != INNER or count == len(doors):
                continue
            room_x, room_y = other.x - other.half_x - one.x - one.half_x, other.y - other.half_y - one.y - one.half_y
            if abs(one.y - other.y) < 1e-9 and one.half_y == other.half_y and 0.1 < room_x < DOOR:
                doors[count, 0], doors[count, 1], doors[count, 2] = one.x + one.half_x + room_x / 2, one.y, 0.0
                count += 1
            elif abs(one.x - other.x) < 1e-9 and one.half_x == other.half_x and 0.1 < room_y < DOOR:
                doors[count, 0], doors[count, 1], doors[count, 2] = one.x, one.y + one.half_y + room_y / 2, 1.0
                count += 1
    return count


@njit(cache=True)
def _build(bodies, rules, game, i, plan, doors, num_doors, blocked, far, queue, action):  # type: ignore[no-untyped-def]
    """Lets a hider shut a door with a box, once the others are on its side; says whether it has anything to build.

    `plan` `[A, 2]` holds each hider's door and box, which are FREE before it has chosen.
    """
    agent = bodies[i]
    if plan[i, 0] == FREE and not _choose(bodies, rules, game, i, plan, doors, num_doors):
        return False
    box, door = bodies[plan[i, 1]], doors[plan[i, 0]]
    if box.team != FREE:
        return False
    x, y = _before(door, box, box.half_y + 0.08)
    dx, dy = x - box.x, y - box.y
    left = math.hypot(dx, dy)
    if _shuts(box, door):
        _go(agent, rules, agent.x, agent.y, box.x, box.y, action)
        action[LOCK] = 1
    elif agent.hold == plan[i, 1]:
        near = left - CLEAR if game.time < rules.preparation - LAST and not _all_in(bodies, rules, box, door) else left
        dx, dy = dx * near / left, dy * near / left
        _go(agent, rules, agent.x + dx, agent.y + dy, agent.x + agent.cos, agent.y + agent.sin, action)
        action[HOLD] = 1
    else:
        side_x, side_y = _side(rules, agent, box, door, blocked)
        if math.hypot(side_x - agent.x, side_y - agent.y) < 0.2:
            _go(agent, rules, box.x, box.y, box.x, box.y, action)
            action[HOLD] = int(abs(angle_to(agent, box.x, box.y)) < 1.0)
        else:
            _walk(agent, rules, side_x, side_y, blocked, far, queue, action)
    return True


@njit(cache=True)
def _inward(box, door):  # type: ignore[no-untyped-def]
    """Returns the direction from a door's line to a box."""
    if door[2] == 1.0:
        return math.copysign(1.0, box.x - door[0]), 0.0
    return 0.0, math.copysign(1.0, box.y - door[1])


@njit(cache=True)
def _shuts(box, door):  # type: ignore[no-untyped-def]
    """Says whether a box leaves nobody through a door: it stands before it, and close, however it is turned."""
    x, y = _inward(box, door)
    across, along = x * (box.x - door[0]) + y * (box.y - door[1]), y * (box.x - door[0]) + x * (box.y - door[1])
    return across < box.half_x + CLOSE and abs(along) < NEAR


@njit(cache=True)
def _all_in(bodies, rules, box, door):  # type: ignore[no-untyped-def]
    """Says whether all hiders are on a box's side of a door."""
    x, y = _inward(box, door)
    for i in range(rules.hiders):
        if x * (bodies[i].x - door[0]) + y * (bodies[i].y - door[1]) < bodies[i].half_x:
            return False
    return True


@njit(cache=True)
def _side(rules, agent, box, door, blocked):  # type: ignore[no-untyped-def]
    """Returns the place to hold a box from: the nearest that is free, also when the box is where it should be."""
    x, y = _inward(box, door)
    end_x, end_y = _before(door, box, box.half_y + 0.08)
    back, best, side_x, side_y = box.half_x + agent.half_x + 0.12, math.inf, agent.x, agent.y
    for k in range(-2, 3):
        c, s = math.cos(0.25 * math.pi * k), math.sin(0.25 * math.pi * k)
        u, v = back * (c * x - s * y), back * (s * x + c * y)
        distance = math.hypot(box.x + u - agent.x, box.y + v - agent.y)
        ends = _is_free(rules, agent, end_x + u, end_y + v, blocked)
        if ends and distance < best and _is_free(rules, agent, box.x + u, box.y + v, blocked):
            best, side_x, side_y = distance, box.x + u, box.y + v
    return side_x, side_y


@njit(cache=True)
def _is_free(rules, agent, x, y, blocked):  # type: ignore[no-untyped-def]
    """Says whether an agent can stand somewhere."""
    low, high = agent.half_x, rules.floor - agent.half_x
    return low < x < high and low < y < high and not blocked[cell_of(y, rules), cell_of(x, rules)]


@njit(cache=True)
def _before(door, box, away):  # type: ignore[no-untyped-def]
    """Returns the place so far from the middle of a door, on the side of a box."""
    if door[2] == 1.0:
        return door[0] + math.copysign(away, box.x - door[0]), door[1]
    return door[0], door[1] + math.copysign(away, box.y - door[1])


@njit(cache=True)
def _shelter(bodies, rules, i, plan, doors, blocked, far, queue, action):  # type: ignore[no-untyped-def]
    """Lets a hider go where others shut doors; says whether there is such a place."""
    for other in range(rules.hiders):
        if plan[other, 0] != FREE:
            x, y = _before(doors[plan[other, 0]], bodies[plan[other, 1]], INSIDE)
            _walk(bodies[i], rules, x, y, blocked, far, queue, action)
            return True
    return False


@njit(cache=True)
def _choose(bodies, rules, game, i, plan, doors, num_doors):  # type: ignore[no-untyped-def]
    """Gives a hider the pair of a door and a box, taken by no other, that are closest together and to it."""
    agent, best = bodies[i], math.inf
    for d in range(num_doors):
        for j in range(rules.agents, rules.agents + rules.boxes):
            taken = bodies[j].kind != BOX or bodies[j].half_x > 2.0 * rules.box or bodies[j].team != FREE
            for other in range(rules.hiders):
                taken = taken or plan[other, 0] == d or plan[other, 1] == j
            if not taken:
                box = bodies[j]
                cost = math.hypot(box.x - doors[d, 0], box.y - doors[d, 1])
                cost += math.hypot(box.x - agent.x, box.y - agent.y)
                if cost < best:
                    best, plan[i, 0], plan[i, 1] = cost, d, j
    return best < math.inf


@njit(cache=True, nogil=True)
def play_scripts(worlds, games, rules, rngs, team, script, plans, grids, actions):  # type: ignore[no-untyped-def]
    """Writes what a script's team does in each world into `actions` `[N, A, 5]`."""
    rule, doors = rules[0], np.empty((16, 3))
    blocked, far, seekers, queue = grids
    low, high = (0, rule.hiders) if team == HIDERS else (rule.hiders, rule.agents)
    for n in range(len(worlds)):
        bodies, game = worlds[n], games[n]
        if game.time == 0:
            plans[n] = FREE
        if script > 0:
            block(bodies, rule, game, blocked)
        num_doors = _doors(bodies, rule, game, doors) if script == 2 and team == HIDERS else 0
        for i in range(low, high):
            action = actions[n, i]
            action[HOLD] = action[LOCK] = 0
            if script == 0:
                for k in range(3):
                    action[k] = randint(rngs[n], rule.buckets)
                action[HOLD], action[LOCK] = randint(rngs[n], 2), randint(rngs[n], 2)
            elif team != HIDERS:
                _chase(bodies, rule, i, blocked, far, queue, action)
            elif script == 1 or not _build(
                bodies, rule, game, i, plans[n], doors, num_doors, blocked, far, queue, action
            ):
                waits = script == 2 and game.time < rule.preparation
                if not (waits and _shelter(bodies, rule, i, plans[n], doors, blocked, far, queue, action)):
                    _flee(bodies, rule, i, blocked, far, seekers, queue, action)
            if team == HIDERS and script > 0 and not action[LOCK]:  # what is locked stays so
                j = closest(bodies, rule, game, i, True)
                action[LOCK] = int(j != FREE and bodies[j].team == HIDERS)


class ScriptedTeam:
    """A team of a batch of worlds that plays a script.

    Raises:
        ValueError: there is no such script.
    """

    def __init__(self, batch: HideAndSeekBatch, team: int, script: str, seed: int = 0) -> None:
        if script not in SCRIPTS:
            raise ValueError(f"there is no script {script!r}; there are {', '.join(SCRIPTS)}")
        self._batch, self._team, self._script = batch, team, SCRIPTS.index(script)
        self._rngs = np.stack([seed_state(seed, i) for i in range(batch.num_worlds)])
        self._plans = np.full((batch.num_worlds, batch.scenario.agents, 2), FREE)
        blocked, far, queue = new_grids()
        self._grids = (blocked, far, far.copy(), queue)

    def act(self, actions: NDArray[np.int64]) -> None:
        """Writes the team's actions into `actions` `[N, A, 5]`."""
        b = self._batch
        own = (self._rngs, self._team, self._script, self._plans, self._grids)
        play_scripts(b.bodies, b.games, b.rules, *own, actions)
