"""`palestra self-play RUN`: games that a policy network plays against itself, as a collection to learn from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from palestra.agents.agent import Array
from palestra.agents.alphago import Net
from palestra.agents.board_network import POLICIES
from palestra.agents.self_play import play_out
from palestra.cli.counting import lead_without, score_text
from palestra.cli.options import parse
from palestra.cli.progress import Progress, say
from palestra.cli.run import runs_folder
from palestra.envs.go.records import GameRecord, tree_of
from palestra.envs.go.rules import Rules, rules_named
from palestra.envs.go.sgf_files import read_games, write_games
from palestra.envs.go.vector import GoBatch
from palestra.networks.threads import use_threads

USAGE = "palestra self-play RUN --out FILE.sgf"


@dataclass(frozen=True)
class Options:
    """Plays games of a policy network (alphago-sl, alphago-rl) against itself, drawing moves by its probabilities.

    Games that the file has already are counted; where it was interrupted it goes on.
    """

    out: Path = Path("self-play.sgf")
    """SGF collection that the games are added to."""
    games: int = 10_000
    """Games that it has in the end."""
    rules: str = "tromp-taylor"
    """Rules of Go: tromp-taylor, chinese, japanese, aga or cgos."""
    komi: float | None = None
    """Points that White gets; those of the rules if left out."""
    batch: int = 256
    """Games that go on at once."""
    seed: int = 0
    """Root of the randomness."""

    def __post_init__(self) -> None:
        for name, least in (("games", 1), ("batch", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"--{name} is {getattr(self, name)}, but at least {least} is wanted")
        if self.out.suffix != ".sgf":
            raise ValueError(f"--out {self.out} must end in .sgf")


def main(args: Sequence[str]) -> int:
    """Plays and writes the games; the file's path is the last line of stdout."""
    named = bool(args) and not args[0].startswith("-")
    options = parse(Options, list(args[named:]), USAGE)
    if not named:
        raise ValueError(f"whose games is missing: {USAGE}, with RUN of alphago-sl or alphago-rl")
    run = next((str(place) for place in (Path(args[0]), runs_folder() / args[0]) if place.exists()), args[0])
    net = Net(run, POLICIES)
    rules = rules_named(options.rules, size=net.size, komi=options.komi)
    done = _there(options.out)
    use_threads(True)

    def policy(obs: Array) -> Array:
        return net(torch.from_numpy(obs), 0).numpy()

    options.out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with Progress("playing", options.games, done) as progress:
            while done < options.games:
                rng = np.random.default_rng([options.seed, done])
                batch = GoBatch(rules, min(options.batch, options.games - done), features=net.features)
                games = play_out(batch, policy, rng)
                write_games(options.out, [tree_of(_record(*game, options, rules, run)) for game in games], append=True)
                done += len(games)
                progress.update(done)
    except KeyboardInterrupt:
        say(f"interrupted after {done:,} games; the same command goes on")
        return 130
    print(options.out)
    return 0


def _record(moves: list[int], state: Array, options: Options, rules: Rules, run: str) -> GameRecord:
    name = Path(run).name
    return GameRecord(
        rules.size,
        tuple((1 + i % 2, action) for i, action in enumerate(moves)),
        komi=rules.komi,
        rules=options.rules,
        result=score_text(lead_without(state)),
        black_player=name,
        white_player=name,
    )


def _there(path: Path) -> int:
    """Returns how many games a file has."""
    if not path.exists():
        return 0
    return sum(1 for _ in read_games(path, lambda sentence: None))  # without half a game at the end, from a kill
