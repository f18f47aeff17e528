"""An episode of hide-and-seek as one page that a browser plays: scrub, follow an agent, see cones and lidar."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from palestra.envs.hide_and_seek.batch import HideAndSeekBatch
from palestra.envs.hide_and_seek.replay_page import PAGE
from palestra.envs.hide_and_seek.state import ABSENT

DIGITS = 3  # of metres and radians


class Replay:
    """What happens in one of a batch's worlds; `add` is called after a reset and after each step.

    An episode that ended without `reset=False` has begun anew before it can be added, so that its last step is missing.
    """

    def __init__(self, batch: HideAndSeekBatch, world: int = 0) -> None:
        self._batch, self._world = batch, world
        self.setting: dict[str, Any] = {}  # what stays as it is: kinds, sizes, walls
        self.frames: list[dict[str, Any]] = []  # what moves

    def __len__(self) -> int:
        """Returns how many moments there are."""
        return len(self.frames)

    def add(self) -> None:
        """Adds the world as it is now; the first moment of a new episode forgets the one before."""
        batch, n = self._batch, self._world
        bodies = batch.bodies[n][: int(batch.games[n].bodies)]
        there = np.flatnonzero(bodies["kind"] != ABSENT)
        if batch.games[n].time == 0 or not self.frames:
            self.frames, self.setting = [], self._setting(bodies[there])
        moving = there[there < len(bodies) - int((bodies["kind"] > 3).sum())]
        index = {int(body): k for k, body in enumerate(there)} | {-1: -1}
        agents = batch.scenario.agents
        self.frames.append(
            {
                "pose": _rounded(np.stack([bodies[name][moving] for name in ("x", "y", "angle")], axis=1)),
                "team": bodies["team"][moving].tolist(),
                "level": bodies["level"][:agents].tolist(),
                "hold": [index[int(body)] for body in bodies["hold"][:agents]],
                "hidden": int(batch.games[n].hidden),
                "ranges": _rounded(batch.sight.ranges[n], 2),
                "seen": [[index[body] for body in self._seen(i) if body in index] for i in range(agents)],
            }
        )

    def save(self, path: Path) -> None:
        """Writes the page, which needs nothing else.

        Raises:
            ValueError: nothing has been added.
        """
        if not self.frames:
            raise ValueError("a replay has no moments; add() is called after a reset and after each step")
        path.write_text(self.page())

    def page(self, live: int | None = None) -> str:
        """Returns the page; for an agent that its reader plays, one that asks a server for each step."""
        text = json.dumps(self.setting | {"frames": self.frames}, separators=(",", ":"))
        return PAGE.replace("LIVE", json.dumps(live)).replace("REPLAY", text)

    def _seen(self, agent: int) -> list[int]:
        """Returns which bodies an agent sees."""
        agents = self._batch.scenario.agents
        others = [j for j in range(agents) if j != agent]
        things = list(range(agents, agents + self._batch.sight.things.shape[2]))
        seen = self._batch.sight.seen[self._world, agent]
        return [body for body, is_seen in zip(others + things, seen, strict=True) if is_seen]

    def _setting(self, bodies: Any) -> dict[str, Any]:
        """Returns what stays as it is: kinds, sizes, walls."""
        scenario = self._batch.scenario
        walls = bodies["kind"] > 3
        return {
            "floor": scenario.floor,
            "step": scenario.step,
            "preparation": int(self._batch.rules["preparation"][0]),
            "horizon": scenario.horizon,
            "cone": float(np.arccos(self._batch.rules["cone"][0])),
            "hiders": scenario.hiders,
            "agents": scenario.agents,
            "kind": bodies["kind"].tolist(),
            "half": _rounded(np.stack([bodies["half_x"], bodies["half_y"]], axis=1)),
            "walls": _rounded(np.stack([bodies["x"][walls], bodies["y"][walls]], axis=1)),
        }


def _rounded(array: Any, digits: int = DIGITS) -> Any:
    return np.round(np.asarray(array, np.float64), digits).tolist()
