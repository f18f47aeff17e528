"""Many games of Go as a few arrays, from which any position of any game can be shown: what networks learn moves from.

Two bytes a move are kept, and a position is played again when it is wanted: 50,000 games on 19x19 with 200 moves each
take 20 MB, where their planes would take gigabytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from palestra.envs.game import SIGNATURES, functions
from palestra.envs.go.game import go_game
from palestra.envs.go.play import give_turn, legal, play
from palestra.envs.go.records import GameRecord, record_of, replay, rules_for
from palestra.envs.go.rules import Rules
from palestra.envs.go.sgf_files import Report, read_games
from palestra.envs.go.state import OVER, State

Ints = NDArray[np.int64]
_NO_RNG, _NO_DATA = np.zeros(4, np.uint64), np.zeros(1)


@dataclass(frozen=True)
class GameSet:
    """G games with M moves in all, on boards of one size.

    Raises:
        ValueError: there are no games.
    """

    size: int
    starts: Ints
    """`[S, W]`, the states that games begin with: a few, by rules, komi and handicap."""
    start: NDArray[np.int32]
    """`[G]`, the row of `starts` of each game."""
    begin: Ints
    """`[G + 1]`, where each game's moves begin."""
    moves: NDArray[np.int16]
    """`[M]`, twice the action, and one more for White."""
    winner: NDArray[np.int8]
    """`[G]`, 1 Black, 2 White, 0 nobody, or nobody knows."""

    def __post_init__(self) -> None:
        if not len(self.start):
            raise ValueError("there are no games that could be used")

    def __len__(self) -> int:
        """Returns the number of games."""
        return len(self.start)

    def split(self, share: float, seed: int) -> tuple[Ints, Ints]:
        """Draws a share of the games, at least one, and returns the others and those, as numbers in order.

        Raises:
            ValueError: the share leaves none on one side.
        """
        held = round(share * len(self)) or 1
        if not 0 < share < 1 or held == len(self):
            raise ValueError(
                f"a share of {share} of {len(self)} games was asked for, but some must be left on both sides"
            )
        order = np.random.default_rng(seed).permutation(len(self))
        return np.sort(order[held:]), np.sort(order[:held])

    def positions(self, games: Ints, passes: bool = False) -> tuple[Ints, Ints]:
        """Returns game and number of the move, `[P]` each, of positions before a move that is no pass, or any."""
        counts = np.diff(self.begin)[games]
        game = np.repeat(games, counts)
        ply = np.arange(len(game)) - np.repeat(np.cumsum(counts) - counts, counts)
        kept = slice(None) if passes else self.moves[self.begin[game] + ply] >> 1 != self.size**2
        return game[kept], ply[kept]


def read_game_set(path: str | Path, size: int | None = None, *, report: Report) -> GameSet:
    """Reads a collection; see `read_games` for `path`. Games come once, however often they are there.

    `report` gets a sentence for every game that is left out: damaged, with an illegal move (its number and the reason
    are named), on another board than `size` or the first game's, longer than three times the points, or with a set-up
    in its middle.

    Raises:
        ValueError: there is nothing at `path`, or no game that can be used.
    """
    starts: dict[bytes, int] = {}
    seen: set[tuple[int, bytes]] = set()
    start, winner, moves = list[int](), list[int](), list[NDArray[np.int16]]()
    for source, root in read_games(path, report):
        try:
            record = record_of(root, source)
            size = record.size if size is None else size
            first, coded = _checked(record, size)
        except ValueError as error:
            report(str(error))
            continue
        row = starts.setdefault(first.tobytes(), len(starts))
        if (key := (row, coded.tobytes())) in seen:
            continue
        seen.add(key)
        start.append(row)
        moves.append(coded)
        winner.append(record.winner)
    words = np.frombuffer(b"".join(starts), np.int64).reshape(max(len(starts), 1), -1).copy()
    return GameSet(
        size or 0,
        words,
        np.array(start, np.int32),
        np.cumsum([0, *map(len, moves)]),
        np.concatenate(moves) if moves else np.zeros(0, np.int16),
        np.array(winner, np.int8),
    )


def _checked(record: GameRecord, size: int) -> tuple[State, NDArray[np.int16]]:
    """Returns a game's first position and its moves, coded; those after two passes are left out.

    Raises:
        ValueError: it cannot be used.
    """
    longest, passing = 3 * size * size, size * size
    if record.size != size:
        raise ValueError(f"{record.source}: the board has {record.size} lines, but {size} are wanted")
    if len(record.moves) >= longest:
        raise ValueError(
            f"{record.source}: {len(record.moves)} moves are more than {longest - 1}, the most that are read"
        )
    if any(setup.before for setup in record.setups):
        raise ValueError(f"{record.source}: stones are set up in the middle of the game")
    rules = replace(rules_for(record), max_moves=longest)
    first = replay(replace(record, moves=()), rules).state
    coded = np.array([2 * action + color - 1 for color, action in record.moves], np.int16)
    state, mask = first.copy(), np.zeros(passing + 1, np.bool_)
    made = _replayed(state, coded, mask)
    if made < len(coded) and not state[OVER]:
        replay(record, rules)  # raises with the reason
        raise ValueError(f"{record.source}: move {made + 1} is not legal")
    return first, coded[:made]


@njit(cache=True)
def _replayed(state, moves, mask):  # type: ignore[no-untyped-def]
    """Makes moves as long as they are legal, and returns how many those were."""
    for i in range(len(moves)):
        give_turn(state, moves[i] & 1)
        legal(state, mask, _NO_DATA)
        if not mask[moves[i] >> 1]:
            return i
        play(state, moves[i] >> 1, _NO_RNG, _NO_DATA)
    return len(moves)


@njit(
    types.void(
        types.FunctionType(SIGNATURES["observe"]),
        types.int64[:, ::1],
        types.int32[::1],
        types.int64[::1],
        types.int16[::1],
        types.int64[::1],
        types.int64[::1],
        types.int64[::1],
        types.float32[:, ::1],
        types.int64[::1],
        types.float64[::1],
        types.uint64[::1],
    ),
    cache=True,
    nogil=True,
)
def _show(observe, starts, start, begin, moves, game, ply, state, obs, action, data, rng):  # type: ignore[no-untyped-def]
    """Plays each game up to its move, and writes what the player to move sees and the action that was made."""
    for row in range(len(game)):
        state[:] = starts[start[game[row]]]
        first = begin[game[row]]
        for i in range(first, first + ply[row]):
            give_turn(state, moves[i] & 1)
            play(state, moves[i] >> 1, rng, data)
        give_turn(state, moves[first + ply[row]] & 1)
        observe(state, obs[row], data)
        action[row] = moves[first + ply[row]] >> 1


class Viewer:
    """Shows positions of games as feature planes.

    Raises:
        ValueError: there are no such features.
    """

    def __init__(self, games: GameSet, features: str) -> None:
        game: Any = go_game(Rules(games.size), features=features)
        self.games, self.shape = games, game.obs_shape
        self._observe = functions(game).observe
        self._state = games.starts[0].copy()

    def show(self, game: Ints, ply: Ints) -> tuple[NDArray[np.float32], Ints]:
        """Returns the planes `[B, C, N, N]` of positions before moves, and the actions `[B]` that were made there."""
        g, obs = self.games, np.empty((len(game), int(np.prod(self.shape))), np.float32)
        action = np.empty(len(game), np.int64)
        state = self._state.copy()
        arrays = (g.starts, g.start, g.begin, g.moves, np.ascontiguousarray(game), np.ascontiguousarray(ply))
        _show(self._observe, *arrays, state, obs, action, _NO_DATA, _NO_RNG)
        return obs.reshape(len(game), *self.shape), action

    def batches(self, game: Ints, ply: Ints, size: int) -> Iterator[tuple[NDArray[np.float32], Ints]]:
        """Yields positions in order, so many at a time."""
        for i in range(0, len(game), size):
            yield self.show(game[i : i + size], ply[i : i + size])
