"""Discs and oriented boxes in the plane: where they touch, and where a ray meets them.

Normals point from the first body to the second; a separation below zero is a depth. Contacts are written into an array
of records from a place on.
"""

import math

import numpy as np
from numba import njit

CONTACT = np.dtype(
    [
        ("one", "i8"),  # bodies
        ("other", "i8"),
        ("separation", "f8"),
        ("nx", "f8"),
        ("ny", "f8"),
        ("x", "f8"),  # where they touch
        ("y", "f8"),
        ("one_x", "f8"),  # the same from the bodies' centres
        ("one_y", "f8"),
        ("other_x", "f8"),
        ("other_y", "f8"),
        ("normal_mass", "f8"),  # what an impulse meets
        ("tangent_mass", "f8"),
        ("normal", "f8"),  # impulses so far
        ("tangent", "f8"),
    ]
)
PARALLEL = 1e-12  # of a ray to a side: then it meets it nowhere near


@njit(cache=True)
def disc_disc(one, other, contact):  # type: ignore[no-untyped-def]
    """Writes how two discs stand to one another."""
    dx, dy = other.x - one.x, other.y - one.y
    distance = math.sqrt(dx * dx + dy * dy)
    nx, ny = (dx / distance, dy / distance) if distance > 0.0 else (1.0, 0.0)
    contact.separation = distance - one.half_x - other.half_x
    contact.nx, contact.ny = nx, ny
    contact.x, contact.y = one.x + nx * one.half_x, one.y + ny * one.half_x


@njit(cache=True)
def seen_from(box, x, y):  # type: ignore[no-untyped-def]
    """Returns a point in the frame of a body."""
    dx, dy = x - box.x, y - box.y
    return box.cos * dx + box.sin * dy, box.cos * dy - box.sin * dx


@njit(cache=True)
def disc_box(disc, box, contact):  # type: ignore[no-untyped-def]
    """Writes how a disc and a box stand to one another."""
    u, v = seen_from(box, disc.x, disc.y)
    half_x, half_y = box.half_x, box.half_y
    near_u, near_v = min(max(u, -half_x), half_x), min(max(v, -half_y), half_y)
    if near_u == u and near_v == v:  # the centre is inside: out by the nearest side
        if half_x - abs(u) < half_y - abs(v):
            depth, nu, nv = half_x - abs(u), -math.copysign(1.0, u), 0.0
        else:
            depth, nu, nv = half_y - abs(v), 0.0, -math.copysign(1.0, v)
        contact.separation = -depth - disc.half_x
    else:
        nu, nv = near_u - u, near_v - v
        distance = math.sqrt(nu * nu + nv * nv)
        nu, nv = nu / distance, nv / distance
        contact.separation = distance - disc.half_x
    contact.nx, contact.ny = box.cos * nu - box.sin * nv, box.sin * nu + box.cos * nv
    contact.x = box.x + box.cos * near_u - box.sin * near_v
    contact.y = box.y + box.sin * near_u + box.cos * near_v


@njit(cache=True)
def gap(disc, box):  # type: ignore[no-untyped-def]
    """Returns the separation of a disc and a box."""
    u, v = seen_from(box, disc.x, disc.y)
    out_u, out_v = abs(u) - box.half_x, abs(v) - box.half_y
    if out_u <= 0.0 and out_v <= 0.0:
        return max(out_u, out_v) - disc.half_x
    out_u, out_v = max(out_u, 0.0), max(out_v, 0.0)
    return math.sqrt(out_u * out_u + out_v * out_v) - disc.half_x


@njit(cache=True)
def _sides(u, v, c, s, box, other):  # type: ignore[no-untyped-def]
    """Returns the separations along a box's axes of another at (u, v), turned by (c, s), in its frame."""
    c, s = abs(c), abs(s)
    return (
        abs(u) - box.half_x - c * other.half_x - s * other.half_y,
        abs(v) - box.half_y - s * other.half_x - c * other.half_y,
    )


@njit(cache=True)
def _clipped(along, across, half_along, half_across, c, s, other, margin, out, at):  # type: ignore[no-untyped-def]
    """Writes what of another box is close to a face, in the face's frame, from `out[at]` on; returns how many.

    The face looks to positive `along`; the other box is at (along, across), turned by (c, s).
    """
    if abs(c) >= abs(s):  # which of the other's faces looks back: its centre, and half of it
        side = math.copysign(other.half_x, c)
        middle_along, middle_across = along - side * c, across - side * s
        edge_along, edge_across = -s * other.half_y, c * other.half_y
    else:
        side = math.copysign(other.half_y, -s)
        middle_along, middle_across = along + side * s, across - side * c
        edge_along, edge_across = c * other.half_x, s * other.half_x
    low, high = -1.0, 1.0  # the part of that face which lies across from ours
    if abs(edge_across) > PARALLEL:
        first, second = (-half_across - middle_across) / edge_across, (half_across - middle_across) / edge_across
        low, high = max(low, min(first, second)), min(high, max(first, second))
        if low > high:
            return 0
    elif abs(middle_across) > half_across:
        return 0
    count = 0
    for k in range(2 if high - low > PARALLEL else 1):
        where = low if k == 0 else high
        separation = middle_along + where * edge_along - half_along
        if separation <= margin:
            contact = out[at + count]
            contact.separation = separation
            contact.x, contact.y = middle_along + where * edge_along, middle_across + where * edge_across
            count += 1
    return count


@njit(cache=True)
def box_box(one, other, margin, out, at):  # type: ignore[no-untyped-def]
    """Writes up to two contacts that are within a margin from `out[at]` on, and returns how many.

    The axis of least overlap gives the normal, the other box's face is clipped to the face there (Catto, 2006, "Fast
    and simple physics using sequential impulses").
    """
    c, s = one.cos * other.cos + one.sin * other.sin, one.cos * other.sin - one.sin * other.cos
    u, v = seen_from(one, other.x, other.y)
    first_x, first_y = _sides(u, v, c, s, one, other)
    other_u, other_v = seen_from(other, one.x, one.y)
    second_x, second_y = _sides(other_u, other_v, c, s, other, one)
    best = max(first_x, first_y, second_x, second_y)
    if best > margin:
        return 0
    flip = best > first_x and best > first_y
    face, back, on_x = one, other, best == first_x
    if flip:
        face, back, on_x = other, one, best == second_x
        u, v, s = other_u, other_v, -s
    if on_x:  # the frame whose first axis is the face's normal
        sign = math.copysign(1.0, u)
        fc, fs = sign * face.cos, sign * face.sin
        count = _clipped(
            sign * u, sign * v, face.half_x, face.half_y, sign * c, sign * s, back, margin, out, at
        )  # fmt: skip
    else:
        sign = math.copysign(1.0, v)
        fc, fs = -sign * face.sin, sign * face.cos
        count = _clipped(
            sign * v, -sign * u, face.half_y, face.half_x, sign * s, -sign * c, back, margin, out, at
        )  # fmt: skip
    for k in range(at, at + count):
        contact = out[k]
        along, across = contact.x, contact.y
        contact.nx, contact.ny = (-fc, -fs) if flip else (fc, fs)
        contact.x, contact.y = face.x + fc * along - fs * across, face.y + fs * along + fc * across
    return count


@njit(cache=True)
def ray_box(x, y, dx, dy, box):  # type: ignore[no-untyped-def]
    """Returns the first parameter t >= 0 with (x, y) + t (dx, dy) in a box, or infinity; 0 from inside."""
    u, v = seen_from(box, x, y)
    du, dv = box.cos * dx + box.sin * dy, box.cos * dy - box.sin * dx
    near, far = 0.0, math.inf
    for position, direction, half in ((u, du, box.half_x), (v, dv, box.half_y)):
        if abs(direction) < PARALLEL:
            if abs(position) > half:
                return math.inf
        else:
            first, second = (-half - position) / direction, (half - position) / direction
            near, far = max(near, min(first, second)), min(far, max(first, second))
    return near if near <= far else math.inf


@njit(cache=True)
def ray_disc(x, y, dx, dy, disc):  # type: ignore[no-untyped-def]
    """Returns the first parameter t >= 0 with (x, y) + t (dx, dy) in a disc, or infinity; 0 from inside."""
    px, py = x - disc.x, y - disc.y
    a, b, c = dx * dx + dy * dy, px * dx + py * dy, px * px + py * py - disc.half_x * disc.half_x
    if c <= 0.0:
        return 0.0
    root = b * b - a * c
    if b >= 0.0 or root < 0.0:
        return math.inf
    return c / (math.sqrt(root) - b)
