"""Which bodies of a world touch, or will within a substep.

On two levels: agents above the ground touch the walls around the floor and one another only, and an agent that has
entered a ramp by its low edge does not touch that ramp (`levels.py`). What an agent holds it does not touch either.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from palestra.envs.hide_and_seek.geometry import CONTACT, box_box, disc_box, disc_disc
from palestra.envs.hide_and_seek.state import ABSENT, AGENT, OUTER, Records


class Scratch(NamedTuple):
    """Memory of the solver, one a thread."""

    pairs: NDArray[np.int64]  # [P, 2] what may touch
    contacts: Records  # [C]


def new_scratch(num_bodies: int, moving: int) -> Scratch:
    """Returns memory for worlds with so many bodies, so many of which move."""
    pairs = moving * num_bodies
    return Scratch(np.zeros((pairs, 2), np.int64), np.zeros(2 * pairs + 2, CONTACT).view(np.recarray))


@njit(cache=True)
def set_frame(body):  # type: ignore[no-untyped-def]
    """Writes cosine, sine and extent of a body at its angle."""
    if body.kind == AGENT:
        body.width, body.height = body.half_x, body.half_y
    else:
        body.cos, body.sin = math.cos(body.angle), math.sin(body.angle)
        c, s = abs(body.cos), abs(body.sin)
        body.width, body.height = c * body.half_x + s * body.half_y, s * body.half_x + c * body.half_y


@njit(cache=True)
def never_touch(one, other, index):  # type: ignore[no-untyped-def]
    """Says whether two bodies do not touch, wherever they are; `index` is the other's, which comes later."""
    if other.kind == ABSENT or (one.per_mass == 0.0 and other.per_mass == 0.0):
        return True
    if one.kind != AGENT:
        return False
    if other.kind == AGENT:
        return one.level != other.level
    return (one.level == 1 and other.kind != OUTER) or one.ramp == index or one.hold == index


@njit(cache=True)
def find_pairs(bodies, moving, game, pairs, margin):  # type: ignore[no-untyped-def]
    """Writes pairs that are closer than a margin, by the rectangles around them, and returns how many."""
    count = 0
    for i in range(moving):
        one = bodies[i]
        if one.kind == ABSENT:
            continue
        for j in range(i + 1, game.bodies):
            other = bodies[j]
            if (
                abs(one.x - other.x) < one.width + other.width + margin
                and abs(one.y - other.y) < one.height + other.height + margin
                and not never_touch(one, other, j)
            ):
                pairs[count, 0], pairs[count, 1] = i, j
                count += 1
    return count


@njit(cache=True)
def touching(one, other, margin, contacts, at):  # type: ignore[no-untyped-def]
    """Writes contacts of a pair from `contacts[at]` on, and returns how many are within the margin, at most two."""
    if one.kind != AGENT:
        return box_box(one, other, margin, contacts, at)
    contact = contacts[at]
    if other.kind == AGENT:
        disc_disc(one, other, contact)
    else:
        disc_box(one, other, contact)
    return 1 if contact.separation <= margin else 0


@njit(cache=True)
def find_contacts(bodies, scratch, num_pairs, margin):  # type: ignore[no-untyped-def]
    """Writes what touches or is closer than a margin, and returns how many contacts there are."""
    count = 0
    for k in range(num_pairs):
        i, j = scratch.pairs[k, 0], scratch.pairs[k, 1]
        for _ in range(touching(bodies[i], bodies[j], margin, scratch.contacts, count)):
            contact = scratch.contacts[count]
            contact.one, contact.other = i, j
            count += 1
    return count


@njit(cache=True)
def deepest(bodies, moving, game, scratch):  # type: ignore[no-untyped-def]
    """Returns how deep bodies of a world are in one another at most, 0 if they are not."""
    worst, pairs = 0.0, find_pairs(bodies, moving, game, scratch.pairs, 0.0)
    for k in range(find_contacts(bodies, scratch, pairs, 0.0)):
        worst = min(worst, scratch.contacts[k].separation)
    return -worst
