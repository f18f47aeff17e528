"""Worlds in memory: compiled code finds in them what was put in, and what it draws advances the same numbers."""

import pytest
from numba import njit

from palestra.agents.world import World, opened, sealed
from palestra.envs.game import functions
from palestra.envs.games import make_game
from palestra.envs.rng import next_uint64, seed_state


@njit
def use(memory, state, action):  # type: ignore[no-untyped-def]
    """Makes a move by a world's functions, and draws a number."""
    world = opened(memory)
    reward = world.game.play(state, action, world.rng, world.data)
    return reward, next_uint64(world.rng), len(world.data)


@pytest.mark.kernel
@pytest.mark.parametrize("name", ["tic-tac-toe", "connect-four", "othello"])
def test_what_is_opened_is_what_was_sealed(name: str) -> None:
    game, rng, twin = make_game(name), seed_state(3), seed_state(3)
    memory, state, wanted = sealed(World(functions(game), rng, game.data)), game.start.copy(), game.start.copy()
    action = 19 if name == "othello" else 0
    reward, drawn, size = use(memory, state, action)
    assert reward == game.play(wanted, action, twin, game.data)
    assert (state == wanted).all()
    assert not (state == game.start).all()
    assert int(drawn) == int(next_uint64(twin))
    assert (rng == twin).all()  # the array itself, not a copy, has gone on
    assert size == len(game.data)
    again = use(memory, state, action + 1 if name != "othello" else 18)
    assert int(again[1]) == int(next_uint64(twin))
