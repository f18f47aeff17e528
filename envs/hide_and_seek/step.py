"""A step of a world of hide-and-seek, and of many."""

from numba import njit

from palestra.envs.hide_and_seek.hands import use_hands, use_locks
from palestra.envs.hide_and_seek.joints import wrapped
from palestra.envs.hide_and_seek.layout import begin
from palestra.envs.hide_and_seek.observe import observe, sight_of, turn_heads
from palestra.envs.hide_and_seek.sight import sees
from palestra.envs.hide_and_seek.solver import advance
from palestra.envs.hide_and_seek.state import HIDERS, MOVE_X, MOVE_Y, TURN, num_moving
from palestra.envs.hide_and_seek.statistics import forget, track


@njit(cache=True)
def _push(bodies, rules, actions, acting):  # type: ignore[no-untyped-def]
    """Writes the forces that the first `acting` agents want, of the others none."""
    middle = 0.5 * (rules.buckets - 1)
    for i in range(rules.agents):
        agent = bodies[i]
        agent.push_x = agent.push_y = agent.push_spin = 0.0
        if i < acting:
            x, y = rules.force * (actions[i, MOVE_X] / middle - 1.0), rules.force * (actions[i, MOVE_Y] / middle - 1.0)
            agent.push_x, agent.push_y = x, y
            if rules.egocentric:
                agent.push_x = agent.cos * x - agent.sin * y
                agent.push_y = agent.sin * x + agent.cos * y
            agent.push_spin = rules.torque * (actions[i, TURN] / middle - 1.0)


@njit(cache=True)
def any_seen(bodies, rules, game):  # type: ignore[no-untyped-def]
    """Says whether a seeker sees a hider."""
    for i in range(rules.hiders, rules.agents):
        for j in range(rules.hiders):
            if sees(bodies, rules, game, i, j):
                return True
    return False


@njit(cache=True)
def _reward(bodies, rules, game, rewards):  # type: ignore[no-untyped-def]
    """Writes the rewards of a step: for hiders 1 if all are hidden, else -1; who is far outside gets the penalty."""
    game.hidden = not any_seen(bodies, rules, game)
    for i in range(rules.agents):
        agent = bodies[i]
        rewards[i] = 0.0
        if game.time > rules.preparation:
            rewards[i] = 1.0 if (game.hidden != 0) == (agent.team == HIDERS) else -1.0
        low, high = -rules.arena, rules.floor + rules.arena
        if not (low <= agent.x <= high and low <= agent.y <= high):
            rewards[i] = rules.outside


@njit(cache=True)
def step_world(bodies, rules, game, scratch, actions, rewards):  # type: ignore[no-untyped-def]
    """Moves a world by a step as the actions `[A, 5]` say, and writes rewards `[A]`."""
    acting = rules.agents if game.time >= rules.preparation else rules.hiders
    use_locks(bodies, rules, game, actions, acting)
    use_hands(bodies, rules, game, actions, acting)
    _push(bodies, rules, actions, acting)
    advance(bodies, rules, game, scratch)
    for i in range(num_moving(rules)):
        body = bodies[i]
        body.angle = wrapped(body.angle)
    turn_heads(bodies, rules)
    game.time += 1
    _reward(bodies, rules, game, rewards)
    track(bodies, rules, game)


@njit(cache=True)
def begin_world(bodies, rules, game, scratch, rng):  # type: ignore[no-untyped-def]
    """Begins an episode of a world."""
    begin(bodies, rules, game, rng, scratch.contacts)
    forget(game)
    turn_heads(bodies, rules)
    game.hidden = not any_seen(bodies, rules, game)


@njit(cache=True, nogil=True)
def step_worlds(worlds, games, rules, scratch, rngs, rays, sight, actions, rewards, ended, again, low, high):  # type: ignore[no-untyped-def]
    """Steps worlds `low` to `high` and writes what is seen then.

    Games that end lie in `ended`, whose time is 0 else, and begin anew if `again`.
    """
    for n in range(low, high):
        step_world(worlds[n], rules[0], games[n], scratch, actions[n], rewards[n])
        ended[n].time = 0
        if games[n].time >= rules[0].horizon:
            ended[n] = games[n]
            if again:
                begin_world(worlds[n], rules[0], games[n], scratch, rngs[n])
        observe(worlds[n], rules[0], games[n], rays, sight_of(sight, n))


@njit(cache=True, nogil=True)
def look_at_worlds(worlds, games, rules, rays, sight, low, high):  # type: ignore[no-untyped-def]
    """Writes what is seen in worlds `low` to `high`."""
    for n in range(low, high):
        observe(worlds[n], rules[0], games[n], rays, sight_of(sight, n))


@njit(cache=True, nogil=True)
def begin_worlds(worlds, games, rules, scratch, rngs, rays, sight, low, high):  # type: ignore[no-untyped-def]
    """Begins an episode of worlds `low` to `high` and writes what is seen then."""
    for n in range(low, high):
        begin_world(worlds[n], rules[0], games[n], scratch, rngs[n])
        observe(worlds[n], rules[0], games[n], rays, sight_of(sight, n))
