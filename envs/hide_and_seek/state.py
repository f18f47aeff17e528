"""The state of worlds of hide-and-seek: records of bodies and games, and the constants that their kernels take.

Bodies `[N, B]` are agents first, hiders before seekers, then boxes, ramps, the four walls around the floor, and walls
between rooms. Compiled code passes a record on as its address.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Records = NDArray[Any]

ABSENT, AGENT, BOX, RAMP, INNER, OUTER = range(6)  # kinds of bodies
HIDERS, SEEKERS = 0, 1  # teams
MOVE_X, MOVE_Y, TURN, HOLD, LOCK = range(5)  # of an action
FREE = -1  # of a lock: nobody's; of what is held or entered: nothing

BODY = np.dtype(
    [
        ("x", "f8"),
        ("y", "f8"),
        ("angle", "f8"),
        ("vx", "f8"),  # the same a second
        ("vy", "f8"),
        ("spin", "f8"),
        ("half_x", "f8"),  # half sides of a box; both an agent's radius
        ("half_y", "f8"),
        ("per_mass", "f8"),  # 1 / mass, 0 of what does not move
        ("per_inertia", "f8"),  # 1 / moment of inertia
        ("cos", "f8"),  # of the angle
        ("sin", "f8"),
        ("width", "f8"),  # half sides of the upright rectangle around it
        ("height", "f8"),
        ("joint_x", "f8"),  # an agent's place and angle seen from what it holds
        ("joint_y", "f8"),
        ("joint_angle", "f8"),
        ("push_x", "f8"),  # force and torque of an agent
        ("push_y", "f8"),
        ("push_spin", "f8"),
        ("old_x", "f8"),  # pose before a substep
        ("old_y", "f8"),
        ("old_angle", "f8"),
        ("start_x", "f8"),  # where it was when the episode began
        ("start_y", "f8"),
        ("kind", "i8"),
        ("team", "i8"),  # of an agent; of others whose lock holds it, or FREE
        ("hold", "i8"),  # body that an agent holds, or FREE
        ("level", "i8"),  # 0 on the ground, 1 above
        ("ramp", "i8"),  # ramp that an agent has entered, or FREE
        ("lockable", "i8"),  # what an agent could lock in this step, or FREE
    ]
)

RULES = np.dtype(
    [
        ("hiders", "i8"),
        ("agents", "i8"),
        ("boxes", "i8"),  # places for boxes; a world may have fewer
        ("ramps", "i8"),
        ("horizon", "i8"),  # steps
        ("preparation", "i8"),  # steps in which seekers stand still
        ("floor", "f8"),  # metres; the floor's corner is at (0, 0)
        ("step", "f8"),  # seconds
        ("substeps", "i8"),
        ("force", "f8"),  # newtons, of an agent along each axis
        ("torque", "f8"),  # newton metres
        ("drag", "f8"),  # how many times a second the speed of agents decays
        ("ground", "f8"),  # deceleration of boxes and ramps by the ground
        ("friction", "f8"),  # coefficient between bodies
        ("reach", "f8"),  # metres from an agent's rim to what it can hold or lock
        ("cone", "f8"),  # cosine of half the angle that agents see
        ("lidar", "f8"),  # metres that it reaches
        ("arena", "f8"),  # metres that agents may be outside the floor without penalty
        ("outside", "f8"),  # reward in place of theirs of agents farther out
        ("lock_ramps", "i8"),
        ("rooms", "i8"),  # kind, of layout.py
        ("outer_walls", "f8"),  # probability of walls around the floor
        ("fewest_boxes", "i8"),
        ("fewest_long", "i8"),
        ("most_long", "i8"),
        ("radius", "f8"),  # metres, of agents
        ("box", "f8"),  # half a side of a box
        ("together", "f8"),  # metres from the first of a team within which the others begin; 0: anywhere
        ("buckets", "i8"),  # of each force
        ("egocentric", "i8"),
    ]
)

GAME = np.dtype(
    [
        ("time", "i8"),
        ("bodies", "i8"),  # up to the last wall that is there
        ("episode", "i8"),
        ("reverted", "i8"),  # substeps that were taken back
        ("hidden", "i8"),  # whether no seeker sees a hider now
        # of the episode so far (statistics.py); after the preparation if nothing else is said
        ("hidden_time", "f8"),  # steps in which all hiders are hidden
        ("distance", "f8"),  # sum over steps of metres from a seeker to the nearest hider, the mean of all seekers
        ("box_moved", "f8"),  # metres from where it began of the box that is farthest, at any time
        ("box_moved_preparation", "f8"),
        ("ramp_moved", "f8"),
        ("ramp_moved_preparation", "f8"),
        ("box_locked", "f8"),  # locked by hiders, at the end of a step
        ("box_locked_preparation", "f8"),
        ("ramp_locked", "f8"),
        ("ramp_locked_preparation", "f8"),
        ("held", "f8"),  # agents' steps in which they hold something
        ("above", "f8"),  # seekers' steps above the ground
        ("crossings", "f8"),  # times that seekers came down where there is no ramp
        ("surfed", "f8"),  # metres that agents went above while they held what was under them
        ("closed", "f8"),  # at the end of the preparation: 1 if no seeker could walk to a hider
        ("closed_last", "f8"),  # the same at the end of the episode
    ]
)


def new_bodies(num_worlds: int, num_bodies: int) -> Records:
    """Returns bodies `[N, B]`, all absent."""
    bodies = np.zeros((num_worlds, num_bodies), BODY)
    for name in ("team", "hold", "ramp"):
        bodies[name] = FREE
    return bodies.view(np.recarray)


@njit(cache=True)
def num_moving(rules):  # type: ignore[no-untyped-def]
    """Returns how many bodies come before the walls."""
    return rules.agents + rules.boxes + rules.ramps
