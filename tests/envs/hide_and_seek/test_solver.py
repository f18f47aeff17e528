"""The physics beside its slow twin, and what holds for all bodies: momentum, energy, no overlap, no tunnel."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from palestra.envs.hide_and_seek.batch import HideAndSeekBatch
from palestra.envs.hide_and_seek.contacts import deepest, new_scratch
from palestra.envs.hide_and_seek.joints import wrapped
from palestra.envs.hide_and_seek.solver import STRIDE, TOLERANCE, advance, substep
from palestra.envs.hide_and_seek.state import ABSENT, AGENT, BOX, RAMP
from tests.envs.hide_and_seek.worlds import OPEN, Set
from tests.naive_hide_and_seek import World

POSE = ("x", "y", "vx", "vy", "spin")


def random_actions(rng: np.random.Generator, batch: HideAndSeekBatch) -> np.ndarray:
    """Draws actions of all agents."""
    shape = (batch.num_worlds, batch.scenario.agents)
    forces = rng.integers(batch.scenario.buckets, size=(*shape, 3))
    return np.concatenate([forces, rng.integers(2, size=(*shape, 2))], axis=2)


@pytest.mark.kernel
@pytest.mark.parametrize("scenario", ["quadrant", "full"])
def test_a_step_is_the_twins(scenario: str) -> None:
    batch, rng, touched = HideAndSeekBatch(scenario, 2), np.random.default_rng(0), 0
    batch.reset(0)
    scratch = new_scratch(batch.scenario.bodies, batch.scenario.bodies)
    for t in range(40):
        if t % 5 == 0:
            actions = random_actions(rng, batch)
        batch.step(actions)
        for n in range(2):
            bodies, game = batch.bodies[n].copy(), batch.games[n]
            twin = World.read(bodies, batch.rules[0], game.bodies)
            twin.step()
            advance(bodies, batch.rules[0], game, scratch)
            for k, body in enumerate(twin.moving):
                if bodies[k].kind == ABSENT:
                    continue
                found = [bodies[k][name] for name in POSE]
                assert found == pytest.approx([*body.place, *body.speed, body.spin], abs=1e-9)
                assert wrapped(bodies[k].angle - body.angle) == pytest.approx(0.0, abs=1e-9)
                if k < len(twin.agents):
                    assert (bodies[k].level, bodies[k].ramp) == (body.level, body.ramp)
            touched += len(twin.near(0.0))
    assert touched > 20  # otherwise nothing was compared


def free_world(angles: tuple[float, ...], speeds: tuple[float, ...]) -> Set:
    """Returns two boxes that meet in the middle, without drag and ground, each with a speed."""
    world = Set((0.5, 0.5, 0.0))
    world.rules.drag = world.rules.ground = 0.0
    for k, (x, speed) in enumerate(((2.4, 1.0), (3.3, -1.0))):
        body = world.bodies[world.box(x, 3.0 + 0.1 * k, angles[k])]
        body.vx, body.vy, body.spin = speed * speeds[3 * k], speeds[3 * k + 1], speeds[3 * k + 2]
    return world


def momenta(world: Set) -> tuple[float, float, float, float]:
    """Returns momentum along x and y, angular momentum, and energy of all that moves."""
    x = y = around = energy = 0.0
    for body in world.bodies:
        if body.per_mass > 0 and body.kind in (AGENT, BOX, RAMP):
            mass, inertia = 1 / body.per_mass, 1 / body.per_inertia
            x, y = x + mass * body.vx, y + mass * body.vy
            around += mass * (body.x * body.vy - body.y * body.vx) + inertia * body.spin
            energy += 0.5 * mass * (body.vx**2 + body.vy**2) + 0.5 * inertia * body.spin**2
    return x, y, around, energy


def limited(world: Set) -> bool:
    """Says whether a body is as fast as a substep's stride lets it be: slowing it to that took momentum."""
    fastest = STRIDE * world.rules.substeps / world.rules.step
    return any(
        math.hypot(body.vx, body.vy) + abs(body.spin) * (body.half_x + body.half_y) > fastest - 1e-9
        for body in world.bodies
        if body.kind in (AGENT, BOX, RAMP)
    )


@given(
    angles=st.tuples(*[st.floats(-3.0, 3.0)] * 2),
    speeds=st.tuples(
        st.floats(0.2, 3.0), *[st.floats(-2.0, 2.0)] * 2, st.floats(0.2, 3.0), *[st.floats(-2.0, 2.0)] * 2
    ),
)
@example(angles=(0.0, 0.0), speeds=(2.0, -1.0, 0.0, 2.0, 1.0, 0.0))  # below the limit
@example(angles=(0.0, 0.0), speeds=(3.0, -2.0, 0.0, 3.0, 1.0, 2.0))  # a corner's blow spins one up to it
@settings(max_examples=200, deadline=None)
def test_momentum_stays_and_energy_never_grows(angles: tuple[float, ...], speeds: tuple[float, ...]) -> None:
    world = free_world(angles, speeds)
    scratch = new_scratch(len(world.bodies), len(world.bodies))
    if deepest(world.bodies, world.first + 5, world.game, scratch) > 0:
        return
    assert not limited(world)
    begin, energy = momenta(world)[:3], momenta(world)[3]
    for _ in range(6 * world.rules.substeps):
        substep(world.bodies, world.rules, world.game, scratch, world.rules.step / world.rules.substeps)
        now, before, energy = momenta(world), energy, momenta(world)[3]
        assert energy <= before + 1e-9
        if limited(world):
            begin = now[:3]
        assert now[:2] == pytest.approx(begin[:2], abs=1e-9)
        assert now[2] == pytest.approx(begin[2], abs=0.1)  # mending moves places, by millimetres, not velocities


@given(speed=st.floats(1.0, 1000.0), angle=st.floats(-math.pi, math.pi), kind=st.sampled_from(["agent", "box"]))
@settings(max_examples=200, deadline=None)
def test_nothing_passes_through_a_wall_at_any_speed(speed: float, angle: float, kind: str) -> None:
    world = Set((3.0, 3.0, angle), scenario=OPEN)
    for x, y, half_x, half_y in (
        (2.0, 3.0, 0.05, 1.05),
        (4.0, 3.0, 0.05, 1.05),
        (3.0, 2.0, 1.05, 0.05),
        (3.0, 4.0, 1.05, 0.05),
    ):
        world.wall(x, y, half_x, half_y)
    body = world.bodies[0]
    if kind == "box":
        world.place(0, 0.5, 0.5)
        body = world.bodies[world.box(3.0, 3.0, angle)]
    body.vx, body.vy, body.spin = speed * math.cos(angle), speed * math.sin(angle), 20.0
    for _ in range(5):
        world.step()
        assert abs(body.x - 3.0) < 1.0
        assert abs(body.y - 3.0) < 1.0
    scratch = new_scratch(len(world.bodies), len(world.bodies))
    assert deepest(world.bodies, world.first + 5, world.game, scratch) <= TOLERANCE


@pytest.mark.slow
def test_a_million_steps_without_overlap_or_nan() -> None:
    batch, rng, worst = HideAndSeekBatch("full", 1000), np.random.default_rng(0), 0.0
    batch.reset(0)
    moving = batch.scenario.agents + batch.scenario.boxes[1] + batch.scenario.ramps
    scratch = new_scratch(batch.scenario.bodies, moving)
    for t in range(1000):
        if t % 4 == 0:
            actions = random_actions(rng, batch)
        batch.step(actions)
        for n in range(t % 10, 1000, 10):
            worst = max(worst, deepest(batch.bodies[n], moving, batch.games[n], scratch))
    assert worst <= TOLERANCE
    assert all(np.isfinite(batch.bodies[name]).all() for name in ("x", "y", "angle", "vx", "vy", "spin"))
    assert batch.games["reverted"].sum() <= 10  # of 4 million substeps: taking one back is for emergencies


def test_an_agent_reaches_three_metres_a_second() -> None:
    world = Set((0.5, 3.0, 0.0))
    world.step((10, 5, 5, 0, 0), times=12)  # 0.9 seconds: 1 - e^-9 of force / drag = 3
    assert world.bodies[0].vx == pytest.approx(3.0 * (1 - math.exp(-9)), rel=1e-9)


def test_a_pushed_box_stops_by_the_ground() -> None:
    world = Set((0.5, 0.5, 0.0))
    box = world.bodies[world.box(2.0, 3.0)]
    box.vx = 1.0
    world.step(times=10)
    assert box.vx == 0.0
    assert box.x == pytest.approx(2.0 + 1.0 / (2 * 2.0), abs=0.01)  # v^2 / 2a, to the length of a substep


def test_friction_holds_below_its_cone_and_slips_above() -> None:
    for friction, moves in ((5.0, False), (0.0, True)):
        world = Set((0.5, 0.5, 0.0))
        world.rules.friction, world.rules.ground = friction, 0.0
        world.wall(3.0, 3.0, 1.0, 0.05)
        box = world.bodies[world.box(3.0, 3.3)]
        box.vx, box.vy = 0.5, -1.0
        world.step()
        assert (abs(box.vx) > 0.4) == moves
