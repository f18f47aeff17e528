"""`palestra fit NETWORK --data NAME`: fits a network or model to images and keeps what came of it in a run."""

import dataclasses
import os
import platform
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from palestra.cli import checkpoint, markov_text
from palestra.cli.log import Log, interruptible
from palestra.cli.options import key_values, parse
from palestra.cli.progress import Progress, duration, say, warnings_said
from palestra.cli.run import Run, free_name
from palestra.cli.saved import folder_of
from palestra.cli.tracking import Tracker
from palestra.networks import MODELS, NETWORKS, create, network_class, usual_fit
from palestra.networks.fit import DivergedError, FitConfig, Learner
from palestra.networks.names import named
from palestra.networks.pretrained import load_into, save_pretrained
from palestra.networks.stages import freeze, num_parameters
from palestra.networks.threads import use_threads
from palestra.perception.data import Images, load_images, parts_of
from palestra.perception.inputs import arguments_for, inputs_for

PACKAGES = ("palestra", "numpy", "torch", "accelerate", "scikit-learn")
TOLD = {"train/loss": "loss", "valid/loss": "valid loss", "valid/accuracy": "valid accuracy"}
AT_MOST = 20  # checkpoints of a run, where nobody says


@dataclass(frozen=True)
class Options(FitConfig):
    """Fits a network: palestra fit NETWORK --data NAME, or palestra fit --resume RUN."""

    data: str = ""
    """digits, mnist, fashion-mnist, cifar10, a folder with a sub-folder a class, an .npz, or frames:ID."""
    data_kwargs: tuple[str, ...] = ()
    """Options of the data, as in --data-kwargs size=32x32 channels=1."""
    valid: float = 0.1
    """Fraction of the images that is held out: the validation loss is theirs, and `evaluate` uses them; a file with a
    part `valid` has its own."""
    augment: tuple[str, ...] = ()
    """What is done to images in training, as in --augment shift flip."""
    network_kwargs: tuple[str, ...] = ()
    """Options of the network, as in --network-kwargs hidden=[64,64] dropout=0.5."""
    labels: bool | None = None
    """Whether to learn labels; where left out, all networks do but autoencoders and generative models, which with
    --labels True can be sampled class by class."""
    pretrained: str | None = None
    """Weights to begin with: a run, a folder or file of weights, or imagenet for the published ones."""
    freeze: int = 0
    """Stages that are kept as they are, counted from the input."""
    name: str | None = None
    """Name of the run, whose folder is runs/NAME; numbered if left out."""
    samples: int = 64
    """Samples of a generative model that are drawn into a picture at each checkpoint."""
    checkpoint_every: int | None = None
    """Steps between checkpoints; an epoch, or a twentieth of all if that is more."""
    log_every: int | None = None
    """Steps between rows of metrics.jsonl (a two-hundredth of all if left out)."""
    wandb: Literal["off", "offline", "online"] = "off"
    """Whether to log to Weights & Biases as well."""
    wandb_project: str = "palestra"
    """Project on Weights & Biases."""
    resume: str | None = None
    """A run to go on with, as if it had never stopped."""
    from_step: int | None = None
    """With --resume: the step of the checkpoint to go on from, if not the last."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 <= self.valid < 1.0:
            raise ValueError(f"valid must be a fraction from 0 to below 1, but is {self.valid}")
        for name in ("freeze", "samples", "checkpoint_every", "log_every"):
            if (getattr(self, name) or 0) < 0:
                raise ValueError(f"{name} must not be negative, but is {getattr(self, name)}")


def main(args: Sequence[str]) -> int:
    """Fits; the run's path is the last line of stdout."""
    name = args[0] if args and not args[0].startswith("-") else None
    words = list(args if name is None else args[1:])
    if name == markov_text.NAME and "--resume" not in words:
        return markov_text.fit(words)
    if name is not None:
        named(name, {**NETWORKS, **MODELS, markov_text.NAME: None}, "network")
    usual = {} if name is None or "--resume" in words else usual_fit(name)
    options = parse(Options, words, "palestra fit NETWORK", Options(**usual))
    if options.resume is None:
        config, train, valid = _resolved(name, options)
        learner = _learner(config, train, begin=True)
        run = Run.create(options.name or free_name(_stem(name, options.data)), config) if _is_main() else None
    else:
        run = _reopened(name, options)
        train, valid = data_of(run.config)
        learner = _learner(run.config, train, begin=False)
        step = -1
        if run.has_checkpoint() or options.from_step is not None:
            step, state = run.load(options.from_step)
            learner.restore(state)
        run.rewind(step)
    if run is None:  # another process writes what comes of it
        for _ in _steps(learner, train, valid):
            pass
        return 0
    with run.locked():
        return _fit(run, learner, train, valid, options)


def _resolved(name: str | None, options: Options) -> tuple[dict[str, Any], Images, Images | None]:
    """Returns what `config.json` will say, and the data: nothing is left to defaults that may change."""
    if name is None:
        raise ValueError("the network is missing: palestra fit NETWORK --data NAME; `palestra networks` lists them")
    kind = network_class(name)
    if not options.data:
        raise ValueError(f"--data is missing: what to fit {name} to, as in --data digits")
    data = {"name": options.data, "options": key_values(options.data_kwargs), "valid": options.valid}
    by_itself = hasattr(kind, "reconstruct") or hasattr(kind, "sample")
    supervised = options.labels if options.labels is not None else not by_itself
    config: dict[str, Any] = {"fit": name, "data": data | {"labels": supervised, "seed": options.seed}}
    train, valid = data_of(config)
    config["data"] |= {"images": len(train) + len(valid or ())}
    num_classes = train.num_classes if supervised else None
    network = arguments_for(name, train, num_classes=num_classes, **key_values(options.network_kwargs))
    steps = FitConfig.num_steps(options, len(train))
    config |= {
        "network": network,
        "pretrained": options.pretrained and str(_weights(options.pretrained)),
        "freeze": options.freeze,
        "augment": list(options.augment),
        "samples": options.samples if hasattr(kind, "sample") else 0,
        "fit_config": {f.name: getattr(options, f.name) for f in dataclasses.fields(FitConfig)},
        "seed": options.seed,
        "steps": steps,
        "checkpoint_every": options.checkpoint_every or max(steps // options.epochs, steps // AT_MOST),
        "log_every": options.log_every or max(1, steps // 200),
        "versions": {package: version(package) for package in PACKAGES},
        "machine": platform.platform(),
    }
    return config, train, valid


def data_of(config: dict[str, Any]) -> tuple[Images, Images | None]:
    """Returns the images to fit to and those held out."""
    data = config["data"]
    with warnings_said():
        images = load_images(data["name"], **data["options"])
    if data["labels"] and images.labels is None:
        raise ValueError(f"{data['name']} has no labels for {config['fit']} to learn; an autoencoder learns without")
    if not data["labels"]:
        images = Images(images.pixels, name=images.name)
    valid = None
    if "valid" in parts_of(data["name"]):
        valid = load_images(data["name"], "valid", **data["options"])
        valid = valid if data["labels"] else Images(valid.pixels, name=valid.name)
    elif data["valid"]:
        images, valid = images.split(data["valid"], data["seed"])
    total = len(images) + len(valid or ())
    if total != data.get("images", total):
        raise ValueError(f"{data['name']} had {data['images']} images when the run began, but has {total} now")
    return images, valid


def _learner(config: dict[str, Any], train: Images, *, begin: bool) -> Learner:
    """Makes what fits the network, with its first weights where it begins."""
    with torch.random.fork_rng():
        torch.manual_seed(config["seed"])
        options = dict(config["network"])
        network = create(options.pop("network"), **options)
    if begin and config["pretrained"]:
        load_into(network, config["pretrained"] == "imagenet" or config["pretrained"])
    freeze(network, config["freeze"])
    inputs_for(network, train)
    use_threads(image=network_class(config["fit"]).input_rank == 3)
    return Learner(network, FitConfig(**config["fit_config"]), transform=_augmentation(config["augment"]))


def _augmentation(names: Sequence[str]) -> Callable[[Tensor], Tensor] | None:
    if not names:
        return None
    from palestra.perception.augment import Augment

    return Augment(names)


def _steps(learner: Learner, train: Images, valid: Images | None) -> Iterator[tuple[int, dict[str, float]]]:
    held_out = None if valid is None else inputs_for(learner.network, valid)
    return learner.fit(inputs_for(learner.network, train), held_out)


def _fit(run: Run, learner: Learner, train: Images, valid: Images | None, options: Options) -> int:
    """Fits from checkpoint to checkpoint until all is done, or somebody interrupts."""
    config, steps = run.config, run.config["steps"]
    with (
        Tracker(options.wandb, options.wandb_project, run) as tracker,
        Progress(run.title, steps, learner.step) as progress,
        interruptible() as interrupted,
    ):
        log = Log(run, tracker, progress, learner.step, TOLD)
        if learner.step == 0:
            progress.say(_introduction(learner, train, valid, run))
        try:
            for step, metrics in _steps(learner, train, valid):
                log.add(step, metrics)
                if interrupted:
                    break
                if step % config["checkpoint_every"] == 0 and step < steps:
                    log.flush(step)
                    _save(run, learner, train)
                    _draw(run, learner, train, tracker)
        except DivergedError as error:
            raise ValueError(f"{error}; {_what_is_left(run)}") from None
        log.flush(learner.step)
        _save(run, learner, train)
        _draw(run, learner, train, tracker)
    if interrupted:
        say(f"interrupted at step {learner.step:,} and saved; go on with: palestra fit --resume {run.path}")
    else:
        say(f"{run.title}: {learner.step:,} steps in {duration(progress.elapsed)}; {_outcome(learner)}")
    print(run.path)
    return 130 if interrupted else 0


def _save(run: Run, learner: Learner, images: Images) -> None:
    data = run.config["data"]
    about = {
        "data": data["name"],
        "classes": list(images.classes),
        "image": [images.in_channels, *images.image_size],
        "step": learner.step,
    }
    save_pretrained(learner.network, run.path / "network", **about)
    run.save(learner.step, learner.state())


def _draw(run: Run, learner: Learner, images: Images, tracker: Tracker) -> None:
    """Draws samples of a model into a picture of the run, always from the same random numbers."""
    if run.config["samples"]:
        from palestra.cli.sample import draw

        (run.path / "samples").mkdir(exist_ok=True)
        path = run.path / "samples" / f"{learner.step}.png"
        draw(learner.network, run.config["samples"], [images.in_channels, *images.image_size], path)
        tracker.image(learner.step, path)


def _what_is_left(run: Run) -> str:
    saved = checkpoint.saved_steps(run.path / "checkpoint")
    return f"{run.path} keeps the checkpoint of step {saved[-1]:,}" if saved else "there was no checkpoint before"


def _introduction(learner: Learner, train: Images, valid: Images | None, run: Run) -> str:
    held_out = f", {len(valid):,} held out" if valid else ""
    size = " x ".join(map(str, (train.in_channels, *train.image_size)))
    learnt = f"{num_parameters(learner.network):,} parameters"
    steps = f"{run.config['steps']:,} steps"
    return f"{run.title}: {len(train):,} images of {size}{held_out}, {learnt}, {steps}, run {run.path}"


def _outcome(learner: Learner) -> str:
    if not learner.history:
        return "nothing was held out to measure it on"
    losses = [metrics["loss"] for metrics in learner.history]
    best = losses.index(min(losses)) if learner.config.patience else len(losses) - 1
    told = ", ".join(f"{name} {value:.4g}" for name, value in learner.history[best].items())
    stopped = f" (stopped early, weights of epoch {best + 1})" if learner.stopped else ""
    return f"on the images held out: {told}{stopped}"


def _reopened(name: str | None, options: Options) -> Run:
    given = {f.name for f in dataclasses.fields(Options) if getattr(options, f.name) != f.default}
    if odd := sorted(given - {"resume", "from_step", "wandb", "wandb_project"}):
        raise ValueError(f"--{odd[0].replace('_', '-')} is fixed by the run that --resume goes on with; leave it out")
    run = Run.open(str(options.resume), "fit")
    if run.config["fit"] == markov_text.NAME:
        raise ValueError(f"{run.path} is a chain of text, which is fitted at once: there is nothing to go on with")
    if name not in (None, run.config["fit"]):
        raise ValueError(f"{run.path} fits {run.config['fit']}, not {name}")
    return run


def _weights(given: str) -> str | Path:
    """Returns the word imagenet, or the path of a file of weights or of a saved network's folder."""
    return given if given == "imagenet" or Path(given).is_file() else folder_of(given)


def _stem(name: str | None, data: str) -> str:
    return f"{name}-{re.split('[/:]', data.rstrip('/'))[-1].removesuffix('.npz')}"


def _is_main() -> bool:
    """Says whether this process writes the run, where torchrun has started several."""
    return os.environ.get("RANK", "0") == "0"
