"""Worlds that tests set up by hand: bodies where they say, on an open floor."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from palestra.envs.hide_and_seek.batch import HideAndSeekBatch
from palestra.envs.hide_and_seek.contacts import set_frame
from palestra.envs.hide_and_seek.hands import free
from palestra.envs.hide_and_seek.scenario import Scenario
from palestra.envs.hide_and_seek.state import ABSENT, BOX, FREE, INNER, RAMP

STILL = (5, 5, 5, 0, 0)  # an action that does nothing
OPEN = Scenario(
    rooms="open", outer_walls=1.0, boxes=(0, 4), elongated=(0, 0), ramps=1, preparation=0.0, together=0.0
)  # fmt: skip


class Set:
    """A world with its agents where they are put, and boxes, ramps and inner walls only as they are added."""

    def __init__(self, *agents: tuple[float, float, float], scenario: Scenario = OPEN, seekers: int = 0) -> None:
        scenario = replace(scenario, hiders=len(agents) - seekers, seekers=seekers, rooms="random")
        self.batch = HideAndSeekBatch(scenario, 1)
        self.batch.reset(0)
        self.bodies, self.game, self.rules = self.batch.bodies[0], self.batch.games[0], self.batch.rules[0]
        self.first = scenario.agents
        for k in range(self.first, len(self.bodies)):
            if self.bodies[k].kind in (BOX, RAMP, INNER):
                self.bodies[k].kind = ABSENT
        for k, (x, y, angle) in enumerate(agents):
            self.place(k, x, y, angle)

    def place(self, k: int, x: float, y: float, angle: float = 0.0) -> Any:
        """Puts a body somewhere at rest, and returns it."""
        body = self.bodies[k]
        body.x, body.y, body.angle, body.vx, body.vy, body.spin = x, y, angle, 0.0, 0.0, 0.0
        body.cos, body.sin = math.cos(angle), math.sin(angle)
        body.start_x, body.start_y = x, y
        set_frame(body)
        return body

    def box(
        self, x: float, y: float, angle: float = 0.0, half: tuple[float, float] = (0.25, 0.25), kind: int = BOX
    ) -> int:
        """Adds a box, or the ramp, and returns its index."""
        boxes = range(self.first, self.first + int(self.rules.boxes))
        k = boxes.stop if kind == RAMP else next(j for j in boxes if self.bodies[j].kind == ABSENT)
        body = self.bodies[k]
        body.kind, body.half_x, body.half_y, body.level, body.team = kind, *half, 0, FREE
        free(body)
        self.place(k, x, y, angle)
        return k

    def wall(self, x: float, y: float, half_x: float, half_y: float) -> int:
        """Adds an inner wall, and returns its index."""
        k = int(self.game.bodies)
        body = self.bodies[k]
        body.kind, body.half_x, body.half_y, body.level, body.per_mass, body.per_inertia = (
            INNER,
            half_x,
            half_y,
            0,
            0,
            0,
        )
        self.game.bodies = k + 1
        self.place(k, x, y)
        return k

    def step(self, *actions: tuple[int, ...], times: int = 1) -> Any:
        """Takes steps with the actions of the first agents, the others stand still; returns the last rewards."""
        given = [*actions, *[STILL] * (self.first - len(actions))]
        for _ in range(times):
            _, rewards, _ = self.batch.step(np.array([given]), reset=False)
        return rewards[0]
