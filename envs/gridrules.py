"""The rules of grid worlds: a map and a few options become tables, which Env, VectorEnv and MDP all read.

States are cell numbers, row * W + column, over the whole grid. Actions are up, right, down, left (`moves="4"`), then
the diagonals up-right, down-right, down-left, up-left (`"8"`, king's moves), then stay (`"9"`). The rules of a step:

- With probability `slip` the move turns into one of the two perpendicular ones, each as likely (Russell and Norvig,
  "Artificial Intelligence", 4th edition, section 17.1). FrozenLake's ice is slip 2/3.
- A move off the grid or into a wall is a bump: one stays. Only the cell moved to counts, so diagonals pass corners.
- Then the wind of the column where the move began pushes up (negative: down), cell by cell, until a wall or the edge
  (Sutton and Barto, "Reinforcement Learning", 2nd edition, 2018, Example 6.5: the next state is "shifted upward").
- Only where one lands counts. Entering goals, pits and cliffs pays what their letter pays; otherwise a bump pays
  `bump_reward` and a step `step_reward`.
- On a jump (`A`), whatever is done leads to its small letter and pays what the jump pays (Example 3.5).

Ω is every move, or with `mask_walls=True` only those that do not bump (a cell where all do keeps them all). Goals,
pits, cliffs and walls are states too: they loop onto themselves, ended, with reward 0, as in Gymnasium's tables.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from palestra.envs.gridmap import CLIFF, GOAL, NINE, PIT, START, WALL, ZERO, Cells, leads_to, letter_rewards, parse_map
from palestra.envs.mdp import MDP
from palestra.envs.rng import categorical, randint

MOVES = np.array([(-1, 0), (0, 1), (1, 0), (0, -1), (-1, 1), (1, 1), (1, -1), (-1, -1), (0, 0)])


class Tables(NamedTuple):
    """The rules as arrays: what each move does in each of the S cells, and which move an action becomes."""

    target: NDArray[np.int32]  # [S, A], the cell where the move ends
    reward: NDArray[np.float64]  # [S, A]
    ended: NDArray[np.bool_]  # [S, A]
    outcome: NDArray[np.int64]  # [A, K], the moves that an action can become
    chance: NDArray[np.float64]  # [K], how likely each of them is
    starts: NDArray[np.int64]  # [number of starts], cells


@dataclass(frozen=True, eq=False)
class Grid:
    """A grid world's map, tables and Ω."""

    cells: Cells  # [H, W]
    tables: Tables
    allowed: NDArray[np.int8]  # [S, A], Ω

    def mdp(self, discount: float = 0.99) -> MDP:
        """Returns the same rules as an MDP with K = 1 outcome a pair, 3 if moves slip; time limits are no part."""
        t = self.tables
        shape = (*self.allowed.shape, len(t.chance))
        start = np.zeros(shape[0])
        start[t.starts] = 1.0 / len(t.starts)
        probability = np.broadcast_to(t.chance, shape)
        target, reward, ended = t.target[:, t.outcome], t.reward[:, t.outcome], t.ended[:, t.outcome]
        return MDP(target, probability, reward, ended, start, self.allowed.astype(np.bool_), discount)


def make_grid(
    map: str | Sequence[str] | Cells,
    *,
    moves: str = "4",
    slip: float = 0.0,
    wind: Sequence[int] | None = None,
    step_reward: float = 0.0,
    bump_reward: float | None = None,
    rewards: Mapping[str, float] | None = None,
    mask_walls: bool = False,
) -> Grid:
    """Makes the tables of a map (its letters: `envs/gridmap.py`) under the options that this file's head explains.

    `wind` holds a number of cells for each column, `rewards` what letters pay; unless told, a bump pays as a step does.

    Raises:
        ValueError: the map or an option is wrong; the sentence says what is wanted.
    """
    cells = parse_map(map)
    num_moves = _num_moves(moves)
    if not 0.0 <= slip <= 1.0:
        raise ValueError(f"slip is {slip}, but a probability between 0 and 1 is wanted")
    bump_reward = step_reward if bump_reward is None else bump_reward
    if not (np.isfinite(step_reward) and np.isfinite(bump_reward)):
        raise ValueError(f"step_reward and bump_reward must be finite, but are {step_reward} and {bump_reward}")
    gusts, leads, pays = _gusts(wind, cells), leads_to(cells), letter_rewards(rewards)
    target, reward, ended, bumped = tabulate_kernel(
        cells, MOVES[:num_moves], gusts, leads, pays, float(step_reward), float(bump_reward)
    )
    allowed = ~bumped | bumped.all(axis=1, keepdims=True) if mask_walls else np.ones_like(bumped)
    outcome = _outcomes(num_moves) if slip else np.arange(num_moves)[:, None]
    chance = np.array([1.0 - slip, slip / 2, slip / 2] if slip else [1.0])
    starts = np.flatnonzero(cells == START).astype(np.int64)
    return Grid(cells, Tables(target, reward, ended, outcome, chance, starts), allowed.astype(np.int8))


def _num_moves(moves: str) -> int:
    if str(moves) not in ("4", "8", "9"):
        raise ValueError(f"moves is {moves!r}, but '4', '8' (king's moves) or '9' (king's moves and stay) is wanted")
    return int(moves)


def _gusts(wind: Sequence[int] | None, cells: Cells) -> NDArray[np.int64]:
    width = cells.shape[1]
    gusts = np.zeros(width, np.int64) if wind is None else np.asarray(wind)
    if gusts.shape != (width,) or gusts.dtype.kind not in "iu":
        raise ValueError(f"wind must hold an integer for each of the {width} columns, but is {wind}")
    return gusts.astype(np.int64)


def _outcomes(num_moves: int) -> NDArray[np.int64]:
    """Returns `[A, 3]`: each move and its two perpendicular ones; straight and diagonal moves turn among themselves."""
    move = np.arange(num_moves)[:, None]
    outcome: NDArray[np.int64] = move // 4 * 4 + (move + np.array([0, -1, 1])) % 4
    outcome[8:] = 8  # who stays does not slip
    return outcome


@njit(cache=True)
def _is_open(cells, row, col):  # type: ignore[no-untyped-def]
    return 0 <= row < cells.shape[0] and 0 <= col < cells.shape[1] and cells[row, col] != WALL


@njit(cache=True)
def _ends(letter):  # type: ignore[no-untyped-def]
    return letter in (GOAL, PIT) or ZERO <= letter <= NINE


@njit(cache=True)
def _land(cells, wind, row, col, move):  # type: ignore[no-untyped-def]
    """Returns the row and column where a `move` `[2]` ends, and whether it bumped."""
    bumped = not _is_open(cells, row + move[0], col + move[1])
    gust = wind[col]
    if not bumped:
        row, col = row + move[0], col + move[1]
    push = -1 if gust > 0 else 1
    for _ in range(abs(gust)):
        if not _is_open(cells, row + push, col):
            break
        row += push
    return row, col, bumped


@njit(cache=True)
def tabulate_kernel(cells, moves, wind, leads, pays, step_reward, bump_reward):  # type: ignore[no-untyped-def]
    """Applies the rules to every cell and move: cells `[H, W]`, moves `[A, 2]`, wind `[W]`, leads and pays `[128]`.

    Returns target, reward, ended and bumped, all `[S, A]`.
    """
    width, shape = cells.shape[1], (cells.size, moves.shape[0])
    target, reward = np.empty(shape, np.int32), np.zeros(shape)
    ended, bumped = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    for s in range(shape[0]):
        letter = cells[s // width, s % width]
        for a in range(shape[1]):
            if _ends(letter) or letter in (WALL, CLIFF):
                target[s, a], ended[s, a] = s, True
            elif leads[letter] >= 0:
                target[s, a] = leads[letter]
                reward[s, a] = step_reward if np.isnan(pays[letter]) else pays[letter]
            else:
                row, col, bumped[s, a] = _land(cells, wind, s // width, s % width, moves[a])
                into = cells[row, col]
                target[s, a] = leads[CLIFF] if into == CLIFF else row * width + col
                ended[s, a] = _ends(into)
                if _ends(into) or into == CLIFF:
                    reward[s, a] = pays[into]
                else:
                    reward[s, a] = bump_reward if bumped[s, a] else step_reward
    return target, reward, ended, bumped


@njit(cache=True)
def start_cell(tables, rng):  # type: ignore[no-untyped-def]
    """Draws a start."""
    return tables.starts[randint(rng, tables.starts.shape[0])]


@njit(cache=True)
def step_cell(tables, s, a, rng):  # type: ignore[no-untyped-def]
    """Takes action `a` in cell `s`; returns the next cell, the reward and whether the episode ended."""
    move = tables.outcome[a, categorical(rng, tables.chance)]
    return tables.target[s, move], tables.reward[s, move], tables.ended[s, move]


@njit(cache=True)
def first_outside(allowed, state, action):  # type: ignore[no-untyped-def]
    """Returns the first of N worlds whose action is outside Ω, or -1; allowed `[S, A]`, state and action `[N]`."""
    for i in range(state.shape[0]):
        if not 0 <= action[i] < allowed.shape[1] or not allowed[state[i], action[i]]:
            return i
    return -1


@njit(cache=True)
def step_kernel(tables, limit, state, elapsed, rng, action):  # type: ignore[no-untyped-def]
    """Steps N worlds and resets those that ended; state, elapsed, action `[N]`, rng `[N, 4]`; limit 0 is none.

    Changes state, elapsed and rng; returns the cells before resets, rewards, terminated and truncated, all `[N]`.
    """
    n = state.shape[0]
    seen, reward = np.empty(n, np.int64), np.empty(n)
    terminated, truncated = np.empty(n, np.bool_), np.empty(n, np.bool_)
    for i in range(n):
        seen[i], reward[i], terminated[i] = step_cell(tables, state[i], action[i], rng[i])
        elapsed[i] += 1
        truncated[i] = 0 < limit <= elapsed[i]
        state[i] = seen[i]
        if terminated[i] or truncated[i]:
            state[i], elapsed[i] = start_cell(tables, rng[i]), 0
    return seen, reward, terminated, truncated
