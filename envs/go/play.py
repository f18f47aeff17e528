"""Whole moves by the rules: `legal`, `play` and `set_up`, with the hash, the past and the end of the game."""

from numba import njit

from palestra.envs.go.board import change, is_legal, open_point, place, point_of
from palestra.envs.go.dead import agreed_lead_2
from palestra.envs.go.scoring import score_2
from palestra.envs.go.state import (
    ACTION,
    AREA,
    BLACK,
    BOARDS,
    COLOR,
    COUNTING,
    EMPTIES,
    EMPTY,
    EMPTY_POINT,
    HASH,
    HISTORY,
    KO,
    LAST,
    LAST_BUT_ONE,
    MAX_PLIES,
    NUM_BOARDS,
    OVER,
    PASSES,
    PLACED,
    PLAYER,
    PLY,
    POINTS,
    POSITIONS,
    RECORD,
    REPETITION,
    SITUATIONAL,
    SIZE,
    USED,
    WHITE_TO_MOVE,
)


@njit(cache=True)
def legal(state, mask, data):  # type: ignore[no-untyped-def]
    """Writes Ω into `mask` `[N * N + 1]` and returns how many moves it has; a pass is always legal until the end."""
    mask[:] = False
    if state[OVER]:
        return 0
    color, count = state[PLAYER] + BLACK, 1
    for k in range(state[EMPTIES]):
        p = state[POINTS + RECORD * k + EMPTY_POINT]
        if open_point(state, p) or is_legal(state, p, color):
            mask[state[p + ACTION]] = True
            count += 1
    mask[state[SIZE] * state[SIZE]] = True
    return count


@njit(cache=True)
def _next_board(state):  # type: ignore[no-untyped-def]
    """Copies the latest board of bits over the oldest and returns where it begins."""
    words = 2 * ((state[SIZE] * state[SIZE] + 63) >> 6)
    now = state[BOARDS] + words * (state[PLY] % NUM_BOARDS)
    after = state[BOARDS] + words * ((state[PLY] + 1) % NUM_BOARDS)
    state[after : after + words] = state[now : now + words]
    return after


@njit(cache=True)
def remember(state):  # type: ignore[no-untyped-def]
    """Appends the position to those that superko knows."""
    key = state[HASH]
    if state[REPETITION] == SITUATIONAL and state[PLAYER] == 1:
        key ^= WHITE_TO_MOVE
    state[state[HISTORY] + state[POSITIONS]] = key
    state[POSITIONS] += 1
    state[USED] += 1


@njit(cache=True)
def play(state, action, rng, data):  # type: ignore[no-untyped-def]
    """Makes a legal move, row * N + column or N * N for a pass; returns Black's result (1, 0, -1) once it is over."""
    color, p = state[PLAYER] + BLACK, 0
    board = _next_board(state)
    if action == state[SIZE] * state[SIZE]:
        state[KO] = 0
        state[PASSES] += 1
    else:
        p = point_of(state, action)
        state[HASH] ^= change(state, p, color, board)
        place(state, p, color)
        state[p + PLACED] = state[PLY] + 1
        state[PASSES] = 0
    state[LAST_BUT_ONE] = state[LAST]
    state[LAST] = p
    state[PLAYER] = 1 - state[PLAYER]
    state[PLY] += 1
    remember(state)
    if state[PASSES] == 2 or state[PLY] == state[MAX_PLIES]:
        state[OVER] = 1
        lead = score_2(state)
        return 1.0 if lead > 0 else -1.0 if lead < 0 else 0.0
    return 0.0


@njit(cache=True)
def give_turn(state, player):  # type: ignore[no-untyped-def]
    """Gives the turn to a player, 0 or 1; who moves twice in a row may take any ko."""
    if state[PLAYER] != player:
        state[PLAYER], state[KO] = player, 0


@njit(cache=True)
def play_agreed(state, action, rng, data):  # type: ignore[no-untyped-def]
    """Makes a move as `play` does, but takes dead stones off before it counts a game that two passes have ended.

    Which stones are dead is an estimate, and a search finds where it errs. So by area, where it costs nothing to go on
    and take them, who passes last gets the worse of this count and that of the board as it lies.
    """
    reward = play(state, action, rng, data)
    if state[PASSES] == 2:
        lead = agreed_lead_2(state)
        agreed = 1.0 if lead > 0 else -1.0 if lead < 0 else 0.0
        if state[COUNTING] != AREA:
            reward = agreed
        elif state[PLAYER] == 1:  # Black has passed last
            reward = min(reward, agreed)
        else:
            reward = max(reward, agreed)
    return reward


@njit(cache=True)
def set_up(state, actions, colors):  # type: ignore[no-untyped-def]
    """Puts stones on empty points before the game and forgets the past; says False if one of them has no liberty."""
    board = _next_board(state)
    for k in range(len(actions)):
        p = point_of(state, actions[k])
        if state[p + COLOR] != EMPTY:
            return False
        state[HASH] ^= change(state, p, colors[k], board)
        if place(state, p, colors[k]) or state[p + COLOR] == EMPTY:
            return False
        state[p + PLACED] = -NUM_BOARDS  # long ago, as planes see it
    words = 2 * ((state[SIZE] * state[SIZE] + 63) >> 6)
    now = state[BOARDS] + words * (state[PLY] % NUM_BOARDS)
    state[now : now + words] = state[board : board + words]
    state[board : board + words] = 0
    state[KO], state[POSITIONS], state[USED] = 0, 0, state[HISTORY]
    remember(state)
    return True
