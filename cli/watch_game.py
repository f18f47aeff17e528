"""`palestra watch A [B] --env go-9x9`: a game of two players as a video, with what they think, or in the terminal."""

import importlib
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from palestra.agents.match import seed_of
from palestra.agents.player import PLAYERS, RESIGN, Player
from palestra.agents.thoughts import Thoughts, thoughts_of
from palestra.cli.game_pictures import GamePictures
from palestra.cli.options import parse
from palestra.cli.players import game_of, player_named
from palestra.cli.progress import Progress, say
from palestra.envs.game import OVER, PLAYER, PLY, Game, State, move
from palestra.envs.games import make_game
from palestra.envs.rng import seed_state

SUFFIXES = (".mp4", ".gif")
CLEAR = "\x1b[H\x1b[2J"
SHOWN = 3  # moves that are named
LIKELY = 0.005  # share from which on a move is shown


@dataclass(frozen=True)
class Options:
    """Films a game of two players, or of one against itself: a player is a run, mcts:simulations=400, alphago:..."""

    env: str = ""
    """The game, as go-9x9; of a run its own if left out."""
    out: Path | None = None
    """File of the video, .mp4 or .gif; game.mp4 in the run's videos/, or here, if left out."""
    steps: int = 1_000
    """Most moves."""
    seed: int = 0
    """Root of the players' randomness."""
    fps: float = 1.5
    """Moves a second."""
    text: bool = False
    """Whether to draw in the terminal instead of making a video."""


class Scene(NamedTuple):
    """A position, what who moves there thinks, and the move; of the last position neither."""

    state: State
    thoughts: Thoughts
    action: int | None


def main(names: Sequence[str], args: Sequence[str]) -> int:
    """Shows a game; the video's path is the last line of stdout."""
    options = parse(Options, args, "palestra watch A [B] --env GAME")
    if len(names) > 2:
        raise ValueError(f"a game has two players, but {len(names)} are given: {', '.join(names)}")
    if options.steps < 1 or not options.fps > 0:
        raise ValueError("--steps must be at least 1 and --fps above 0")
    name = options.env or next(filter(None, map(game_of, names)), "")
    if not name:
        raise ValueError("--env is missing: what to play, as in --env go-9x9")
    game, out = make_game(name), options.out or _place(names[0], options)
    if out.suffix not in SUFFIXES:
        raise ValueError(f"--out {out} must end in {' or '.join(SUFFIXES)}")
    if not options.text and not game.name.startswith("go-"):
        raise ValueError(f"{game.name} draws no pictures, so there is nothing to film; --text draws in the terminal")
    specs = (names[0], names[-1])
    with ExitStack() as stack:
        players = [
            stack.enter_context(closing(player_named(spec, game, seed_of(options.seed, i))))
            for i, spec in enumerate(specs)
        ]
        if options.text:
            _in_terminal(game, players, options)
            return 0
        _film(game, players, options, out)
    print(out)
    return 0


def scenes(game: Game, players: Sequence[Player], options: Options) -> Iterator[Scene]:
    """Plays a game, and yields each position before the move, and the last one."""
    state, rng, reward, end = game.start.copy(), seed_state(0), 0.0, ""
    for number, player in enumerate(players):
        player.start(game, state.copy(), seed_of(options.seed, 1, number))
    for _ in range(options.steps):
        if state[OVER]:
            break
        player = players[int(state[PLAYER])]
        action = player.choose(state)
        if action == RESIGN:
            reward = 1.0 if state[PLAYER] else -1.0
            end = f"{player.name} resigns"
            break
        yield Scene(state.copy(), thoughts_of(player, state), action)
        reward += move(game, state, action, rng)
        for other in players:
            other.note(action)
    yield Scene(state, Thoughts(), None)
    end = end or (game.describe(state).splitlines()[-1] if state[OVER] else "")
    say(f"{end}; who began gets {reward:g}" if end else f"stopped after {options.steps} moves")


def _film(game: Game, players: Sequence[Player], options: Options, out: Path) -> None:
    imageio: Any = importlib.import_module("imageio")
    out.parent.mkdir(parents=True, exist_ok=True)
    pictures = GamePictures(players[0].name, players[1].name)
    settings = {"fps": options.fps, "macro_block_size": 2}
    if out.suffix == ".gif":
        settings = {"duration": 1000 / options.fps, "loop": 0}
    with Progress("playing", options.steps) as progress, imageio.get_writer(out, **settings) as video:
        for number, scene in enumerate(scenes(game, players, options)):
            lines = _lines(game, scene)
            video.append_data(pictures.draw(scene.state, scene.thoughts, lines))
            progress.update(number, lines[0])


def _in_terminal(game: Game, players: Sequence[Player], options: Options) -> None:
    live = sys.stdout.isatty()
    for scene in scenes(game, players, options):
        print(f"{CLEAR if live else ''}{game.describe(scene.state)}")
        print("\n".join(_lines(game, scene)), flush=True)
        if live:
            time.sleep(1 / options.fps)


def _lines(game: Game, scene: Scene) -> list[str]:
    """Says which move is made, what was likely, and what is expected."""
    policy, value = scene.thoughts
    if scene.action is None:
        return ["the end"]
    lines = [f"move {int(scene.state[PLY]) + 1}: {game.action_name(scene.action)}"]
    if policy is not None:
        order = [a for a in np.argsort(-policy)[:SHOWN] if policy[a] > LIKELY]
        lines.append(", ".join(f"{game.action_name(int(a))} {policy[a]:.0%}" for a in order))
    if value is not None:
        lines.append(f"expects to win {(value + 1) / 2:.0%}")
    return lines


def _place(name: str, options: Options) -> Path:
    """Returns where the video goes where nobody says."""
    from palestra.cli.run import Run

    if name.partition(":")[0] in PLAYERS:
        return Path("game.mp4")
    return Run.open(name, "agent").path / "videos" / f"game-seed-{options.seed}.mp4"
