"""Pictures of a world of hide-and-seek from above, drawn with Pillow."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from palestra.envs.hide_and_seek.state import AGENT, BOX, FREE, HIDERS, OUTER, RAMP, Records

SIDE = 480  # pixels
FINER = 2  # how many times larger a picture is drawn before it is reduced
BORDER = 0.5  # metres around the floor
FLOOR, GROUND, WALL = (236, 232, 224), (200, 194, 184), (96, 92, 88)
TEAMS = {HIDERS: (44, 110, 190), 1: (204, 68, 52)}
THINGS = {BOX: (226, 178, 88), RAMP: (150, 180, 120)}
LOCKS = {FREE: (120, 100, 60), HIDERS: (20, 70, 150), 1: (160, 30, 20)}
SITE = (236, 160, 176)
BEAM = 40  # opacity of what agents see, of 255


def picture(
    bodies: Records,
    floor: float,
    *,
    cone: float | None = None,
    ranges: Any = None,
    sites: Any = (),
    size: int = SIDE,
) -> NDArray[np.uint8]:
    """Draws a world's bodies `[B]` as `[size, size, 3]` uint8; hiders are blue, seekers red, those above ringed.

    `cone` is the cosine of half the angle that agents see; `ranges` `[A, R]`, what their lidar says, draws that too. A
    thing that is locked has a rim in its team's colour; the arrow of a ramp points up. `sites` are corners `[S, 4, 2]`
    of places to mark.
    """
    canvas = _Canvas(floor, size)
    for corners in sites:
        canvas.pen.polygon([canvas.at(x, y) for x, y in corners], fill=SITE)
    return canvas.draw(bodies, cone, ranges)


class _Canvas:
    """A floor on a square of `size` pixels."""

    def __init__(self, floor: float, size: int) -> None:
        from PIL import Image, ImageDraw

        self.size, self.scale = size, size * FINER / (floor + 2 * BORDER)
        self.image = Image.new("RGB", (size * FINER, size * FINER), GROUND)
        self.pen = ImageDraw.Draw(self.image, "RGBA")
        self.pen.rectangle([self.at(0.0, floor), self.at(floor, 0.0)], fill=FLOOR)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Returns the pixel of a place."""
        return (x + BORDER) * self.scale, self.size * FINER - (y + BORDER) * self.scale

    def draw(self, bodies: Records, cone: float | None, ranges: Any) -> NDArray[np.uint8]:
        """Draws everything and returns the picture."""
        agents = [body for body in bodies if body["kind"] == AGENT]
        for body in bodies:
            if body["kind"] in THINGS:
                self.thing(body)
            elif body["kind"] > RAMP:
                self.wall(body)
        for k, agent in enumerate(agents):
            if ranges is not None:
                self.beams(agent, ranges[k], cone)
        for agent in agents:
            self.agent(agent, cone if ranges is None else None)
            if agent["hold"] != FREE:
                held = bodies[agent["hold"]]
                self.pen.line([self.at(agent["x"], agent["y"]), self.at(held["x"], held["y"])], (0, 0, 0), width=FINER)
        from PIL import Image

        return np.asarray(self.image.resize((self.size, self.size), Image.Resampling.LANCZOS))

    def corners(self, body: Any, part_x: float = 1.0, part_y: float = 1.0) -> list[tuple[float, float]]:
        """Returns the corners of a box, or of a smaller one in it."""
        c, s, half_x, half_y = math.cos(body["angle"]), math.sin(body["angle"]), body["half_x"], body["half_y"]
        places = [(part_x * u * half_x, part_y * v * half_y) for u, v in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        return [self.at(body["x"] + c * u - s * v, body["y"] + s * u + c * v) for u, v in places]

    def wall(self, body: Any) -> None:
        """Draws a wall."""
        self.pen.polygon(self.corners(body), fill=WALL if body["kind"] != OUTER else (60, 58, 56))

    def thing(self, body: Any) -> None:
        """Draws a box or ramp."""
        rim = LOCKS[int(body["team"])]
        self.pen.polygon(self.corners(body), fill=THINGS[int(body["kind"])], outline=rim, width=FINER)
        if body["team"] != FREE:
            self.pen.polygon(self.corners(body), outline=rim, width=3 * FINER)
        if body["kind"] == RAMP:
            low, _, _, high = self.corners(body, 0.6, 0.6)
            c, s = math.cos(body["angle"]), math.sin(body["angle"])
            tip = self.at(body["x"] + 0.6 * c * body["half_x"], body["y"] + 0.6 * s * body["half_x"])
            self.pen.polygon([low, tip, high], fill=(90, 120, 70))

    def agent(self, agent: Any, cone: float | None) -> None:
        """Draws an agent, where it looks, and what it could see."""
        x, y, radius, color = agent["x"], agent["y"], float(agent["half_x"]), TEAMS[int(agent["team"])]
        middle, rim = self.at(x, y), radius * self.scale
        if cone is not None:
            angle, half = -math.degrees(agent["angle"]), math.degrees(math.acos(cone))
            box = [middle[0] - 4 * rim, middle[1] - 4 * rim, middle[0] + 4 * rim, middle[1] + 4 * rim]
            self.pen.pieslice(box, angle - half, angle + half, fill=(*color, BEAM))
        box = [middle[0] - rim, middle[1] - rim, middle[0] + rim, middle[1] + rim]
        self.pen.ellipse(box, fill=color, outline=(255, 255, 255) if agent["level"] else (30, 30, 30), width=2 * FINER)
        nose = self.at(x + radius * math.cos(agent["angle"]), y + radius * math.sin(agent["angle"]))
        self.pen.line([middle, nose], (255, 255, 255), width=2 * FINER)

    def beams(self, agent: Any, ranges: Any, cone: float | None) -> None:
        """Draws what an agent's lidar meets: all rays, or those in its cone."""
        turns = 2 * math.pi * np.arange(len(ranges)) / len(ranges)
        color = (*TEAMS[int(agent["team"])], 2 * BEAM)
        for turn, far in zip(turns, ranges, strict=True):
            if cone is None or math.cos(turn) >= cone:
                angle = agent["angle"] + turn
                end = self.at(agent["x"] + far * math.cos(angle), agent["y"] + far * math.sin(angle))
                self.pen.line([self.at(agent["x"], agent["y"]), end], color, width=FINER)
