"""Go as a `Game`, and how its moves and positions are written."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from palestra.envs.game import Game, State, check_playouts, no_priors
from palestra.envs.go.features import feature_set
from palestra.envs.go.knowledge import priors
from palestra.envs.go.pattern_playout import pattern_playout
from palestra.envs.go.play import legal, play, play_agreed
from palestra.envs.go.playout import playout
from palestra.envs.go.rollout import NUM_WEIGHTS, rollout
from palestra.envs.go.rules import Rules
from palestra.envs.go.state import COLOR, LAST, LOST_BLACK, LOST_WHITE, OVER, PLAYER, POINTS, RECORD, SIZE, new_state

COLUMNS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"  # no I


PLAYOUTS = {
    "pattern": (pattern_playout, priors),
    "uniform": (playout, no_priors),
    "rollout": (rollout, priors),
}
RAVE = 3000.0


def go_game(
    rules: Rules,
    playouts: str = "pattern",
    features: str = "alphago-zero",
    weights: NDArray[np.float64] | None = None,
) -> Game:
    """Returns Go under some rules as a game: action row * N + column, from the top left, or N * N, a pass.

    `playouts` is pattern (with the beliefs of `knowledge.py` for the search), uniform (with none) or rollout (as
    pattern, by the rollout policy of `weights`, see `rollout.py`), `features` the name of the planes that networks see
    (`features.py`).

    Raises:
        ValueError: there are no such playouts or features, or the rollout policy's weights are missing.
    """
    guided, believe = PLAYOUTS[check_playouts(playouts, *PLAYOUTS)]
    if (weights is None) == (playouts == "rollout") or (weights is not None and weights.shape != (NUM_WEIGHTS,)):
        raise ValueError(f"playouts rollout, and no others, want weights [{NUM_WEIGHTS}] of a rollout policy")
    observe, obs_shape = feature_set(features, rules.size)
    n = rules.size
    return Game(
        name=f"go-{n}x{n}",
        start=new_state(rules),
        num_actions=n * n + 1,
        play=play_agreed if rules.agreement else play,
        legal=legal,
        playout=guided,
        priors=believe,
        random_playout=playout,
        observe=observe,
        obs_shape=obs_shape,
        symmetry="square",
        rave=RAVE,
        describe=describe,
        action_name=partial(vertex, n),
        parse_action=partial(parse_vertex, n),
        max_plies=rules.longest,
        data=np.zeros(1) if weights is None else np.ascontiguousarray(weights, np.float64),
    )


def vertex(size: int, action: int) -> str:
    """Names an action as GTP does: a letter without I for the column, the row counted from below; or pass."""
    if action == size * size:
        return "pass"
    return f"{COLUMNS[action % size]}{size - action // size}"


def parse_vertex(size: int, text: str) -> int:
    """Reads a point's name, or pass, in capital or small letters.

    Raises:
        ValueError: it is neither, or lies outside the board.
    """
    given = text.strip().upper()
    if given == "PASS":
        return size * size
    column, row = COLUMNS.find(given[:1] or "?"), given[1:]
    if 0 <= column < size and row.isascii() and row.isdigit() and len(row) < 3 and 1 <= int(row) <= size:
        return (size - int(row)) * size + column
    last = vertex(size, size - 1)
    raise ValueError(f"{text.strip()!r} is no point of this board; a name from A1 to {last}, or pass, is wanted")


def colors(state: State) -> np.ndarray[tuple[int, int], np.dtype[np.int8]]:
    """Returns the board `[N, N] int8`, the top row first: 0 empty, 1 black, 2 white."""
    n = int(state[SIZE])
    rows = state[POINTS : POINTS + RECORD * (n + 1) * (n + 2)].reshape(n + 2, n + 1, RECORD)
    return rows[1:-1, 1:, COLOR].astype(np.int8)


def describe(state: State) -> str:
    """Draws a position: X is Black, O White, + a handicap point; the last move stands in brackets."""
    n, board = int(state[SIZE]), colors(state)
    near = 3 if n >= 13 else 2
    stars = {near, n - 1 - near, n // 2} if n % 2 and n >= 9 else {near, n - 1 - near} if n >= 7 else set()
    names = " ".join(COLUMNS[:n])
    lines = [f"   {names}"]
    for row in range(n):
        cells = [".XO"[c] if c or not {row, column} <= stars else "+" for column, c in enumerate(board[row])]
        line = " " + " ".join(cells) + " "
        at = (int(state[LAST]) - POINTS) // RECORD - 1 - (row + 1) * (n + 1) if state[LAST] else -1
        if 0 <= at < n:
            line = f"{line[: 2 * at]}({cells[at]}){line[2 * at + 3 :]}"
        lines.append(f"{n - row:2}{line}{n - row}")
    lines.append(f"   {names}")
    turn = "over" if state[OVER] else ("White" if state[PLAYER] else "Black") + " to move"
    taken = f"Black has taken {state[LOST_WHITE]}, White {state[LOST_BLACK]}"
    return "\n".join([*lines, f"{turn}; {taken}"])
