"""`palestra explain mcts --env go-9x9`: how a search tree grows in a position, as a picture.

Beside the board with the shares of visits: how these shares and the values of the best moves change with the number of
simulations, and how many positions the tree holds at each depth.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from palestra.agents.root import Child
from palestra.agents.thoughts import from_children
from palestra.agents.tree import Tree
from palestra.cli.game_pictures import heat_of
from palestra.cli.options import parse
from palestra.cli.players import game_of, player_named
from palestra.cli.progress import Progress
from palestra.envs.game import OVER, Game, State, move
from palestra.envs.games import make_game
from palestra.envs.rng import seed_state

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BEST = 5  # moves that are followed
LOOKS = 12  # times that the tree is looked at, at most


@dataclass(frozen=True)
class Options:
    """Draws how a search tree grows: of mcts, of alphago:policy=RUN,..., or of a run that searches."""

    env: str = ""
    """The game, as go-9x9 or connect-four; of a run its own if left out."""
    moves: str = ""
    """Moves that lead to the position, as in --moves "E5 C4"; the game's beginning if left out."""
    simulations: int = 4096
    """Simulations in all."""
    out: Path = Path("search.png")
    """File of the picture, .png."""
    seed: int = 0
    """Root of the search's randomness."""


class Look(NamedTuple):
    """A search after a number of simulations."""

    simulations: int
    children: list[Child]
    depths: NDArray[np.int64]  # [D], how many visited positions lie so deep


def main(name: str, args: Sequence[str]) -> int:
    """Writes the picture; its path is the last line of stdout."""
    options = parse(Options, args, "palestra explain PLAYER")
    if options.simulations < 2:
        raise ValueError(f"--simulations is {options.simulations}, but at least 2 are wanted")
    if options.out.suffix != ".png":
        raise ValueError(f"--out {options.out} must end in .png")
    env = options.env or game_of(name)
    if not env:
        raise ValueError("--env is missing: which game is searched, as in --env go-9x9")
    game = make_game(env)
    state = position_after(game, options.moves)
    with closing(player_named(name, game, options.seed)) as player:
        search: Any = getattr(player, "search", None)
        if search is None:
            raise ValueError(f"{name} does not search, so that no tree grows; mcts and alphago:rollout=RUN do")
        looks = watched(search, state, options.simulations)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    draw(game, state, looks).savefig(options.out, dpi=110)
    print(options.out)
    return 0


def position_after(game: Game, moves: str) -> State:
    """Returns the state after moves by name.

    Raises:
        ValueError: one is not legal, or the game is over then.
    """
    state = game.start.copy()
    for number, word in enumerate(moves.replace(",", " ").split(), 1):
        try:
            move(game, state, game.parse_action(word), seed_state(0))
        except ValueError as error:
            raise ValueError(f"move {number} of --moves: {error}") from None
    if state[OVER]:
        raise ValueError(f"{game.name} is over after --moves: there is nothing to search")
    return state


def watched(search: Any, state: State, simulations: int) -> list[Look]:
    """Searches, and looks at the tree after about twice as many simulations each time."""
    wanted = np.unique(np.geomspace(min(16, simulations), simulations, LOOKS).astype(int))
    looks, done = [], 0
    with Progress("searching", simulations) as progress:
        for total in wanted.tolist():
            search.run(state, simulations=total - done)
            looks.append(Look(total, search.children(), depths_of(search.tree)))
            done = total
            progress.update(done)
    return looks


def depths_of(tree: Tree) -> NDArray[np.int64]:
    """Returns how many visited nodes lie at each depth `[D]`, the root at 0."""
    level, counts = np.zeros(1, np.int64), []
    while len(level):
        counts.append(len(level))
        first, number = tree.first[level].astype(np.int64), tree.num_children[level].astype(np.int64)
        below = [np.arange(f, f + n) for f, n in zip(first, number, strict=True) if f]
        level = np.concatenate(below) if below else np.zeros(0, np.int64)
        level = level[tree.visits[level] > 0]
    return np.array(counts)


def draw(game: Game, state: State, looks: Sequence[Look]) -> "Figure":
    """Draws the position with the last look's shares of visits, what has become of the best moves, and the depths."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 7.2), layout="constrained")
    board, shares, depths, values = figure.subplots(2, 2).ravel()
    _board(board, game, state, looks[-1])
    times = [look.simulations for look in looks]
    for child in looks[-1].children[:BEST]:
        found = [{c.action: c for c in look.children}.get(child.action) for look in looks]
        label = game.action_name(child.action)
        total = [max(sum(c.visits for c in look.children), 1) for look in looks]
        shares.plot(
            times, [c.visits / n if c else 0 for c, n in zip(found, total, strict=True)], marker=".", label=label
        )
        values.plot(times, [(c.value + 1) / 2 if c and c.visits else np.nan for c in found], marker=".", label=label)
    shares.set(xscale="log", ylim=(0, 1), xlabel="simulations", title="share of the visits")
    values.set(xscale="log", ylim=(0, 1), xlabel="simulations", title="expected share of wins, for the player to move")
    shares.legend(fontsize=9)
    for look in (*looks[:: -(-len(looks) // 4)], looks[-1]):
        depths.plot(look.depths, marker=".", label=f"{look.simulations:,} simulations")
    depths.set(yscale="log", xlabel="depth", title="positions in the tree")
    depths.legend(fontsize=9)
    return figure


def _board(axis: Any, game: Game, state: State, look: Look) -> None:
    axis.set(xticks=[], yticks=[], title=f"{game.name}: shares of {look.simulations:,} simulations")
    thoughts = from_children(look.children, game.num_actions)
    if game.name.startswith("go-"):
        from palestra.envs.go.game import colors
        from palestra.envs.go.rendering import board_picture, last_point

        stones = colors(state)
        axis.imshow(board_picture(stones, last_point(state), heat_of(thoughts, len(stones)), 640))
        return
    axis.text(0.02, 0.98, game.describe(state), family="monospace", va="top", fontsize=12)
