"""Scenarios: their figures, and what they refuse."""

import math
from dataclasses import replace

import pytest

from palestra.envs.hide_and_seek.scenario import ROOMS, SCENARIOS, Scenario, scenario_named


def test_the_scenarios_have_the_papers_figures() -> None:
    # Baker et al. (2019) and the environments released with it: 240 steps of which 40 % are the preparation, 30 rays,
    # 135 degrees, 3 to 9 boxes, 2 ramps; in the quadrant 80 steps, 2 boxes and a ramp that cannot be locked.
    full, quadrant = SCENARIOS["full"], SCENARIOS["quadrant"]
    assert (full.horizon, full.preparation, full.rays, full.sight) == (240, 0.4, 30, 135.0)
    assert (full.boxes, full.ramps, full.hiders, full.seekers) == ((3, 9), 2, 2, 2)
    assert (quadrant.horizon, quadrant.boxes, quadrant.ramps, quadrant.lock_ramps) == (80, (2, 2), 1, False)


def test_rules_are_what_compiled_code_takes() -> None:
    rules = Scenario(hiders=1, seekers=3, boxes=(1, 5), elongated=(2, 4), rooms="six", box=0.6).rules()[0]
    assert (rules.hiders, rules.agents) == (1, 4)
    assert (rules.fewest_boxes, rules.boxes, rules.fewest_long, rules.most_long) == (1, 5, 2, 4)
    assert rules.box == 0.3  # half a side
    assert rules.rooms == ROOMS["six"]
    assert rules.preparation == 96  # of 240 steps
    assert math.degrees(math.acos(rules.cone)) == pytest.approx(135 / 2)


def test_there_is_room_for_all_bodies() -> None:
    scenario = replace(SCENARIOS["full"], hiders=3, boxes=(0, 7), ramps=1, rooms="random")
    assert scenario.bodies == 5 + 7 + 1 + 4 + 6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hiders": 0, "seekers": 0}, "at least one agent"),
        ({"boxes": (5, 3)}, "boxes"),
        ({"horizon": 0}, "horizon"),
        ({"preparation": 1.5}, "preparation"),
        ({"rooms": "maze"}, "rooms"),
        ({"buckets": 1}, "buckets"),
        ({"floor": float("nan")}, "floor"),
    ],
)
def test_nonsense_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SCENARIOS["full"], **change)  # type: ignore[arg-type]


def test_a_scenario_is_found_by_its_name() -> None:
    assert scenario_named("full") == SCENARIOS["full"]
    with pytest.raises(ValueError, match="did you mean quadrant"):
        scenario_named("quadrent")
