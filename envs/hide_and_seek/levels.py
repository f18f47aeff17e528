"""Two levels in place of a third dimension: the ground, and above boxes and inner walls; ramps lead up.

An agent on the ground enters a ramp over its low edge, at -x in the ramp's frame, and may cross it; past the middle it
is above, where it touches only the walls around the floor and others above. It is back on the ground once nothing is
under it, or on the lower half of a ramp that alone is under it. Nobody rises into an agent that is above, or drops onto
one that is not.
"""

from numba import njit

from palestra.envs.hide_and_seek.geometry import gap, seen_from
from palestra.envs.hide_and_seek.state import ABSENT, AGENT, FREE, OUTER, RAMP, SEEKERS


@njit(cache=True)
def _meets_agent(bodies, i, agents, level):  # type: ignore[no-untyped-def]
    """Says whether an agent's disc overlaps that of another on a level."""
    agent = bodies[i]
    for j in range(agents):
        other = bodies[j]
        if j != i and other.level == level:
            x, y, reach = other.x - agent.x, other.y - agent.y, agent.half_x + other.half_x
            if x * x + y * y < reach * reach:
                return True
    return False


@njit(cache=True)
def _keep_or_enter(bodies, agent, rules, margin):  # type: ignore[no-untyped-def]
    """Sets which ramp an agent on the ground has entered."""
    entered, agent.ramp = agent.ramp, FREE
    first = rules.agents + rules.boxes
    for j in range(first, first + rules.ramps):
        ramp = bodies[j]
        away = gap(agent, ramp)
        if away <= margin:
            u, v = seen_from(ramp, agent.x, agent.y)
            if (j == entered and away < 0.0) or (u < -ramp.half_x and abs(v) < ramp.half_y):
                agent.ramp = j
                return


@njit(cache=True)
def _rise(bodies, i, agents):  # type: ignore[no-untyped-def]
    """Lifts an agent that is past the middle of its ramp."""
    agent = bodies[i]
    ramp = bodies[agent.ramp]
    u, v = seen_from(ramp, agent.x, agent.y)
    if 0.0 <= u <= ramp.half_x and abs(v) <= ramp.half_y and not _meets_agent(bodies, i, agents, 1):
        agent.level = 1


@njit(cache=True)
def _drop(bodies, i, rules, game):  # type: ignore[no-untyped-def]
    """Puts an agent to the ground if nothing is under it, or the lower half of one ramp alone."""
    agent, under = bodies[i], FREE
    if _meets_agent(bodies, i, rules.agents, 0):
        return
    for j in range(rules.agents, game.bodies):
        body = bodies[j]
        if body.kind in (ABSENT, OUTER) or gap(agent, body) >= 0.0:
            continue
        if under != FREE or body.kind != RAMP or seen_from(body, agent.x, agent.y)[0] >= 0.0:
            return
        under = j
    if under == FREE and agent.team == SEEKERS:
        game.crossings += 1.0
    agent.level, agent.ramp = 0, under


@njit(cache=True)
def update_levels(bodies, rules, game, margin):  # type: ignore[no-untyped-def]
    """Lifts and drops agents where they stand; `margin` is as far as one may come in a substep."""
    for i in range(rules.agents):
        agent = bodies[i]
        if agent.level == 1:
            _drop(bodies, i, rules, game)
        elif rules.ramps and agent.kind == AGENT:
            _keep_or_enter(bodies, agent, rules, margin)
            if agent.ramp != FREE:
                _rise(bodies, i, rules.agents)
