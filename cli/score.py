"""`palestra evaluate RUN --data NAME`: how good a fitted network is on images."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from palestra.cli.options import parse
from palestra.cli.progress import say
from palestra.cli.run import write_json
from palestra.cli.saved import saved_network
from palestra.networks.fit import FitConfig, Learner
from palestra.networks.stages import name_of
from palestra.perception.classify import report
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
    json: bool = False
    """Whether to print one JSON object instead of lines for people."""


def main(name: str, args: Sequence[str]) -> int:
    """Measures; a run's result is kept as its `evaluation.json`."""
    options = parse(Options, args, "palestra evaluate RUN")
    if options.batch_size < 1:
        raise ValueError(f"--batch-size is {options.batch_size}, but at least 1 is wanted")
    network, about = saved_network(name)
    images, which = _images(name, options)
    learner = Learner(network, FitConfig(batch_size=options.batch_size))
    data = inputs_for(network, images)
    measured: dict[str, Any] = {"network": name_of(network), "data": images.name, "part": which, "images": len(images)}
    if network.config["num_classes"] is None:  # type: ignore[index, union-attr]
        measured |= learner.evaluate(data)
        lines = [f"{key} {value:.6g}" for key, value in measured.items() if isinstance(value, float)]
    else:
        _check_classes(images, about)
        found = report(learner.predict(data), images.labels, images.classes)
        measured |= found.summary()
        lines = [str(found)]
        if options.out:
            from palestra.perception.learning_pictures import draw_report

            draw_report(found, options.out)
    if options.json:
        print(json.dumps(measured))
    else:
        say(f"{measured['network']} on {images.name} ({which}), {len(images):,} images")
        print("\n".join(lines))
    if (run := _run(name)) is not None:
        write_json(run.path / "evaluation.json", measured)
    return 0
