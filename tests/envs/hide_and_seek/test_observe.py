"""What agents observe, by hand, and what it does not depend on."""

import math
from dataclasses import replace

import numpy as np
import pytest

from palestra.envs.hide_and_seek.contacts import set_frame
from palestra.envs.hide_and_seek.observe import OTHER, SELF, THING, Sight, new_sight, observe, turn_heads
from palestra.envs.hide_and_seek.state import HIDERS, RAMP, SEEKERS
from tests.envs.hide_and_seek.worlds import OPEN, Set


def seen_in(world: Set) -> Sight:
    """Returns what the agents of a world observe."""
    batch = world.batch
    sight = new_sight(1, world.first, batch.sight.things.shape[2], batch.scenario.rays)
    one = Sight(*(array[0] for array in sight))
    turn_heads(world.bodies, world.rules)
    observe(world.bodies, world.rules, world.game, batch._rays, one)
    return one


def named(names: tuple[str, ...], row: np.ndarray) -> dict[str, float]:
    """Returns a row of numbers by its columns' names."""
    return dict(zip(names, row.tolist(), strict=True))


def test_an_agent_knows_itself_by_hand() -> None:
    world = Set((4.5, 1.5, math.pi / 2), (1.0, 1.0, 0.0), seekers=1)
    agent = world.bodies[0]
    agent.vx, agent.vy, agent.spin, agent.level = 1.5, -0.5, 2.0, 1
    world.rules.preparation, world.game.time = 96, 24
    me = named(SELF, seen_in(world).me[0])
    assert me == pytest.approx(
        {
            "x": 0.5, "y": -0.5, "vx": 1.5, "vy": -0.5, "cos": 0.0, "sin": 1.0, "spin": 2.0, "level": 1.0,
            "holds": 0.0, "seeker": 0.0, "preparation left": 0.75, "time left": 0.9,
        },
        abs=1e-6,
    )  # fmt: skip
    world.game.time, agent.hold = 120, world.box(5.0, 1.5)
    me = named(SELF, seen_in(world).me[0])
    assert (me["holds"], me["preparation left"], me["time left"]) == (1.0, 0.0, 0.5)
    assert named(SELF, seen_in(world).me[1])["seeker"] == 1.0


def test_others_and_things_by_hand() -> None:
    world = Set((1.5, 3.0, 0.0), (4.5, 3.0, math.pi), seekers=1)
    box, ramp = world.box(3.0, 5.0, half=(0.4, 0.2)), world.box(3.0, 0.5, kind=RAMP)
    world.bodies[box].team, world.bodies[ramp].team, world.bodies[1].hold = HIDERS, SEEKERS, ramp
    sight = seen_in(world)
    assert named(OTHER, sight.others[0, 0]) == pytest.approx(
        {"x": 0.5, "y": 0.0, "vx": 0, "vy": 0, "cos": -1.0, "sin": 0, "level": 0, "holds": 1.0, "same team": 0.0},
        abs=1e-6,
    )
    there = {"x": 0.0, "y": 2 / 3, "vx": 0, "vy": 0, "cos": 1.0, "sin": 0, "half_x": 0.4, "half_y": 0.2, "ramp": 0}
    locks = {"locked by us": 1.0, "locked by them": 0.0, "held by me": 0.0}
    assert named(THING, sight.things[0, box - world.first]) == pytest.approx(there | locks, abs=1e-6)
    last = named(THING, sight.things[1, -1])
    assert [last[name] for name in ("ramp", "held by me", "locked by us")] == [1.0, 1.0, 1.0]
    assert not sight.things[0, box + 1 - world.first].any()  # a place without a box
    assert not sight.seen[:, -2].any()


def test_what_is_observed_egocentrically_does_not_depend_on_where_the_world_is_turned() -> None:
    quarters = []
    for quarter in range(4):
        turn = quarter * math.pi / 2

        def turned(x: float, y: float, angle: float, turn: float = turn) -> tuple[float, float, float]:
            c, s = round(math.cos(turn)), round(math.sin(turn))
            return 3 + c * (x - 3) - s * (y - 3), 3 + s * (x - 3) + c * (y - 3), angle + turn

        scenario = replace(OPEN, egocentric=True)
        places = ((2.0, 2.5, 0.3), (4.0, 3.5, -2.0))
        world = Set(*(turned(*place) for place in places), scenario=scenario, seekers=1)
        world.box(*turned(2.6, 4.1, 0.7), half=(0.4, 0.2))
        for body, (vx, vy) in zip(world.bodies[:2], ((1.0, 0.5), (-0.3, 0.2)), strict=True):
            c, s = math.cos(turn), math.sin(turn)
            body.vx, body.vy = c * vx - s * vy, s * vx + c * vy
            set_frame(body)
        sight = seen_in(world)
        quarters.append(np.concatenate([sight.me[:, 2:4].ravel(), *(part.ravel() for part in sight[1:])]))
    for other in quarters[1:]:
        assert other == pytest.approx(quarters[0], abs=1e-5)
    assert len(set(quarters[0].tolist())) > 40


def test_what_one_sees_straight_ahead_is_along_the_first_axis() -> None:
    world = Set((3.0, 2.0, math.pi / 2), (3.0, 3.5, 0.0), scenario=replace(OPEN, egocentric=True))
    other = named(OTHER, seen_in(world).others[0, 0])
    assert (other["x"], other["y"]) == pytest.approx((0.5, 0.0), abs=1e-6)  # halves of the floor: 1.5 of 3 metres
    assert (other["cos"], other["sin"]) == pytest.approx((0.0, -1.0), abs=1e-6)  # it looks to the right
