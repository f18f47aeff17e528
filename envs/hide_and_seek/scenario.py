"""Scenarios of hide-and-seek: who and what there is, in which rooms, under which rules.

`quadrant` and `full` follow the released environments of Baker et al. (2019), "Emergent tool use from multi-agent
autocurricula"; forces and speeds are ours.
"""

import difflib
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from palestra.envs.hide_and_seek.layout import CELLS, OPEN, PILLAR, QUADRANT, RANDOM, SIX
from palestra.envs.hide_and_seek.state import RULES, Records

ROOMS = {"open": OPEN, "quadrant": QUADRANT, "random": RANDOM, "six": SIX, "cells": CELLS, "pillar": PILLAR}
WALLS = {"open": 0, "quadrant": 4, "random": 6, "six": 14, "cells": 6, "pillar": 2}  # inside, at most


@dataclass(frozen=True)
class Scenario:
    """A scenario; lengths in metres, times in seconds, masses a kilogram each."""

    hiders: int = 2
    """Agents who hide."""
    seekers: int = 2
    """Agents who seek."""
    boxes: tuple[int, int] = (3, 9)
    """Fewest and most boxes of an episode."""
    elongated: tuple[int, int] = (3, 9)
    """Fewest and most of them that are elongated."""
    ramps: int = 2
    """Ramps."""
    rooms: Literal["open", "quadrant", "random", "six", "cells", "pillar"] = "random"
    """Walls inside; see `layout.py`."""
    outer_walls: float = 0.5
    """Probability that there are walls around the floor."""
    horizon: int = 240
    """Steps of an episode."""
    preparation: float = 0.4
    """Share of the steps in which seekers stand still and nobody is rewarded."""
    floor: float = 6.0
    """Side of the floor."""
    arena: float = 6.0
    """How far from the floor agents may go."""
    outside: float = -10.0
    """Reward of agents who are farther out."""
    together: float = 0.5
    """Within what distance of the first of its team an agent begins; 0 means anywhere."""
    lock_ramps: bool = True
    """Whether ramps can be locked."""
    egocentric: bool = False
    """Whether agents see, and push, from where they stand and look, in place of along the floor."""
    buckets: int = 11
    """Values of each force, from full backward to full forward."""
    rays: int = 30
    """Rays of an agent's lidar."""
    radius: float = 0.15
    """Of an agent."""
    box: float = 0.5
    """Side of a box and of a ramp."""
    step: float = 0.075
    """Time of a step."""
    substeps: int = 4
    """In how many parts a step is solved."""
    force: float = 30.0
    """Greatest force of an agent along each axis, newtons."""
    torque: float = 0.56
    """Greatest torque of an agent, newton metres."""
    drag: float = 10.0
    """How many times a second the speed of agents decays: they get to 3 metres and 5 radians a second."""
    ground: float = 2.0
    """Deceleration of boxes and ramps by the ground, metres per second squared."""
    friction: float = 0.2
    """Coefficient of friction between bodies."""
    reach: float = 0.25
    """From an agent's rim to what it can hold or lock."""
    sight: float = 135.0
    """Angle of the cone that agents see, degrees."""
    lidar: float = 6.0
    """How far lidar reaches."""

    def __post_init__(self) -> None:
        if self.rooms not in ROOMS:
            raise ValueError(f"rooms is {self.rooms!r}, but {', '.join(ROOMS)} is wanted")
        if min(self.hiders, self.seekers) < 0 or self.agents < 1:
            raise ValueError(f"{self.hiders} hiders and {self.seekers} seekers are given; at least one agent is wanted")
        for name in ("boxes", "elongated"):
            fewest, most = getattr(self, name)
            if not 0 <= fewest <= most:
                raise ValueError(f"{name} is {fewest} to {most}, but the fewest and the most are wanted, from 0 on")
        for name, least in (("ramps", 0), ("horizon", 1), ("buckets", 2), ("rays", 1), ("substeps", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}, but at least {least} is wanted")
        for name in ("preparation", "outer_walls"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}, but a share from 0 to 1 is wanted")
        for name in ("floor", "radius", "box", "step", "lidar", "sight"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} is {getattr(self, name)}, but a number above 0 is wanted")
        for name in ("arena", "together", "force", "torque", "drag", "ground", "friction", "reach"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} is {getattr(self, name)}, but a number from 0 on is wanted")

    @property
    def agents(self) -> int:
        """How many agents there are."""
        return self.hiders + self.seekers

    def rules(self) -> Records:
        """Returns the constants `[1]` that compiled code takes."""
        rules = np.zeros(1, RULES).view(np.recarray)
        for name in RULES.names or ():
            if hasattr(self, name) and name not in ("boxes", "rooms", "preparation", "box"):
                rules[name] = getattr(self, name)
        rules["fewest_boxes"], rules["boxes"] = self.boxes
        rules["fewest_long"], rules["most_long"] = self.elongated
        rules["rooms"], rules["box"] = ROOMS[self.rooms], self.box / 2
        rules["preparation"] = round(self.preparation * self.horizon)
        rules["cone"] = math.cos(math.radians(self.sight / 2))
        return rules

    @property
    def bodies(self) -> int:
        """Room for bodies, walls among them."""
        return self.agents + self.boxes[1] + self.ramps + 4 + WALLS[self.rooms]


SCENARIOS = {
    "quadrant": Scenario(
        boxes=(2, 2),
        elongated=(0, 0),
        ramps=1,
        rooms="quadrant",
        outer_walls=1.0,
        horizon=80,
        together=0.0,
        lock_ramps=False,
    ),
    "full": Scenario(),
}


def scenario_named(scenario: str | Scenario) -> Scenario:
    """Returns a scenario by its name.

    Raises:
        ValueError: there is none of that name.
    """
    if isinstance(scenario, Scenario):
        return scenario
    if scenario not in SCENARIOS:
        near = difflib.get_close_matches(scenario, SCENARIOS, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(SCENARIOS)}"
        raise ValueError(f"there is no scenario {scenario!r}; {hint}")
    return SCENARIOS[scenario]
