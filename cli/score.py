"""`palestra evaluate RUN --data NAME`: how good a fitted network is on images."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from palestra.cli import markov_text
from palestra.cli.fit import data_of
from palestra.cli.options import key_values, parse
from palestra.cli.progress import Progress, say, warnings_said
from palestra.cli.run import Run, write_json
from palestra.cli.saved import saved_network
from palestra.cli.score_model import measured_model
from palestra.networks.fit import FitConfig, Learner
from palestra.networks.stages import name_of
from palestra.perception.baselines import BASELINES, Row, compare, row_of, table
from palestra.perception.classify import Report, report
from palestra.perception.data import Images, load_images, parts_of
from palestra.perception.inputs import inputs_for


@dataclass(frozen=True)
class Options:
    """Measures a network on images: those that its run held out, the published test part, or others."""

    data: str = ""
    """Images to measure on; where left out, the test part of the run's own data, or what the run held out of them."""
    data_kwargs: tuple[str, ...] = ()
    """Options of the data, as in --data-kwargs size=32x32 channels=1."""
    batch_size: int = 256
    """Images that are looked at together."""
    out: Path | None = None
    """File for a picture, .png, of the confusion matrix and the calibration."""
    features: str = ""
    """Of a generative model: a fitted network in whose features samples are compared with the images."""
    baselines: bool = False
    """Whether to put support vector machines, a random forest and nearest neighbours on the pixels beside it."""
    json: bool = False
    """Whether to print one JSON object instead of lines for people."""


def main(name: str, args: Sequence[str]) -> int:
    """Measures; a run's result is kept as its `evaluation.json`."""
    if markov_text.is_chain(name):
        return markov_text.evaluate(name, args)
    options = parse(Options, args, "palestra evaluate RUN")
    if options.batch_size < 1:
        raise ValueError(f"--batch-size is {options.batch_size}, but at least 1 is wanted")
    network, about = saved_network(name)
    with warnings_said():
        images, which = _images(name, options)
    config: Any = network.config
    learner = Learner(network, FitConfig(batch_size=options.batch_size))
    data = inputs_for(network, images)
    measured: dict[str, Any] = {"network": name_of(network), "data": images.name, "part": which, "images": len(images)}
    if hasattr(network, "sample"):
        found_of_model, lines = measured_model(network, data, options.features, options.batch_size)
        measured |= found_of_model
    elif config["num_classes"] is None:
        measured |= learner.evaluate(data)
        lines = [f"{key} {value:.6g}" for key, value in measured.items() if isinstance(value, float)]
    else:
        found = report(learner.predict(data), _labels(images, about), about["classes"])
        measured |= found.summary()
        lines = [str(found)]
        if options.baselines:
            rows = _baselines(name, images, _labels(images, about), found)
            measured["baselines"] = {row.name: row.accuracy for row in rows}
            lines.append("\n" + table(rows))
        if options.out:
            from palestra.perception.learning_pictures import draw_report

            draw_report(found, options.out)
    if options.json:
        print(json.dumps(measured))
    else:
        say(f"{measured['network']} on {images.name} ({which}), {len(images):,} images")
        print("\n".join(lines))
    if not options.data:
        write_json(Run.open(name).path / "evaluation.json", measured)
    return 0


def _images(name: str, options: Options) -> tuple[Images, str]:
    """Returns the images to measure on, and which they are of the data."""
    if options.data:
        part = "test" if "test" in parts_of(options.data) else "all"
        return load_images(options.data, part=part, **key_values(options.data_kwargs)), part
    if (Path(name) / "model.safetensors").is_file():
        raise ValueError(f"--data is missing: {name} is a saved network, which has no images of its own")
    config = Run.open(name, "fit").config
    data = config["data"]
    if "test" in parts_of(data["name"]):
        return load_images(data["name"], part="test", **data["options"]), "test"
    _, held_out = data_of(config)
    if held_out is None:
        raise ValueError(f"{name} held no images of {data['name']} out; name others with --data")
    return held_out, f"held out, split seed {data['seed']}"


def _labels(images: Images, about: dict[str, Any]) -> Tensor:
    """Returns the labels, `[N]`, in the order of the network's classes.

    Raises:
        ValueError: there are none, or classes that the network does not know.
    """
    if images.labels is None:
        raise ValueError(f"{images.name} has no labels to compare with; palestra predict says what is on images")
    if odd := [name for name in images.classes if name not in about["classes"]]:
        known = ", ".join(about["classes"])
        raise ValueError(f"{images.name} has the class {odd[0]!r}, but the network knows {known}")
    return torch.tensor([about["classes"].index(name) for name in images.classes])[images.labels]


def _baselines(name: str, images: Images, labels: Tensor, found: Report) -> list[Row]:
    """Fits baselines to what the network was fitted to, and returns their rows and the network's own."""
    if (Path(name) / "model.safetensors").is_file():
        raise ValueError(f"{name} is a saved network without the images it was fitted to; --baselines needs its run")
    train, _ = data_of(Run.open(name, "fit").config)
    test = Images(images.pixels, labels, train.classes, name=images.name)
    with Progress("baselines", len(BASELINES)) as progress:
        rows = []
        for i, baseline in enumerate(BASELINES):
            progress.update(i, baseline)
            rows += compare(train, test, [baseline])
    hits = int(found.confusion.trace())
    return [*rows, row_of(Run.open(name).config["fit"], hits, found.count, float("nan"))]
