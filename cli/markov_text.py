"""`palestra fit markov-text --data FILE`, and `evaluate` and `sample` of what came of it: a chain of text, in a run."""

import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from palestra.cli.options import parse
from palestra.cli.progress import say
from palestra.cli.run import Run, free_name, runs_folder, write_json

if TYPE_CHECKING:
    from palestra.generative.markov_text import MarkovText

NAME = "markov-text"
WHAT = "Markov chain of characters or words, fitted to a text file"
CHAIN = "chain.json"


@dataclass(frozen=True)
class FitOptions:
    """Counts what follows what in a text: palestra fit markov-text --data FILE."""

    data: str = ""
    """A text file, in UTF-8."""
    order: int = 3
    """Characters or words that the next one depends on."""
    unit: Literal["character", "word"] = "character"
    """What the text is a chain of."""
    smoothing: Literal["back-off", "additive"] = "back-off"
    """How what was never seen gets a probability: by shorter contexts, or by so many more counts of everything."""
    strength: float = 1.0
    """How much it gets; 0 leaves it without."""
    valid: float = 0.1
    """Fraction of the text, its end, that is held out for `evaluate`."""
    name: str | None = None
    """Name of the run, whose folder is runs/NAME; numbered if left out."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.valid < 1.0:
            raise ValueError(f"--valid must be a fraction from 0 to below 1, but is {self.valid}")


@dataclass(frozen=True)
class EvaluateOptions:
    """Says how probable a text is under a chain: palestra evaluate RUN."""

    data: str = ""
    """A text file to measure on; what the run held out of its own if left out."""
    json: bool = False
    """Whether to print one JSON object instead of lines for people."""


@dataclass(frozen=True)
class SampleOptions:
    """Draws a text: palestra sample RUN."""

    length: int = 500
    """Characters, or words, that are drawn."""
    seed: int = 0
    """Seed of the text."""
    temperature: float = 1.0
    """Probabilities are taken to the power of 1 / this: below 1 the text keeps to what is common."""
    out: Path | None = None
    """A file for it; where left out it is printed."""


def fit(args: Sequence[str]) -> int:
    """Fits; the run's path is the last line of stdout."""
    from palestra.generative.markov_text import MarkovText

    options = parse(FitOptions, args, f"palestra fit {NAME}")
    if not options.data:
        raise ValueError(f"--data is missing: a text file to fit {NAME} to")
    text = _read(options.data)
    train, held_out = _parts(text, options.valid)
    kind: dict[str, Any] = {name: getattr(options, name) for name in ("order", "unit", "smoothing", "strength")}
    chain = MarkovText(**kind)
    others = held_out if options.unit == "character" else held_out.split()
    chain.fit(train, vocabulary=set(others))
    config = {
        "fit": NAME,
        "data": {"name": options.data, "valid": options.valid, "characters": len(text)},
        "network": {"network": NAME, **kind},
        "versions": {package: version(package) for package in ("palestra", "numpy")},
        "machine": platform.platform(),
    }
    run = Run.create(options.name or free_name(f"{NAME}-{Path(options.data).stem}"), config)
    chain.save(run.path / CHAIN)
    say(f"{run.title}: {len(train):,} characters, {len(chain.vocabulary):,} different {options.unit}s, run {run.path}")
    print(run.path)
    return 0


def evaluate(name: str, args: Sequence[str]) -> int:
    """Measures; the result on the run's own text is kept as its `evaluation.json`."""
    options = parse(EvaluateOptions, args, "palestra evaluate RUN")
    run, chain = _opened(name)
    if options.data:
        text, part = _read(options.data), "all"
    else:
        text, part = _held_out(run), "held out, the end"
    found, units = chain.log_prob(text), len(text.split()) if chain.unit == "word" else len(text)
    measured = {
        "network": NAME,
        "data": options.data or run.config["data"]["name"],
        "part": part,
        "characters": len(text),
        "nats": -float(found.nats[0]),
        "bits_per_dim": float(found.bits_per_dim((units,))[0]),
        "bits_per_character": chain.bits_per_character(text),
        "kind": "exact",
    }
    if options.json:
        print(json.dumps(measured))
    else:
        say(f"{NAME} on {measured['data']} ({part}), {len(text):,} characters")
        of_words = f"{measured['bits_per_dim']:.4f} bits a word, " if chain.unit == "word" else ""
        print(
            f"{measured['nats']:.2f} nats, {of_words}{measured['bits_per_character']:.4f} bits a character, "
            "exact log-probabilities"
        )
    if not options.data:
        write_json(run.path / "evaluation.json", measured)
    return 0


def sample(name: str, args: Sequence[str]) -> int:
    """Draws a text and prints it, or writes it and prints the file's path."""
    options = parse(SampleOptions, args, "palestra sample RUN")
    _, chain = _opened(name)
    text = chain.sample(options.length, options.seed, options.temperature)
    if options.out is None:
        print(text)
        return 0
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text + "\n", "utf-8")
    print(options.out)
    return 0


def is_chain(name: str) -> bool:
    """Says whether a name is that of a chain's run."""
    return any((path / CHAIN).is_file() for path in (Path(name), runs_folder() / name))


def _opened(name: str) -> "tuple[Run, MarkovText]":
    from palestra.generative.markov_text import MarkovText

    run = Run.open(name, "fit")
    return run, MarkovText.load(run.path / CHAIN)


def _read(name: str) -> str:
    try:
        return Path(name).read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is no text in UTF-8: {error.reason} at byte {error.start}") from None


def _held_out(run: Run) -> str:
    """Returns the end of the text that the chain has not seen.

    Raises:
        ValueError: there is none, or the text has changed.
    """
    data = run.config["data"]
    text = _read(data["name"])
    if len(text) != data["characters"]:
        raise ValueError(
            f"{data['name']} had {data['characters']:,} characters when {run.path} was fitted to it, "
            f"but has {len(text):,} now"
        )
    held_out = _parts(text, data["valid"])[1]
    if not held_out.strip():
        raise ValueError(f"{run.path} held nothing of {data['name']} out; name another text with --data")
    return held_out


def _parts(text: str, valid: float) -> tuple[str, str]:
    """Returns the beginning of a text and a fraction of it at the end, parted where a word ends if there is such."""
    cut = round(len(text) * (1.0 - valid))
    ends = (i for i in range(cut, 0, -1) if i == len(text) or text[i].isspace())
    place = next(ends, cut)
    return text[:place], text[place:]
