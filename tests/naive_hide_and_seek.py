"""Hide-and-seek's physics and sight once more, slow and in words of points and lines, for tests of the kernels."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from palestra.envs.hide_and_seek.state import ABSENT, AGENT, BOX, FREE, INNER, OUTER, RAMP

Vector = NDArray[np.float64]
SLOP, ROUNDS, MENDING, SHARE, TOLERANCE, STRIDE = 0.001, 6, 12, 0.8, 0.02, 0.12


def cross(a: Vector, b: Vector) -> float:
    """Returns the third component of the product of two vectors in the plane."""
    return float(a[0] * b[1] - a[1] * b[0])


def turned(v: Vector, angle: float) -> Vector:
    """Returns a vector turned to the left."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([c * v[0] - s * v[1], s * v[0] + c * v[1]])


@dataclass
class Body:
    """A disc or box; `half` are its half sides."""

    kind: int
    place: Vector
    angle: float
    speed: Vector
    spin: float
    half: Vector
    per_mass: float
    per_inertia: float
    team: int
    hold: int
    level: int
    ramp: int
    joint: Vector
    joint_angle: float
    push: Vector
    push_spin: float
    index: int = 0

    @property
    def axes(self) -> tuple[Vector, Vector]:
        """Unit vectors along the sides."""
        return turned(np.array([1.0, 0.0]), self.angle), turned(np.array([0.0, 1.0]), self.angle)

    @property
    def corners(self) -> list[Vector]:
        """Corners, around to the left."""
        x, y = self.axes
        signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
        return [self.place + a * self.half[0] * x + b * self.half[1] * y for a, b in signs]

    def inside(self, point: Vector) -> Vector:
        """Returns a point in the body's frame."""
        return turned(point - self.place, -self.angle)

    def nearest(self, point: Vector) -> Vector:
        """Returns the point of a box that is nearest."""
        return self.place + turned(np.clip(self.inside(point), -self.half, self.half), self.angle)

    def gap(self, disc: "Body") -> float:
        """Returns how far a disc is away, below zero how deep it is in the box."""
        local = np.abs(self.inside(disc.place)) - self.half
        away = float(np.linalg.norm(disc.place - self.nearest(disc.place)))
        return (float(local.max()) if away == 0.0 else away) - float(disc.half[0])


@dataclass
class Contact:
    """Where two bodies touch; the normal points from the first to the second."""

    one: Body
    other: Body
    separation: float
    normal: Vector
    point: Vector
    impulse: float = 0.0
    slide: float = 0.0

    def arms(self) -> tuple[Vector, Vector]:
        """Returns the point seen from both centres."""
        return self.point - self.one.place, self.point - self.other.place

    def per_mass(self, along: Vector) -> float:
        """Returns the inverse mass that an impulse along a direction meets."""
        a, b = self.arms()
        masses = self.one.per_mass + self.other.per_mass
        return masses + self.one.per_inertia * cross(a, along) ** 2 + self.other.per_inertia * cross(b, along) ** 2


def disc_disc(one: Body, other: Body) -> Contact:
    """Returns how two discs stand."""
    between = other.place - one.place
    distance = float(np.linalg.norm(between))
    normal = between / distance if distance > 0 else np.array([1.0, 0.0])
    return Contact(one, other, distance - one.half[0] - other.half[0], normal, one.place + normal * one.half[0])


def disc_box(disc: Body, box: Body) -> Contact:
    """Returns how a disc and a box stand."""
    point = box.nearest(disc.place)
    to_box = point - disc.place
    if np.linalg.norm(to_box) > 0:
        normal = to_box / np.linalg.norm(to_box)
    else:  # the centre is inside: in through the nearest side
        local = box.inside(disc.place)
        depth = box.half - np.abs(local)
        k = 0 if depth[0] < depth[1] else 1
        normal = -math.copysign(1.0, local[k]) * box.axes[k]
    return Contact(disc, box, box.gap(disc), normal, point)


def box_box(one: Body, other: Body, margin: float) -> list[Contact]:
    """Returns up to two contacts of boxes: the face of least overlap, and what of the other's face lies across."""
    faces = []
    for face, back in ((one, other), (other, one)):
        for k in (0, 1):
            axis = face.axes[k]
            normal = axis * math.copysign(1.0, axis @ (back.place - face.place))
            lowest = min(normal @ (corner - face.place) for corner in back.corners)
            faces.append((lowest - face.half[k], face, back, k, normal))
    best = max(faces, key=lambda item: item[0])
    if best[0] > margin:
        return []
    _, face, back, k, normal = best
    which = 0 if abs(normal @ back.axes[0]) >= abs(normal @ back.axes[1]) else 1
    outward = back.axes[which] * -math.copysign(1.0, normal @ back.axes[which])
    middle = back.place + back.half[which] * outward
    edge = back.half[1 - which] * back.axes[1 - which]
    across, room = np.array([-normal[1], normal[0]]), face.half[1 - k]
    low, high = -1.0, 1.0
    start, slope = across @ (middle - face.place), across @ edge
    if abs(slope) > 1e-12:
        ends = sorted([(-room - start) / slope, (room - start) / slope])
        low, high = max(low, ends[0]), min(high, ends[1])
        if low > high:
            return []
    elif abs(start) > room:
        return []
    found = []
    for at in (low, high) if high - low > 1e-12 else (low,):
        point = middle + at * edge
        separation = normal @ (point - face.place) - face.half[k]
        if separation <= margin:
            found.append(Contact(one, other, separation, normal if face is one else -normal, point))
    return found


def touching(one: Body, other: Body, margin: float) -> list[Contact]:
    """Returns the contacts of a pair that are within a margin."""
    if one.kind != AGENT:
        return box_box(one, other, margin)
    contact = disc_disc(one, other) if other.kind == AGENT else disc_box(one, other)
    return [contact] if contact.separation <= margin else []


def extent(body: Body) -> Vector:
    """Returns half the sides of the upright rectangle around a body."""
    if body.kind == AGENT:
        return body.half
    return np.array(np.max(np.abs([corner - body.place for corner in body.corners]), axis=0))


@dataclass
class World:
    """A world as objects."""

    bodies: list[Body]
    rules: Any
    reverted: int = 0
    crossings: int = 0
    pairs: list[tuple[Body, Body]] = field(default_factory=list)

    @classmethod
    def read(cls, records: Any, rules: Any, count: int) -> "World":
        """Takes over the first bodies of a world of records."""
        bodies = [
            Body(
                r["kind"], np.array([r["x"], r["y"]]), r["angle"], np.array([r["vx"], r["vy"]]), r["spin"],
                np.array([r["half_x"], r["half_y"]]), r["per_mass"], r["per_inertia"], r["team"], r["hold"], r["level"],
                r["ramp"], np.array([r["joint_x"], r["joint_y"]]), r["joint_angle"],
                np.array([r["push_x"], r["push_y"]]), r["push_spin"], k,
            )
            for k, r in enumerate(records[:count])
        ]  # fmt: skip
        return cls(bodies, rules)

    @property
    def moving(self) -> list[Body]:
        """All that is no wall."""
        return self.bodies[: self.rules["agents"] + self.rules["boxes"] + self.rules["ramps"]]

    @property
    def agents(self) -> list[Body]:
        """The agents."""
        return self.bodies[: self.rules["agents"]]

    def apart(self, one: Body, other: Body) -> bool:
        """Says whether a pair cannot touch."""
        if one.kind == ABSENT or other.kind == ABSENT or one.per_mass + other.per_mass == 0:
            return True
        if one.kind == AGENT and other.kind == AGENT:
            return one.level != other.level
        if one.kind == AGENT:
            return (one.level == 1 and other.kind != OUTER) or other.index in (one.ramp, one.hold)
        return False

    def near(self, margin: float) -> list[tuple[Body, Body]]:
        """Returns the pairs whose upright rectangles are closer than a margin."""
        return [
            (one, other)
            for one in self.moving
            for other in self.bodies[one.index + 1 :]
            if not self.apart(one, other)
            and bool((np.abs(one.place - other.place) < extent(one) + extent(other) + margin).all())
        ]

    def step(self) -> None:
        """Moves by a step."""
        for _ in range(self.rules["substeps"]):
            self.substep(self.rules["step"] / self.rules["substeps"])

    def substep(self, h: float) -> None:
        """Moves by h seconds."""
        self.drive(h)
        margin = 2 * h * max(limited(body, h) for body in self.moving) + SLOP
        self.levels(margin)
        pairs = self.near(margin)
        contacts = [contact for pair in pairs for contact in touching(*pair, margin)]
        for _ in range(ROUNDS if contacts else 1):
            for agent in self.agents:
                if agent.hold != FREE:
                    weld(agent, self.bodies[agent.hold])
            for contact in contacts:
                solve(contact, self.rules["friction"], h)
        before = [(body.place.copy(), body.angle) for body in self.moving]
        for body in self.moving:
            limited(body, h)
            body.place, body.angle = body.place + h * body.speed, body.angle + h * body.spin
        if self.mend(pairs) > TOLERANCE:
            self.reverted += 1
            for body, (place, angle) in zip(self.moving, before, strict=True):
                body.place, body.angle, body.speed, body.spin = place, angle, np.zeros(2), 0.0

    def drive(self, h: float) -> None:
        """Lets forces, drag and the ground act."""
        drag, ground = self.rules["drag"], self.rules["ground"]
        kept = math.exp(-drag * h)
        gain = (1 - kept) / drag if drag else h
        for body in self.moving:
            if body.kind == AGENT:
                body.speed = kept * body.speed + gain * body.per_mass * body.push
                body.spin = kept * body.spin + gain * body.per_inertia * body.push_spin
                continue
            fast = float(np.linalg.norm(body.speed))
            if fast > 0:
                body.speed = body.speed * max(0.0, 1 - ground * h / fast)
            if body.spin:
                slower = ground * h * body.half.mean() * body.per_inertia / body.per_mass
                body.spin *= max(0.0, 1 - slower / abs(body.spin))

    def mend(self, pairs: list[tuple[Body, Body]]) -> float:
        """Mends overlaps and joints on places, and returns the deepest overlap of the last round."""
        worst = 0.0
        for _ in range(MENDING):
            for agent in self.agents:
                if agent.hold != FREE:
                    pull(agent, self.bodies[agent.hold])
            worst = 0.0
            for one, other in pairs:
                for contact in touching(one, other, 0.0):
                    worst = min(worst, contact.separation)
                    if -contact.separation > SLOP:
                        push = SHARE * (-contact.separation - SLOP) / contact.per_mass(contact.normal)
                        arms = contact.arms()
                        shift(one, arms[0], -push * contact.normal)
                        shift(other, arms[1], push * contact.normal)
            if worst >= -2 * SLOP:
                break
        return -worst

    def levels(self, margin: float) -> None:
        """Lifts and drops agents."""
        for agent in self.agents:
            if agent.level == 1:
                self.drop(agent)
            else:
                self.climb(agent, margin)

    def climb(self, agent: Body, margin: float) -> None:
        """Lets an agent on the ground enter, keep, leave or climb a ramp."""
        entered, agent.ramp = agent.ramp, FREE
        for ramp in (body for body in self.bodies if body.kind == RAMP):
            u, v = ramp.inside(agent.place)
            before_it = u < -ramp.half[0] and abs(v) < ramp.half[1]
            gap = ramp.gap(agent)
            if gap <= margin and ((ramp.index == entered and gap < 0) or before_it):
                agent.ramp = ramp.index
                break
        if agent.ramp == FREE:
            return
        u, v = self.bodies[agent.ramp].inside(agent.place)
        half = self.bodies[agent.ramp].half
        above = [b for b in self.agents if b is not agent and b.level == 1 and disc_disc(agent, b).separation < 0]
        if 0 <= u <= half[0] and abs(v) <= half[1] and not above:
            agent.level = 1

    def drop(self, agent: Body) -> None:
        """Puts an agent to the ground where that is free."""
        below = [b for b in self.agents if b is not agent and b.level == 0 and disc_disc(agent, b).separation < 0]
        under = [b for b in self.bodies if b.kind in (BOX, RAMP, INNER) and b.gap(agent) < 0]
        low = len(under) == 1 and under[0].kind == RAMP and under[0].inside(agent.place)[0] < 0
        if below or (under and not low):
            return
        agent.level, agent.ramp = 0, under[0].index if under else FREE
        self.crossings += not under and agent.team == 1

    def clear(self, start: Body, point: Vector, skip: int, above: bool) -> bool:
        """Says whether nothing stands between a body and a point."""
        for body in self.bodies:
            hides = body.kind == OUTER or (body.kind in (BOX, RAMP, INNER) and not above)
            if body.index != skip and hides and along(start.place, point - start.place, body) <= 1:
                return False
        return True

    def sees(self, i: int, j: int) -> bool:
        """Says whether an agent sees a body."""
        agent, body = self.bodies[i], self.bodies[j]
        if body.kind == ABSENT:
            return False
        way = body.place - agent.place
        angle = abs(math.remainder(math.atan2(way[1], way[0]) - agent.angle, 2 * math.pi))
        above = agent.level == 1 or (body.kind == AGENT and body.level == 1)
        return bool(angle <= math.acos(self.rules["cone"])) and self.clear(agent, body.place, j, above)

    def lidar(self, i: int, rays: int) -> Vector:
        """Returns how far an agent's rays reach."""
        agent = self.bodies[i]
        out = np.full(rays, float(self.rules["lidar"]))
        for k in range(rays):
            way = turned(np.array([1.0, 0.0]), agent.angle + 2 * math.pi * k / rays)
            for body in self.bodies:
                if body.kind == AGENT and body is not agent and body.level == agent.level:
                    out[k] = min(out[k], to_disc(agent.place, way, body))
                elif body.kind == OUTER or (body.kind in (BOX, RAMP, INNER) and agent.level == 0):
                    out[k] = min(out[k], along(agent.place, way, body))
        return out


def along(start: Vector, way: Vector, box: Body) -> float:
    """Returns the first t >= 0 at which start + t way is in a box: 0 inside, else where it crosses a side."""
    if bool((np.abs(box.inside(start)) <= box.half).all()):
        return 0.0
    best, corners = math.inf, box.corners
    for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
        side = b - a
        across = cross(way, side)
        if across == 0:
            continue
        t, u = cross(a - start, side) / across, cross(a - start, way) / across
        if t >= 0 and 0 <= u <= 1:
            best = min(best, t)
    return best


def to_disc(start: Vector, way: Vector, disc: Body) -> float:
    """Returns the first t >= 0 at which start + t way is in a disc, for a way of length 1."""
    middle = way @ (disc.place - start)
    square = middle**2 - (disc.place - start) @ (disc.place - start) + disc.half[0] ** 2
    return float(max(middle - math.sqrt(square), 0.0)) if middle > 0 and square >= 0 else math.inf


def limited(body: Body, h: float) -> float:
    """Slows a body whose points move too far, and returns how fast they are at most."""
    fastest = float(np.linalg.norm(body.speed) + abs(body.spin) * body.half.sum())
    part = min(1.0, STRIDE / h / fastest) if fastest > 0 else 1.0
    body.speed, body.spin = part * body.speed, part * body.spin
    return part * fastest


def kick(body: Body, arm: Vector, impulse: Vector) -> None:
    """Gives a body an impulse at an arm."""
    body.speed = body.speed + body.per_mass * impulse
    body.spin += body.per_inertia * cross(arm, impulse)


def shift(body: Body, arm: Vector, impulse: Vector) -> None:
    """Moves a body as an impulse would its speed."""
    body.place = body.place + body.per_mass * impulse
    body.angle += body.per_inertia * cross(arm, impulse)


def solve(contact: Contact, friction: float, h: float) -> None:
    """Stops a contact from closing more than it is open, with friction."""
    one, other, normal = contact.one, contact.other, contact.normal
    a, b = contact.arms()
    across = np.array([-normal[1], normal[0]])
    meeting = other.speed + other.spin * np.array([-b[1], b[0]]) - one.speed - one.spin * np.array([-a[1], a[0]])
    closing = meeting @ normal + max(contact.separation, 0.0) / h
    impulse = max(0.0, contact.impulse - closing / contact.per_mass(normal))
    slide = np.clip(
        contact.slide - meeting @ across / contact.per_mass(across), -friction * impulse, friction * impulse
    )
    change = (impulse - contact.impulse) * normal + (slide - contact.slide) * across
    contact.impulse, contact.slide = impulse, float(slide)
    kick(one, a, -change)
    kick(other, b, change)


def _matrix(agent: Body, held: Body, arm: Vector) -> NDArray[np.float64]:
    """Returns what a difference of places or speeds at an arm is for an impulse."""
    away = np.array([-arm[1], arm[0]])
    return (agent.per_mass + held.per_mass) * np.eye(2) + held.per_inertia * np.outer(away, away)


def weld(agent: Body, held: Body) -> None:
    """Gives an agent and what it holds the same speed."""
    turn = (agent.spin - held.spin) / (agent.per_inertia + held.per_inertia)
    agent.spin -= turn * agent.per_inertia
    held.spin += turn * held.per_inertia
    arm = agent.place - held.place
    difference = held.speed + held.spin * np.array([-arm[1], arm[0]]) - agent.speed
    impulse = np.linalg.solve(_matrix(agent, held, arm), difference)
    kick(agent, np.zeros(2), impulse)
    kick(held, arm, -impulse)


def pull(agent: Body, held: Body) -> None:
    """Brings an agent and what it holds to where they stood."""
    turn = math.remainder(agent.angle - held.angle - agent.joint_angle, 2 * math.pi)
    turn /= agent.per_inertia + held.per_inertia
    agent.angle -= turn * agent.per_inertia
    held.angle += turn * held.per_inertia
    arm = turned(agent.joint, held.angle)
    impulse = np.linalg.solve(_matrix(agent, held, arm), held.place + arm - agent.place)
    shift(agent, np.zeros(2), impulse)
    shift(held, arm, -impulse)
