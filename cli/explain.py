"""`palestra explain RUN`: what a network looks at, as pictures of images or as a video of an agent's episode.

How a search tree grows, of a player or of a run that searches, is drawn by `explain_search.py`, and which phases of
hide-and-seek teams went through by `explain_teams.py`; `--method` explains the network of such a run.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from palestra.agents.player import PLAYERS
from palestra.cli.options import parse
from palestra.cli.players import searches
from palestra.cli.run import Run
from palestra.cli.saved import is_network


@dataclass(frozen=True)
class Options:
    """Explains a network: of a run of `palestra fit` or a saved network on images, of an agent in an episode."""

    method: str | None = None
    """saliency, guided-backpropagation, deconvolution, grad-cam, guided-grad-cam, occlusion, integrated-gradients or
    perturbation; of images also filters, patches, features, maximisation, or all: a page with everything (default)."""
    target: str | None = None
    """Class or action that is explained, by name or number; the one that the network chooses if left out."""
    stage: str | None = None
    """Stage that Grad-CAM, patches and features look at, or that has the unit; the last suitable one if left out."""
    unit: int | None = None
    """Unit of the stage that is explained in place of a class."""
    out: Path | None = None
    """File to write: .png or .html for images, .mp4 or .gif for an agent that sees images, .png for other agents."""
    data: str = ""
    """Images to explain, where no files are given; those that the network was fitted to if left out."""
    data_kwargs: tuple[str, ...] = ()
    """Options of the data, as in --data-kwargs size=32x32 channels=1."""
    images: int = 6
    """Images to take of the data."""
    steps: int = 500
    """Most steps of an agent's episode."""
    fps: float | None = None
    """Pictures a second of an agent's video; the environment's own if left out."""
    from_step: int | None = None
    """Step of an agent's checkpoint, if not the last."""
    seed: int = 0
    """Root of the randomness: which images, which episode."""


def main(args: Sequence[str]) -> int:
    """Writes pictures; the file's path is the last line of stdout."""
    names = list(takewhile(lambda word: not word.startswith("-"), args))
    plain = not any(word.startswith(("--method", "--stage", "--unit")) for word in args)
    if len(names) == 1 and (names[0].partition(":")[0] in PLAYERS or (plain and searches(names[0]))):
        from palestra.cli import explain_search

        return explain_search.main(names[0], args[1:])
    options = parse(Options, args[len(names) :], "palestra explain RUN [IMAGE...]")
    if not names:
        raise ValueError("what to explain is missing: palestra explain RUN [IMAGE...]")
    if min(options.images, options.steps) < 1:
        raise ValueError("--images and --steps must be at least 1")
    if options.unit is not None and options.unit < 0:
        raise ValueError(f"--unit is {options.unit}, but units are counted from 0")
    if is_network(names[0]):
        from palestra.cli.explain_images import explain_images

        print(explain_images(names[0], names[1:], options))
        return 0
    run = Run.open(names[0], "agent")
    if len(names) > 1:
        raise ValueError(f"{run.path} is an agent, which sees its environment and no files such as {names[1]}")
    if run.config["agent"] == "mappo":
        if not plain:
            raise ValueError(f"{run.path} plays in teams: palestra explain RUN draws their phases, without --method")
        from palestra.cli.explain_teams import explain_teams

        print(explain_teams(run, options.out and checked_suffix(options.out, (".png",))))
        return 0
    from palestra.cli.explain_agent import explain_agent

    print(explain_agent(run, options))
    return 0


def numbered(target: str, names: Sequence[str], what: str) -> int:
    """Returns the number of a class or action that is given by its name or number.

    Raises:
        ValueError: there is none such; the nearest name is offered.
    """
    if target in names:
        return list(names).index(target)
    if target.isdecimal() and int(target) < len(names):
        return int(target)
    near = [] if target.isdecimal() else difflib.get_close_matches(target, names, n=1, cutoff=0.5)
    some = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
    raise ValueError(f"there is no {what} {target!r}; " + (f"did you mean {near[0]}?" if near else f"there are {some}"))


def checked_suffix(out: Path, suffixes: Sequence[str]) -> Path:
    """Returns the path of a file if it ends as it may.

    Raises:
        ValueError: it does not.
    """
    if out.suffix not in suffixes:
        raise ValueError(f"--out {out} must end in {' or '.join(suffixes)}")
    return out
