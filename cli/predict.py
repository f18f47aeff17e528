"""`palestra predict RUN IMAGE...`: what a fitted classifier says is on images."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from palestra.cli.options import parse
from palestra.cli.progress import say
from palestra.cli.saved import saved_network
from palestra.networks.fit import FitConfig, Learner
from palestra.perception.data import Images
from palestra.perception.folder import SUFFIXES, read_image
from palestra.perception.inputs import inputs_for

AT_ONCE = 256  # images that are read and looked at together


@dataclass(frozen=True)
class Options:
    """Says what is on images: palestra predict RUN IMAGE..., files or folders of them."""

    top: int = 3
    """Classes to name of each image, the most probable first."""
    corrupt: Literal["refuse", "skip"] = "refuse"
    """What to do with files that are no images: refuse, or skip and name them."""
    json: bool = False
    """Whether to print a JSON object an image instead of lines for people."""


def main(args: Sequence[str]) -> int:
    """Prints a line an image: its file, and its classes with their probabilities."""
    names = list(takewhile(lambda word: not word.startswith("-"), args))
    options = parse(Options, args[len(names) :], "palestra predict RUN IMAGE...")
    if len(names) < 2:
        raise ValueError("what to look at is missing: palestra predict RUN IMAGE...")
    if options.top < 1:
        raise ValueError(f"--top is {options.top}, but at least 1 is wanted")
    network, about = saved_network(names[0])
    config: Any = network.config
    if config["num_classes"] is None:
        raise ValueError(f"{names[0]} is a {config['network']} without classes, so there is nothing to predict")
    classes = about.get("classes") or [str(i) for i in range(config["num_classes"])]
    learner = Learner(network, FitConfig(batch_size=AT_ONCE))
    for paths, pixels in _batches(_files(names[1:]), about, options.corrupt):
        probabilities = torch.softmax(learner.predict(inputs_for(network, Images(pixels, name="the images"))), dim=1)
        for path, row in zip(paths, probabilities, strict=True):
            print(_line(path, row, classes, options))
    return 0


def _line(path: Path, probabilities: Tensor, classes: Sequence[str], options: Options) -> str:
    values, order = probabilities.topk(min(options.top, len(classes)))
    ranked = [(classes[i], float(value)) for i, value in zip(order.tolist(), values, strict=True)]
    if options.json:
        return json.dumps({"image": str(path), "class": ranked[0][0], "probabilities": dict(ranked)})
    return f"{path}: " + ", ".join(f"{name} {value:.1%}" for name, value in ranked)


def _batches(files: Sequence[Path], about: dict[str, Any], corrupt: str) -> Iterator[tuple[list[Path], Tensor]]:
    """Reads the images, scaled to the size that the network was fitted to."""
    channels, height, width = about["image"]
    for begin in range(0, len(files), AT_ONCE):
        paths, pixels = [], []
        for path in files[begin : begin + AT_ONCE]:
            try:
                pixels.append(torch.from_numpy(read_image(path, channels, (height, width))))
            except ValueError as error:
                if corrupt == "refuse":
                    raise
                say(f"skipped: {error}")
            else:
                paths.append(path)
        if paths:
            yield paths, torch.stack(pixels)


def _files(names: Sequence[str]) -> list[Path]:
    """Returns the files that are meant: each one itself, or all images in a folder and below it."""
    files: list[Path] = []
    for path in map(Path, names):
        if not path.exists():
            raise ValueError(f"there is no file or folder {path}")
        found = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
        if not found:
            raise ValueError(f"the folder {path} holds no images")
        files += found
    return files
