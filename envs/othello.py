"""Othello (Reversi): discs between a new disc and another of its colour are turned over.

The rules are those of the World Othello Federation: black begins; a move turns over at least one disc, in all eight
directions; who has no such move passes, which nobody else may; when neither can move, who has more discs wins.

The board is two words of 64 bits, square a1 (top left) being bit 0 and row 1 bits 0 to 7. Moves of all squares at once
come from fills of doubling length in eight directions (Kogge and Stone, IEEE Transactions on Computers C-22, 1973).
Discs between others are inside the board, so that a mask of its inside keeps fills from going round an edge and clears
the copies of the sign that right shifts bring in. Action 8 r + c is row r and column c, named d3 and so on; action 64
is the pass.

Search knows what beginners are told (Rose, "Othello: a minute to learn ... a lifetime to master", 2005): take corners,
keep off the squares diagonally beside an empty one, and leave the other player few moves.
"""

import numpy as np
from numba import config, njit

from palestra.envs.board_text import Squares, outcome
from palestra.envs.game import HEADER, OVER, PLAYER, PLY, USED, Game, State, check_playouts
from palestra.envs.rng import randint

DISCS = HEADER  # two words: the discs of player 0 (black) and of player 1 (white)
MOVES = HEADER + 2  # the squares on which the player to move may put a disc; none means a pass
_WORDS = HEADER + 3
_PASS = 64
_INNER_COLUMNS = 0x7E7E7E7E7E7E7E7E
_INNER_ROWS = 0x00FFFFFFFFFFFF00
_INNER = 0x007E7E7E7E7E7E00
_CORNERS = (0, 7, 56, 63)
_BESIDE = (9, 14, 49, 54)  # the square diagonally beside each
_BELIEF = 5.0  # virtual results of a move, in the search
_BOARD = Squares(8, 8, top_is_one=True)


@njit(cache=True, inline="always")
def count_bits(x):  # type: ignore[no-untyped-def]
    """Returns the number of ones of a word: sums of 2, 4 and 8 bits, then of all bytes by a multiplication."""
    x = x - ((x >> 1) & 0x5555555555555555)
    x = (x & 0x3333333333333333) + ((x >> 2) & 0x3333333333333333)
    x = (x + (x >> 4)) & 0x0F0F0F0F0F0F0F0F
    return (x * 0x0101010101010101) >> 56


@njit(cache=True, inline="always")
def nth_bit(x, n):  # type: ignore[no-untyped-def]
    """Returns the place of the n-th one of a word, counted from 0 at its low end."""
    for _ in range(n):
        x &= x - 1
    return count_bits((x & -x) - 1)


if config.DISABLE_JIT:  # type: ignore[attr-defined]  # NumPy warns where machine words wrap around
    count_bits = np.errstate(over="ignore")(count_bits)
    nth_bit = np.errstate(over="ignore")(nth_bit)


@njit(cache=True, inline="always")
def _rows(discs, inner, step):  # type: ignore[no-untyped-def]
    """Returns the rows of up to six discs in `inner` that begin beside `discs`, with rising and with falling bits.

    `inner` is the other's discs that can lie between two in this direction; neighbours are `step` bits apart.
    """
    up, run = inner & (discs << step), inner & (inner << step)
    up |= inner & (up << step)
    up |= run & (up << (2 * step))
    up |= run & (up << (2 * step))
    down, run = inner & (discs >> step), inner & (inner >> step)
    down |= inner & (down >> step)
    down |= run & (down >> (2 * step))
    down |= run & (down >> (2 * step))
    return up, down


@njit(cache=True, inline="always")
def _ends(mover, inner, step):  # type: ignore[no-untyped-def]
    up, down = _rows(mover, inner, step)
    return (up << step) | (down >> step)


@njit(cache=True, inline="always")
def _moves(mover, other):  # type: ignore[no-untyped-def]
    """Returns the squares on which the mover may put a disc."""
    ends = _ends(mover, other & _INNER_COLUMNS, 1) | _ends(mover, other & _INNER_ROWS, 8)
    ends |= _ends(mover, other & _INNER, 7) | _ends(mover, other & _INNER, 9)
    return ends & ~(mover | other)


@njit(cache=True, inline="always")
def _between(disc, mover, inner, step):  # type: ignore[no-untyped-def]
    up, down = _rows(disc, inner, step)
    turned = up if (up << step) & mover else 0
    return turned | (down if (down >> step) & mover else 0)


@njit(cache=True, inline="always")
def _turned(disc, mover, other):  # type: ignore[no-untyped-def]
    """Returns the other's discs that the mover's new disc turns over."""
    turned = _between(disc, mover, other & _INNER_COLUMNS, 1) | _between(disc, mover, other & _INNER_ROWS, 8)
    return turned | _between(disc, mover, other & _INNER, 7) | _between(disc, mover, other & _INNER, 9)


@njit(cache=True)
def _play(state, action, rng, data):  # type: ignore[no-untyped-def]
    player = state[PLAYER]
    mover, other = state[DISCS + player], state[DISCS + 1 - player]
    if action != _PASS:
        disc = np.int64(1) << action
        turned = _turned(disc, mover, other)
        mover, other = mover | turned | disc, other & ~turned
        state[DISCS + player], state[DISCS + 1 - player] = mover, other
    state[PLAYER] = 1 - player
    state[PLY] += 1
    state[MOVES] = _moves(other, mover)
    if state[MOVES] or _moves(mover, other):
        return 0.0
    state[OVER] = 1
    return np.sign(count_bits(state[DISCS]) - count_bits(state[DISCS + 1])) * 1.0


@njit(cache=True)
def _legal(state, mask, data):  # type: ignore[no-untyped-def]
    moves, over = state[MOVES], state[OVER] != 0
    for square in range(64):
        mask[square] = (moves >> square) & 1
    mask[_PASS] = moves == 0 and not over
    return count_bits(moves) + mask[_PASS]


@njit(cache=True, inline="always")
def _corners(squares):  # type: ignore[no-untyped-def]
    """Returns which of some squares are corners."""
    found = squares & 0
    for corner in _CORNERS:
        found |= squares & (np.int64(1) << corner)
    return found


@njit(cache=True, inline="always")
def _sound(moves, taken):  # type: ignore[no-untyped-def]
    """Returns the corners among the moves, or else those that give none away, or else all."""
    if _corners(moves):
        return _corners(moves)
    sound = moves
    for i in range(4):
        if not (taken >> _CORNERS[i]) & 1:
            sound &= ~(np.int64(1) << _BESIDE[i])
    return sound if sound else moves


@njit(cache=True)
def _playout(state, trace, rng, data):  # type: ignore[no-untyped-def]
    player, count = state[PLAYER], 0
    mover, other = state[DISCS + player], state[DISCS + 1 - player]
    moves, over = state[MOVES], state[OVER] != 0
    while not over:
        action = _PASS
        if moves:
            moves = _sound(moves, mover | other) if data[0] else moves
            action = nth_bit(moves, randint(rng, count_bits(moves)))
            disc = np.int64(1) << action
            turned = _turned(disc, mover, other)
            mover, other = mover | turned | disc, other & ~turned
        moves = _moves(other, mover)
        over = moves == 0 and _moves(mover, other) == 0
        mover, other, player = other, mover, 1 - player
        count += 1
        trace[count] = action
    trace[0] = count
    state[PLAYER], state[OVER], state[MOVES] = player, 1, 0
    state[PLY] += count
    state[DISCS + player], state[DISCS + 1 - player] = mover, other
    return np.sign(count_bits(state[DISCS]) - count_bits(state[DISCS + 1])) * 1.0


@njit(cache=True)
def _believe(state, mask, prior, data):  # type: ignore[no-untyped-def]
    """Adds `data[0]` virtual results: the lead in moves to choose from afterwards, and half a game for a corner."""
    mover, other = state[DISCS + state[PLAYER]], state[DISCS + 1 - state[PLAYER]]
    for action in range(_PASS):
        if mask[action] and data[0]:
            disc = np.int64(1) << action
            turned = _turned(disc, mover, other)
            own, theirs = mover | turned | disc, other & ~turned
            answers, again = _moves(theirs, own), _moves(own, theirs)
            more, less = count_bits(again), count_bits(answers)
            worth = (more - less) / (more + less + 2.0)
            worth += 0.5 * (_corners(disc) != 0) - 0.5 * (_corners(answers) != 0)
            prior[0, action] += data[0] * max(-1.0, min(1.0, worth))
            prior[1, action] += data[0]
    return 0


@njit(cache=True)
def _observe(state, obs, data):  # type: ignore[no-untyped-def]
    own, other = state[DISCS + state[PLAYER]], state[DISCS + 1 - state[PLAYER]]
    for square in range(64):
        obs[square] = (own >> square) & 1
        obs[64 + square] = (other >> square) & 1
        obs[128 + square] = 1.0
    return 0


def _describe(state: State) -> str:
    words = [(int(state[word]), symbol) for word, symbol in ((DISCS, "●"), (DISCS + 1, "○"), (MOVES, "*"))]
    symbols = [next((symbol for word, symbol in words if word >> square & 1), "·") for square in range(64)]
    black, white = symbols.count("●"), symbols.count("○")
    turn = f"{'●○'[state[PLAYER]]} to move" if not state[OVER] else outcome(float(black - white), ("●", "○"))
    return f"{_BOARD.draw(symbols)}\n{turn}; ● {black}, ○ {white}"


def _name(action: int) -> str:
    return "pass" if action == _PASS else _BOARD.name(action)


def _parse(text: str) -> int:
    return _PASS if text.strip().lower() == "pass" else _BOARD.parse(text)


def othello(playouts: str = "sound") -> Game:
    """Returns Othello; planes `[3, 8, 8]` are the discs of the player to move, of the other one, and ones.

    `playouts` is sound (with beliefs about moves in the tree) or uniform.

    Raises:
        ValueError: there are no such playouts.
    """
    knowing = check_playouts(playouts, "sound", "uniform") == "sound"
    start = np.zeros(_WORDS, np.int64)
    start[USED] = _WORDS
    for word, names in ((DISCS, "d5 e4"), (DISCS + 1, "d4 e5"), (MOVES, "d3 c4 f5 e6")):
        start[word] = sum(1 << _BOARD.parse(name) for name in names.split())
    return Game(
        name="othello",
        start=start,
        num_actions=65,
        play=_play,
        legal=_legal,
        describe=_describe,
        action_name=_name,
        parse_action=_parse,
        max_plies=120,  # 60 discs, before each of which the other player passed
        playout=_playout,
        priors=_believe,
        observe=_observe,
        obs_shape=(3, 8, 8),
        symmetry="square",
        data=np.array([_BELIEF * knowing]),
    )
