"""What happened in an episode, counted while it is played; the measures are those of Baker et al. (2019), Figure 3.

Shelters are found by flooding: a hider is safe if no seeker could walk to it on the ground, on a grid of `CELLS` by
`CELLS`, past boxes, ramps and walls as they stand at the end of the preparation, and of the episode.
"""

import math

import numpy as np
from numba import njit

from palestra.envs.hide_and_seek.paths import CELLS, FAR, block, cell_of, spread_from
from palestra.envs.hide_and_seek.state import ABSENT, BOX, GAME, HIDERS, Records, num_moving


@njit(cache=True)
def is_closed(bodies, rules, game):  # type: ignore[no-untyped-def]
    """Says whether no seeker could walk to a hider."""
    blocked, far = np.empty((CELLS, CELLS), np.bool_), np.empty((CELLS, CELLS), np.int64)
    block(bodies, rules, game, blocked)
    for i in range(rules.agents):  # where somebody stands one can stand
        blocked[cell_of(bodies[i].y, rules), cell_of(bodies[i].x, rules)] = False
    spread_from(bodies, rules, rules.hiders, rules.agents, blocked, far, np.empty(CELLS * CELLS + 16, np.int64))
    for i in range(rules.hiders):  # noqa: SIM110  (compiled)
        if far[cell_of(bodies[i].y, rules), cell_of(bodies[i].x, rules)] < FAR:
            return False
    return True


@njit(cache=True)
def _things(bodies, rules, boxes):  # type: ignore[no-untyped-def]
    """Returns how far from its beginning the farthest box, or ramp, is, and how many hiders have locked."""
    far, locked = 0.0, 0.0
    for j in range(rules.agents, num_moving(rules)):
        body = bodies[j]
        if body.kind != ABSENT and (body.kind == BOX) == boxes:
            far = max(far, math.hypot(body.x - body.start_x, body.y - body.start_y))
            locked += body.team == HIDERS
    return far, locked


@njit(cache=True)
def _nearest(bodies, rules):  # type: ignore[no-untyped-def]
    """Returns how far seekers are from the nearest hider, the mean of all."""
    total = 0.0
    for i in range(rules.hiders, rules.agents):
        best = math.inf
        for j in range(rules.hiders):
            best = min(best, math.hypot(bodies[i].x - bodies[j].x, bodies[i].y - bodies[j].y))
        total += best
    return total / (rules.agents - rules.hiders)


@njit(cache=True)
def track(bodies, rules, game):  # type: ignore[no-untyped-def]
    """Counts the step that has been made; `game.time` is its number from 1."""
    box_moved, game.box_locked = _things(bodies, rules, True)
    ramp_moved, game.ramp_locked = _things(bodies, rules, False)
    game.box_moved, game.ramp_moved = max(game.box_moved, box_moved), max(game.ramp_moved, ramp_moved)
    for i in range(rules.agents):
        agent = bodies[i]
        if agent.hold >= 0:
            game.held += 1.0
            if agent.level == 1:
                game.surfed += rules.step * math.hypot(agent.vx, agent.vy)
    if game.time > rules.preparation:
        game.hidden_time += game.hidden
        if 0 < rules.hiders < rules.agents:
            game.distance += _nearest(bodies, rules)
        for i in range(rules.hiders, rules.agents):
            game.above += bodies[i].level
    elif game.time == rules.preparation:
        game.box_moved_preparation, game.box_locked_preparation = game.box_moved, game.box_locked
        game.ramp_moved_preparation, game.ramp_locked_preparation = game.ramp_moved, game.ramp_locked
        game.closed = is_closed(bodies, rules, game)
    if game.time == rules.horizon:
        game.closed_last = is_closed(bodies, rules, game)


@njit(cache=True)
def forget(game):  # type: ignore[no-untyped-def]
    """Begins to count an episode."""
    game.hidden_time = game.distance = game.held = game.above = game.crossings = game.surfed = 0.0
    game.closed = game.closed_last = 0.0
    game.box_moved = game.box_moved_preparation = game.ramp_moved = game.ramp_moved_preparation = 0.0
    game.box_locked = game.box_locked_preparation = game.ramp_locked = game.ramp_locked_preparation = 0.0


COUNTED = (GAME.names or ())[(GAME.names or ()).index("hidden_time") :]


def statistics_of(games: Records, rules: Records) -> list[dict[str, float]]:
    """Returns the statistics of games `[N]` that have ended, as `GAME` names them.

    `hidden_time` is the share of the steps after the preparation in which all hiders are hidden, `distance` the mean
    over these steps; `held` and `above` are shares of agents' and of seekers' steps.
    """
    rule, after = rules[0], max(1, int(rules[0].horizon - rules[0].preparation))
    scale = dict.fromkeys(COUNTED, 1.0) | {
        "hidden_time": after,
        "distance": after,
        "held": rule.horizon * rule.agents,
        "above": after * max(1, rule.agents - rule.hiders),
    }
    return [{name: float(game[name] / scale[name]) for name in COUNTED} for game in games]
