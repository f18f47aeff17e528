"""What is counted of an episode, by hand."""

import numpy as np
import pytest

from palestra.envs.hide_and_seek.batch import HideAndSeekBatch
from palestra.envs.hide_and_seek.state import FREE, HIDERS, RAMP, SEEKERS
from palestra.envs.hide_and_seek.statistics import COUNTED, forget, is_closed, statistics_of, track
from tests.envs.hide_and_seek.test_solver import random_actions
from tests.envs.hide_and_seek.worlds import Set


def counted(world: Set) -> dict[str, float]:
    """Returns the statistics so far."""
    return statistics_of(world.batch.games, world.batch.rules)[0]


def test_a_room_is_closed_by_a_box_in_its_door() -> None:
    world = Set((1.0, 1.0, 0.0), (5.0, 1.0, 0.0), seekers=1)
    world.wall(3.0, 1.25, 0.05, 1.25)
    world.wall(3.0, 4.75, 0.05, 1.25)  # a door between 2.5 and 3.5
    assert not is_closed(world.bodies, world.rules, world.game)
    box = world.box(3.0, 3.0, half=(0.25, 0.45))
    assert is_closed(world.bodies, world.rules, world.game)
    world.place(box, 3.0, 2.9)
    assert is_closed(world.bodies, world.rules, world.game)  # 0.1 is left, an agent is 0.3 wide
    world.place(box, 3.0, 2.65)
    assert not is_closed(world.bodies, world.rules, world.game)
    world.place(box, 3.0, 3.0)
    world.place(1, 1.5, 2.0)  # the seeker is inside
    assert not is_closed(world.bodies, world.rules, world.game)


def test_distances_moved_and_locks_by_hand() -> None:
    world = Set((1.0, 1.0, 0.0), (2.0, 1.0, 0.0), (5.0, 5.0, 0.0), seekers=1)
    forget(world.game)
    near, far, ramp = world.box(3.0, 3.0), world.box(4.0, 1.0), world.box(1.0, 5.0, kind=RAMP)
    world.rules.preparation, world.rules.horizon = 2, 4
    places = (
        (0.3, 0.4, 0.0),
        (0.0, 0.0, 0.0),
        (0.6, 0.8, 0.5),
        (0.0, 0.0, 0.0),
    )  # from the beginning
    for time, (x, y, up) in enumerate(places, 1):
        world.bodies[near].x, world.bodies[near].y = 3.0 + x, 3.0 + y
        world.bodies[ramp].y = 5.0 + up
        world.bodies[far].team = HIDERS if time >= 2 else FREE
        world.bodies[near].team = SEEKERS if time >= 3 else FREE  # which does not count
        world.bodies[0].hold = near if time % 2 else -1
        world.bodies[2].level = int(time == 4)
        world.game.time, world.game.hidden = time, time != 4
        track(world.bodies, world.rules, world.game)
    found = counted(world)
    assert found["box_moved_preparation"] == pytest.approx(0.5)
    assert found["box_moved"] == pytest.approx(1.0)
    assert found["ramp_moved_preparation"] == 0.0
    assert found["ramp_moved"] == pytest.approx(0.5)
    assert found["box_locked_preparation"] == found["box_locked"] == 1.0
    assert found["ramp_locked"] == 0.0
    assert found["hidden_time"] == 0.5  # of two steps after the preparation
    assert found["held"] == pytest.approx(2 / 12)  # of four steps of three agents
    assert found["above"] == 0.5  # of two steps of one seeker
    assert found["distance"] == pytest.approx(5.0)  # from (5, 5) to (2, 1)
    forget(world.game)
    assert not any(counted(world).values())


def test_surfing_is_going_above_while_one_holds() -> None:
    world = Set((1.0, 1.0, 0.0), (5.0, 5.0, 0.0), seekers=1)
    forget(world.game)
    world.rules.preparation, world.game.time = 0, 1
    seeker = world.bodies[1]
    seeker.vx, seeker.vy = 3.0, 4.0
    for level, hold in ((0, 3), (1, -1), (1, 3)):
        seeker.level, seeker.hold = level, hold
        track(world.bodies, world.rules, world.game)
    assert counted(world)["surfed"] == pytest.approx(5.0 * world.rules.step)


def test_hidden_time_is_what_rewards_say() -> None:
    batch, rng = HideAndSeekBatch("quadrant", 32), np.random.default_rng(0)
    batch.reset(0)
    total = np.zeros(32)
    for _ in range(batch.scenario.horizon):
        _, rewards, ends = batch.step(random_actions(rng, batch))
        total += rewards[:, 0]
    assert ends.all()
    found = statistics_of(batch.ended, batch.rules)
    after = batch.scenario.horizon - int(batch.rules.preparation[0])
    assert [2 * row["hidden_time"] - 1 for row in found] == pytest.approx((total / after).tolist())
    assert set(found[0]) == set(COUNTED)
    assert all(0 <= row[name] <= 1 for row in found for name in ("hidden_time", "held", "above", "closed"))
