"""Which of the phases of Baker et al. (2020), section 5 and Figure 1, teams that play hide-and-seek show.

Each phase has a sign in an episode's statistics (`envs/hide_and_seek/statistics.py`): a mean that is so far above, or
below, that of random play in the same scenario. An answer to a trick shows only after the trick has. The paper tells
the phases by looking at videos and at such curves; the thresholds are ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Statistics = Mapping[str, float]


@dataclass(frozen=True)
class Phase:
    """A phase and the changes from random play of which any one is its sign."""

    name: str
    changes: Mapping[str, float]
    after: str = ""
    """The trick that it answers."""

    def shown_by(self, played: Statistics, random: Statistics) -> bool:
        """Says whether mean statistics show it, leaving aside what must have come before."""
        return any(
            (played[name] - random[name] >= change) if change > 0 else (played[name] - random[name] <= change)
            for name, change in self.changes.items()
        )


PHASES = (
    Phase("running and chasing", {"distance": -0.4}),  # metres between seekers and the nearest hider
    Phase("shelters", {"closed": 0.25, "closed_last": 0.25}),  # share of the episodes
    Phase("ramps", {"crossings": 0.2}),  # of walls by seekers, an episode
    Phase("ramp defence", {"ramp_moved_preparation": 0.5, "ramp_locked_preparation": 0.5}, after="ramps"),
    Phase("box surfing", {"surfed": 0.5}),  # metres
    Phase("surf defence", {"box_locked_preparation": 1.5}, after="box surfing"),
)


def phases_of(rows: Sequence[Statistics], random: Statistics) -> list[list[str]]:
    """Returns the names of the phases that each of successive mean statistics shows."""
    seen: set[str] = set()
    found = []
    for row in rows:
        shown = [p.name for p in PHASES if p.shown_by(row, random) and (not p.after or p.after in seen)]
        seen.update(shown)
        found.append(shown)
    return found
